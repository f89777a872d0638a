"""Activation functions and their derivatives in NumPy: what the kernels of the same names compute."""

import math

import numpy as np

erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def _gelu_tanh_argument(x):
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)


def relu(out, x):
    np.maximum(x, 0, out=out)


def relu_backward(out, y, gy):
    out[...] = np.where(y <= 0, 0, gy)


def sigmoid(out, x):
    out[...] = _sigmoid(x)


def sigmoid_backward(out, y, gy):
    out[...] = gy * y * (1 - y)


def tanh(out, x):
    np.tanh(x, out=out)


def tanh_backward(out, y, gy):
    out[...] = gy * (1 - y * y)


def gelu(out, x):
    """Hendrycks and Gimpel (2016): x times the normal distribution function."""
    out[...] = x * 0.5 * (1 + erf(x / math.sqrt(2)))


def gelu_backward(out, x, gy):
    out[...] = gy * (0.5 * (1 + erf(x / math.sqrt(2))) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def gelu_tanh(out, x):
    out[...] = 0.5 * x * (1 + np.tanh(_gelu_tanh_argument(x)))


def gelu_tanh_backward(out, x, gy):
    t = np.tanh(_gelu_tanh_argument(x))
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    out[...] = gy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope)


def silu(out, x):
    out[...] = x * _sigmoid(x)


def silu_backward(out, x, gy):
    out[...] = gy * _sigmoid(x) * (1 + x * _sigmoid(-x))


def leaky_relu(out, x, slope):
    out[...] = np.where(x > 0, x, slope * x)


def leaky_relu_backward(out, x, gy, slope):
    out[...] = np.where(x > 0, gy, slope * gy)


def elu(out, x, slope, alpha, rate):
    out[...] = np.where(x > 0, slope * x, alpha * np.expm1(np.minimum(rate * x, 0)))


def elu_backward(out, x, gy, slope, alpha, rate):
    out[...] = np.where(x <= 0, gy * (alpha * rate * np.exp(np.minimum(rate * x, 0))), slope * gy)


def softplus(out, x, beta, threshold):
    out[...] = np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def softplus_backward(out, x, gy, beta, threshold):
    out[...] = np.where(x * beta > threshold, gy, gy * _sigmoid(x * beta))


def log_sigmoid(out, x):
    out[...] = -np.logaddexp(0, -x)


def log_sigmoid_backward(out, x, gy):
    out[...] = gy * _sigmoid(-x)


def mish(out, x):
    out[...] = x * np.tanh(np.logaddexp(0, x))


def mish_backward(out, x, gy):
    t = np.tanh(np.logaddexp(0, x))
    out[...] = gy * (t + x * (1 - t * t) * _sigmoid(x))


def softsign(out, x):
    out[...] = x / (1 + np.abs(x))


def softsign_backward(out, x, gy):
    out[...] = gy / (1 + np.abs(x)) ** 2


def tanhshrink(out, x):
    out[...] = x - np.tanh(x)


def tanhshrink_backward(out, x, gy):
    out[...] = gy * np.tanh(x) ** 2


def glu(out, x, inner):
    a, b = np.moveaxis(x.reshape(-1, 2, inner), 1, 0)
    out[...] = a * _sigmoid(b)


def glu_backward(gx, x, gy, inner):
    a, b = np.moveaxis(x.reshape(-1, 2, inner), 1, 0)
    gx.reshape(-1, 2, inner)[:, 0] = gy * _sigmoid(b)
    gx.reshape(-1, 2, inner)[:, 1] = gy * a * _sigmoid(b) * _sigmoid(-b)


def dropout_backward(gx, gy, kept, p):
    gx[...] = gy * np.where(kept, 1 / gx.dtype.type(p), gx.dtype.type(0))
