"""Losses that are negative log-likelihoods in NumPy: what the kernels of the same names compute."""

import numpy as np

from .loss import _make


def _values(name, x, t, p):
    with np.errstate(all="ignore"):
        if name == "kl":
            return np.where(t == 0, 0, t * np.log(t)) - t * x
        if name == "kl_log":
            return np.exp(t) * (t - x)
        return np.exp(x) - t * x if name == "poisson_log" else x - t * np.log(x + p)


def _slopes(name, x, t, p):
    with np.errstate(all="ignore"):
        if name == "kl":
            return -t
        if name == "kl_log":
            return -np.exp(t)
        return np.exp(x) - t if name == "poisson_log" else 1 - t / (x + p)


kl, kl_backward, kl_sum = _make("kl", _values, _slopes)
kl_log, kl_log_backward, kl_log_sum = _make("kl_log", _values, _slopes)
poisson_log, poisson_log_backward, poisson_log_sum = _make("poisson_log", _values, _slopes)
poisson, poisson_backward, poisson_sum = _make("poisson", _values, _slopes)
