"""A table of whole programs: each runs its step a few times, eagerly and compiled, and must see and leave the same bits."""

import warnings

import pytest

import fastgrad as torch
from fastgrad import nn, optim
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


test_same_bits = pytest.mark.parametrize(("function", "replays", "warns"), PROGRAMS)(same_bits)
