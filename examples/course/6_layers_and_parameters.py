"""Building models: own blocks and layers, and how their parameters are reached, set, shared and kept.

LIBRARY=torch python examples/course/6_layers_and_parameters.py runs it under PyTorch; the numbers are the same.
"""

import copy
import importlib
import os
from typing import Any

torch: Any = importlib.import_module(os.environ.get("LIBRARY", "fastgrad"))  # import fastgrad as torch
nn: Any = torch.nn
F: Any = torch.nn.functional


class MLP(nn.Module):
    """A block: its layers are made once, and forward says what becomes of an input."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(20, 256)
        self.out = nn.Linear(256, 10)

    def forward(self, X):
        return self.out(F.relu(self.hidden(X)))


class MySequential(nn.Module):
    """What nn.Sequential does, in five lines."""

    def __init__(self, *args):
        super().__init__()
        for index, module in enumerate(args):
            self._modules[str(index)] = module

    def forward(self, X):
        for block in self._modules.values():
            X = block(X)
        return X


class FixedHiddenMLP(nn.Module):
    """Weights that are never trained, a layer used twice, and a Python loop in forward."""

    def __init__(self):
        super().__init__()
        self.rand_weight = torch.rand((20, 20), requires_grad=False)
        self.linear = nn.Linear(20, 20)

    def forward(self, X):
        X = self.linear(X)
        X = F.relu(torch.mm(X, self.rand_weight) + 1)
        X = self.linear(X)
        while X.abs().sum() > 1:
            X /= 2
        return X.sum()


class NestMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.linear = nn.Linear(32, 16)

    def forward(self, X):
        return self.linear(self.net(X))


class CenteredLayer(nn.Module):
    """A layer without parameters."""

    def forward(self, X):
        return X - X.mean()


class MyLinear(nn.Module):
    """A layer with parameters of its own."""

    def __init__(self, in_units, units):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_units, units))
        self.bias = nn.Parameter(torch.randn(units))

    def forward(self, X):
        return F.relu(torch.matmul(X, self.weight.data) + self.bias.data)


def blocks():
    X = torch.rand(2, 20)
    print("MLP", MLP()(X))
    print("MySequential", MySequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))(X))
    print("FixedHiddenMLP", FixedHiddenMLP()(X))
    chimera = nn.Sequential(NestMLP(), nn.Linear(16, 20), FixedHiddenMLP())
    print("nested", chimera(X))
    print(chimera)


def reaching():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    X = torch.rand(size=(2, 4))
    print(net(X))
    print(net[2].state_dict())
    print(type(net[2].bias).__name__, net[2].bias, net[2].bias.data)
    print("no gradient yet:", net[2].weight.grad is None)
    print(*[(name, param.shape) for name, param in net[0].named_parameters()])
    print(*[(name, param.shape) for name, param in net.named_parameters()])
    print(net.state_dict()["2.bias"].data)

    def block1():
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU())

    def block2():
        net = nn.Sequential()
        for i in range(4):
            net.add_module(f"block {i}", block1())
        return net

    nested = nn.Sequential(block2(), nn.Linear(4, 1))
    print(nested(X))
    print(nested)
    print(nested[0][1][0].bias.data)
    return net, X


def setting(net, X):
    def normal(module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, mean=0, std=0.01)
            nn.init.zeros_(module.bias)

    def constant(module):
        if isinstance(module, nn.Linear):
            nn.init.constant_(module.weight, 1)
            nn.init.zeros_(module.bias)

    def xavier(module):
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)

    def my_init(module):
        if isinstance(module, nn.Linear):
            print("init", *next((name, param.shape) for name, param in module.named_parameters()))
            nn.init.uniform_(module.weight, -10, 10)
            module.weight.data *= module.weight.data.abs() >= 5

    for function in (normal, constant):
        net.apply(function)
        print(function.__name__, net[0].weight.data[0], net[0].bias.data[0])
    net[0].apply(xavier)
    net[2].apply(my_init)
    print(net[0].weight.data[0])
    print(net[2].weight.data)
    net[0].weight.data[:] += 1
    net[0].weight.data[0, 0] = 42
    print(net[0].weight.data[0])


def sharing(X):
    shared = nn.Linear(8, 8)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1))
    net(X).sum().backward()
    print("the same object:", net[2].weight is net[4].weight, len(list(net.parameters())))
    net[2].weight.data[0, 0] = 100
    print("equal:", bool((net[2].weight.data[0] == net[4].weight.data[0]).all()))
    print("gradients of both places are added:", net[2].weight.grad[0])


def layers():
    print(CenteredLayer()(torch.FloatTensor([1, 2, 3, 4, 5])))
    net = nn.Sequential(nn.Linear(8, 128), CenteredLayer())
    print("mean is nearly zero:", abs(net(torch.rand(4, 8)).mean().item()) < 1e-6)
    linear = MyLinear(5, 3)
    print(linear.weight)
    print(linear(torch.rand(2, 5)))
    net = nn.Sequential(MyLinear(64, 8), MyLinear(8, 1))
    print(net(torch.rand(2, 64)))


def keeping(X):
    net = MLP()
    X = torch.randn(size=(2, 20))
    kept = copy.deepcopy(net.state_dict())
    clone = MLP()
    print(clone.load_state_dict(kept))
    clone.eval()
    print("the same output:", bool((clone(X) == net(X)).all()))


def main():
    torch.manual_seed(5)
    blocks()
    net, X = reaching()
    setting(net, X)
    sharing(X)
    layers()
    keeping(X)


if __name__ == "__main__":
    main()
