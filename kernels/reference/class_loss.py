"""Losses over classes in NumPy: what the kernels of the same names compute. x is (rows, n)."""

import numpy as np

WEIGHTED, MEAN, EACH, GRADIENT = 1, 2, 4, 8


def _weights(target, weight, n, flags, ignored):
    """The weight of each row, and the one-hot matrix of their targets times it."""
    used = (target != ignored) & (target >= 0) & (target < n)
    rows = np.where(used, weight[np.where(used, target, 0)] if flags & WEIGHTED else 1.0, 0.0)
    chosen = np.zeros((len(target), n))
    chosen[np.flatnonzero(used), target[used]] = rows[used]
    return rows, chosen


def target_weight(total, wrong, target, weight, rows, n, flags, ignored):
    total[0] = _weights(target, weight, n, flags, ignored)[0].sum()
    wrong[0] = ((target != ignored) & ((target < 0) | (target >= n))).any()


def _finish(out, gradient, losses, slopes, total, block, flags):
    """Sums over blocks of rows, and the gradient, both divided by `total` where the mean is wanted."""
    divisor = total if flags & MEAN else 1.0
    if flags & EACH:
        out[...] = losses
    else:
        with np.errstate(all="ignore"):
            starts = range(0, max(len(losses), 1), block)
            out[...] = np.array([losses[i : i + block].sum() for i in starts]) / divisor
    if flags & GRADIENT:
        gradient[...] = slopes * (1 / divisor if divisor else 0.0)


def _log_softmax(x):
    shifted = x - x.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def soft_cross_entropy(out, gradient, x, target, rows, n, block, flags, total):
    logs = _log_softmax(x)
    slopes = np.exp(logs) * target.sum(-1, keepdims=True) - target
    _finish(out, gradient, -(target * logs).sum(-1), slopes, total, block, flags)


def cross_entropy(out, gradient, x, target, weight, total, wrong, rows, n, block, flags, ignored):
    target_weight(total, wrong, target, weight, rows, n, flags, ignored)
    _, chosen = _weights(target, weight, n, flags, ignored)
    soft_cross_entropy(out, gradient, x, chosen, rows, n, block, flags, total[0])


def smooth_cross_entropy(
    out, gradient, x, target, weight, spread, total, wrong, rows, n, block, flags, ignored, own_part
):  # fmt: skip
    target_weight(total, wrong, target, weight, rows, n, flags, ignored)
    _, chosen = _weights(target, weight, n, flags, ignored)
    used = (target != ignored) & (target >= 0) & (target < n)
    parts = chosen * own_part + used[:, None] * spread
    soft_cross_entropy(out, gradient, x, parts, rows, n, block, flags, total[0])


def nll_loss(out, gradient, x, target, weight, total, wrong, rows, n, block, flags, ignored):
    target_weight(total, wrong, target, weight, rows, n, flags, ignored)
    _, chosen = _weights(target, weight, n, flags, ignored)
    _finish(out, gradient, -(chosen * x).sum(-1), -chosen, total[0], block, flags)
