"""Losses that are negative log-likelihoods, or differences of them: Kullback-Leibler divergence, Poisson.

Each is a pair of formulas, of which three kernels are made as in `loss.py`; p is the loss's parameter.
"""

from __future__ import annotations

from ..jit import elementwise, kernel
from ..math import exp, formula, log, select
from .loss import SUM, sum_of


@formula
def kl_value(x, t, p):
    """t (log t - x), with 0 log 0 = 0. Kullback and Leibler (1951)."""
    return select(t == 0.0, 0.0, t * log(t)) - t * x


@formula
def kl_slope(x, t, p):
    return -t


@kernel(SUM)
def kl_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(kl_value, kl_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def kl(x, t, *, p):
    return kl_value(x, t, p)


@elementwise
def kl_backward(x, t, gy, *, p):
    return kl_slope(x, t, p) * gy


@formula
def kl_log_value(x, t, p):
    """The same of a target that is a logarithm."""
    return exp(t) * (t - x)


@formula
def kl_log_slope(x, t, p):
    return -exp(t)


@kernel(SUM)
def kl_log_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(kl_log_value, kl_log_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def kl_log(x, t, *, p):
    return kl_log_value(x, t, p)


@elementwise
def kl_log_backward(x, t, gy, *, p):
    return kl_log_slope(x, t, p) * gy


@formula
def poisson_log_value(x, t, p):
    """e**x - t x: x is the logarithm of the expected count."""
    return exp(x) - t * x


@formula
def poisson_log_slope(x, t, p):
    return exp(x) - t


@kernel(SUM)
def poisson_log_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(poisson_log_value, poisson_log_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def poisson_log(x, t, *, p):
    return poisson_log_value(x, t, p)


@elementwise
def poisson_log_backward(x, t, gy, *, p):
    return poisson_log_slope(x, t, p) * gy


@formula
def poisson_value(x, t, p):
    """x - t log(x + p): x is the expected count, p keeps the logarithm finite."""
    return x - t * log(x + p)


@formula
def poisson_slope(x, t, p):
    return 1.0 - t / (x + p)


@kernel(SUM)
def poisson_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(poisson_value, poisson_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def poisson(x, t, *, p):
    return poisson_value(x, t, p)


@elementwise
def poisson_backward(x, t, gy, *, p):
    return poisson_slope(x, t, p) * gy
