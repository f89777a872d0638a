"""Activation functions and their derivatives, made of the elementary functions.

`f_gradient` is the factor that a kernel multiplies with the incoming gradient; its argument is the input x,
or the output y where that is cheaper. Where PyTorch selects instead of multiplying (so that 0 times
infinity is 0), the function takes the incoming gradient gy and is called `f_backward`.
"""

from __future__ import annotations

from ..formula import copysign, dtype, fma, formula, lit, select
from .primitives import exp, expm1, log1p_of_unit, minimum, polynomial, sigmoid, tanh
from .tables import TABLES

SQRT_2_OVER_PI = 0.7978845608028654


@formula
def relu(x):
    """max(x, 0), and NaN for NaN."""
    return select(x < 0.0, 0.0, x)


@formula
def relu_backward(y, gy):
    """gy where y > 0, else 0. NaN counts as positive, as in PyTorch."""
    return select(y <= 0.0, 0.0, gy)


@formula
def leaky_relu(x, slope):
    """x where x > 0, else slope x."""
    return select(x > 0.0, x, x * slope)


@formula
def leaky_relu_gradient(x, slope):
    return select(x > 0.0, 1.0, lit(slope, x))


@formula
def elu(x, slope, alpha, rate):
    """slope x where x > 0, else alpha (e**(rate x) - 1): elu, celu and selu."""
    return select(x > 0.0, slope * x, alpha * expm1(rate * x))


@formula
def elu_gradient(x, slope, alpha, rate):
    """NaN counts as positive, as in PyTorch."""
    return select(x <= 0.0, alpha * rate * exp(rate * x), slope)


@formula
def _softplus_tanh(x):
    """tanh(log(1 + e**x)), which is n / (n + 2) with n = e**x (e**x + 2), and 1 where x is large."""
    power = exp(minimum(x, 20.0))
    n = power * (power + 2.0)
    return select(x > 20.0, 1.0, n / (n + 2.0))


@formula
def mish(x):
    """x tanh(softplus(x)). Misra (2019)."""
    return x * _softplus_tanh(x)


@formula
def mish_gradient(x):
    t = _softplus_tanh(x)
    power = exp(minimum(x, 20.0))
    below = fma(power, power + 2.0, 2.0)  # with t = n / (n + 2), 1 - t**2 is 4 (n + 1) / (n + 2)**2
    bent = 4.0 * (below - 1.0) / (below * below) * (power / (power + 1.0))
    return fma(x, select(x > 20.0, 0.0, bent), t)


@formula
def softsign_gradient(x):
    below = 1.0 + abs(x)
    return 1.0 / (below * below)


@formula
def sigmoid_gradient(y):
    """Of the output."""
    return (1.0 - y) * y


@formula
def tanh_gradient(y):
    """Of the output."""
    return fma(-y, y, 1.0)


@formula
def log_sigmoid(x):
    """log(sigmoid(x)), finite for every finite x."""
    return minimum(x, 0.0) - log1p_of_unit(exp(-abs(x)))


@formula
def log_sigmoid_gradient(x):
    return sigmoid(-x)


@formula
def softplus(x, beta, threshold):
    """log(1 + e**(beta x)) / beta; x itself where beta x is above the threshold."""
    z = x * beta
    positive = select(z < 0.0, 0.0, z)
    return select(z > threshold, x, (positive + log1p_of_unit(exp(-abs(z)))) / beta)


@formula
def softplus_gradient(x, beta, threshold):
    z = x * beta
    return select(z > threshold, 1.0, sigmoid(z))


@formula
def silu(x):
    """x sigmoid(x)."""
    return x * sigmoid(x)


@formula
def silu_gradient(x):
    s = sigmoid(x)
    return s * fma(x, 1.0 - s, 1.0)


def _half_plus_odd(x, upper, lower, limit):
    """1/2 + x p(x**2) / q(x**2), and 0 or 1 where x**2 is above the limit."""
    square = x * x
    odd = x * polynomial(square, upper) / polynomial(square, lower)
    return select(square > limit, copysign(0.5, x), odd) + 0.5


@formula
def gelu(x):
    """x times the normal distribution function of x, which is (1 + erf(x / sqrt(2))) / 2."""
    t = TABLES[dtype(x)]
    return x * _half_plus_odd(x, t.normal, t.normal_below, t.normal_limit)


@formula
def gelu_gradient(x):
    """The normal distribution function plus x times its density, fitted as one."""
    t = TABLES[dtype(x)]
    slope = _half_plus_odd(x, t.slope, t.slope_below, t.slope_limit)
    return fma(x, 0.0, slope)  # NaN at infinity, as in PyTorch, where it meets the density's 0


def _gelu_tanh_argument(x):
    return SQRT_2_OVER_PI * fma(0.044715 * x * x, x, x)


@formula
def gelu_tanh(x):
    """gelu with the normal distribution function approximated by tanh."""
    return 0.5 * x * (1.0 + tanh(_gelu_tanh_argument(x)))


@formula
def gelu_tanh_gradient(x):
    t = tanh(_gelu_tanh_argument(x))
    slope = SQRT_2_OVER_PI * fma(3.0 * 0.044715 * x, x, 1.0)
    return fma(0.5 * x * fma(-t, t, 1.0), slope, 0.5 * (1.0 + t))
