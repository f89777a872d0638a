"""Conventions where a function has no derivative, or more than one: as in PyTorch. One table.

Each row: what to compute, at which inputs, and the gradient that each input gets (of the sum of the results).
"""

import math

import pytest

import fastgrad

NAN, INF = math.nan, math.inf

TABLE = {
    "relu at 0, beside it, at NaN": (lambda t, x: t.relu(x), [[0.0, -0.0, 1e-30, -1.0, NAN]], [[0, 0, 1, 0, 1]]),
    "abs at 0 and NaN": (lambda t, x: x.abs(), [[0.0, -0.0, -2.0, NAN]], [[0, 0, -1, 0]]),
    "sign": (lambda t, x: x.sign(), [[0.0, 2.0, NAN]], [[0, 0, 0]]),
    "sqrt at 0": (lambda t, x: x.sqrt(), [[0.0, 4.0]], [[INF, 0.25]]),
    "max, where two tie": (lambda t, x: x.max(), [[3.0, 1.0, 3.0]], [[0.5, 0, 0.5]]),
    "min, where three tie": (lambda t, x: x.min(), [[1.0, 1.0, 1.0, 2.0]], [[1 / 3, 1 / 3, 1 / 3, 0]]),
    "max with NaN": (lambda t, x: x.max(), [[NAN, 1.0, NAN]], [[0.5, 0, 0.5]]),
    "max along a dimension: the first": (lambda t, x: x.max(0).values, [[3.0, 1.0, 3.0]], [[1, 0, 0]]),
    "min along a dimension: the first NaN": (lambda t, x: x.min(0).values, [[1.0, NAN, NAN]], [[0, 1, 0]]),
    "maximum: a tie is halved": (t_max := lambda t, a, b: t.maximum(a, b), [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]],
                                 [[0, 0.5, 1], [1, 0.5, 0]]),
    "maximum with NaN: both": (t_max, [[NAN, 1.0], [1.0, NAN]], [[1, 1], [1, 1]]),
    "minimum: a tie is halved": (t_min := lambda t, a, b: t.minimum(a, b), [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]],
                                 [[1, 0.5, 0], [0, 0.5, 1]]),
    "minimum with NaN: both": (t_min, [[NAN, 1.0], [1.0, NAN]], [[1, 1], [1, 1]]),
    "clamp at its ends": (lambda t, x: x.clamp(-1, 1), [[-1.0, 1.0, -1.5, 1.5, 0.0, NAN]], [[1, 1, 0, 0, 1, 0]]),
    "clamp_min at its end": (lambda t, x: x.clamp_min(0), [[0.0, -0.0, -1.0, NAN]], [[1, 1, 0, 0]]),
    "clamp_max at its end": (lambda t, x: x.clamp_max(0), [[0.0, 1.0, -1.0, NAN]], [[1, 0, 1, 0]]),
    "clamp with infinite ends": (lambda t, x: x.clamp(-INF, INF), [[INF, -INF, 0.0]], [[1, 1, 1]]),
    "clamp crossed": (lambda t, x: x.clamp(1, -1), [[0.0, 1.0, -1.0]], [[0, 0, 0]]),
    "clamp by tensors": (lambda t, x, a, b: x.clamp(a, b), [[0.0, 1.0, 5.0, -5.0], [0.0] * 4, [1.0] * 4],
                         [[1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]),
    "clamp by crossed tensors": (lambda t, x, a, b: x.clamp(a, b), [[0.0], [1.0], [-1.0]], [[0], [0], [1]]),
    "clamp by tensors with NaN": (
        lambda t, x, a, b: x.clamp(a, b), [[NAN, 1.0, 2.0, NAN], [5.0, NAN, 3.0, 1.0], [2.0, 2.0, NAN, 2.0]],
        [[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]),
    "pow of NaN and infinity": (lambda t, a, b: a**b, [[NAN, INF, 0.0], [0.0, 0.0, -1.0]], [[0, 0, -INF], [NAN, INF, -INF]]),
    "pow 0 at 0": (lambda t, x: x**0, [[0.0, NAN]], [[0, 0]]),
    "pow 2 at 0": (lambda t, x: x**2, [[0.0, INF]], [[0, INF]]),
    "pow 1 at 0": (lambda t, x: x**1.0, [[0.0]], [[1]]),
    "pow 0.5 at 0": (lambda t, x: x**0.5, [[0.0]], [[INF]]),
    "0 to the power of a tensor": (lambda t, a, b: a**b, [[0.0, 0.0, 0.0], [2.0, 0.0, 1.0]], [[0, 0, 1], [0, 0, 0]]),
    "a negative base": (lambda t, a, b: a**b, [[-2.0], [2.0]], [[-4], [NAN]]),
    "a number to a power": (lambda t, x: 0**x, [[0.0, 2.0]], [[0, 0]]),
    "where: the other side's infinity does not pass": (lambda t, x: t.where(x > 0, x, x / 0), [[1.0, 2.0]], [[NAN, NAN]]),
    "div trunc": (lambda t, x: t.div(x, 2, rounding_mode="trunc"), [[5.0, 4.0]], [[0, 0]]),
    "remainder": (lambda t, a, b: a % b, [[5.0, -5.0], [3.0, 3.0]], [[1, 1], [-1, 2]]),
    "mean of one": (lambda t, x: x.mean(), [[2.0]], [[1]]),
    "equal places add up": (lambda t, x: x[[0, 0, 1]], [[1.0, 2.0, 3.0]], [[2, 1, 0]]),
    "an expanded input": (lambda t, x: x.expand(3, 2) * 2, [[1.0, 2.0]], [[6, 6]]),
    "infinity times a chosen 0": (lambda t, x: x.max(), [[INF, 1.0]], [[1, 0]]),
    "the same tensor twice": (lambda t, x: x * x, [[3.0]], [[6]]),
}  # fmt: skip


def gradients(t, call, inputs):
    leaves = [t.tensor(values, dtype=t.float64, requires_grad=True) for values in inputs]
    call(t, *leaves).sum().backward()
    return [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("row", TABLE)
def test_convention(row):
    call, inputs, expected = TABLE[row]
    for g, e in zip(gradients(fastgrad, call, inputs), expected, strict=True):
        assert g.tolist() == pytest.approx(e, nan_ok=True), row


@pytest.mark.parametrize("row", TABLE)
def test_the_table_is_pytorch_s(row, torch):
    call, inputs, expected = TABLE[row]
    for g, e in zip(gradients(torch, call, inputs), expected, strict=True):
        assert g.tolist() == pytest.approx(e, nan_ok=True), row


def test_an_infinite_gradient_stays_where_it_belongs():
    """What was not chosen gets 0, not 0 times infinity."""
    x = fastgrad.tensor([1.0, 2.0], dtype=fastgrad.float64, requires_grad=True)
    y = fastgrad.tensor([0.0, 3.0], dtype=fastgrad.float64, requires_grad=True)
    seed = fastgrad.tensor([INF, INF], dtype=fastgrad.float64)
    for call in (
        lambda: fastgrad.maximum(x, y),
        lambda: fastgrad.where(x > y, x, y),
        lambda: x.clamp(0, 1.5),
        lambda: fastgrad.clamp(x, min=y),
    ):
        gx, gy = fastgrad.autograd.grad(call(), [x, y], seed, allow_unused=True)
        for g in (gx, gy):
            assert g is None or not g.isnan().any()
    (gx,) = fastgrad.autograd.grad(x.max(), [x], fastgrad.tensor(INF, dtype=fastgrad.float64))
    assert gx.tolist() == [0, INF]
