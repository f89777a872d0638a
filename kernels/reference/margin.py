"""Losses with a margin in NumPy: what the kernels of the same names compute."""

import numpy as np

from .activation import _sigmoid
from .class_loss import EACH, GRADIENT, MEAN, WEIGHTED
from .loss import _make


def _values(name, x, t, p):
    if name == "hinge":
        return np.where(t != -1, x, 0) + np.where(t != 1, np.maximum(p - x, 0), 0)
    if name == "match":
        return np.where(t == 1, 1 - x, np.where(t == -1, np.maximum(x - p, 0), 0))
    return np.logaddexp(0, -t * x) if name == "soft" else np.maximum(p - t * x, 0)


def _slopes(name, x, t, p):
    if name == "hinge":
        return np.where(t != -1, 1, 0) - np.where(t != 1, (p - x >= 0) * 1, 0)
    if name == "match":
        return np.where(t == 1, -1, ((t == -1) & (x >= p)) * 1)
    return -t * _sigmoid(-t * x) if name == "soft" else np.where(p - t * x >= 0, -t, 0)


hinge, hinge_backward, hinge_sum = _make("hinge", _values, _slopes)
soft, soft_backward, soft_sum = _make("soft", _values, _slopes)
ranking, ranking_backward, ranking_sum = _make("ranking", _values, _slopes)
match, match_backward, match_sum = _make("match", _values, _slopes)


def _finish(out, gradient, losses, slopes, block, flags):
    share = 1 / len(losses) if flags & MEAN else 1
    if flags & EACH:
        out[...] = losses
    else:
        out[...] = np.array([losses[k : k + block].sum() for k in range(0, len(losses), block)]) * share
    if flags & GRADIENT:
        gradient[...] = slopes * share


def multi(out, gradient, x, target, weight, wrong, rows, n, block, flags, square, margin):
    places = np.arange(rows)
    scale = (weight[target] if flags & WEIGHTED else np.ones(rows)) / n
    beyond = np.maximum(margin - x[places, target][:, None] + x, 0)
    beyond[places, target] = 0
    slopes = (2 * beyond if square else (beyond > 0) * 1.0) * scale[:, None]
    slopes[places, target] = -slopes.sum(1)
    _finish(out, gradient, (beyond**2 if square else beyond).sum(1) * scale, slopes, block, flags)


def multilabel(out, gradient, chosen, x, target, wrong, rows, n, block, flags):
    losses, slopes = np.zeros(rows), np.zeros((rows, n))
    for r in range(rows):
        own = list(target[r])
        own = own[: own.index(-1)] if -1 in own else own
        for t in own:
            for j in set(range(n)) - set(own):
                beyond = 1 - x[r, t] + x[r, j]
                losses[r] += max(beyond, 0) / n
                slopes[r, j] += (beyond > 0) / n
                slopes[r, t] -= (beyond > 0) / n
    _finish(out, gradient, losses, slopes, block, flags)
