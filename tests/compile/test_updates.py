"""Parameters updated by the products that make their gradients: eager bits, and only where nothing is in between."""

from itertools import pairwise

import numpy as np
import pytest

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad._compile import updates
from fastgrad.nn import functional as F
from tests.compile.test_family import OPTIMIZERS

MORE_OPTIMIZERS = {
    "maximize": lambda p: optim.SGD(p, lr=1e-3, momentum=0.9, dampening=0.1, weight_decay=0.1, maximize=True),
    "adam_l2": lambda p: optim.Adam(p, lr=1e-2, weight_decay=0.1, amsgrad=True, maximize=True),
    "groups": lambda p: optim.AdamW(
        [{"params": [q], "lr": 1e-3 * (k + 1), "weight_decay": 0.1 * k, "amsgrad": k % 2 > 0} for k, q in enumerate(p)]
    ),
    "foreach": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, foreach=True),
}  # fmt: skip


@pytest.fixture(autouse=True)
def small_parameters_too(monkeypatch):
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    monkeypatch.setattr(updates, "LEAST", 1)
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)


def dense(*widths):
    layers = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def trained(make, compiled, keep_grads=True, rows=31, dtype=torch.float32, calls=6):
    """What a program's steps saw and left, and the compiled step. `make()` gives (module, optimizers, step)."""
    torch.manual_seed(5)
    net, optimizers, step = make()
    call = torch.compile(step, keep_grads=keep_grads) if compiled else step
    draw = np.random.default_rng(2)
    seen = []
    for _ in range(calls):
        x = torch.tensor(draw.standard_normal((rows, 20)), dtype=dtype)
        found = call(x, torch.tensor(draw.integers(0, 5, rows)))
        seen.append([value.detach().numpy().tobytes() for value in (found if isinstance(found, tuple) else (found,))])
    for p in net.parameters():
        seen.append((p.detach().numpy().tobytes(), p._version))
        if keep_grads:
            seen.append(None if p.grad is None else p.grad.numpy().tobytes())
        for optimizer in optimizers:
            state = optimizer.state.get(p) or {}
            seen.append([v.numpy().tobytes() if isinstance(v, torch.Tensor) else v for v in state.values()])
    return seen, call


def updated(call):
    """How many parameters the rows of products update."""
    (replay,) = call._plans.values()
    return sum(step.name.count(" + update.") for step in replay.plan.steps)


def compared(make, wanted, replays=4, threads=(1, 2), **how):
    """Compiled steps leave what eager ones do, and `wanted` parameters are updated where their gradients are made, unless
    these are kept."""
    wanted = 0 if how.setdefault("keep_grads", False) else wanted
    for count in threads:
        torch.set_num_threads(count)
        eager, _ = trained(make, False, **how)
        got, call = trained(make, True, **how)
        assert got == eager
        assert call.replays >= replays, call.notes
        assert updated(call) == wanted, call.summary()
    return call


def classifier(optimizer, clip=None, dtype=torch.float32, net=lambda: dense(20, 13, 8, 5)):
    def make():
        model = net().to(dtype)
        updater = optimizer(model.parameters())

        def step(x, y):
            updater.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            if clip:
                clip(model)
            updater.step()
            return loss

        return model, [updater], step

    return make


@pytest.mark.parametrize("keep_grads", [True, False])
@pytest.mark.parametrize("name", [*OPTIMIZERS, *MORE_OPTIMIZERS])
def test_every_optimizer(name, keep_grads):
    optimizer = {**OPTIMIZERS, **MORE_OPTIMIZERS}[name]
    call = compared(classifier(optimizer), 6, keep_grads=keep_grads)
    assert ("  update " in call.summary()) == keep_grads  # else nothing is left of the table


@pytest.mark.parametrize("keep_grads", [True, False])
@pytest.mark.parametrize("rows", [31, 1, 1100])  # the last: several panels
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, "medium"], ids=str)
def test_sizes(dtype, rows, keep_grads):
    if dtype == "medium":
        torch.set_float32_matmul_precision("medium")
        dtype = torch.float32
    net = lambda: dense(20, 130, 300, 5)
    make = classifier(OPTIMIZERS["adam"], dtype=dtype, net=net)
    compared(make, 6 if rows < 1000 else 0, rows=rows, dtype=dtype, keep_grads=keep_grads)


def test_small_parameters_are_left_to_one_row(monkeypatch):
    monkeypatch.undo()
    call = compared(classifier(OPTIMIZERS["momentum"], net=lambda: dense(20, 2048, 1024, 5)), 1)
    assert "  update " in call.summary()


@pytest.mark.parametrize("keep_grads", [True, False])
@pytest.mark.parametrize("clip", [
    lambda net: nn.utils.clip_grad_norm_(net.parameters(), 0.1), lambda net: [p.grad.mul_(0.5) for p in net.parameters()],
    lambda net: nn.utils.clip_grad_value_(net.parameters(), 0.01),
])  # fmt: skip
def test_what_changes_gradients_stands_between(clip, keep_grads):
    compared(classifier(OPTIMIZERS["momentum"], clip), 0, keep_grads=keep_grads)


@pytest.mark.parametrize("keep_grads", [True, False])
def test_a_weight_that_is_used_twice(keep_grads):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.last = nn.Linear(20, 20), nn.Linear(20, 5)

        def forward(self, x):
            return self.last(torch.relu(self.layer(torch.relu(self.layer(x)))))

    compared(classifier(OPTIMIZERS["momentum"], net=Tied), 2, keep_grads=keep_grads)


def test_a_frozen_parameter():
    def net():
        made = dense(20, 13, 8, 5)
        made[2].weight.requires_grad_(False)
        return made

    compared(classifier(OPTIMIZERS["adam"], net=net), 4)  # not the bias beside it, whose gradient is a sum of columns


def test_gradients_that_were_there_are_added_to():
    def make():
        model = dense(20, 13, 5)
        updater = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

        def step(x, y):
            updater.zero_grad(set_to_none=False)
            F.cross_entropy(model(x), y).backward()
            loss = F.cross_entropy(model(x * 0.5), y)
            loss.backward()
            updater.step()
            return loss

        return model, [updater], step

    compared(make, 0, replays=3)


def test_two_optimizers_of_one_model():
    def make():
        model = dense(20, 13, 8, 5)
        own = [optim.Adam(model[:2].parameters(), lr=0.01), optim.SGD(model[2:].parameters(), lr=0.1, momentum=0.9)]

        def step(x, y):
            for updater in own:
                updater.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            for updater in own:
                updater.step()
            return loss

        return model, own, step

    compared(make, 6)
    compared(make, 6, keep_grads=True)


def test_two_optimizers_of_one_parameter():
    def make():
        model = dense(20, 13, 5)
        own = [optim.Adam(model.parameters(), lr=0.01), optim.SGD(model.parameters(), lr=0.1, momentum=0.9)]

        def step(x, y):
            own[0].zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            own[0].step()
            own[1].step()
            return loss

        return model, own, step

    compared(make, 0)
    compared(make, 0, keep_grads=True)


@pytest.mark.parametrize("keep_grads", [True, False])
def test_who_else_reads(keep_grads):
    """Gradients after the step, or before it; parameters before it and after it; state."""

    def make():
        model = dense(20, 13, 5)
        updater = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        first, last = model[0].weight, model[2].weight

        def step(x, y):
            updater.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            with torch.no_grad():
                before, size = (first * first).sum(), last.grad.square().sum()
                updater.step()
                return loss, before, size, first.grad.abs().sum(), first.sum(), last.square().sum()

        return model, [updater], step

    compared(make, 2, keep_grads=keep_grads)  # of the biases; gradients of the weights are read


def test_parameters_that_are_changed_by_hand_before():
    def make():
        model = dense(20, 13, 5)
        updater = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

        def step(x, y):
            updater.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            with torch.no_grad():
                model[0].weight.mul_(0.9)
            updater.step()
            return loss

        return model, [updater], step

    compared(make, 4)


def test_parameters_that_each_other_s_gradients_are_made_of():
    class Product(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = (nn.Parameter(torch.randn(*shape) * 0.1) for shape in ((20, 30), (30, 5)))

        def forward(self, x):
            return x @ (self.a @ self.b)

    compared(classifier(OPTIMIZERS["momentum"], net=Product), 1)


def test_a_check_that_fails_leaves_everything():
    torch.manual_seed(5)
    model, (updater,), step = classifier(OPTIMIZERS["adam"])()
    call, x = torch.compile(step, keep_grads=False), torch.rand(31, 20)
    for _ in range(4):
        call(x, torch.randint(0, 5, (31,)))
    assert updated(call) == 6
    state = lambda: [
        t.detach().numpy().tobytes() for p in model.parameters() for t in (p, *updater.state[p].values())
    ]
    before = state()
    with pytest.raises(IndexError):
        call(x, torch.full((31,), 7))
    assert state() == before


def test_arguments_in_a_parameter_s_memory():
    """The gradient of one weight is made of the argument when another's may have been updated."""

    def run(compiled):
        torch.manual_seed(5)
        model, _, step = classifier(OPTIMIZERS["momentum"], net=lambda: dense(20, 20, 5))()
        call, other = torch.compile(step, keep_grads=False) if compiled else step, torch.rand(20, 20)
        y = torch.randint(0, 5, (20,))
        for k in range(8):
            call(model[0].weight.detach() if k in (5, 6) else other, y)
        return [p.detach().numpy().tobytes() for p in model.parameters()], call

    wanted, _ = run(False)
    with pytest.warns(RuntimeWarning, match="shares memory"):
        got, call = run(True)
    assert got == wanted
    assert updated(call) == 4
