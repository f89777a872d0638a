"""Elementwise arithmetic on integers, which wraps around; bools are integers of 8 bits here.

What is written alike for floats (sums, products, comparisons, choices) stands in `elementwise.py` and `mathematics.py`.
"""

from __future__ import annotations

import numpy as np

from .. import math as m
from ..jit import elementwise, kernel


@kernel("F* out, int value")
def fill(out, value, lo, hi):
    """One number everywhere: tasks are elements."""
    for i in range(lo, hi):
        out[i] = value


@elementwise
def absolute(x):
    return m.select(x < 0, -x, x)


@elementwise
def sign(x):
    return m.select(x > 0, m.lit(1, x), m.select(x < 0, -m.lit(1, x), m.lit(0, x)))


@elementwise
def maximum(a, b):
    return m.select(a > b, a, b)


@elementwise
def minimum(a, b):
    return m.select(a < b, a, b)


@elementwise
def bitwise_not(x):
    return ~x


@elementwise
def bitwise_and(a, b):
    return a & b


@elementwise
def bitwise_or(a, b):
    return a | b


@elementwise
def bitwise_xor(a, b):
    return a ^ b


@elementwise
def left_shift(a, b):
    """a * 2**b; 0 where b is no place of the type."""
    last = 8 * np.dtype(m.dtype(a)).itemsize - 1
    return m.select((b >= 0) & (b <= last), a << (b & last), m.lit(0, a))


@elementwise
def right_shift(a, b):
    """a / 2**b, rounded down; only the sign is left where b is no place of the type."""
    last = 8 * np.dtype(m.dtype(a)).itemsize - 1
    gone = a >> last if m.dtype(a) is not np.uint8 else m.lit(0, a)
    return m.select((b >= 0) & (b <= last), a >> (b & last), gone)
