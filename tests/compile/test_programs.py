"""A table of whole programs: each runs its step a few times, eagerly and compiled, and must see and leave the same bits."""

import contextlib
import dataclasses
import sys
import warnings

import pytest

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.nn import functional as F
from tests.compile.programs import bits

PROGRAMS = []


def program(replays=None, warns=False):
    """A case of the table: a function of `compile` (or of what leaves a function as it is) that returns what it saw.
    `replays` is the least that its steps replay; `warns` says that they are left to eager mode."""

    def add(function):
        PROGRAMS.append(pytest.param(function, replays, warns, id=function.__name__))
        return function

    return add


def same_bits(function, replays, warns):
    steps = []

    def compiled(step):
        steps.append(torch.compile(step))
        return steps[-1]

    torch.manual_seed(3)
    wanted = bits(function(lambda step: step))
    torch.manual_seed(3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = bits(function(compiled))
    assert got == wanted
    said = [str(one.message) for one in caught if "runs uncompiled" in str(one.message)]
    assert bool(said) == warns, said
    if replays is not None:
        assert sum(step.replays for step in steps) >= replays, [step.notes for step in steps]


def batch(rows=8):
    return torch.rand(rows, 6), torch.randint(0, 3, (rows,))


def network(inputs=6, outputs=3):
    return nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, outputs))


def seen(model):
    """A copy of parameters and gradients, as they are now."""
    return [None if t is None else t.detach().clone() for p in model.parameters() for t in (p, p.grad)]


# -- rows: which may go, which may be one ------------------------------------------------------------------------------


@program(replays=4)
def number_of_an_elementwise_result(compile):
    w = torch.rand(3, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    @compile
    def step(x):
        optimizer.zero_grad()
        loss = (w * x).sum()
        loss.backward()
        optimizer.step()
        return (loss * 2).item(), torch.sqrt(x.mean()).item()

    return [step(torch.rand(3)) for _ in range(6)] + [w]


@program(replays=4)
def product_copied_into_its_operand(compile):
    a, v = torch.rand(200, 200), torch.rand(200, 200) / 100
    step = compile(lambda: a.copy_(a @ v).sum())
    return [step().clone() for _ in range(6)] + [a]


@program(replays=4)
def product_copied_into_an_argument_that_it_reads(compile):
    u = torch.randn(300, 300) / 17
    step = compile(lambda h: h.copy_(torch.tanh(h @ u)).mean())
    h = torch.rand(300, 300)
    return [step(h).clone() for _ in range(6)] + [h]


@program(replays=4)
def product_before_an_update_of_what_is_added_after_it(compile):
    w = torch.rand(30, 30, requires_grad=True)
    b = torch.rand(30, 30, requires_grad=True)
    optimizer = optim.SGD([b], lr=0.5)

    @compile
    def step(x):
        optimizer.zero_grad()
        (b * x).sum().backward()
        with torch.no_grad():
            h = x @ w
            optimizer.step()
            return h + b

    return [step(torch.rand(30, 30)) for _ in range(6)]


# -- gradients that are there when a step begins, and those that are not -----------------------------------------------


def accumulating(compile, **how):
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.1)

    @compile
    def step(x, y, last):
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        if last:
            optimizer.step()
            optimizer.zero_grad(**how)
        return loss

    return [(step(*batch(), k % 4 == 3).detach().clone(), seen(model)) for k in range(24)]


@program(replays=15)
def accumulation_with_a_flag(compile):
    return accumulating(compile)


@program(replays=15)
def accumulation_with_a_flag_into_zeros(compile):
    return accumulating(compile, set_to_none=False)


@program(replays=12)
def steps_that_share_a_model(compile):
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    @compile
    def adds(x, y):
        F.cross_entropy(model(x), y).backward()

    @compile
    def adds_and_steps(x, y):
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    @compile
    def begins_anew(x, y):
        optimizer.zero_grad()
        F.mse_loss(model(x), torch.ones(8, 3)).backward()
        optimizer.step()

    found, held = [], []
    for k in range(24):
        (adds, adds, adds_and_steps, begins_anew, adds_and_steps, adds, begins_anew)[k % 7](*batch())
        held.append(model[0].weight.grad)
        found.append(seen(model))
    return found, held


@program(replays=6)
def only_the_optimizer(compile):
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    step = compile(optimizer.step)
    found = []
    for _ in range(9):
        optimizer.zero_grad()
        F.cross_entropy(model(batch()[0]), batch()[1]).backward()
        step()
        found.append(seen(model))
    return found


@program(replays=6)
def momentum_by_hand(compile):
    w = torch.ones(6, requires_grad=True)

    @compile
    def step(x):
        before, w.grad = w.grad, None
        (w * x).sum().backward()
        if before is not None:
            w.grad.add_(before, alpha=0.5)
        return w.grad.sum()

    return [(step(torch.rand(6)), w.grad.clone()) for _ in range(10)]


@program(replays=6)
def a_gradient_that_is_looked_for(compile):
    w = torch.ones(3, requires_grad=True)
    step = compile(lambda x: (x * 2).sum() if w.grad is None else (x * 3).sum())
    found = []
    for k in range(12):
        if k in (4, 8):
            w.grad = torch.ones(3) if k == 4 else None
        found.append(step(torch.ones(3)))
    return found


@program(replays=4)
def gradients_in_one_block(compile):
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    block = torch.zeros(sum(p.numel() for p in model.parameters()))
    at = 0
    for p in model.parameters():
        p.grad = block[at : at + p.numel()].view(p.shape)
        at += p.numel()

    @compile
    def step(x, y):
        block.zero_()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    found = []
    for k in range(10):
        if k == 6:
            model[0].bias.grad = torch.ones_like(model[0].bias)
        step(*batch())
        found.append((seen(model), block.clone()))
    return found


def failing(compile, step_of):
    model = network()
    step = compile(step_of(model, optim.SGD(model.parameters(), lr=0.1)))
    found = []
    for k in range(10):
        x, y = batch()
        if k in (5, 7):
            y[2] = 9
        try:
            found.append(step(x, y).detach().clone())
        except IndexError as error:
            found.append(str(error))
        found.append(seen(model))
    return found


@program(replays=5)
def gradients_after_a_failed_check(compile):
    def step_of(model, optimizer):
        def step(x, y):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step

    return failing(compile, step_of)


@program(replays=5)
def gradients_after_the_second_check_failed(compile):
    def step_of(model, optimizer):
        def step(x, y):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y.clamp(0, 2)).backward()
            optimizer.step()
            again = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            again.backward()
            optimizer.step()
            return again

        return step

    return failing(compile, step_of)


@program(replays=20)
def modes_in_turn(compile):
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    @compile
    def step(x, y):
        loss = F.cross_entropy(model(x), y)
        if model.training:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.detach()

    found = []
    for k in range(30):
        model.train(k % 3 != 2)
        found.append(step(*batch()))
    return found, seen(model), list(model.buffers())


# -- what is left to eager mode ----------------------------------------------------------------------------------------


@dataclasses.dataclass
class Losses:
    loss: torch.Tensor


@program(replays=0, warns=True)
def a_result_of_another_type(compile):
    step = compile(lambda x: Losses((x - 1).relu().sum()))
    return [step(torch.rand(3) * k).loss for k in (1, 1, 1, 9, 9)]


@program(replays=0, warns=True)
def a_result_that_looks_later(compile):
    @compile
    def step(x):
        count = (x > 0).sum()
        return lambda: count

    return [step(torch.tensor(values))() for values in ([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, -1.0])]


@program(replays=0, warns=True)
def a_graph_that_is_kept(compile):
    model = network()

    @compile
    def step(x, y):
        model.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward(retain_graph=True)
        return loss

    found = []
    for _ in range(5):
        step(*batch()).backward()
        found.append(seen(model))
    return found


@program(replays=0, warns=True)
def a_graph_of_something_else(compile):
    maker, judge = network(6, 6), network(6, 1)
    slow, fast = optim.SGD(maker.parameters(), lr=0.1), optim.SGD(judge.parameters(), lr=0.1)

    @compile
    def step(z):
        fake = maker(z)
        fast.zero_grad()
        judge(fake.detach()).mean().backward()
        fast.step()
        return fake

    found = []
    for _ in range(6):
        fake = step(torch.rand(4, 6))
        slow.zero_grad()
        (-judge(fake).mean()).backward()
        slow.step()
        found.append(seen(maker) + seen(judge))
    return found


def with_a_bad_class(step):
    found = []
    for k in range(6):
        x, y = batch()
        if k == 4:
            y[0] = 7
        found.append(step(x, y))
    return found


@program(replays=0, warns=True)
def an_error_that_the_step_catches(compile):
    model = network()

    @compile
    def step(x, y):
        try:
            with torch.no_grad():
                return F.cross_entropy(model(x), y)
        except IndexError:
            return torch.zeros(())

    return with_a_bad_class(step)


@program(replays=0, warns=True)
def an_error_that_the_step_suppresses(compile):
    model = network()

    @compile
    def step(x, y):
        with torch.no_grad(), contextlib.suppress(IndexError):
            return F.cross_entropy(model(x), y)
        return torch.zeros(())

    return with_a_bad_class(step)


@program(replays=0, warns=True)
def an_argument_that_gets_a_gradient(compile):
    model = network()

    @compile
    def step(x, y):
        x.requires_grad_(True)
        F.cross_entropy(model(x), y).backward()
        return (x + 0.1 * x.grad.sign()).detach()

    found = []
    for _ in range(5):
        x, y = batch()
        found.append((step(x, y), x.requires_grad, x.grad))
    return found


def test_a_plan_keeps_no_batch_alive():
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    @torch.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(4):
        x, y = batch()
        gradient = model[0].weight.grad
        before = [sys.getrefcount(one) for one in (x, x._storage, y, gradient)]
        step(x, y)
        held = 1 if gradient is not None else 0  # `.grad` itself, which is another one now
        after = [sys.getrefcount(one) for one in (x, x._storage, y, gradient)]
        assert after[:3] == before[:3]
        assert not held or after[3] <= before[3]


test_same_bits = pytest.mark.parametrize(("function", "replays", "warns"), PROGRAMS)(same_bits)
