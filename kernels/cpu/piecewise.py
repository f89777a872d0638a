"""Activation functions made of straight pieces, and their derivatives; NaN counts as lying in the piece that keeps x.

`f_backward` takes the input x and the incoming gradient gy, which it selects instead of multiplying by 0 or 1.
"""

from __future__ import annotations

from ..jit import elementwise
from ..math import select


@elementwise
def hardtanh(x, *, low, high):
    return select(x < low, low, select(x > high, high, x))


@elementwise
def hardtanh_backward(x, gy, *, low, high):
    return select((x <= low) | (x >= high), 0.0, gy)


@elementwise
def hardsigmoid(x):
    shifted = x + 3.0
    return select(shifted < 0.0, 0.0, select(shifted > 6.0, 6.0, shifted)) / 6.0


@elementwise
def hardsigmoid_backward(x, gy):
    return select((x > -3.0) & (x < 3.0), gy * (1.0 / 6.0), 0.0)


@elementwise
def hardswish(x):
    shifted = x + 3.0
    return x * select(shifted < 0.0, 0.0, select(shifted > 6.0, 6.0, shifted)) / 6.0


@elementwise
def hardswish_backward(x, gy):
    return select(x <= -3.0, 0.0, select(x < 3.0, gy * (x / 3.0 + 0.5), gy))


@elementwise
def hardshrink(x, *, size):
    return select((x >= -size) & (x <= size), 0.0, x)


@elementwise
def softshrink(x, *, size):
    return select(x > size, x - size, select(x < -size, x + size, select(x != x, x, 0.0)))


@elementwise
def shrink_backward(x, gy, *, size):
    """Of hardshrink and softshrink."""
    return select((x >= -size) & (x <= size), 0.0, gy)


@elementwise
def threshold(x, *, limit, value):
    return select(x <= limit, value, x)


@elementwise
def threshold_backward(x, gy, *, limit):
    return select(x <= limit, 0.0, gy)


@elementwise
def prelu(x, w):
    return select(x > 0.0, x, w * x)


@elementwise
def prelu_backward(x, w, gy):
    """Along x."""
    return select(x > 0.0, gy, w * gy)


@elementwise
def prelu_weight_backward(x, gy):
    """Along w."""
    return select(x > 0.0, 0.0, x * gy)
