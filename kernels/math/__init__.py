"""Scalar formulas for all kernels: `from fastgrad.kernels import math as m`, then `m.tanh(x)`.

How formulas are made, and how a kernel writes literals (`m.lit(0.5, x)`), stands at the top of
`kernels/formula.py`.
"""

from ..formula import copysign, floor, fma, formula, lit, select, sqrt
from .activations import (
    elu,
    elu_gradient,
    gelu,
    gelu_gradient,
    gelu_tanh,
    gelu_tanh_gradient,
    leaky_relu,
    leaky_relu_gradient,
    log_sigmoid,
    log_sigmoid_gradient,
    mish,
    mish_gradient,
    relu,
    relu_backward,
    sigmoid_gradient,
    silu,
    silu_gradient,
    softplus,
    softplus_gradient,
    softsign_gradient,
    tanh_gradient,
)
from .library import cos, power, sin
from .primitives import erf, exp, expm1, log, log1p, maximum, minimum, sigmoid, tanh

__all__ = [
    "copysign", "cos", "elu", "elu_gradient", "erf", "exp", "expm1", "floor", "fma", "formula", "gelu",
    "gelu_gradient", "gelu_tanh", "gelu_tanh_gradient", "leaky_relu", "leaky_relu_gradient", "lit", "log",
    "log1p", "log_sigmoid", "log_sigmoid_gradient", "maximum", "minimum", "mish", "mish_gradient", "power",
    "relu", "relu_backward", "select", "sigmoid", "sigmoid_gradient", "silu", "silu_gradient", "sin", "softplus",
    "softplus_gradient", "softsign_gradient", "sqrt", "tanh", "tanh_gradient",
]  # fmt: skip
