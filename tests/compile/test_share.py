"""Small products that threads share in groups: the same bits as eagerly, for any number of threads, and only what may."""

from itertools import pairwise

import numpy as np
import pytest

import fastgrad as torch
from fastgrad import nn
from fastgrad.nn import functional as F

THREADS = (1, 2, 3, 8)


@pytest.fixture(autouse=True)
def restored():
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)


class Residual(nn.Module):
    """Each row of the second product needs that row of the first, but not only through A."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(40, 40), nn.Linear(40, 40), nn.Linear(40, 7)

    def forward(self, x):
        h = F.relu(self.first(x))
        return self.last(h + F.relu(self.second(h)))


class Shared(nn.Module):
    """The same weight in every layer, so that its gradients add up."""

    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.Linear(40, 40), nn.Linear(40, 7)

    def forward(self, x):
        return self.last(F.relu(self.layer(F.relu(self.layer(x)))))


class Sliced(nn.Module):
    """Products of parts of rows, and of what the product before made of other rows."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(40, 64), nn.Linear(32, 64), nn.Linear(64, 7)

    def forward(self, x):
        h = self.first(x)
        h = self.second(h[:, 32:])
        return self.last(h.flip(0)) + self.last(h @ (h.T @ h / 100.0))


def dense(*widths, act=nn.ReLU):
    layers = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), act()]
    return nn.Sequential(*layers[:-1])


NETS = {
    "dense": lambda: dense(40, 46, 46, 7),
    "deep": lambda: dense(40, *[33] * 7, 7),
    "tanh": lambda: dense(40, 64, 64, 7, act=nn.Tanh),
    "gelu": lambda: dense(40, 64, 64, 7, act=nn.GELU),
    "wide": lambda: dense(40, 300, 280, 7),
    "residual": Residual,
    "shared": Shared,
    "sliced": Sliced,
}


def trained(make, batch, dtype, compiled):
    torch.manual_seed(1)
    net = make().to(dtype)
    updater = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    draw = np.random.default_rng(2)
    x = torch.tensor(draw.standard_normal((batch, 40)), dtype=dtype)
    y = torch.tensor(draw.integers(0, 7, batch))

    def step(x, y):
        updater.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        updater.step()
        return loss

    call = torch.compile(step) if compiled else step
    losses = [call(x, y).item() for _ in range(6)]
    values = [value.detach().numpy().tobytes() for p in net.parameters() for value in (p, p.grad)]
    return losses, values, call


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, "medium"], ids=str)
@pytest.mark.parametrize("batch", [33, 128, 257])
@pytest.mark.parametrize("net", NETS)
def test_groups_of_products_have_eager_bits(net, batch, dtype):
    if dtype == "medium":
        dtype = torch.float32
        torch.set_float32_matmul_precision("medium")
    torch.set_num_threads(1)
    losses, values, _ = trained(NETS[net], batch, dtype, compiled=False)
    for threads in THREADS:
        torch.set_num_threads(threads)
        got, same, call = trained(NETS[net], batch, dtype, compiled=True)
        assert got == losses
        assert same == values
        assert call.replays >= 4


def test_neighbouring_layers_make_one_row_of_the_table():
    torch.set_num_threads(2)
    _, _, call = trained(NETS["dense"], 128, torch.float32, compiled=True)
    groups = [line for line in call.summary().splitlines() if " | " in line]
    assert [line.count(" | ") + 1 for line in groups] == [3, 2, 6]  # forward; gradients of inputs; of parameters
    assert groups[0].count("activation.relu.") == 2
    assert groups[1].count("activation.relu_backward.") == 2
    torch.set_num_threads(1)
    _, _, call = trained(NETS["dense"], 128, torch.float32, compiled=True)
    assert " | " not in call.summary()
