"""Activation functions and their derivatives, elementwise; the formulas stand in `kernels/math/activations.py`.

`f_backward` takes the incoming gradient gy, and the output y where that is enough, else the input x.
"""

from __future__ import annotations

from .. import math as m
from ..jit import elementwise
from ..math import exp, formula, select


@elementwise
def relu(x):
    return m.relu(x)


@elementwise
def relu_backward(y, gy):
    return m.relu_backward(y, gy)


@elementwise
def sigmoid(x):
    return m.sigmoid(x)


@elementwise
def sigmoid_backward(y, gy):
    return m.sigmoid_gradient(y) * gy


@elementwise
def tanh(x):
    return m.tanh(x)


@elementwise
def tanh_backward(y, gy):
    return m.tanh_gradient(y) * gy


@elementwise
def gelu(x):
    return m.gelu(x)


@elementwise
def gelu_backward(x, gy):
    return m.gelu_gradient(x) * gy


@elementwise
def gelu_tanh(x):
    return m.gelu_tanh(x)


@elementwise
def gelu_tanh_backward(x, gy):
    return m.gelu_tanh_gradient(x) * gy


@elementwise
def silu(x):
    return m.silu(x)


@elementwise
def silu_backward(x, gy):
    return m.silu_gradient(x) * gy


@elementwise
def leaky_relu(x, *, slope):
    return m.leaky_relu(x, slope)


@elementwise
def leaky_relu_backward(x, gy, *, slope):
    return m.leaky_relu_gradient(x, slope) * gy


@elementwise
def elu(x, *, alpha):
    return m.elu(x, alpha)


@formula
def _elu_backward(x, gy, alpha):
    """NaN counts as positive, as in PyTorch."""
    return select(x <= 0.0, alpha * exp(x) * gy, gy)


@elementwise
def elu_backward(x, gy, *, alpha):
    return _elu_backward(x, gy, alpha)


@elementwise
def softplus(x, *, beta, threshold):
    return m.softplus(x, beta, threshold)


@elementwise
def softplus_backward(x, gy, *, beta, threshold):
    return m.softplus_gradient(x, beta, threshold) * gy


@elementwise
def log_sigmoid(x):
    return m.log_sigmoid(x)


@elementwise
def log_sigmoid_backward(x, gy):
    return m.log_sigmoid_gradient(x) * gy
