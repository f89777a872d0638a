"""A three-layer network trained through the device's table alone, against the same steps in NumPy and in fastgrad."""

from itertools import pairwise

import numpy as np
import pytest
from fastgrad.kernels.cpu.class_loss import GRADIENT, MEAN
from fastgrad.kernels.cpu.update import PARAMETER, SLOTS, STARTS, STATE, WIDTH

SIZES, ROWS, STEPS = (5, 9, 6, 3), 7, 3
RATE, MOMENTUM = 0.2, 0.9


@pytest.fixture(scope="module")
def problem():
    """(x, target, weights and biases layer after layer), float32."""
    generator, parameters = np.random.default_rng(0), []
    for n, m in pairwise(SIZES):
        parameters += [generator.normal(size=(m, n)) / n**0.5, generator.normal(size=m) / 4]
    x, target = generator.normal(size=(ROWS, SIZES[0])), generator.integers(0, SIZES[-1], ROWS)
    return x.astype(np.float32), target, [p.astype(np.float32) for p in parameters]


class Array:
    """A contiguous float32 array on the device."""

    def __init__(self, device, values):
        self.device, self.shape = device, np.shape(values)
        self.memory = device.put(np.asarray(values, np.float32))
        self.address = self.memory.address

    def new(self, *shape):
        return Array(self.device, np.full(shape, np.nan))

    def numpy(self):
        return self.memory.read(self.shape, np.float32)


def linear(x, weight, bias):
    (rows, k), m = x.shape, weight.shape[0]
    y = x.new(rows, m)
    at = x.address, k, 1, weight.address, 1, k
    x.device.gemm("float32", rows, m, k, y.address, m, 1, *at, bias=bias.address)
    return y


def linear_backward(x, weight, gy):
    """(gx, gw, gb); the bias gradient is made on the way of the weight's."""
    (rows, k), m = x.shape, weight.shape[0]
    gx, gw, gb = x.new(rows, k), x.new(m, k), x.new(m)
    x.device.gemm("float32", rows, k, m, gx.address, k, 1, gy.address, m, 1, weight.address, k, 1)
    at = gy.address, 1, m, x.address, k, 1
    x.device.gemm("float32", m, k, rows, gw.address, k, 1, *at, sums=gb.address)
    return gx, gw, gb


def elementwise(name, *inputs):
    x = inputs[0]
    n, out = int(np.prod(x.shape)), x.new(*x.shape)
    x.device.launch(x.device.row(name, "float32"), n, 1, n, 0, out.address, *(v.address for v in inputs))
    return out


def cross_entropy(x, target):
    device, (rows, n), classes = x.device, x.shape, x.device.put(target)
    loss, gradient, total, wrong = x.new(1), x.new(rows, n), device.Memory(8), device.Memory(1)
    device.launch(
        device.row("class_loss.cross_entropy", "float32"), 1, 1, loss.address, gradient.address, x.address,
        classes.address, 0, total.address, wrong.address, rows, n, rows, MEAN | GRADIENT, -100,
    )  # fmt: skip
    assert not wrong.read(1, np.uint8)[0]
    return float(loss.numpy()[0]), gradient


def train_on(device, x, target, parameters):
    """The losses of all steps, and the parameters after them."""
    x, parameters = Array(device, x), [Array(device, p) for p in parameters]
    buffers = [Array(device, np.zeros(p.shape)) for p in parameters]
    slots = device.put(np.array([RATE, MOMENTUM, 0, 0, 0, 0], np.float64))
    chunks = device.put(np.array([[k, 0, np.prod(p.shape)] for k, p in enumerate(parameters)]))
    losses = []
    for step in range(STEPS):
        inputs, y = [x], None
        for k in range(0, len(parameters), 2):
            y = linear(inputs[-1], *parameters[k : k + 2])
            inputs.append(elementwise("activation.relu", y))
        loss, gy = cross_entropy(y, target)
        losses.append(loss)
        gradients = []
        for k in reversed(range(0, len(parameters), 2)):
            gy, gw, gb = linear_backward(inputs[k // 2], parameters[k], gy)
            gradients = [gw, gb, *gradients]
            if k:
                gy = elementwise("activation.relu_backward", inputs[k // 2], gy)
        table = np.zeros((len(parameters), WIDTH), np.int64)
        for k, (p, buffer) in enumerate(zip(parameters, buffers, strict=True)):
            table[k, [PARAMETER, SLOTS, STARTS, STATE]] = p.address, slots.address, step == 0, buffer.address
        words, addresses = device.put(table), device.put(np.array([g.address for g in gradients]))
        row = device.row("update.sgd", "float32")
        device.launch(row, len(parameters), 1, words.address, addresses.address, chunks.address)
        device.synchronize()
    return losses, [p.numpy() for p in parameters]


def train_in_numpy(x, target, parameters):
    parameters = [p.astype(np.float64) for p in parameters]
    velocities = [np.zeros_like(p) for p in parameters]
    losses = []
    for _ in range(STEPS):
        inputs, y = [x.astype(np.float64)], None
        for weight, bias in zip(parameters[::2], parameters[1::2], strict=True):
            y = inputs[-1] @ weight.T + bias
            inputs.append(np.maximum(y, 0))
        p = np.exp(y - y.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        losses.append(-np.log(p[np.arange(ROWS), target]).mean())
        gy = (p - np.eye(SIZES[-1])[target]) / ROWS
        gradients = []
        for k in reversed(range(0, len(parameters), 2)):
            gradients = [gy.T @ inputs[k // 2], gy.sum(0), *gradients]
            gy = (gy @ parameters[k]) * (inputs[k // 2] > 0)
        for p, v, g in zip(parameters, velocities, gradients, strict=True):
            v[...] = MOMENTUM * v + g
            p -= RATE * v
    return losses, parameters


def train_in_fastgrad(x, target, parameters):
    import fastgrad as torch
    from fastgrad import nn, optim

    layers = [nn.Linear(n, m) for n, m in pairwise(SIZES)]
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    for p, values in zip(model.parameters(), parameters, strict=True):
        p.data.copy_(torch.from_numpy(values))
    optimizer, criterion = optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM), nn.CrossEntropyLoss()
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = criterion(model(torch.from_numpy(x)), torch.from_numpy(target))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, [p.detach().numpy() for p in model.parameters()]


@pytest.fixture(scope="module")
def trained(device, problem):
    return train_on(device, *problem)


@pytest.mark.parametrize("oracle", [train_in_numpy, train_in_fastgrad])
def test_a_network_trains_on_the_device(trained, problem, oracle):
    losses, parameters = trained
    expected_losses, expected = oracle(*problem)
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    for got, wanted in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)
