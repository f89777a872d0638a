"""Arithmetic and comparison, with PyTorch's dtype promotion and broadcasting.

The operations proper (`_add`, `_mul`, ...) take float tensors of one dtype. The public functions around them bring
operands there: numbers become scalars of a kernel, dtypes are promoted, integers and booleans go to NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import SCALAR
from .._tensor import Tensor
from .convert import to_dtype
from .op import op
from .reduce import sum_to


def _unbroadcast(gx: Tensor, x: Any) -> Tensor:
    """`gx` summed to the shape of `x`, a tensor or a meta."""
    return gx if gx.shape == x.shape else sum_to(gx, x.shape)


@op(name="Add")
def _add(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.extra = a.shape, b.shape
    return launch.add(a, b)


@_add.derivative
def add_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.extra
    return (
        (gy if gy.shape == a else sum_to(gy, a)) if ctx.needs[0] else None,
        (gy if gy.shape == b else sum_to(gy, b)) if ctx.needs[1] else None,
    )


@op(name="Add")
def _add_scaled(ctx: Any, a: Tensor, b: Tensor, *, alpha: float) -> Tensor:
    ctx.extra = a.shape, b.shape, alpha
    return launch.add_scaled(a, b, float(alpha))


@_add_scaled.derivative
def add_scaled_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b, alpha = ctx.extra
    return sum_to(gy, a) if ctx.needs[0] else None, sum_to(_mul_scalar(gy, alpha), b) if ctx.needs[1] else None


@op(name="Sub")
def _sub_scaled(ctx: Any, a: Tensor, b: Tensor, *, alpha: float) -> Tensor:
    ctx.extra = a.shape, b.shape, -alpha
    return launch.add_scaled(a, b, -float(alpha))


_sub_scaled.derivative(add_scaled_derivative)


@op(name="Sub")
def _sub(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.extra = a.shape, b.shape
    return launch.sub(a, b)


@_sub.derivative
def sub_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.extra
    return sum_to(gy, a) if ctx.needs[0] else None, sum_to(_neg(gy), b) if ctx.needs[1] else None


@op(name="Mul")
def _mul(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.save_crosswise(a, b)
    return launch.mul(a, b)


@_mul.derivative
def mul_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.saved
    if a is None:
        return _unbroadcast(_mul(gy, b), ctx.extra), None
    if b is None:
        return None, _unbroadcast(_mul(gy, a), ctx.extra)
    need_a, need_b = ctx.needs
    return _unbroadcast(_mul(gy, b), a) if need_a else None, _unbroadcast(_mul(gy, a), b) if need_b else None


@op(name="Div")
def _div(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.extra = a._meta
    ctx.save(a if ctx.needs[1] else None, b)
    return launch.div(a, b)


@_div.derivative
def div_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.saved
    gx = _div(gy, b)
    return (
        _unbroadcast(gx, ctx.extra) if ctx.needs[0] else None,
        _unbroadcast(_mul(_neg(gy), _div(_div(a, b), b)), b) if ctx.needs[1] else None,
    )


@op(name="Add", scalar=True)
def _add_scalar(ctx: Any, x: Tensor, value: float) -> Tensor:
    return launch.add_scalar(x, float(value))


@_add_scalar.derivative
def add_scalar_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return gy


@op(name="Sub", scalar=True)
def _sub_scalar(ctx: Any, x: Tensor, value: float) -> Tensor:
    return launch.add_scalar(x, -float(value))


_sub_scalar.derivative(add_scalar_derivative)


@op(name="Rsub1", scalar=True)
def _rsub_scalar(ctx: Any, x: Tensor, value: float) -> Tensor:
    return launch.rsub_scalar(x, float(value))


@_rsub_scalar.derivative
def rsub_scalar_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _neg(gy)


@op(name="Mul", scalar=True)
def _mul_scalar(ctx: Any, x: Tensor, value: float) -> Tensor:
    ctx.extra = value
    ctx.save()  # PyTorch keeps the number as a saved tensor, so a second backward must fail here too
    return launch.mul_scalar(x, float(value))


@_mul_scalar.derivative
def mul_scalar_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _mul_scalar(gy, ctx.extra)


@op(name="Div", scalar=True)
def _div_scalar(ctx: Any, x: Tensor, value: float) -> Tensor:
    ctx.extra = value
    ctx.save()
    return launch.div_scalar(x, float(value))


@_div_scalar.derivative
def div_scalar_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _div_scalar(gy, ctx.extra)


@op(name="Neg")
def _neg(ctx: Any, x: Tensor) -> Tensor:
    return launch.neg(x)


@_neg.derivative
def neg_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _neg(gy)


# --- public: any operands -------------------------------------------------------------------------------------------


def _number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number, np.bool_))


def scalar_of(value: Any, kind: _dtype.dtype) -> Tensor:
    """A number as a tensor without dimensions; an integer is cut to the bits of an integer dtype."""
    small = value.__class__ is int and 0 <= value <= 127
    return launch.fill(launch.empty(SCALAR, kind), value if small else _dtype.wrapped(value, kind).item())


def _refuse(name: str, value: Any) -> Any:
    raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(value).__name__}")


def _same(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, _dtype.dtype]:
    """Both operands in their common dtype."""
    kind = _dtype.result(a.dtype, not a.shape, b.dtype, not b.shape)
    return to_dtype(a, kind), to_dtype(b, kind), kind


_USE_XOR = "Use the `^` or `logical_xor()` operator instead."
_NO_BOOL = "Subtraction, the `-` operator, with {} not supported. {}"
_INVERT = "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."


def _arithmetic(
    name: str, tensors: Any, scalar: Any, reverse: Any, launched: Any, float_result: bool = False
) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """The public function `f(a, b)` of an arithmetic operation, and the one for exchanged operands.

    `tensors`, `scalar` and `reverse` are the operations for (tensor, tensor), (tensor, number), (number, tensor);
    `launched` is the launch, for integers. `float_result`: integers give the default float dtype, as in division.
    """

    def apply(a: Any, b: Any) -> Any:
        kind = a._meta.dtype
        if b.__class__ is Tensor or isinstance(b, Tensor):
            other = b._meta.dtype
            if float_result and kind.category != 2 and other.category != 2:  # each from its own dtype: none is wrapped
                kind = _dtype.get_default_dtype()
                return tensors(to_dtype(a, kind), to_dtype(b, kind))
            if kind is not other:
                refuse_bool(a, b)
                a, b, kind = _same(a, b)
            if kind.category == 2:
                return tensors(a, b)
            refuse_bool(a, b)
            return launched(a, b)
        if kind.category == 2 and (b.__class__ is float or b.__class__ is int):
            return scalar(a, b)
        if not _number(b):
            return NotImplemented
        return with_number(scalar, a, b, launched)

    def with_number(operation: Any, x: Tensor, value: Any, on_integers: Any) -> Any:
        value = value if isinstance(value, (int, float)) else value.item()
        refuse_bool(x, value)
        kind = x.dtype
        if kind.category != 2:
            kind = _dtype.result_with_scalar(kind, value)
            if float_result and kind.category != 2:
                kind = _dtype.get_default_dtype()
            x = to_dtype(x, kind)
            if kind.category != 2:
                return on_integers(x, scalar_of(value, kind))
        return operation(x, value)

    def refuse_bool(a: Tensor, b: Any) -> None:
        if name == "sub":
            bools = (a.dtype is _dtype.bool_) + (b.dtype is _dtype.bool_ if isinstance(b, Tensor) else isinstance(b, bool))
            if bools == 2:
                raise RuntimeError(_NO_BOOL.format("two bool tensors is", _USE_XOR))
            if bools:
                raise RuntimeError(_NO_BOOL.format("a bool tensor is", _INVERT))

    def apply_reversed(b: Any, a: Any) -> Any:
        if b._meta.dtype.category == 2 and (a.__class__ is float or a.__class__ is int):
            return reverse(b, a)
        if isinstance(a, Tensor):
            return apply(a, b)
        if not _number(a):
            return NotImplemented
        return with_number(reverse, b, a, lambda x, a: launched(a, x))

    apply.__name__ = apply.__qualname__ = name
    apply_reversed.__name__ = apply_reversed.__qualname__ = f"r{name}"
    return apply, apply_reversed


def _reverse_div(x: Tensor, value: float) -> Tensor:
    from .pointwise import reciprocal

    return _mul_scalar(reciprocal(x), value)  # PyTorch's __rtruediv__ is reciprocal times number


_plus, radd = _arithmetic("add", _add, _add_scalar, _add_scalar, launch.add)
_minus, rsub_ = _arithmetic("sub", _sub, _sub_scalar, _rsub_scalar, launch.sub)
times, rmul = _arithmetic("mul", _mul, _mul_scalar, _mul_scalar, launch.mul)
over, rdiv = _arithmetic("div", _div, _div_scalar, _reverse_div, launch.div, float_result=True)


def _checked(name: str, function: Any, a: Any, b: Any) -> Any:
    if not isinstance(a, Tensor):
        if not _number(a):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(a).__name__}")
        from .create import scalar

        counts = isinstance(b, Tensor) and not isinstance(a, bool)
        kind = _dtype.result_with_scalar(b.dtype, a) if counts else _dtype.of_scalar(a)
        a = scalar(_dtype.wrapped(a, kind), kind)
    made = function(a, b)
    return _refuse(name, b) if made is NotImplemented else made


def add(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """input + alpha * other, elementwise, with broadcasting and dtype promotion.

    >>> import fastgrad as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), 3)
    tensor([4., 5.])
    """
    return _checked("add", _plus, input, other) if alpha == 1 else _scaled("add", _plus, _add_scaled, input, other, alpha)


def sub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """input - alpha * other, elementwise; RuntimeError for booleans.

    >>> import fastgrad as torch
    >>> torch.sub(torch.tensor([5, 6]), torch.tensor([1, 2]), alpha=2)
    tensor([3, 2])
    """
    return _checked("sub", _minus, input, other) if alpha == 1 else _scaled("sub", _minus, _sub_scaled, input, other, alpha)


def _scaled(name: str, function: Any, fused: Any, a: Any, b: Any, alpha: float) -> Tensor:
    """`function(a, alpha * b)`, in one rounding where both are float tensors of one dtype."""
    if isinstance(a, Tensor) and isinstance(b, Tensor) and a._meta.dtype is b._meta.dtype and a._meta.dtype.category == 2:
        made: Tensor = fused(a, b, alpha=alpha)
        return made
    kinds = [x.dtype.category if isinstance(x, Tensor) else _dtype.of_scalar(x).category for x in (a, b)]
    if isinstance(alpha, float) and max(kinds) < 2:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    made = _checked(name, function, a, times(b, alpha) if isinstance(b, Tensor) else b * alpha)
    return made


def mul(input: Any, other: Any) -> Tensor:
    """input * other, elementwise."""
    return _checked("mul", times, input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, elementwise, as floats; `rounding_mode` "trunc" or "floor" rounds the quotient."""
    if rounding_mode is None:
        return _checked("div", over, input, other)
    from .quotient import divide_rounded

    return divide_rounded(input, other, rounding_mode)


def rsub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """other - alpha * input."""
    return sub(other, input, alpha=alpha) if isinstance(other, Tensor) or alpha != 1 else rsub_(input, other)


def neg(input: Tensor) -> Tensor:
    """-input."""
    if input.dtype.category == 2:
        return _neg(input)
    if input.dtype is _dtype.bool_:
        raise RuntimeError(
            f"Negation, the `-` operator, on a bool tensor is not supported. {_INVERT}"
        )
    return launch.neg(input)
