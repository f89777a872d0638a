"""What a step leaves in `.grad`, returns of it, and uses up."""

import pytest

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.nn import functional as F
from tests.compile.programs import bits

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "adam": lambda p: optim.Adam(p, lr=0.01),
}
RETURNED = {
    "all": lambda net: [p.grad for p in net.parameters()],
    "one": lambda net: net[0].weight.grad,
    "a view": lambda net: net[2].weight.grad.view(-1),
    "detached": lambda net: net[0].bias.grad.detach(),
    "a row": lambda net: net[0].weight.grad[1],
}


def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


def batches(calls):
    torch.manual_seed(4)
    return [(torch.randn(8, 4), torch.randint(3, (8,))) for _ in range(calls)]


@pytest.mark.parametrize("keep_grads", [True, False])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("returned", RETURNED)
@pytest.mark.parametrize("held", [True, False])
def test_gradients_that_are_returned(returned, optimizer, keep_grads, held):
    found = []
    for compiled in (False, True):
        net = network()
        updater, results = OPTIMIZERS[optimizer](net.parameters()), []

        def step(x, y, net=net, updater=updater):
            updater.zero_grad()
            F.cross_entropy(net(x), y).backward()
            updater.step()
            return RETURNED[returned](net)

        call = torch.compile(step, keep_grads=keep_grads) if compiled else step
        for x, y in batches(10):
            result = call(x, y)
            results.append(result if held else bits(result))
        found.append([*map(bits, results), *[bits(p) for p in net.parameters()]])
    assert found[0] == found[1]
    assert call.replays == 8


@pytest.mark.parametrize("keep_grads", [True, False])
def test_gradients_that_wait_for_the_optimizer(keep_grads):
    found = []
    for compiled in (False, True):
        net = network()
        updater = optim.Adam(net.parameters(), lr=0.01)

        def step(x, y, update, net=net, updater=updater):
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            if update:
                updater.step()
                updater.zero_grad()
            return loss

        call = torch.compile(step, keep_grads=keep_grads) if compiled else step
        losses = [bits(call(x, y, k % 4 == 3)) for k, (x, y) in enumerate(batches(24))]
        found.append([*losses, *[bits(p) for p in net.parameters()]])
    assert found[0] == found[1]
    assert call.replays >= 12


def test_a_gradient_that_was_used_up_is_missed():
    net = network()
    updater = optim.SGD(net.parameters(), lr=0.1)

    @torch.compile(keep_grads=False)
    def step(x, y):
        updater.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        updater.step()
        return loss

    for x, y in batches(4):
        step(x, y)
    with pytest.raises(RuntimeError, match="not kept"):
        updater.step()
    with pytest.raises(RuntimeError, match="not kept"):
        net[0].weight.grad  # noqa: B018
    updater.zero_grad()
    assert net[0].weight.grad is None
    step(x, y)
    net[0].bias.grad = None
    assert net[0].bias.grad is None


def test_an_equal_number_is_the_same_number():
    net, scale = network(), {"weight": 1.5}

    @torch.compile
    def step(x, y):
        return (F.cross_entropy(net(x), y) * scale["weight"]).detach()

    for k, (x, y) in enumerate(batches(8)):
        scale["weight"] = float(f"1.{5 + k * 0}")
        step(x, y)
    assert step.replays == 6
