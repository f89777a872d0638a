"""Two cures for over-fitting, each by hand and concise: a penalty on the weights, and dropout.

LIBRARY=torch python examples/course/5_weight_decay_and_dropout.py runs it under PyTorch; the numbers are the
same.
"""

import importlib
import os
from typing import Any

from fastgrad import datasets

torch: Any = importlib.import_module(os.environ.get("LIBRARY", "fastgrad"))  # import fastgrad as torch
nn: Any = torch.nn
data: Any = torch.utils.data

# Weight decay: far more inputs than samples to train on.
INPUTS, TRAIN, TEST, BATCH_SIZE = 200, 20, 100, 5
# Dropout: a network that is too large for the digits.
HIDDEN, DROPOUTS, EPOCHS = 128, (0.2, 0.5), 4


def linear_loader(count, w, b, shuffle):
    X = torch.normal(0, 1, (count, INPUTS))
    y = torch.matmul(X, w) + b + torch.normal(0, 0.01, (count, 1))
    return data.DataLoader(data.TensorDataset(X, y), BATCH_SIZE, shuffle=shuffle)


def squared_penalty(w):
    return torch.sum(w.pow(2)) / 2


def mean_loss(net, loader):
    with torch.no_grad():
        losses = [((net(X) - y) ** 2 / 2).sum().item() for X, y in loader]
    return sum(losses) / len(loader.dataset)


def decay_by_hand(train_loader, test_loader, strength, epochs=60, lr=0.003):
    w = torch.normal(0, 1, size=(INPUTS, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)

    def net(X):
        return torch.matmul(X, w) + b

    for _ in range(epochs):
        for X, y in train_loader:
            loss = (net(X) - y) ** 2 / 2 + strength * squared_penalty(w)
            loss.sum().backward()
            with torch.no_grad():
                for param in (w, b):
                    param -= lr * param.grad / BATCH_SIZE
                    param.grad.zero_()
    return net, w


def decay_concise(train_loader, test_loader, strength, epochs=60, lr=0.003):
    net = nn.Sequential(nn.Linear(INPUTS, 1))
    for param in net.parameters():
        param.data.normal_()
    loss_function = nn.MSELoss(reduction="none")
    groups = [{"params": net[0].weight, "weight_decay": strength}, {"params": net[0].bias}]  # none for the bias
    optimizer = torch.optim.SGD(groups, lr=lr)
    for _ in range(epochs):
        for X, y in train_loader:
            optimizer.zero_grad()
            loss = loss_function(net(X), y)
            loss.mean().backward()
            optimizer.step()
    return net, net[0].weight


def dropout_layer(X, dropout):
    """Each element is zero with this probability, and the others grow, so that the mean stays."""
    assert 0 <= dropout <= 1
    if dropout == 1:
        return torch.zeros_like(X)
    if dropout == 0:
        return X
    mask = (torch.rand(X.shape) > dropout).float()
    return mask * X / (1.0 - dropout)


class Net(nn.Module):
    """Two hidden layers, with the dropout above after each while training."""

    def __init__(self):
        super().__init__()
        self.lin1 = nn.Linear(64, HIDDEN)
        self.lin2 = nn.Linear(HIDDEN, HIDDEN)
        self.lin3 = nn.Linear(HIDDEN, 10)
        self.relu = nn.ReLU()

    def forward(self, X):
        H1 = self.relu(self.lin1(X.reshape((-1, 64))))
        if self.training:
            H1 = dropout_layer(H1, DROPOUTS[0])
        H2 = self.relu(self.lin2(H1))
        if self.training:
            H2 = dropout_layer(H2, DROPOUTS[1])
        return self.lin3(H2)


def concise_net():
    net = nn.Sequential(
        nn.Flatten(),
        *(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUTS[0])),
        *(nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUTS[1])),
        nn.Linear(HIDDEN, 10),
    )

    def init_weights(module):
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)

    return net.apply(init_weights)


def train_digits(net):
    train_set, (images, labels) = (
        [torch.from_numpy(part.numpy()) for part in datasets.digits(train).tensors] for train in (True, False)
    )
    loader = data.DataLoader(data.TensorDataset(*train_set), 64, shuffle=True)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(EPOCHS):
        net.train()
        total = 0.0
        for X, y in loader:
            optimizer.zero_grad()
            loss = loss_function(net(X), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        net.eval()
        with torch.no_grad():
            accuracy = (net(images).argmax(dim=1) == labels).float().mean()
        print(f"  epoch {epoch + 1}: loss {total / len(loader):.4f}, test accuracy {accuracy.item():.3f}")


def main():
    torch.manual_seed(4)
    true_w, true_b = torch.ones((INPUTS, 1)) * 0.01, 0.05
    loaders = [linear_loader(TRAIN, true_w, true_b, True), linear_loader(TEST, true_w, true_b, False)]
    for solve in (decay_by_hand, decay_concise):
        for strength in (0, 3):
            net, w = solve(*loaders, strength)
            train_loss, test_loss = (mean_loss(net, loader) for loader in loaders)
            print(
                f"{solve.__name__}, strength {strength}: train loss {train_loss:.4f}, test loss {test_loss:.4f}, "
                f"norm of w {(w**2).sum().sqrt().item():.4f}"
            )

    X = torch.arange(16, dtype=torch.float32).reshape((2, 8))
    for dropout in (0.0, 0.5, 1.0):
        print(dropout, dropout_layer(X, dropout))
    for name, net in (("by hand", Net()), ("concise", concise_net())):
        print("dropout", name)
        train_digits(net)


if __name__ == "__main__":
    main()
