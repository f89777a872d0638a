"""Activation functions made of straight pieces: hardtanh, hardsigmoid, hardswish, the shrinks, threshold, prelu."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._launch import piecewise as launch
from .._tensor import Tensor
from .bend import activation, refuse_all_but_floats
from .choose import where
from .op import op
from .pointwise import zeros
from .reduce import sum_to
from .shape import reshape

_hardtanh = activation("hardtanh", "Hardtanh", launch.hardtanh, launch.hardtanh_backward)
_hardsigmoid = activation("hardsigmoid", "Hardsigmoid", launch.hardsigmoid, launch.hardsigmoid_backward)
_hardshrink = activation("hardshrink", "Hardshrink", launch.hardshrink, launch.shrink_backward)
_softshrink = activation("softshrink", "Softshrink", launch.softshrink, launch.shrink_backward)
_hardswish = activation(
    "hardswish", "Hardswish", launch.hardswish, launch.hardswish_backward,
    lambda x: where((x > -3) & (x < 3), 1 / 3, x * 0),
)  # fmt: skip


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x held within [min_val, max_val]; the gradient on and beyond the bounds is 0. Integers stay integers.

    ValueError for bounds that are crossed, RuntimeError for booleans.
    """
    kind = input._meta.dtype
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if kind.category == 2:
        return _hardtanh(input, (float(min_val), float(max_val)))
    if kind is _dtype.bool_:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if kind is _dtype.uint8 and min_val < 0:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    return launch.hardtanh_of_integers(input, int(min_val), int(max_val))


def hardsigmoid(input: Tensor) -> Tensor:
    """x / 6 + 1/2, held within [0, 1]."""
    refuse_all_but_floats("hardsigmoid_cpu", input)
    return _hardsigmoid(input, ())


def hardswish(input: Tensor) -> Tensor:
    """x hardsigmoid(x). Howard et al. (2019)."""
    refuse_all_but_floats("hardswish_cpu", input)
    return _hardswish(input, ())


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 where -lambd <= x <= lambd, else x."""
    refuse_all_but_floats("hardshrink_cpu", input)
    return _hardshrink(input, (float(lambd),))


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved by lambd towards 0, and 0 where |x| <= lambd. RuntimeError for a negative lambd."""
    refuse_all_but_floats("softshrink_check", input)
    most: float = np.finfo(input.dtype.numpy).max
    if not 0 <= lambd <= most:
        raise RuntimeError(
            f"lambda must be in range [0, {most:g}] for input dtype {input.dtype.scalar_name}, but found {lambd:g}"
        )
    return _softshrink(input, (float(lambd),))


@op(name="Threshold", scalar=True)
def _threshold(ctx: Any, x: Tensor, parameters: tuple[float, float]) -> Tensor:
    ctx.save(x)
    ctx.extra = parameters[0]
    return launch.threshold(x, *parameters)


@_threshold.derivative
def threshold_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return threshold_backward(ctx.saved[0], gy, limit=ctx.extra)


@op
def threshold_backward(ctx: Any, x: Tensor, gy: Tensor, *, limit: float) -> Tensor:
    ctx.save(x)
    ctx.extra = limit
    return launch.threshold_backward(x, gy, limit)


@threshold_backward.derivative
def threshold_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    return zeros(ggx) if ctx.needs[0] else None, threshold_backward(ctx.saved[0], ggx, limit=ctx.extra)


def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """x where x > threshold, else value. Integers stay integers.

    >>> import fastgrad as torch
    >>> torch.threshold(torch.tensor([0.2, 1.0]), 0.5, 9.0)
    tensor([9., 1.])
    """
    kind = input._meta.dtype
    if kind.category == 2:
        return _threshold(input, (float(threshold), float(value)))
    if kind is _dtype.bool_:
        refuse_all_but_floats("threshold_cpu", input)
    return launch.threshold_of_integers(input, int(threshold), int(value))


# --- a slope that is learnt ---------------------------------------------------------------------------------------------


@op(name="PreluKernel")
def _prelu(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
    ctx.save(x, w)
    return launch.prelu(x, w)


@_prelu.derivative
def prelu_derivative(ctx: Any, gy: Tensor) -> Any:
    x, w = ctx.saved
    need_x, need_w = ctx.needs
    gx = prelu_backward(x, w, gy) if need_x else None
    return gx, sum_to(prelu_weight_backward(x, gy), w.shape) if need_w else None


@op
def prelu_backward(ctx: Any, x: Tensor, w: Tensor, gy: Tensor) -> Tensor:
    ctx.save(x, w, gy)
    return launch.prelu_backward(x, w, gy)


@prelu_backward.derivative
def prelu_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    x, w, gy = ctx.saved
    need_x, need_w, need_gy = ctx.needs
    along_w = sum_to(ggx * where(x > 0, 0.0, gy), w.shape) if need_w else None
    return zeros(x) if need_x else None, along_w, prelu_backward(x, w, ggx) if need_gy else None


@op
def prelu_weight_backward(ctx: Any, x: Tensor, gy: Tensor) -> Tensor:
    """x gy where the slope counts, else 0."""
    ctx.save(x, gy)
    return launch.prelu_weight_backward(x, gy)


@prelu_weight_backward.derivative
def prelu_weight_backward_derivative(ctx: Any, ggw: Tensor) -> Any:
    x, gy = ctx.saved
    need_x, need_gy = ctx.needs
    return where(x > 0, 0.0, gy) * ggw if need_x else None, prelu_weight_backward(x, ggw) if need_gy else None


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight x; one weight for all, or one for each channel (dimension 1). He et al. (2015).

    RuntimeError where the number of weights or the dtypes do not fit.

    >>> import fastgrad as torch
    >>> torch.prelu(torch.tensor([-1.0, 2.0]), torch.tensor(0.25))
    tensor([-0.2500,  2.0000])
    """
    if input.dtype is not weight.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {input.dtype.scalar_name} and {weight.dtype.scalar_name}"
        )
    if len(weight.shape) > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {len(weight.shape)}")
    count, ndim = weight._numel, len(input.shape)
    if count != 1:
        if not ndim:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if ndim > 1 else 1
        if channels != count:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{count} and channel size = {channels}."
            )
    if count > 1 or not ndim:
        weight = reshape(weight, (1, count) + (1,) * (ndim - 2) if ndim else ())
    return _prelu(input, weight)
