"""Powers: of tensors to tensors, of tensors to numbers, and of numbers to tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._launch import arrays, mathematics
from .._tensor import Tensor
from ..autograd.modes import state
from .choose import _where
from .convert import to_dtype
from .elementwise import _mul, _mul_scalar, _same
from .op import op
from .out import with_out
from .pointwise import _log, as_tensor, zeros
from .reduce import sum_to


@op(name="Pow0", scalar=True)
def _pow_scalar(ctx: Any, x: Tensor, value: float) -> Tensor:
    ctx.extra = value
    ctx.save(x)
    if value == 2:
        return launch.square(x)
    if value == 3:
        return launch.cube(x)
    if value == 0.5:
        return launch.sqrt(x)
    if value == -0.5:
        return mathematics.rsqrt(x)
    return launch.power_scalar(x, float(value))


@_pow_scalar.derivative
def pow_scalar_derivative(ctx: Any, gy: Tensor) -> Tensor:
    """value x^(value - 1); 0 where the exponent is 0, whatever x is."""
    (x,), value = ctx.saved, ctx.extra
    if value == 0:
        return zeros(gy)
    if value == 2 and not state.enabled:
        return _mul(gy, _mul_scalar(x, 2))  # x itself for x^1, which derivatives of a higher order must find in the graph
    return _mul(gy, _mul_scalar(_pow_scalar(x, value - 1), value))


@op(name="Pow1")
def _pow(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    y = launch.power(a, b)
    ctx.save_output(y, a, b)
    return y


@_pow.derivative
def pow_derivative(ctx: Any, gy: Tensor) -> Any:
    y, a, b = ctx.saved
    ga = gb = None
    if not state.enabled:
        ga = sum_to(mathematics.base_slope(a, b, gy), a.shape) if ctx.needs[0] else None
        return ga, sum_to(_mul(gy, mathematics.exponent_slope(a, b, y)), b.shape) if ctx.needs[1] else None
    if ctx.needs[0]:  # b a^(b-1), and 0 where b is 0 even if a^(-1) is infinite
        slope = _mul(b, _pow(a, b - 1))
        ga = sum_to(_where(b.detach() == 0, zeros(gy), _mul(gy, slope)), a.shape)
    if ctx.needs[1]:
        gb = sum_to(_mul(gy, _exponent_slope(y, a, b)), b.shape)
    return ga, gb


def _exponent_slope(y: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """y log a, and 0 where a is 0 and b not negative."""
    still = arrays.apply(lambda a, b: (a == 0) & (b >= 0), a, b)
    return _where(still, zeros(y), _mul(y, _log(a)))


@op(name="Pow2", scalar=True)
def _power_of(ctx: Any, x: Tensor, value: float) -> Tensor:
    """value ** x."""
    base = launch.fill(launch.empty((), x.dtype), value)
    y = launch.power(base, x)
    ctx.save_output(y, x)
    ctx.extra = value
    return y


@_power_of.derivative
def power_of_derivative(ctx: Any, gy: Tensor) -> Tensor:
    (y, x), value = ctx.saved, ctx.extra
    if value == 0:
        base = launch.fill(launch.empty((), x.dtype), 0)
        return _mul(gy, _exponent_slope(y, base, x))
    return _mul(gy, _mul_scalar(y, math.log(value) if value > 0 else math.nan))


@with_out
def pow(input: Any, exponent: Any) -> Tensor:
    """input ** exponent, elementwise; one of the two may be a number.

    RuntimeError for integers to a negative integer number. The derivative in a base of 0 follows PyTorch: 0 where the
    exponent is 0, and 0 in the exponent where that is not negative.

    >>> import fastgrad as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if input.__class__ is exponent.__class__ is Tensor and input._meta.dtype is exponent._meta.dtype:
        if input._meta.dtype.category == 2:
            return _pow(input, exponent)
    elif isinstance(exponent, (int, float, np.number)) and isinstance(input, Tensor):
        value = exponent.item() if isinstance(exponent, np.number) else exponent
        if input._meta.dtype.category == 2:
            return _pow_scalar(input, value)
        kind = _dtype.result_with_scalar(input.dtype, value)
        if kind.category == 2:
            return _pow_scalar(to_dtype(input, kind), value)
        if value < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        return arrays.apply(lambda x: x ** _dtype.wrapped(value, kind), to_dtype(input, kind), dtype=kind)
    if isinstance(input, (int, float, np.number)) and isinstance(exponent, Tensor):
        value = input.item() if isinstance(input, np.number) else input
        kind = _dtype.result_with_scalar(exponent.dtype, value)
        exponent = to_dtype(exponent, kind)
        if kind.category == 2:
            return _power_of(exponent, value)
        _refuse_bool(kind)
        return arrays.apply(lambda x: _integer_power(_dtype.wrapped(value, kind), x), exponent, dtype=kind)
    if not isinstance(exponent, Tensor):
        raise TypeError(f"pow(): argument 'exponent' must be Tensor or Number, not {type(exponent).__name__}")
    input, exponent, kind = _same(as_tensor(input, "pow"), exponent)
    if kind.category == 2:
        return _pow(input, exponent)
    _refuse_bool(kind)
    return arrays.apply(_integer_power, input, exponent, dtype=kind)


def _refuse_bool(kind: _dtype.dtype) -> None:
    if kind is _dtype.bool_:
        raise NotImplementedError("\"pow\" not implemented for 'Bool'")


def _integer_power(a: Any, b: Any) -> Any:
    """Powers of integers; a negative exponent gives 0, and ±1 for a base of ±1, as integer division would."""
    a, b = np.broadcast_arrays(a, b)
    negative = np.where(a == 1, 1, np.where(a == -1, np.where(b % 2 == 0, 1, -1), 0))
    return np.where(b < 0, negative, np.power(a, np.maximum(b, 0)))


@with_out
def square(input: Tensor) -> Tensor:
    """input ** 2.

    >>> import fastgrad as torch
    >>> torch.square(torch.tensor([-3.0, 2.0]))
    tensor([9., 4.])
    """
    return pow(as_tensor(input, "square"), 2)


def power_operator(x: Tensor, exponent: Any) -> Any:
    """`x ** exponent`; Python asks the other operand where the exponent is neither tensor nor number."""
    return pow(x, exponent) if isinstance(exponent, (Tensor, int, float, np.number)) else NotImplemented


def reversed_power_operator(x: Tensor, base: Any) -> Any:
    """`base ** x`."""
    return pow(base, x) if isinstance(base, (int, float, np.number)) else NotImplemented


__all__ = ["pow", "square"]
