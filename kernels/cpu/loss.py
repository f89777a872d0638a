"""Losses of two tensors, element by element: squares, absolute differences and their blends, binary cross-entropy.

Each is a formula pair, value and slope. Three kernels are made of a pair: `f_sum` adds the values up and, in the same pass,
writes the gradient of the sum (or mean) with respect to x; `f` and `f_backward` serve reduction="none".

A sum's order of addition is fixed by its length: strips of STRIP numbers are summed in lanes, the strips of a task in
order, and the tasks' sums by `reduce.sum_runs`.
"""

from __future__ import annotations

import numba

from ..jit import FLAGS, at, elementwise, kernel
from ..lanes import sum_lanes
from ..math import exp, fma, formula, lit, log, log1p, maximum, minimum, select
from ..pointers import load, store
from ..stack import buffer

STRIP = 1024
helper = numba.njit(**FLAGS)  # a function that kernels call; itself under NUMBA_DISABLE_JIT=1


@helper
def sum_of(value, slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    """out[task] = sum of value(x, t) / count over a block; gradient = slope(x, t) / count where it is wanted."""
    values = buffer(x, 1024)
    share = lit(1.0, x) / count
    for task in range(lo, hi):
        total = lit(0.0, x)
        last = min((task + 1) * block, n)
        for first in range(task * block, last, STRIP):
            a, b, g, size = at(x, first), at(t, first), at(gradient, first), min(STRIP, last - first)
            if wanted:
                for i in range(size):
                    values[i] = value(load(a, i), load(b, i), p)
                    store(g, i, slope(load(a, i), load(b, i), p) * share)
            else:
                for i in range(size):
                    values[i] = value(load(a, i), load(b, i), p)
            total += sum_lanes(values, size)
        out[task] = total / count


# --- squared difference -------------------------------------------------------------------------------------------------


@formula
def mse_value(x, t, p):
    return (x - t) * (x - t)


@formula
def mse_slope(x, t, p):
    return 2.0 * (x - t)


@kernel("F* out, F* gradient, F* x, F* t, int n, int block, int wanted, F count, F p")
def mse_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(mse_value, mse_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def mse(x, t, *, p):
    return mse_value(x, t, p)


@elementwise
def mse_backward(x, t, gy, *, p):
    return mse_slope(x, t, p) * gy


# --- absolute difference ------------------------------------------------------------------------------------------------


@formula
def l1_value(x, t, p):
    return abs(x - t)


@formula
def l1_slope(x, t, p):
    """The sign of x - t; 0 at 0 and for NaN."""
    return select(x > t, 1.0, select(x < t, -1.0, x * 0.0 if False else 0.0 * p))
