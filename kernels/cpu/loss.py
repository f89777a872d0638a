"""Losses of two tensors, element by element: squared and absolute differences and their blends, binary cross-entropy.

A loss is a pair of formulas, its value and its slope along x. Three kernels are made of each pair: `f_sum` adds the values
up and writes the gradient of that sum in the same pass; `f` and `f_backward` serve where nothing is summed.

A sum's order of addition follows from its length: strips of STRIP numbers are summed in lanes, strips of a block in order.
"""

from __future__ import annotations

from ..jit import at, elementwise, helper, kernel
from ..lanes import sum_lanes
from ..math import formula, lit, log, log1p, log_sigmoid, maximum, minimum, select, sigmoid
from ..pointers import load, store
from ..stack import buffer

STRIP = 1024
SUM = "F* out, F* gradient, F* x, F* t, int n, int block, int wanted, F count, F p"


@helper
def sum_of(value, slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    """A task is a block: out[task] = sum of value / count; gradient = slope / count where it is wanted."""
    values = buffer(x, 1024)
    share = lit(1.0, x) / count
    for task in range(lo, hi):
        total = lit(0.0, x)
        last = min((task + 1) * block, n)
        for first in range(task * block, last, STRIP):
            a, b, g, size = at(x, first), at(t, first), at(gradient, first), min(STRIP, last - first)
            for i in range(size):
                values[i] = value(load(a, i), load(b, i), p)
            if wanted:
                for i in range(size):
                    store(g, i, slope(load(a, i), load(b, i), p) * share)
            total += sum_lanes(values, size)
        out[task] = total / count


# --- squared difference -------------------------------------------------------------------------------------------------


@formula
def mse_value(x, t, p):
    return (x - t) * (x - t)


@formula
def mse_slope(x, t, p):
    return 2.0 * (x - t)


@kernel(SUM)
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
    """The sign of x - t; 0 where they are equal, and for NaN."""
    return select(x > t, lit(1.0, x), select(x < t, lit(-1.0, x), 0.0))


@kernel(SUM)
def l1_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(l1_value, l1_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def l1(x, t, *, p):
    return l1_value(x, t, p)


@elementwise
def l1_backward(x, t, gy, *, p):
    return l1_slope(x, t, p) * gy


# --- squared for small differences, absolute for large ones -------------------------------------------------------------


@formula
def smooth_l1_value(x, t, beta):
    """d**2 / (2 beta) where d = |x - t| < beta, else d - beta / 2. Girshick (2015)."""
    d = abs(x - t)
    return select(d < beta, 0.5 * d * d / beta, d - 0.5 * beta)


@formula
def smooth_l1_slope(x, t, beta):
    return maximum(minimum((x - t) / beta, 1.0), -1.0)


@kernel(SUM)
def smooth_l1_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(smooth_l1_value, smooth_l1_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def smooth_l1(x, t, *, p):
    return smooth_l1_value(x, t, p)


@elementwise
def smooth_l1_backward(x, t, gy, *, p):
    return smooth_l1_slope(x, t, p) * gy


@formula
def huber_value(x, t, delta):
    """d**2 / 2 where d = |x - t| < delta, else delta (d - delta / 2). Huber (1964)."""
    d = abs(x - t)
    return select(d < delta, 0.5 * d * d, delta * (d - 0.5 * delta))


@formula
def huber_slope(x, t, delta):
    return maximum(minimum(x - t, delta), -delta)


@kernel(SUM)
def huber_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(huber_value, huber_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def huber(x, t, *, p):
    return huber_value(x, t, p)


@elementwise
def huber_backward(x, t, gy, *, p):
    return huber_slope(x, t, p) * gy


# --- binary cross-entropy, of probabilities and of logits ---------------------------------------------------------------


@formula
def bce_value(x, t, p):
    """-(t log x + (1 - t) log(1 - x)), logarithms not below -100; NaN where x or t is no probability."""
    loss = (t - 1.0) * maximum(log1p(-x), -100.0) - t * maximum(log(x), -100.0)
    return select((x >= 0.0) & (x <= 1.0) & (t >= 0.0) & (t <= 1.0), loss, float("nan"))


@formula
def bce_slope(x, t, p):
    """PyTorch's: the denominator is held above 1e-12, so that the slope is finite at 0 and 1."""
    return (x - t) / maximum((1.0 - x) * x, 1e-12)


@kernel(SUM)
def bce_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(bce_value, bce_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def bce(x, t, *, p):
    return bce_value(x, t, p)


@elementwise
def bce_backward(x, t, gy, *, p):
    return bce_slope(x, t, p) * gy


@formula
def bce_logits_value(x, t, p):
    """Binary cross-entropy of sigmoid(x), finite for every finite x."""
    return (1.0 - t) * x - log_sigmoid(x)


@formula
def bce_logits_slope(x, t, p):
    return sigmoid(x) - t


@kernel(SUM)
def bce_logits_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(bce_logits_value, bce_logits_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def bce_logits(x, t, *, p):
    return bce_logits_value(x, t, p)


@elementwise
def bce_logits_backward(x, t, gy, *, p):
    return bce_logits_slope(x, t, p) * gy
