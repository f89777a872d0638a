"""Losses of two tensors in NumPy: what the kernels of the same names compute. `p` is a loss's parameter."""

import numpy as np

from .activation import _sigmoid


def _values(name, x, t, p):
    d = np.abs(x - t)
    with np.errstate(all="ignore"):
        if name == "mse":
            return d * d
        if name == "l1":
            return d
        if name == "smooth_l1":
            return np.where(d < p, d * d / (2 * p), d - p / 2)
        if name == "huber":
            return np.where(d < p, d * d / 2, p * (d - p / 2))
        if name == "bce":
            loss = (t - 1) * np.maximum(np.log1p(-x), -100) - t * np.maximum(np.log(x), -100)
            return np.where((x >= 0) & (x <= 1) & (t >= 0) & (t <= 1), loss, np.nan)
        return (1 - t) * x + np.logaddexp(0, -x)


def _slopes(name, x, t, p):
    d = x - t
    with np.errstate(all="ignore"):
        if name == "mse":
            return 2 * d
        if name == "l1":
            return np.where(np.isnan(d), 0, np.sign(d))
        if name == "smooth_l1":
            return np.clip(d / p, -1, 1)
        if name == "huber":
            return np.clip(d, -p, p)
        if name == "bce":
            return d / np.maximum((1 - x) * x, 1e-12)
        return _sigmoid(x) - t


def _make(name, _values=_values, _slopes=_slopes):
    """The value of each pair, gy times its slope, and the sum with its gradient."""

    def each(out, x, t, p):
        out[...] = _values(name, x, t, p)

    def backward(out, x, t, gy, p):
        out[...] = _slopes(name, x, t, p) * gy

    def total(out, gradient, x, t, n, block, wanted, count, p):
        sums = [_values(name, x[i : i + block], t[i : i + block], p).sum() for i in range(0, max(n, 1), block)]
        out[...] = np.array(sums) / count
        if wanted:
            gradient[...] = _slopes(name, x, t, p) / count

    return each, backward, total


mse, mse_backward, mse_sum = _make("mse")
l1, l1_backward, l1_sum = _make("l1")
smooth_l1, smooth_l1_backward, smooth_l1_sum = _make("smooth_l1")
huber, huber_backward, huber_sum = _make("huber")
bce, bce_backward, bce_sum = _make("bce")
bce_logits, bce_logits_backward, bce_logits_sum = _make("bce_logits")
