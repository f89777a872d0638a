"""Rounded division and its remainder, as PyTorch (and C, and Python) define them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _dtype
from .._launch import arrays
from .._tensor import Tensor
from .elementwise import _mul, _neg, _number, _same
from .op import op
from .pointwise import as_tensor, zeros
from .reduce import sum_to


def _pair(name: str, input: Any, other: Any) -> tuple[Tensor, Tensor, _dtype.dtype]:
    """Both operands, one of which may be a number, as tensors of their common dtype; no integer divides by 0."""
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
    if kind.category != 2 and (b._array() == 0).any():
        raise RuntimeError("ZeroDivisionError")
    return a, b, kind


_KERNELS = {"div": "div_trunc_cpu", "floor_divide": "div_floor_cpu", "remainder": "remainder_cpu"}  # PyTorch's names


def _towards_zero(a: Any, b: Any) -> Any:
    if a.dtype.kind == "f":
        return np.trunc(a / b)
    down = np.floor_divide(a, b)
    return down + ((down < 0) & (down * b != a))


_ROUNDED: dict[str, Callable[..., Any]] = {"trunc": _towards_zero, "floor": np.floor_divide}


@op(name="Div2")
def _div_rounded(ctx: Any, a: Tensor, b: Tensor, *, mode: str) -> Tensor:
    ctx.extra = a.shape, b.shape
    ctx.save()  # PyTorch saves the divisor: a second backward fails
    return arrays.apply(_ROUNDED[mode], a, b)


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


def floor_divide(input: Any, other: Any) -> Tensor:
    """The quotient rounded down, as `//` in Python; not differentiable.

    >>> import fastgrad as torch
    >>> torch.tensor([7, -7]) // 2
    tensor([ 3, -4])
    """
    a, b, kind = _pair("floor_divide", input, other)
    return arrays.apply(np.floor_divide, a, b, dtype=kind)


def _modulo(a: Any, b: Any) -> Any:
    if a.dtype.kind != "f":
        return np.remainder(a, b)
    rest = np.fmod(a, b)
    return np.where((rest != 0) & ((b < 0) != (rest < 0)), rest + b, rest)


@op(name="Remainder0", scalar=True)
def _remainder_of_number(ctx: Any, x: Tensor, value: float) -> Tensor:
    return arrays.apply(lambda a: _modulo(a, a.dtype.type(value)), x)


@_remainder_of_number.derivative
def remainder_of_number_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return gy


@op(name="Remainder1")
def _remainder(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.save(a, b)
    return arrays.apply(_modulo, a, b, dtype=a.dtype)


@_remainder.derivative
def remainder_derivative(ctx: Any, gy: Tensor) -> Any:
    """a - floor(a / b) b, where the floor does not move."""
    a, b = ctx.saved
    gb = None
    if ctx.needs[1]:
        gb = sum_to(_mul(_neg(gy), arrays.apply(np.floor_divide, a, b)), b.shape)
    return sum_to(gy, a.shape) if ctx.needs[0] else None, gb


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
    return _remainder(a, b) if kind.category == 2 else arrays.apply(_modulo, a, b, dtype=kind)


__all__ = ["divide_rounded", "floor_divide", "remainder"]
