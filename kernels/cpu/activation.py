"""Activation functions and their derivatives, elementwise; the formulas stand in `kernels/math/activations.py`. Also the
derivative of dropout, which is drawn in `random.py`.

`f_backward` takes the incoming gradient gy, and the output y where that is enough, else the input x.
"""

from __future__ import annotations

from .. import math as m
from ..jit import at, elementwise, kernel
from ..pointers import load, store


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
def elu(x, *, slope, alpha, rate):
    return m.elu(x, slope, alpha, rate)


@elementwise
def elu_backward(x, gy, *, slope, alpha, rate):
    return m.elu_gradient(x, slope, alpha, rate) * gy


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


@elementwise
def mish(x):
    return m.mish(x)


@elementwise
def mish_backward(x, gy):
    return m.mish_gradient(x) * gy


@elementwise
def softsign(x):
    return x / (1.0 + abs(x))


@elementwise
def softsign_backward(x, gy):
    return m.softsign_gradient(x) * gy


@elementwise
def tanhshrink(x):
    return x - m.tanh(x)


@elementwise
def tanhshrink_backward(x, gy):
    t = m.tanh(x)
    return t * t * gy


@kernel("F* out, F* x, int inner")
def glu(out, x, inner, lo, hi):
    """(outer, 2, inner) -> (outer, inner): the first half times the sigmoid of the second; tasks are outer."""
    for task in range(lo, hi):
        a, b, made = at(x, 2 * task * inner), at(x, (2 * task + 1) * inner), at(out, task * inner)
        for i in range(inner):
            store(made, i, load(a, i) * m.sigmoid(load(b, i)))


@kernel("F* gx, F* x, F* gy, int inner")
def glu_backward(gx, x, gy, inner, lo, hi):
    """gx (outer, 2, inner) of gy (outer, inner)."""
    for task in range(lo, hi):
        a, b, slope = at(x, 2 * task * inner), at(x, (2 * task + 1) * inner), at(gy, task * inner)
        ga, gb = at(gx, 2 * task * inner), at(gx, (2 * task + 1) * inner)
        for i in range(inner):
            s = m.sigmoid(load(b, i))
            store(ga, i, load(slope, i) * s)
            store(gb, i, m.sigmoid_gradient(s) * load(a, i) * load(slope, i))


@kernel("F* gx, F* gy, u8* kept, F p, type F")
def dropout_backward(gx, gy, kept, p, F, lo, hi):
    """gy / p where an element was kept (1), which has probability p, else gy * 0."""
    scale = F(1) / p
    for i in range(lo, hi):
        store(gx, i, load(gy, i) * (scale * F(kept[i])))
