"""Gradients of reductions, elementwise: each kernel is its scalar function, as in `elementwise.py`."""

from __future__ import annotations

from .. import math as m
from ..jit import elementwise


@elementwise
def tied(x, y, share):
    """The share of an extreme's gradient for those that equal it; NaN equals NaN."""
    return m.select((x == y) | ((x != x) & (y != y)), share, 0.0)


@elementwise
def tied_number(x, y, share):
    """As `tied`, but where the extreme is NaN all gradients are."""
    return m.select(x == y, share, m.select(y == y, 0.0, y))


@elementwise
def length(x, y, gy):
    """x / y gy, and 0 where the length y is 0."""
    return m.select(y == 0.0, 0.0, gy * (x / y))


@elementwise
def spread(x, mean, gy, *, scale):
    """The slope of a variance: gy scale (x - mean)."""
    return gy * scale * (x - mean)
