"""Activation functions of straight pieces in NumPy: what the kernels of the same names compute."""

import numpy as np


def hardtanh(out, x, low, high):
    out[...] = np.where(x < low, low, np.where(x > high, high, x))


def hardtanh_backward(out, x, gy, low, high):
    out[...] = np.where((x <= low) | (x >= high), 0, gy)


def hardsigmoid(out, x):
    out[...] = np.clip(x + 3, 0, 6) / 6


def hardsigmoid_backward(out, x, gy):
    out[...] = np.where((x > -3) & (x < 3), gy / 6, 0)


def hardswish(out, x):
    out[...] = x * np.clip(x + 3, 0, 6) / 6


def hardswish_backward(out, x, gy):
    out[...] = np.where(x <= -3, 0, np.where(x < 3, gy * (x / 3 + 0.5), gy))


def hardshrink(out, x, size):
    out[...] = np.where(np.abs(x) <= size, 0, x)


def softshrink(out, x, size):
    out[...] = np.where(np.abs(x) <= size, 0, x - np.copysign(size, x))


def shrink_backward(out, x, gy, size):
    out[...] = np.where(np.abs(x) <= size, 0, gy)


def threshold(out, x, limit, value):
    out[...] = np.where(x <= limit, value, x)


def threshold_backward(out, x, gy, limit):
    out[...] = np.where(x <= limit, 0, gy)


def prelu(out, x, w):
    out[...] = np.where(x > 0, x, w * x)


def prelu_backward(out, x, w, gy):
    out[...] = np.where(x > 0, gy, w * gy)


def prelu_weight_backward(out, x, gy):
    out[...] = np.where(x > 0, 0, x * gy)
