"""A cubic through noisy points, fitted with the right terms, with too few, and with too many for the data.

LIBRARY=torch python examples/course/4_polynomial_fitting.py runs it under PyTorch; the numbers are the same.
"""

import importlib
import math
import os
from typing import Any

torch: Any = importlib.import_module(os.environ.get("LIBRARY", "fastgrad"))  # import fastgrad as torch
nn: Any = torch.nn
data: Any = torch.utils.data

TERMS, TRAIN, TEST = 20, 60, 200
TRUE_W = [5.0, 1.2, -3.4, 5.6]  # of 1, x, x^2 / 2!, x^3 / 3!
EPOCHS, BATCH_SIZE, LEARNING_RATE = 200, 10, 0.01


def make_data():
    """The terms x^i / i! of random x, and y; the factorials keep high powers small."""
    true_w = torch.zeros(TERMS)
    true_w[: len(TRUE_W)] = torch.tensor(TRUE_W)
    x = torch.randn(TRAIN + TEST, 1)
    factorials = torch.tensor([float(math.factorial(i)) for i in range(TERMS)])
    terms = torch.pow(x, torch.arange(TERMS).reshape(1, -1)) / factorials
    y = torch.matmul(terms, true_w)
    y += torch.normal(0, 0.1, size=y.shape)
    return x, terms, y


def mean_loss(net, loader, loss_function):
    total, count = 0.0, 0
    for X, y in loader:
        loss = loss_function(net(X), y.reshape(-1, 1))
        total += loss.sum().item()
        count += loss.numel()
    return total / count


def fit(terms, y, used, train=TRAIN):
    """Train on the first ``train`` samples with the first ``used`` terms, and test on the last ones."""
    X_train, X_test = terms[:train, :used], terms[TRAIN:, :used]
    y_train, y_test = y[:train], y[TRAIN:]
    loss_function = nn.MSELoss(reduction="none")
    net = nn.Sequential(nn.Linear(used, 1, bias=False))  # the first term is the bias
    train_loader = data.DataLoader(data.TensorDataset(X_train, y_train), min(BATCH_SIZE, train), shuffle=True)
    test_loader = data.DataLoader(data.TensorDataset(X_test, y_test), TEST)
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
    for epoch in range(EPOCHS):
        for X, target in train_loader:
            optimizer.zero_grad()
            loss_function(net(X), target.reshape(-1, 1)).mean().backward()
            optimizer.step()
        if epoch == 0 or (epoch + 1) % 50 == 0:
            with torch.no_grad():
                losses = [mean_loss(net, loader, loss_function) for loader in (train_loader, test_loader)]
            print(f"epoch {epoch + 1:3}: train loss {losses[0]:.3f}, test loss {losses[1]:.3f}")
    print("weights", [round(value, 3) for value in net[0].weight.data.flatten().tolist()[:6]])


def main():
    torch.manual_seed(3)
    x, terms, y = make_data()
    print("x", x[:2], "terms", terms[:2, :4], "y", y[:2])
    print("the right four terms")
    fit(terms, y, used=4)
    print("two terms: under-fitting")
    fit(terms, y, used=2)
    print("all terms, eight samples: over-fitting")
    fit(terms, y, used=TERMS, train=8)


if __name__ == "__main__":
    main()
