"""Elementwise choices: bounds, the larger or smaller of two, and one or the other by a condition."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._launch import arrays
from .._launch import mathematics as launched
from .._tensor import Tensor
from ..autograd.modes import state
from .convert import to_dtype
from .elementwise import _same
from .op import op
from .out import with_out
from .pointwise import as_tensor, zeros
from .reduce import sum_to

# --- by a condition ---------------------------------------------------------------------------------------------------


@op(name="Where", shown=(1, 2))
def _where(ctx: Any, condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
    ctx.extra = a._meta, b._meta
    ctx.save(condition)
    return launched.where(condition, a, b)


@_where.derivative
def where_derivative(ctx: Any, gy: Tensor) -> Any:
    (condition,), (a, b) = ctx.saved, ctx.extra
    nothing = zeros(gy)
    return (
        None,
        sum_to(_where(condition, gy, nothing), a.shape) if ctx.needs[1] else None,
        sum_to(_where(condition, nothing, gy), b.shape) if ctx.needs[2] else None,
    )


@with_out
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """`input` where `condition`, else `other`; with the condition alone, the indexes where it holds.

    >>> import fastgrad as torch
    >>> x = torch.tensor([-1.0, 2.0])
    >>> torch.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if condition._meta.dtype is _dtype.bool_ and input is not None:
        return _where(condition, *_operands(input, other))
    if input is None and other is None:
        return tuple(arrays.new(index) for index in np.nonzero(np.atleast_1d(condition._array())))
    if condition.dtype is _dtype.uint8:
        warnings.warn(
            "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future "
            "version of PyTorch. Use a boolean condition instead.",
            UserWarning,
            stacklevel=2,
        )
        condition = to_dtype(condition, _dtype.bool_)
    if condition.dtype is not _dtype.bool_:
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{condition.dtype.scalar_name}"
        )
    return _where(condition, *_operands(input, other))


def _operands(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Two operands, tensors or numbers, as tensors of their common dtype."""
    from .create import scalar, scalar_tensor_like

    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return (a, b) if a._meta.dtype is b._meta.dtype else _same(a, b)[:2]
    if isinstance(a, Tensor):
        kind = _dtype.result_with_scalar(a.dtype, b)
        return to_dtype(a, kind), scalar(_dtype.checked(b, kind), kind)
    if isinstance(b, Tensor):
        kind = _dtype.result_with_scalar(b.dtype, a)
        return scalar(_dtype.checked(a, kind), kind), to_dtype(b, kind)
    return _same(scalar_tensor_like(a), scalar_tensor_like(b))[:2]


# --- bounds -----------------------------------------------------------------------------------------------------------


def _bounded(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
    ctx.extra = low, high
    ctx.save(x)
    return launch.clamp(x, low, high)


@op(name="Clamp1")
def _clamp(ctx: Any, x: Tensor, *, low: float, high: float) -> Tensor:
    return _bounded(ctx, x, low, high)


@op(name="ClampMin0")
def _clamp_min(ctx: Any, x: Tensor, *, low: float, high: float) -> Tensor:
    return _bounded(ctx, x, low, high)


@op(name="ClampMax0")
def _clamp_max(ctx: Any, x: Tensor, *, low: float, high: float) -> Tensor:
    return _bounded(ctx, x, low, high)


@_clamp.derivative
@_clamp_min.derivative
@_clamp_max.derivative
def clamp_derivative(ctx: Any, gy: Tensor) -> Tensor:
    x = ctx.saved[0]
    return clamp_backward(x.detach() if state.enabled else x, gy, low=ctx.extra[0], high=ctx.extra[1])


@op
def clamp_backward(ctx: Any, x: Tensor, gy: Tensor, *, low: float, high: float) -> Tensor:
    """gy where x lies within the bounds (they included), else 0."""
    ctx.extra = low, high
    ctx.save(x)
    return launch.clamp_backward(x, gy, low, high)


@clamp_backward.derivative
def clamp_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    return None, clamp_backward(ctx.saved[0], ggx, low=ctx.extra[0], high=ctx.extra[1])


def _part(launched: Any) -> Any:
    """The operation `f(a, b, gy)` that gives gy, less or more of it, as a and b compare; the slope is 0 along these."""

    @op
    def part_of(ctx: Any, a: Tensor, b: Tensor, gy: Tensor) -> Tensor:
        ctx.save(a, b)
        made: Tensor = launched(a, b, gy)
        return made

    @part_of.derivative
    def part_derivative(ctx: Any, ggx: Tensor) -> Any:
        return None, None, part_of(*ctx.saved, ggx)

    return part_of


_kept_from, _kept_below = _part(launched.kept_from), _part(launched.kept_below)


def _bounded_by_tensors(ctx: Any, x: Tensor, low: Tensor | None, high: Tensor | None) -> Tensor:
    ctx.save(x, low, high)
    if low is None or high is None:
        return launch.minimum(x, high) if low is None else launch.maximum(x, low)
    return launched.bounded(x, low, high)


@op(name="Clamp0")
def _clamp_tensors(ctx: Any, x: Tensor, low: Tensor | None, high: Tensor | None) -> Tensor:
    return _bounded_by_tensors(ctx, x, low, high)


@op(name="ClampMin1")
def _clamp_min_tensor(ctx: Any, x: Tensor, low: Tensor | None, high: Tensor | None) -> Tensor:
    return _bounded_by_tensors(ctx, x, low, high)


@op(name="ClampMax1")
def _clamp_max_tensor(ctx: Any, x: Tensor, low: Tensor | None, high: Tensor | None) -> Tensor:
    return _bounded_by_tensors(ctx, x, low, high)


@_clamp_tensors.derivative
@_clamp_min_tensor.derivative
@_clamp_max_tensor.derivative
def clamp_tensors_derivative(ctx: Any, gy: Tensor) -> Any:
    """x gets the gradient within the bounds and at them, a bound where it is beyond x; crossed bounds choose the upper."""
    x, low, high = ctx.saved
    gx = gl = gh = None
    if ctx.needs[0]:
        gx = gy if low is None else _kept_from(x, low, gy)
        gx = sum_to(gx if high is None else _kept_from(high, x, gx), x.shape)
    if ctx.needs[1]:
        gl = _kept_below(x, low, gy)
        gl = sum_to(gl if high is None else _kept_below(low, high, gl), low.shape)
    if ctx.needs[2]:
        gh = _kept_below(high, x, gy)
        gh = sum_to(gh if low is None else _where(launch.lt(high, low), gy, gh), high.shape)
    return gx, gl, gh


@with_out
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`input` kept between two bounds, both numbers or both tensors, or one of them None; NaN stays NaN.

    The slope is 1 within the bounds and at them, 0 outside. Where the lower bound is above the upper, the upper counts.

    >>> import fastgrad as torch
    >>> torch.clamp(torch.tensor([-2.0, 0.5, 3.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return _clamped(_clamp, _clamp_tensors, as_tensor(input, "clamp"), min, max)


clip = clamp


@with_out
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """`input`, but at least `min`.

    >>> import fastgrad as torch
    >>> torch.clamp_min(torch.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """
    return _clamped(_clamp_min, _clamp_min_tensor, as_tensor(input, "clamp_min"), min, None)


@with_out
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """`input`, but at most `max`.

    >>> import fastgrad as torch
    >>> torch.clamp_max(torch.tensor([-2.0, 0.5]), 0)
    tensor([-2.,  0.])
    """
    return _clamped(_clamp_max, _clamp_max_tensor, as_tensor(input, "clamp_max"), None, max)


def _clamped(by_numbers: Any, by_tensors: Any, x: Tensor, low: Any, high: Any) -> Tensor:
    if x._meta.dtype.category == 2:  # the usual forms: numbers, or tensors of one dtype
        if (low is None or low.__class__ in _NUMBERS) and (high is None or high.__class__ in _NUMBERS) and low is not high:
            low, high = -math.inf if low is None else float(low), math.inf if high is None else float(high)
            made: Tensor = by_numbers(x, low=low, high=high)
            return made
        if low is not high and _alike(low, x) and _alike(high, x):
            made = by_tensors(x, low, high)
            return made
    bounds = [bound for bound in (low, high) if bound is not None]
    if not bounds:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    tensors = [isinstance(bound, Tensor) for bound in bounds]
    if any(tensors) and not all(tensors):
        kinds = ", ".join(type(bound).__name__ for bound in (x, low, high))
        raise TypeError(f"clamp() received an invalid combination of arguments - got ({kinds})")
    kind = x.dtype
    for bound in bounds:
        if tensors[0]:
            kind = _dtype.result(kind, not x.shape, bound.dtype, not bound.shape)
        else:
            kind = _dtype.result_with_scalar(kind, bound)
    x = to_dtype(x, kind)
    if kind is _dtype.bool_:
        which = "clamp_scalar" if len(bounds) == 2 else "clamp_min_scalar" if high is None else "clamp_max_scalar"
        raise NotImplementedError(f"\"{which}_cpu\" not implemented for 'Bool'")
    if kind.category == 2 and not tensors[0]:
        low, high = -math.inf if low is None else float(low), math.inf if high is None else float(high)
        made = by_numbers(x, low=low, high=high)
        return made
    low, high = [bound if bound is None else _as_bound(bound, kind) for bound in (low, high)]
    if kind.category == 2:
        made = by_tensors(x, low, high)
        return made
    made = x if low is None else launch.maximum(x, low)
    return made if high is None else launch.minimum(made, high)


_NUMBERS = (float, int)


def _alike(bound: Any, x: Tensor) -> bool:
    return bound is None or (bound.__class__ is Tensor and bound._meta.dtype is x._meta.dtype)


def _as_bound(bound: Any, kind: _dtype.dtype) -> Tensor:
    from .create import scalar

    return to_dtype(bound, kind) if isinstance(bound, Tensor) else scalar(_dtype.checked(bound, kind), kind)


# --- the larger or smaller of two -------------------------------------------------------------------------------------


def _extreme(name: str, launched: Any, part: Any) -> Any:
    part_of = _part(part)  # what a gets of gy: all where it is not beaten or one is NaN, half in a tie

    @op(name=name.capitalize())
    def extreme(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save(a, b)
        return launched(a, b)

    @extreme.derivative
    def extreme_derivative(ctx: Any, gy: Tensor) -> Any:
        """All of gy to the one that is not beaten, so to both beside a NaN; half of it to each in a tie."""
        a, b = ctx.saved
        if state.enabled:
            a, b = a.detach(), b.detach()  # what is chosen is a constant
        return (
            sum_to(part_of(a, b, gy), a.shape) if ctx.needs[0] else None,
            sum_to(part_of(b, a, gy), b.shape) if ctx.needs[1] else None,
        )

    def public(input: Tensor, other: Tensor) -> Tensor:
        alike = input.__class__ is other.__class__ is Tensor and input._meta.dtype is other._meta.dtype
        if alike:
            return extreme(input, other)
        if not isinstance(other, Tensor):
            raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
        a, b, _ = _same(as_tensor(input, name), other)
        return extreme(a, b)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"""The elementwise {name} of two tensors; NaN where one is NaN. In a tie each gets half the gradient.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([1, 5]), torch.tensor(3))
    tensor({[3, 5] if name == "maximum" else [1, 3]})
    """
    return with_out(public)


maximum = _extreme("maximum", launch.maximum, launched.unless_below)
minimum = _extreme("minimum", launch.minimum, launched.unless_above)

__all__ = ["clamp", "clamp_max", "clamp_min", "clip", "maximum", "minimum", "where"]
