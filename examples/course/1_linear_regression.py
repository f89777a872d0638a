"""Linear regression, first by hand and then concise, on data made from known weights.

LIBRARY=torch python examples/course/1_linear_regression.py runs it under PyTorch; the numbers are the same.
"""

import importlib
import os
from typing import Any

torch: Any = importlib.import_module(os.environ.get("LIBRARY", "fastgrad"))  # import fastgrad as torch
nn: Any = torch.nn
data: Any = torch.utils.data

TRUE_W, TRUE_B = [2.0, -3.4], 4.2
SAMPLES, BATCH_SIZE, EPOCHS, LEARNING_RATE = 1000, 10, 3, 0.03


def synthetic_data(w, b, count):
    """y = Xw + b and a little noise."""
    X = torch.normal(0, 1, (count, len(w)))
    y = torch.matmul(X, w) + b
    y += torch.normal(0, 0.01, y.shape)
    return X, y.reshape((-1, 1))


def batches(features, labels):
    order = torch.randperm(len(features))
    for start in range(0, len(features), BATCH_SIZE):
        chosen = order[start : start + BATCH_SIZE]
        yield features[chosen], labels[chosen]


def squared_loss(prediction, y):
    return (prediction - y.reshape(prediction.shape)) ** 2 / 2


def sgd(params, lr):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / BATCH_SIZE
            param.grad.zero_()


def by_hand(features, labels):
    w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for epoch in range(EPOCHS):
        for X, y in batches(features, labels):
            loss = squared_loss(torch.matmul(X, w) + b, y)
            loss.sum().backward()
            sgd([w, b], LEARNING_RATE)
        with torch.no_grad():
            loss = squared_loss(torch.matmul(features, w) + b, labels)
        print(f"epoch {epoch + 1}, loss {loss.mean():.6f}")
    return w, b


def concise(features, labels):
    loader = data.DataLoader(data.TensorDataset(features, labels), BATCH_SIZE, shuffle=True)
    net = nn.Sequential(nn.Linear(2, 1))
    net[0].weight.data.normal_(0, 0.01)
    net[0].bias.data.fill_(0)
    loss_function = nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
    for epoch in range(EPOCHS):
        for X, y in loader:
            loss = loss_function(net(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss = loss_function(net(features), labels)
        print(f"epoch {epoch + 1}, loss {loss:.6f}")
    return net[0].weight.data, net[0].bias.data


def main():
    torch.manual_seed(0)
    true_w = torch.tensor(TRUE_W)
    features, labels = synthetic_data(true_w, TRUE_B, SAMPLES)
    print("first sample:", features[0], labels[0])
    for solve in (by_hand, concise):
        print(solve.__name__.replace("_", " "))
        w, b = solve(features, labels)
        print("w", w, "b", b)
        print(f"largest error of w {(true_w - w.reshape(true_w.shape)).abs().max():.4f}, of b {(TRUE_B - b).item():.4f}")


if __name__ == "__main__":
    main()
