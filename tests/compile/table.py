"""Tables of whole programs: each runs its step a few times, eagerly and compiled, and must see and leave the same bits."""

import warnings

import pytest

import fastgrad as torch
from fastgrad import nn
from tests.compile.programs import bits


class Table:
    """Cases: functions of `compile` (or of what leaves a function as it is) that return what they saw."""

    def __init__(self):
        self.cases = []

    def __call__(self, replays=None, warns=False):
        """`replays` is the least that the steps replay; `warns` says that they are left to eager mode."""

        def add(function):
            self.cases.append(pytest.param(function, replays, warns, id=function.__name__))
            return function

        return add

    def test(self):
        @pytest.mark.parametrize(("function", "replays", "warns"), self.cases)
        def test(function, replays, warns):
            same_bits(function, replays, warns)

        return test


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
