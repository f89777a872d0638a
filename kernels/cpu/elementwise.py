"""Elementwise arithmetic on floats: each kernel is its scalar function, the loops are made in `kernels/loops.py`.

`_scalar` takes one operand as a number. Comparisons write bytes, 0 or 1.
"""

from __future__ import annotations

from .. import math as m
from ..jit import elementwise, kernel


@elementwise
def copy(x):
    return x


@kernel("F* out, F value")
def fill(out, value, lo, hi):
    """One number everywhere: tasks are elements."""
    for i in range(lo, hi):
        out[i] = value


@elementwise
def add(a, b):
    return a + b


@elementwise
def add_scaled(a, b, *, alpha):
    """a + alpha b, in one rounding as PyTorch's vectorised loop does."""
    return m.fma(b, alpha, a)


@elementwise
def sub(a, b):
    return a - b


@elementwise
def mul(a, b):
    return a * b


@elementwise
def div(a, b):
    return a / b


@elementwise
def add_scalar(x, *, value):
    return x + value


@elementwise
def rsub_scalar(x, *, value):
    return value - x


@elementwise
def mul_scalar(x, *, value):
    return x * value


@elementwise
def div_scalar(x, *, value):
    return x / value


@elementwise
def neg(x):
    return -x


@elementwise
def reciprocal(x):
    return 1.0 / x


@elementwise
def exp(x):
    return m.exp(x)


@elementwise
def log(x):
    return m.log(x)


@elementwise
def sqrt(x):
    return m.sqrt(x)


@elementwise
def square(x):
    return x * x


@elementwise
def cube(x):
    return x * x * x


@elementwise
def power(a, b):
    return m.power(a, b)


@elementwise
def power_scalar(x, *, exponent):
    return m.power(x, exponent)


@elementwise
def absolute(x):
    return abs(x)


@elementwise
def sign(x):
    """-1, 0 or 1; 0 for NaN, as in PyTorch."""
    return m.select(x > 0.0, 1.0, m.select(x < 0.0, -1.0, m.lit(0.0, x)))


@elementwise
def maximum(a, b):
    return m.maximum(a, b)


@elementwise
def minimum(a, b):
    return m.minimum(a, b)


@elementwise
def clamp(x, *, low, high):
    """min(max(x, low), high), NaN for NaN; a bound that is not wanted is an infinity."""
    inside = m.select(x < low, low, x)
    return m.select((low != low) | (high != high), m.NAN, m.select(inside > high, high, inside))


@elementwise
def clamp_backward(x, gy, *, low, high):
    """gy where low <= x <= high, else 0. NaN lies nowhere, so it gets 0."""
    return m.select((x >= low) & (x <= high), gy, 0.0)


@elementwise(out="bool")
def eq(a, b):
    return a == b


@elementwise(out="bool")
def ne(a, b):
    return a != b


@elementwise(out="bool")
def lt(a, b):
    return a < b


@elementwise(out="bool")
def le(a, b):
    return a <= b


@elementwise(out="bool")
def gt(a, b):
    return a > b


@elementwise(out="bool")
def ge(a, b):
    return a >= b
