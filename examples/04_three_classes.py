"""A classifier trained four ways: a step by hand, momentum by hand, optim.SGD, log_softmax + NLLLoss.

The data is noise, 500 samples of 20 features in 3 classes: the point is the mechanics, which are the same
for real data.
"""

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.nn import functional as F

LEARNING_RATE, MOMENTUM, STEPS = 0.1, 0.9, 20


class Model(nn.Module):
    def __init__(self, in_features=20, out_features=3):
        super().__init__()
        self.linear1 = nn.Linear(in_features, 13, bias=False)
        self.linear2 = nn.Linear(13, 8, bias=False)
        self.output = nn.Linear(8, out_features)

    def forward(self, x):
        z1 = self.linear1(x)
        sigma1 = torch.relu(z1)
        z2 = self.linear2(sigma1)
        sigma2 = torch.sigmoid(z2)
        return self.output(sigma2)


def new_model():
    """The same weights every time, so that the four ways can be compared."""
    torch.manual_seed(420)
    return Model()


def one_step_by_hand(X, y):
    net = new_model()
    criterion = nn.CrossEntropyLoss()
    loss = criterion(net.forward(X), y.long())
    before = net.linear1.weight.grad
    loss.backward(retain_graph=True)
    print(f"loss {loss.item():.6f}; weight.grad was {before}, is {net.linear1.weight.grad.shape}")

    w = net.linear1.weight.data
    dw = net.linear1.weight.grad.data
    w -= LEARNING_RATE * dw  # in place, so the model's own weight moves
    again = criterion(net.forward(X), y.long())
    print(f"loss {again.item():.6f} after one step of the first layer")
    return {"loss": loss, "grad_before": before, "dw": dw, "w": w, "loss_after": again}


def momentum_by_hand(X, y):
    net = new_model()
    criterion = nn.CrossEntropyLoss()
    velocities = [torch.zeros_like(p) for p in net.parameters()]
    losses = []
    for _ in range(STEPS):
        loss = criterion(net.forward(X), y.long())
        loss.backward()
        for i, p in enumerate(net.parameters()):
            velocities[i] = MOMENTUM * velocities[i] - LEARNING_RATE * p.grad
            p.data += velocities[i]
            p.grad.zero_()
        losses.append(loss.item())
    return losses


def momentum_by_optimizer(X, y, log_softmax=False):
    net = new_model()
    criterion = nn.NLLLoss() if log_softmax else nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        scores = net.forward(X)
        if log_softmax:
            scores = F.log_softmax(scores, dim=1)
        loss = criterion(scores, y.long())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main():
    torch.manual_seed(420)
    X = torch.rand((500, 20), dtype=torch.float32) * 100
    y = torch.randint(low=0, high=3, size=(500,), dtype=torch.float32)
    print(f"X {X.shape}, {len(y.unique())} classes")
    results = {"X": X, "y": y, "classes": len(y.unique()), **one_step_by_hand(X, y)}
    results["by_hand"] = momentum_by_hand(X, y)
    results["by_optimizer"] = momentum_by_optimizer(X, y)
    results["by_log_softmax"] = momentum_by_optimizer(X, y, log_softmax=True)
    for name in ("by_hand", "by_optimizer", "by_log_softmax"):
        print(f"momentum {name:15} loss {results[name][0]:.6f} -> {results[name][-1]:.6f} in {STEPS} steps")
    return results


if __name__ == "__main__":
    main()
