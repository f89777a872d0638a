"""Layers that draw random numbers: rrelu, alpha dropout, dropout of whole channels. Same seed, PyTorch's numbers."""

from __future__ import annotations

import math
from typing import Any

from .. import _generator as generators
from .._launch import noise as launch
from .._launch import random as draws
from .._tensor import Tensor, empty
from .activation import leaky_relu
from .bend import refuse_all_but_floats
from .elementwise import _mul
from .op import op


@op(name="RreluWithNoise")
def _rrelu(ctx: Any, x: Tensor, *, lower: float, upper: float) -> Tensor:
    y, ctx.extra = launch.rrelu(x, lower, upper, generators.default_generator)
    ctx.save()
    return y


@_rrelu.derivative
def rrelu_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _mul(gy, ctx.extra)


def rrelu(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """Leaky relu whose slope, while training, is drawn anew for each element from [lower, upper); else their mean.

    Xu et al. (2015). RuntimeError where lower > upper.

    >>> import fastgrad as torch
    >>> torch.rrelu(torch.tensor([-1.0, 2.0]), 0.2, 0.4)
    tensor([-0.3000,  2.0000])
    """
    if not lower <= upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    refuse_all_but_floats("rrelu_with_noise_out_cpu" if training else "leaky_relu_cpu", input)
    if training:
        return _rrelu(input, lower=float(lower), upper=float(upper))
    return leaky_relu(input, (lower + upper) / 2)


# --- dropout ------------------------------------------------------------------------------------------------------------


@op(name="Add")
def _alpha_dropout(ctx: Any, x: Tensor, *, p: float, scale: float, shift: float, drop: float) -> Tensor:
    y, ctx.extra = launch.alpha_dropout(x, p, scale, shift, drop, generators.default_generator)
    ctx.save()
    return y


@_alpha_dropout.derivative
def alpha_dropout_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _scale_kept(gy, drawn=ctx.extra)


@op(name="Mul")
def _scale_kept(ctx: Any, gy: Tensor, *, drawn: Any) -> Tensor:
    ctx.extra = drawn
    ctx.save()
    return launch.scale_kept(gy, drawn)


_scale_kept.derivative(alpha_dropout_derivative)

_LOWEST = 1.7580993408473766  # minus selu's value at minus infinity


def _constants(p: float) -> tuple[float, float, float]:
    """scale, shift, drop: what is kept and what is dropped have mean 0 and variance 1 together."""
    scale = 1.0 / math.sqrt((_LOWEST * _LOWEST * p + 1) * (1 - p))
    return scale, _LOWEST * scale * p, _LOWEST * scale


def _does_nothing(input: Tensor, p: float, train: bool) -> bool:
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    if not train or p == 0.0 or input._meta.numel == 0:
        return True
    if input.dtype.category != 2:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {input.dtype.scalar_name}")
    return False


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout that keeps mean 0 and variance 1: an element becomes selu's lowest value with probability p, and all are
    scaled and shifted. Klambauer et al. (2017).

    >>> import fastgrad as torch
    >>> torch.alpha_dropout(torch.ones(2), 0.5, False)
    tensor([1., 1.])
    """
    if _does_nothing(input, p, train):
        return input
    if p == 1.0:
        return input * 0.0
    scale, shift, drop = _constants(p)
    return _alpha_dropout(input, p=1.0 - p, scale=scale, shift=shift, drop=drop)


def _channels_kept(input: Tensor, p: float) -> Tensor:
    """(N, C, 1, ...): 1 with probability 1 - p, else 0."""
    if len(input.shape) < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    kept = empty((*input.shape[:2], *(1,) * (len(input.shape) - 2)), input.dtype)
    draws.bernoulli(kept, 1.0 - p, generators.default_generator)
    return kept


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout of whole channels: (N, C, ...), each (n, c) is kept or zeroed as one."""
    if _does_nothing(input, p, train):
        return input
    if p == 1.0:
        return input * 0.0
    return input * (_channels_kept(input, p) / (1 - p))


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout` of whole channels: (N, C, ...), each (n, c) is kept or dropped as one."""
    if _does_nothing(input, p, train):
        return input
    if p == 1.0:
        return input * 0.0
    scale, shift, drop = _constants(p)
    kept = _channels_kept(input, p)
    return input * (kept * scale) + ((kept - 1) * drop + shift)
