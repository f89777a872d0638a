"""Every operation of the table works inside a compiled step: by a plan, with its gradients, and with the bits of eager mode.
Those that cannot be planned are named in the docs."""

import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest

import fastgrad as torch
from fastgrad.nn import functional as F
from tests.compile.programs import bits, check
from tests.ops.cases import CASES

CALLS = 5
# Operations that ask what a tensor holds: how large the result is, or by which formula its gradient comes.
BREAKS = {
    "unique": "unique", "mask": "masks", "prod": "prod", "prod over 0": "prod", "prod keepdim": "prod",
    "prod with a zero": "prod", "cumprod": "cumprod", "logcumsumexp": "logcumsumexp",
}  # fmt: skip
RUNS = [(case, shapes) for case in CASES for shapes in case.shapes]
SAMPLE = {case.name: (case, case.shapes[zlib.crc32(case.name.encode()) % len(case.shapes)]) for case in CASES}.values()


def name_of(run):
    return f"{run[0].name}-{run[1]}"


def arguments(case, shapes, k):
    draw = np.random.default_rng(k)
    return [torch.tensor(draw.uniform(case.low, case.high, shape).astype(np.float32)) for shape in shapes]


def compared(case, shapes):
    def step(*inputs):
        with torch.no_grad():
            value = case.call(torch, *inputs)
        if not case.grad:
            return value
        leaves = [x.detach().requires_grad_() for x in inputs]
        y = case.call(torch, *leaves)
        if not isinstance(y, torch.Tensor) or not y.requires_grad:
            return value
        return value, torch.autograd.grad(y.sum(), leaves, allow_unused=True)

    compiled = torch.compile(step)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if case.name in BREAKS else "error")
        for k in range(CALLS):
            assert bits(compiled(*arguments(case, shapes, k))) == bits(step(*arguments(case, shapes, k)))
    assert compiled.replays == CALLS - 2 or case.name in BREAKS, compiled.notes


@pytest.mark.parametrize("run", SAMPLE, ids=name_of)
def test_an_operation_is_planned_or_named(run):
    compared(*run)


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS, ids=name_of)
def test_every_form_of_an_operation_is_planned_or_named(run):
    compared(*run)


def test_what_is_not_planned_is_in_the_docs():
    text = (Path(__file__).parents[2] / "docs" / "compile.md").read_text()
    listed = text.partition("Not planned")[2].partition("\n\n")[0]
    for name in set(BREAKS.values()):
        assert name in listed


@pytest.mark.parametrize(
    "call",
    [
        lambda x, y: (x * 2)[torch.arange(4), y], lambda x, y: x.gather(1, y[:, None]) * 2,
        lambda x, y: x.index_select(0, y) * 2, lambda x, y: F.one_hot(y, 4) * 2, lambda x, y: torch.take(x, y) * 2,
        lambda x, y: torch.zeros(4, 4).scatter(1, y[:, None], 1.0) + x, lambda x, y: 12 // (y - 9) + x[0].long(),
    ],
)  # fmt: skip
def test_bad_indices_raise_in_a_replay_as_in_eager_mode(call):
    compiled, x = torch.compile(call), torch.rand(4, 4)
    for k in range(5):
        y = (torch.arange(4) + k) % 4
        assert bits(compiled(x, y)) == bits(call(x, y))
    for bad in (torch.tensor([0, 1, 2, 99]), torch.tensor([-99, 0, 1, 9])):
        with pytest.raises((IndexError, RuntimeError)) as wanted:
            call(x, bad)
            raise IndexError("nothing")
        if str(wanted.value) != "nothing":
            with pytest.raises(type(wanted.value)) as got:
                compiled(x, bad)
            assert str(got.value) == str(wanted.value)
    assert bits(compiled(x, y)) == bits(call(x, y))
    assert compiled.replays >= 4


def test_views_of_arguments_are_returned():
    def step(x, y):
        with torch.no_grad():
            return x.t(), x[1:], x.expand(2, *x.shape), y, x[0] * 2

    check(lambda: step, 8, replays=6)
    compiled = torch.compile(lambda x: x[1:])
    for k in range(5):
        x = torch.arange(4.0) + k
        compiled(x).mul_(10)
        assert x.tolist() == [k, 10 * (k + 1), 10 * (k + 2), 10 * (k + 3)]
    assert compiled.replays == 3


def test_improbable_targets_raise_in_a_replay():
    compiled = torch.compile(lambda p, t: F.binary_cross_entropy(p, t))
    for k in range(5):
        compiled(torch.full((4,), 0.1 + 0.1 * k), torch.ones(4))
    assert compiled.replays == 3
    with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
        compiled(torch.full((4,), 1.5), torch.ones(4))


def test_numbers_of_every_distribution():
    def step(x):
        made = [torch.empty_like(x) for _ in range(4)]
        made[0].exponential_(2.0)
        made[1].geometric_(0.3)
        made[2].cauchy_()
        made[3].log_normal_()
        return [*made, torch.bernoulli(x), torch.eye(3, 4) * 2]

    check(lambda: step, 8, arguments=lambda k: (torch.full((5, 3), 0.1 * k),), replays=6)
