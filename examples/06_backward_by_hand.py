"""Backpropagation written by hand in NumPy, node by node, and the same gradients from the tape.

Each node is a pair: forward, and backward, which turns the gradient of the node's output into those of its
inputs. Where values spread in forward (branch, repeat), gradients add up in backward, and where values add
up (sum), gradients spread.
"""

import numpy as np

import fastgrad as torch


class MatMul:
    """Y = X @ W, so dX = dY @ W.T and dW = X.T @ dY."""

    def __init__(self, W):
        self.params = [W]
        self.grads = [np.zeros_like(W)]

    def forward(self, X):
        self.X = X
        return X @ self.params[0]

    def backward(self, dY):
        W = self.params[0]
        self.grads[0][...] = self.X.T @ dY  # written into the array that others may already hold
        return dY @ W.T


class Affine(MatMul):
    """Y = X @ W + b. The bias is repeated for each sample, so its gradient is a sum over them."""

    def __init__(self, W, b):
        super().__init__(W)
        self.params.append(b)
        self.grads.append(np.zeros_like(b))

    def forward(self, X):
        return super().forward(X) + self.params[1]

    def backward(self, dY):
        self.grads[1][...] = dY.sum(axis=0)
        return super().backward(dY)


class Sigmoid:
    """y = 1 / (1 + exp(-x)), so dx = dy * y * (1 - y)."""

    params, grads = (), ()

    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, dy):
        return dy * self.y * (1 - self.y)


class ReLU:
    """y = max(x, 0), so dx = dy where x > 0, and 0 elsewhere."""

    params, grads = (), ()

    def forward(self, x):
        self.positive = x > 0
        return np.where(self.positive, x, 0)

    def backward(self, dy):
        return np.where(self.positive, dy, 0)


class Add:
    """z = x + y: the gradient passes to both."""

    def forward(self, x, y):
        return x + y

    def backward(self, dz):
        return dz, dz


class Multiply:
    """z = x * y: each input's gradient is weighted by the other."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        return dz * self.y, dz * self.x


class Branch:
    """One value used in two places: two gradients come back, and add up."""

    def forward(self, x):
        return x, x

    def backward(self, dx1, dx2):
        return dx1 + dx2


class Repeat:
    """A row (1, D) written N times, (N, D): N gradients come back, and add up."""

    def __init__(self, N):
        self.N = N

    def forward(self, x):
        return np.repeat(x, self.N, axis=0)

    def backward(self, dy):
        return dy.sum(axis=0, keepdims=True)


class Sum:
    """(N, D) summed to (1, D): one gradient comes back, and goes to every row."""

    def forward(self, x):
        self.N = len(x)
        return x.sum(axis=0, keepdims=True)

    def backward(self, dy):
        return np.repeat(dy, self.N, axis=0)


def network_by_hand(X, parameters):
    """Affine - Sigmoid - Affine - ReLU - MatMul: pushed on a list in forward, popped off it in backward."""
    W1, b1, W2, b2, W3 = parameters
    layers, grads = [], []
    output = X
    for layer in (Affine(W1, b1), Sigmoid(), Affine(W2, b2), ReLU(), MatMul(W3)):
        output = layer.forward(output)
        layers.append(layer)
        grads += layer.grads

    gradient = 2 * output / output.size  # of the mean of output ** 2
    while layers:
        gradient = layers.pop().backward(gradient)
    return [gradient, *grads]


def network_by_tape(X, parameters):
    X, W1, b1, W2, b2, W3 = leaves = [torch.tensor(a, requires_grad=True) for a in (X, *parameters)]
    hidden = torch.relu(torch.sigmoid(X @ W1 + b1) @ W2 + b2)
    (hidden @ W3).pow(2).mean().backward()
    return [leaf.grad.numpy() for leaf in leaves]


def nodes_by_hand(row, table, weights):
    """The sum of weights * (v * v + table), where v is the row repeated: every node that is left."""
    repeat, branch, multiply, add = Repeat(len(table)), Branch(), Multiply(), Add()
    weigh, total = Multiply(), Sum()
    v1, v2 = branch.forward(repeat.forward(row))
    weighed = weigh.forward(add.forward(multiply.forward(v1, v2), table), weights)
    output = total.forward(weighed)

    dweighed = total.backward(np.ones_like(output))
    dsum, dweights = weigh.backward(dweighed)
    dproduct, dtable = add.backward(dsum)
    drow = repeat.backward(branch.backward(*multiply.backward(dproduct)))
    return [drow, dtable, dweights]


def nodes_by_tape(row, table, weights):
    row, table, weights = leaves = [torch.tensor(a, requires_grad=True) for a in (row, table, weights)]
    v = row.expand(len(table), -1)
    (weights * (v * v + table)).sum(0, keepdim=True).sum().backward()
    return [leaf.grad.numpy() for leaf in leaves]


def compare(names, by_hand, by_tape):
    for name, hand, tape in zip(names.split(), by_hand, by_tape):
        difference = np.abs(hand - tape).max()
        assert difference < 1e-6, f"{name} differs by {difference}"
        print(f"d{name:8} {hand.shape!s:9} sum {hand.sum():+.6f}, equal to the tape's to 1e-6")


def main():
    random = np.random.RandomState(6)

    def array(*shape):
        return random.standard_normal(shape).astype(np.float32)

    X, parameters = array(16, 10), [array(10, 8), array(8), array(8, 6), array(6), array(6, 3)]
    network = network_by_hand(X, parameters), network_by_tape(X, parameters)
    compare("X W1 b1 W2 b2 W3", *network)

    inputs = array(1, 8), array(7, 8), array(7, 8)
    nodes = nodes_by_hand(*inputs), nodes_by_tape(*inputs)
    compare("row table weights", *nodes)
    return {"network": network[1], "nodes": nodes[1]}


if __name__ == "__main__":
    main()
