"""Rounded division and its remainder, as PyTorch (and C, and Python) define them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _dtype
from .._launch import arrays, empty, fill
from .._launch import mathematics as launch
from .._launch.places import no_zero
from .._tensor import Tensor
from .elementwise import _mul, _neg, _number, _same
from .op import op
from .out import with_out
from .pointwise import as_tensor, zeros
from .reduce import sum_to


def _pair(name: str, input: Any, other: Any) -> tuple[Tensor, Tensor, _dtype.dtype]:
    """Both operands, one of which may be a number, as tensors of their common dtype; no integer divides by 0."""
    same = input.__class__ is other.__class__ is Tensor and input._meta.dtype is other._meta.dtype
    if same and input._meta.dtype.category == 2:
        return input, other, input._meta.dtype
    from .create import scalar

    if not isinstance(input, Tensor) and isinstance(other, Tensor) and _number(input):
        kind = _dtype.result_with_scalar(other.dtype, input)
        input = scalar(_dtype.wrapped(input, kind), kind)
    elif not isinstance(other, Tensor):
        if not _number(other):
            raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
        kind = _dtype.result_with_scalar(as_tensor(input, name).dtype, other)
        other = scalar(_dtype.wrapped(other, kind), kind)
    a, b, kind = _same(as_tensor(input, name), other)
    if kind is _dtype.bool_:
        raise NotImplementedError(f"\"{_KERNELS[name]}\" not implemented for 'Bool'")
    if kind.category != 2:
        no_zero(b)
    return a, b, kind


_KERNELS = {  # PyTorch's names
    "fmod": "fmod_cpu", "div": "div_trunc_cpu", "floor_divide": "div_floor_cpu", "remainder": "remainder_cpu",
}  # fmt: skip


def _towards_zero(a: Any, b: Any) -> Any:
    down = np.floor_divide(a, b)
    return down + ((down < 0) & (down * b != a))


_ROUNDED: dict[str, Callable[..., Any]] = {"trunc": _towards_zero, "floor": np.floor_divide}  # of integers
_LAUNCHED = {"trunc": launch.trunc_divide, "floor": launch.floor_divide}


@op(name="Div2")
def _div_rounded(ctx: Any, a: Tensor, b: Tensor, *, mode: str) -> Tensor:
    ctx.extra = a.shape, b.shape
    ctx.save()  # PyTorch saves the divisor: a second backward fails
    return _LAUNCHED[mode](a, b)


@_div_rounded.derivative
def div_rounded_derivative(ctx: Any, gy: Tensor) -> Any:
    """Steps: the slope is 0 wherever there is one."""
    a, b = ctx.extra
    return sum_to(zeros(gy), a), sum_to(zeros(gy), b)


def divide_rounded(input: Any, other: Any, rounding_mode: str) -> Tensor:
    """The quotient rounded towards zero ("trunc") or down ("floor"); RuntimeError for integers divided by 0."""
    if rounding_mode not in _ROUNDED:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    a, b, kind = _pair("div", input, other)
    if kind.category == 2:
        return _div_rounded(a, b, mode=rounding_mode)
    return arrays.apply(_ROUNDED[rounding_mode], a, b, dtype=kind)


@with_out
def floor_divide(input: Any, other: Any) -> Tensor:
    """The quotient rounded down, as `//` in Python; not differentiable.

    >>> import fastgrad as torch
    >>> torch.tensor([7, -7]) // 2
    tensor([ 3, -4])
    """
    if isinstance(input, Tensor) and input._meta.dtype.category == 2 and isinstance(other, (int, float)):
        return launch.floor_divide(input, _filled(other, input))
    a, b, kind = _pair("floor_divide", input, other)
    if kind.category == 2:
        return launch.floor_divide(a, b)
    return arrays.apply(np.floor_divide, a, b, dtype=kind)


def _filled(value: float, like: Tensor) -> Tensor:
    """A number as a tensor without dimensions."""
    return fill(empty((), like.dtype), float(value))


def _remainder_of(name: str, launched: Any, mode: str) -> tuple[Any, Any]:
    """The operations of a remainder by a number and by a tensor."""

    @op(name=f"{name}0", scalar=True)
    def of_number(ctx: Any, x: Tensor, value: float) -> Tensor:
        made: Tensor = launched(x, _filled(value, x))
        return made

    @of_number.derivative
    def remainder_of_number_derivative(ctx: Any, gy: Tensor) -> Tensor:
        return gy

    @op(name=f"{name}1")
    def of_tensor(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.extra = a.shape
        if ctx.needs[1]:
            ctx.save(a, b)
        made: Tensor = launched(a, b)
        return made

    @of_tensor.derivative
    def remainder_derivative(ctx: Any, gy: Tensor) -> Any:
        """a - n b, where n, the rounded quotient, does not move."""
        gb = None
        if ctx.needs[1]:
            a, b = ctx.saved
            gb = sum_to(_mul(_neg(gy), _div_rounded(a, b, mode=mode)), b.shape)
        return sum_to(gy, ctx.extra) if ctx.needs[0] else None, gb

    return of_number, of_tensor


_remainder_of_number, _remainder = _remainder_of("Remainder", launch.remainder, "floor")
_fmod_of_number, _fmod = _remainder_of("Fmod", launch.fmod, "trunc")


@with_out
def remainder(input: Any, other: Any) -> Tensor:
    """What is left of `input` after whole multiples of `other`, with the sign of `other`, as `%` in Python.

    >>> import fastgrad as torch
    >>> torch.tensor([7, -7]) % 3
    tensor([1, 2])
    """
    if isinstance(input, Tensor) and input.dtype.category == 2 and isinstance(other, (int, float)):
        made: Tensor = _remainder_of_number(input, other)
        return made
    a, b, kind = _pair("remainder", input, other)
    return _remainder(a, b) if kind.category == 2 else arrays.apply(np.remainder, a, b, dtype=kind)


@with_out
def fmod(input: Tensor, other: Any) -> Tensor:
    """What is left of `input` after whole multiples of `other`, with the sign of `input`, as in C.

    >>> import fastgrad as torch
    >>> torch.fmod(torch.tensor([7, -7]), 3)
    tensor([ 1, -1])
    """
    as_tensor(input, "fmod")
    if input.dtype.category == 2 and isinstance(other, (int, float)):
        made: Tensor = _fmod_of_number(input, other)
        return made
    a, b, kind = _pair("fmod", input, other)
    return _fmod(a, b) if kind.category == 2 else arrays.apply(np.fmod, a, b, dtype=kind)


__all__ = ["divide_rounded", "floor_divide", "fmod", "remainder"]
