"""A multilayer perceptron on handwritten digits: activations and their slopes, by hand, and concise.

LIBRARY=torch python examples/course/3_mlp.py runs it under PyTorch; the numbers are the same.
"""

import importlib
import os
from typing import Any

from fastgrad import datasets

torch: Any = importlib.import_module(os.environ.get("LIBRARY", "fastgrad"))  # import fastgrad as torch
nn: Any = torch.nn
data: Any = torch.utils.data

INPUTS, HIDDEN, OUTPUTS = 64, 128, 10
BATCH_SIZE, EPOCHS, LEARNING_RATE = 64, 6, 0.1


def load_digits():
    """Loaders of the digits that ship with fastgrad, as tensors of the library in use."""
    for train in (True, False):
        images, labels = (torch.from_numpy(part.numpy()) for part in datasets.digits(train).tensors)
        yield data.DataLoader(data.TensorDataset(images, labels), BATCH_SIZE, shuffle=train)


def slopes():
    """The three classic activations, and their derivatives as backward() finds them."""
    x = torch.arange(-8.0, 8.0, 2.5, requires_grad=True)
    for function in (torch.relu, torch.sigmoid, torch.tanh):
        if x.grad is not None:
            x.grad.zero_()
        y = function(x)
        y.backward(torch.ones_like(x), retain_graph=True)
        print(f"{function.__name__:8}", y.detach())
        print("   slope", x.grad)


def train(net, params, train_loader, test_loader):
    loss_function = nn.CrossEntropyLoss(reduction="none")
    optimizer = torch.optim.SGD(params, lr=LEARNING_RATE)
    for epoch in range(EPOCHS):
        total, count = 0.0, 0
        for X, y in train_loader:
            loss = loss_function(net(X), y)
            optimizer.zero_grad()
            loss.mean().backward()
            optimizer.step()
            total += loss.sum().item()
            count += len(y)
        with torch.no_grad():
            right = sum((net(X).argmax(dim=1) == y).sum().item() for X, y in test_loader)
        print(f"epoch {epoch + 1}: loss {total / count:.4f}, test accuracy {right / len(test_loader.dataset):.3f}")


def by_hand(train_loader, test_loader):
    W1 = nn.Parameter(torch.randn(INPUTS, HIDDEN, requires_grad=True) * 0.01)
    b1 = nn.Parameter(torch.zeros(HIDDEN, requires_grad=True))
    W2 = nn.Parameter(torch.randn(HIDDEN, OUTPUTS, requires_grad=True) * 0.01)
    b2 = nn.Parameter(torch.zeros(OUTPUTS, requires_grad=True))

    def relu(X):
        return torch.max(X, torch.zeros_like(X))

    def net(X):
        H = relu(X.reshape((-1, INPUTS)) @ W1 + b1)
        return H @ W2 + b2

    train(net, [W1, b1, W2, b2], train_loader, test_loader)


def concise(train_loader, test_loader):
    net = nn.Sequential(nn.Flatten(), nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, OUTPUTS))

    def init_weights(module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)

    net.apply(init_weights)
    print(net)
    train(net, net.parameters(), train_loader, test_loader)


def main():
    torch.manual_seed(2)
    slopes()
    train_loader, test_loader = load_digits()
    for solve in (by_hand, concise):
        print(solve.__name__.replace("_", " "))
        solve(train_loader, test_loader)


if __name__ == "__main__":
    main()
