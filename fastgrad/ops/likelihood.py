"""Losses that are negative log-likelihoods: Kullback-Leibler divergence, Poisson, Gaussian."""

from __future__ import annotations

import math
from typing import Any

from .._launch import loss as launch
from .._tensor import Tensor
from ..autograd.modes import no_grad
from .choose import clamp, where
from .loss import _floats, _Loss, _reduced
from .pointwise import exp, log

_kl = _Loss("Sub", launch.kl, lambda x, t, p: -t + x * 0, lambda x, t, p: log(t) + 1 - x, composed=True)
_kl_log = _Loss(
    "Mul", launch.kl_log, lambda x, t, p: -exp(t) + x * 0, lambda x, t, p: exp(t) * (t - x + 1), composed=True
)
_poisson_log = _Loss("Sub", launch.poisson_log, lambda x, t, p: exp(x) - t, lambda x, t, p: -x, composed=True)
_poisson = _Loss("Sub", launch.poisson, lambda x, t, eps: 1 - t / (x + eps), lambda x, t, eps: -log(x + eps), composed=True)


def kl_div(input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """target (log target - input), with broadcasting; or, with `log_target`, of a target that is a logarithm itself."""
    made: Tensor = (_kl_log if log_target else _kl).operation(reduction)(*_floats("kl_div_cpu", input, target))
    return made


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, *, reduction: str = "mean"
) -> Tensor:
    """e**input - target input, or input - target log(input + eps) without `log_input`; `full` adds Stirling's formula for
    log(target!) where target > 1."""
    x, t = _floats("exp_cpu", input, target)
    loss, p = (_poisson_log, 0.0) if log_input else (_poisson, float(eps))
    if not full:
        made: Tensor = loss.operation(reduction, p)(x, t)
        return made
    stirling = t * log(t) - t + 0.5 * log(t * (2 * math.pi))
    return _reduced(loss.operation("none", p)(x, t) + where(t > 1, stirling, 0.0), reduction)


def gaussian_nll_loss(input: Tensor, target: Tensor, var: Any, full: bool, eps: float, *, reduction: str = "mean") -> Tensor:
    """(log var + (input - target)**2 / var) / 2, with var held above eps, which its gradient does not see."""
    with no_grad():
        lack = clamp(eps - var, min=0.0)
    var = var + lack
    d = input - target
    loss = (log(var) + d * d / var) * 0.5
    return _reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)
