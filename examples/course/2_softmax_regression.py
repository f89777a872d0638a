"""Softmax regression on handwritten digits, first by hand and then concise.

LIBRARY=torch python examples/course/2_softmax_regression.py runs it under PyTorch; the numbers are the same.
"""

import importlib
import os
from typing import Any

from fastgrad import datasets

torch: Any = importlib.import_module(os.environ.get("LIBRARY", "fastgrad"))  # import fastgrad as torch
nn: Any = torch.nn
data: Any = torch.utils.data

INPUTS, CLASSES, BATCH_SIZE, EPOCHS, LEARNING_RATE = 64, 10, 128, 5, 0.1


def load_digits():
    """Loaders of the digits that ship with fastgrad, as tensors of the library in use."""
    for train in (True, False):
        images, labels = (torch.from_numpy(part.numpy()) for part in datasets.digits(train).tensors)
        yield data.DataLoader(data.TensorDataset(images, labels), BATCH_SIZE, shuffle=train)


class Accumulator:
    """Sums of several quantities at once."""

    def __init__(self, n):
        self.sums = [0.0] * n

    def add(self, *values):
        self.sums = [a + float(b) for a, b in zip(self.sums, values)]

    def __getitem__(self, i):
        return self.sums[i]


def softmax(X):
    X_exp = torch.exp(X)
    return X_exp / X_exp.sum(1, keepdim=True)  # the sum is broadcast over the classes


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[range(len(y_hat)), y])


def correct(y_hat, y):
    """How many predictions are right."""
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
    same = y_hat.type(y.dtype) == y
    return float(same.type(y.dtype).sum())


def accuracy(net, loader):
    if isinstance(net, nn.Module):
        net.eval()
    metric = Accumulator(2)
    with torch.no_grad():
        for X, y in loader:
            metric.add(correct(net(X), y), y.numel())
    return metric[0] / metric[1]


def train(net, train_loader, test_loader, loss_function, updater):
    """Epochs of training; ``updater`` is an optimizer, or a function of the batch size."""
    for epoch in range(EPOCHS):
        if isinstance(net, nn.Module):
            net.train()
        metric = Accumulator(3)
        for X, y in train_loader:
            y_hat = net(X)
            loss = loss_function(y_hat, y)
            if isinstance(updater, torch.optim.Optimizer):
                updater.zero_grad()
                loss.mean().backward()
                updater.step()
            else:
                loss.sum().backward()
                updater(X.shape[0])
            metric.add(loss.sum().item(), correct(y_hat, y), y.numel())
        print(
            f"epoch {epoch + 1}: loss {metric[0] / metric[2]:.4f}, train accuracy {metric[1] / metric[2]:.3f}, "
            f"test accuracy {accuracy(net, test_loader):.3f}"
        )


def by_hand(train_loader, test_loader):
    W = torch.normal(0, 0.01, size=(INPUTS, CLASSES), requires_grad=True)
    b = torch.zeros(CLASSES, requires_grad=True)

    def net(X):
        return softmax(torch.matmul(X.reshape((-1, W.shape[0])), W) + b)

    def updater(batch_size):
        with torch.no_grad():
            for param in (W, b):
                param -= LEARNING_RATE * param.grad / batch_size
                param.grad.zero_()

    train(net, train_loader, test_loader, cross_entropy, updater)
    X, y = next(iter(test_loader))
    print("true     ", y[:12].tolist())
    print("predicted", net(X).argmax(axis=1)[:12].tolist())


def concise(train_loader, test_loader):
    net = nn.Sequential(nn.Flatten(), nn.Linear(INPUTS, CLASSES))

    def init_weights(module):
        if type(module) is nn.Linear:
            nn.init.normal_(module.weight, std=0.01)

    net.apply(init_weights)
    loss_function = nn.CrossEntropyLoss(reduction="none")
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
    train(net, train_loader, test_loader, loss_function, optimizer)


def main():
    torch.manual_seed(6)
    X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    print("sums", X.sum(0, keepdim=True), X.sum(1, keepdim=True))
    probabilities = softmax(torch.normal(0, 1, (2, 5)))
    print("softmax", probabilities, probabilities.sum(1))
    train_loader, test_loader = load_digits()
    for solve in (by_hand, concise):
        print(solve.__name__.replace("_", " "))
        solve(train_loader, test_loader)


if __name__ == "__main__":
    main()
