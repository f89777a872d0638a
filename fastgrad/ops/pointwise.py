"""Elementwise mathematics: exp, log, sqrt, powers, absolute value, bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._launch import arrays
from .._tensor import Tensor
from .convert import to_dtype
from .elementwise import _mul, _mul_scalar, _neg, _same, div, eq, mul, times
from .op import op
from .reduce import sum_to


def as_float(x: Any, name: str) -> Tensor:
    """A float tensor: integers and booleans become the default dtype; TypeError for anything but a tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")
    return x if x.dtype.category == 2 else to_dtype(x, _dtype.get_default_dtype())


@op(name="Exp")
def _exp(ctx: Any, x: Tensor) -> Tensor:
    y = launch.exp(x)
    ctx.save_output(y)
    return y


@_exp.derivative
def exp_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _mul(gy, ctx.saved[0])


def exp(input: Tensor) -> Tensor:
    """e ** input."""
    return _exp(as_float(input, "exp"))


@op(name="Log")
def _log(ctx: Any, x: Tensor) -> Tensor:
    ctx.save(x)
    return launch.log(x)


@_log.derivative
def log_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return div(gy, ctx.saved[0])


def log(input: Tensor) -> Tensor:
    """The natural logarithm."""
    return _log(as_float(input, "log"))


@op(name="Sqrt")
def _sqrt(ctx: Any, x: Tensor) -> Tensor:
    y = launch.sqrt(x)
    ctx.save_output(y)
    return y


@_sqrt.derivative
def sqrt_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return div(gy, _mul_scalar(ctx.saved[0], 2))


def sqrt(input: Tensor) -> Tensor:
    """The square root; NaN below zero."""
    return _sqrt(as_float(input, "sqrt"))


@op(name="Reciprocal")
def _reciprocal(ctx: Any, x: Tensor) -> Tensor:
    y = launch.reciprocal(x)
    ctx.save_output(y)
    return y


@_reciprocal.derivative
def reciprocal_derivative(ctx: Any, gy: Tensor) -> Tensor:
    y = ctx.saved[0]
    return _mul(_neg(gy), _mul(y, y))


def reciprocal(input: Tensor) -> Tensor:
    """1 / input."""
    return _reciprocal(as_float(input, "reciprocal"))


@op(name="Pow")
def _pow_scalar(ctx: Any, x: Tensor, *, value: float) -> Tensor:
    ctx.extra = value
    ctx.save(x)
    if value == 2:
        return launch.square(x)
    if value == 3:
        return launch.cube(x)
    if value == 0.5:
        return launch.sqrt(x)
    return launch.power_scalar(x, float(value))


@_pow_scalar.derivative
def pow_scalar_derivative(ctx: Any, gy: Tensor) -> Tensor:
    (x,), value = ctx.saved, ctx.extra
    if value == 0:
        return _mul_scalar(gy, 0)
    if value == 2:
        return _mul(gy, _mul_scalar(x, 2))
    return _mul(gy, _mul_scalar(_pow_scalar(x, value=value - 1), value))


@op(name="Pow")
def _pow(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    y = launch.power(a, b)
    ctx.save_output(y, a, b)
    return y


@_pow.derivative
def pow_derivative(ctx: Any, gy: Tensor) -> Any:
    y, a, b = ctx.saved
    ga = gb = None
    if ctx.needs[0]:  # b a^(b-1), and 0 where b is 0 even if a^(-1) is infinite
        slope = where(eq(b.detach(), 0), zeros(b), mul(b, _pow(a, b - 1)))
        ga = sum_to(_mul(gy, slope), a.shape)
    if ctx.needs[1]:  # y log a, and 0 where a is 0 and b not negative
        still = arrays.apply(lambda a, b: (a == 0) & (b >= 0), a, b)
        gb = sum_to(_mul(gy, where(still, zeros(y), _mul(y, _log(a)))), b.shape)
    return ga, gb


def zeros(x: Tensor) -> Tensor:
    """Zeros of the shape and dtype of `x`."""
    return launch.fill(launch.empty(x.shape, x.dtype, x._numel), 0)


def pow(input: Any, exponent: Any) -> Tensor:
    """input ** exponent, elementwise; one of the two may be a number."""
    if not isinstance(input, Tensor):
        from .create import scalar

        kind = _dtype.result_with_scalar(exponent.dtype, input)
        input = scalar(input, kind)
    if not isinstance(exponent, Tensor):
        if isinstance(exponent, bool) or not isinstance(exponent, (int, float, np.number)):
            raise TypeError(f"pow(): argument 'exponent' must be Tensor or Number, not {type(exponent).__name__}")
        kind = _dtype.result_with_scalar(input.dtype, exponent if isinstance(exponent, int) else float(exponent))
        if kind.category == 2:
            return _pow_scalar(to_dtype(input, kind), value=exponent)
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        return arrays.apply(lambda x: x ** x.dtype.type(exponent), to_dtype(input, kind), dtype=kind)
    input, exponent, kind = _same(input, exponent)
    if kind.category == 2:
        return _pow(input, exponent)
    return arrays.apply(_integer_power, input, exponent, dtype=kind)


def _integer_power(a: Any, b: Any) -> Any:
    """Powers of integers; a negative exponent gives 0, and ±1 for a base of ±1, as integer division would."""
    a, b = np.broadcast_arrays(a, b)
    negative = np.where(a == 1, 1, np.where(a == -1, np.where(b % 2 == 0, 1, -1), 0))
    return np.where(b < 0, negative, np.power(a, np.maximum(b, 0)))


@op(name="Abs")
def _abs(ctx: Any, x: Tensor) -> Tensor:
    ctx.save(x)
    return launch.absolute(x)


@_abs.derivative
def abs_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _mul(gy, launch.sign(ctx.saved[0]))


def abs(input: Tensor) -> Tensor:
    """|input|; its slope at 0 is 0."""
    return _abs(input) if input.dtype.category == 2 else arrays.apply(np.abs, input)


@op(name="Sign")
def _sign(ctx: Any, x: Tensor) -> Tensor:
    return launch.sign(x)


@_sign.derivative
def sign_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _mul_scalar(gy, 0)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1."""
    return _sign(input) if input.dtype.category == 2 else arrays.apply(np.sign, input, dtype=input.dtype)


@op(name="Clamp")
def _clamp(ctx: Any, x: Tensor, *, low: float, high: float) -> Tensor:
    ctx.extra = low, high
    ctx.save(x)
    return launch.clamp(x, low, high)


@_clamp.derivative
def clamp_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return clamp_backward(ctx.saved[0], gy, low=ctx.extra[0], high=ctx.extra[1])


@op
def clamp_backward(ctx: Any, x: Tensor, gy: Tensor, *, low: float, high: float) -> Tensor:
    """gy where x lies within the bounds (they included), else 0."""
    ctx.extra = low, high
    ctx.save(x)
    return launch.clamp_backward(x, gy, low, high)


@clamp_backward.derivative
def clamp_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    return None, clamp_backward(ctx.saved[0], ggx, low=ctx.extra[0], high=ctx.extra[1])


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`input` kept between two bounds (numbers or tensors); NaN stays NaN. The slope at a bound is 1."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        made = input if min is None else maximum(input, _tensor_like(min, input))
        return made if max is None else minimum(made, _tensor_like(max, input))
    kind = input.dtype
    for bound in (min, max):
        if bound is not None:
            kind = _dtype.result_with_scalar(kind, bound)
    input = to_dtype(input, kind)
    if kind.category == 2:
        low = -math.inf if min is None else float(min)
        return _clamp(input, low=low, high=math.inf if max is None else float(max))
    return arrays.apply(lambda x: np.clip(x, min, max), input, dtype=kind)


clip = clamp


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """`input`, but at least `min`."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """`input`, but at most `max`."""
    return clamp(input, max=max)


def _tensor_like(value: Any, x: Tensor) -> Tensor:
    from .create import scalar

    return value if isinstance(value, Tensor) else scalar(value, x.dtype)


def _extreme(name: str, launched: Any, function: Any) -> Any:
    @op(name=name.capitalize())
    def extreme(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save(a, b)
        return launched(a, b)

    @extreme.derivative
    def extreme_derivative(ctx: Any, gy: Tensor) -> Any:
        """Each gets gy where it is the chosen one, half of it in a tie."""
        a, b = ctx.saved
        wins = arrays.apply(
            lambda x, y: np.where(x == y, 0.5, (x > y) if name == "maximum" else (x < y)).astype(x.dtype), a, b
        )
        other = arrays.apply(lambda w: 1 - w, wins)
        return (
            sum_to(_mul(gy, wins), a.shape) if ctx.needs[0] else None,
            sum_to(_mul(gy, other), b.shape) if ctx.needs[1] else None,
        )

    def public(input: Tensor, other: Tensor) -> Tensor:
        input, other, kind = _same(input, other)
        return extreme(input, other) if kind.category == 2 else arrays.apply(function, input, other)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"The elementwise {name} of two tensors; NaN where one is NaN. In a tie each gets half the gradient."
    return public


maximum = _extreme("maximum", launch.maximum, np.maximum)
minimum = _extreme("minimum", launch.minimum, np.minimum)


@op(name="Where")
def _where(ctx: Any, condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
    ctx.extra = a.shape, b.shape
    ctx.save(condition)
    return arrays.apply(np.where, condition, a, b, dtype=a.dtype)


@_where.derivative
def where_derivative(ctx: Any, gy: Tensor) -> Any:
    (condition,), (a, b) = ctx.saved, ctx.extra
    nothing = zeros(gy)
    return (
        None,
        sum_to(_where(condition, gy, nothing), a) if ctx.needs[1] else None,
        sum_to(_where(condition, nothing, gy), b) if ctx.needs[2] else None,
    )


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """`input` where `condition`, else `other`; with the condition alone, the indexes where it holds."""
    if input is None:
        return tuple(arrays.new(index) for index in np.nonzero(condition._array()))
    if condition.dtype not in (_dtype.bool_, _dtype.uint8):
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype.scalar_name}"
        )
    if not isinstance(input, Tensor):
        input = _tensor_like(input, other) if isinstance(other, Tensor) else arrays.new(np.float32(input))
    input, other, _ = _same(input, _tensor_like(other, input))
    return _where(condition, input, other)


def divide_rounded(input: Any, other: Any, rounding_mode: str) -> Tensor:
    """Division rounded towards zero ("trunc") or down ("floor"); not differentiable."""
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '" + rounding_mode + "'"
        )
    a = input.detach()
    b = other.detach() if isinstance(other, Tensor) else _tensor_like(other, a)
    a, b, kind = _same(a, b)
    if kind.category != 2 and (b._array() == 0).any():
        raise RuntimeError("ZeroDivisionError")
    if rounding_mode == "floor":
        return arrays.apply(np.floor_divide, a, b, dtype=kind)
    if kind.category == 2:
        return arrays.apply(lambda x, y: np.trunc(x / y), a, b, dtype=kind)
    return arrays.apply(lambda x, y: (np.abs(x) // np.abs(y)) * np.sign(x) * np.sign(y), a, b, dtype=kind)


__all__ = [
    "abs", "clamp", "clamp_max", "clamp_min", "clip", "exp", "log", "maximum", "minimum", "pow", "reciprocal", "sign",
    "sqrt", "times", "where",
]  # fmt: skip
