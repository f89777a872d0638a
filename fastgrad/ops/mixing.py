"""Functions of several tensors, elementwise: lerp, addcmul, addcdiv, atan2; and numbers put in the place of NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._launch import arrays
from .._launch import mathematics as launch
from .._tensor import Tensor
from .choose import _where
from .convert import to_dtype
from .elementwise import _add, _div, _mul, _mul_scalar, _neg, _number, _rsub_scalar, _same, _sub, add, mul
from .op import op
from .out import with_out
from .pointwise import as_tensor, zeros
from .reduce import sum_to

# --- lerp -------------------------------------------------------------------------------------------------------------


@op(name="Lerp0")
def _lerp_scalar(ctx: Any, a: Tensor, b: Tensor, *, weight: float) -> Tensor:
    ctx.extra = a.shape, b.shape, weight
    return launch.lerp_scalar(a, b, float(weight))


@_lerp_scalar.derivative
def lerp_scalar_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b, weight = ctx.extra
    return (
        sum_to(_mul_scalar(gy, 1 - weight), a) if ctx.needs[0] else None,
        sum_to(_mul_scalar(gy, weight), b) if ctx.needs[1] else None,
    )


@op(name="Lerp1")
def _lerp(ctx: Any, a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    ctx.save(a, b, weight)
    return launch.lerp(a, b, weight)


@_lerp.derivative
def lerp_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b, weight = ctx.saved
    return (
        sum_to(_mul(gy, _rsub_scalar(weight, 1)), a.shape) if ctx.needs[0] else None,
        sum_to(_mul(gy, weight), b.shape) if ctx.needs[1] else None,
        sum_to(_mul(gy, _sub(b, a)), weight.shape) if ctx.needs[2] else None,
    )


@with_out
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight * (end - input), with a weight that is a number or a tensor; all of one float dtype.

    Raises RuntimeError where dtypes differ.

    >>> import fastgrad as torch
    >>> torch.lerp(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 6.0]), 0.25)
    tensor([1.5000, 3.0000])
    """
    if not isinstance(as_tensor(input, "lerp"), Tensor) or not isinstance(end, Tensor):
        raise TypeError(f"lerp(): argument 'end' (position 2) must be Tensor, not {type(end).__name__}")
    for x, name in ((end, "end"), (weight, "weight")):
        if isinstance(x, Tensor) and x.dtype is not input.dtype:
            raise RuntimeError(
                f"expected dtype {_c_name(input.dtype)} for `{name}` but got dtype {_c_name(x.dtype)}"
            )
    if input.dtype.category != 2:
        which = "tensor" if isinstance(weight, Tensor) else "scalar"
        raise NotImplementedError(f"\"lerp_kernel_{which}\" not implemented for '{input.dtype.scalar_name}'")
    made: Tensor = _lerp(input, end, weight) if isinstance(weight, Tensor) else _lerp_scalar(input, end, weight=weight)
    return made


def _c_name(kind: _dtype.dtype) -> str:
    return {"float32": "float", "float64": "double", "int64": "long int", "int32": "int"}.get(kind.name, kind.name)


# --- products and quotients added ---------------------------------------------------------------------------------------


@op(name="Addcmul")
def _addcmul(ctx: Any, x: Tensor, a: Tensor, b: Tensor, *, value: float) -> Tensor:
    ctx.save(a, b)
    ctx.extra = x.shape, value
    return launch.addcmul(x, a, b, float(value))


@_addcmul.derivative
def addcmul_derivative(ctx: Any, gy: Tensor) -> Any:
    (a, b), (shape, value) = ctx.saved, ctx.extra
    scaled = gy if value == 1 else _mul_scalar(gy, value)
    return (
        sum_to(gy, shape) if ctx.needs[0] else None,
        sum_to(_mul(scaled, b), a.shape) if ctx.needs[1] else None,
        sum_to(_mul(scaled, a), b.shape) if ctx.needs[2] else None,
    )


@op(name="Addcdiv")
def _addcdiv(ctx: Any, x: Tensor, a: Tensor, b: Tensor, *, value: float) -> Tensor:
    ctx.save(a, b)
    ctx.extra = x.shape, value
    return launch.addcdiv(x, a, b, float(value))


@_addcdiv.derivative
def addcdiv_derivative(ctx: Any, gy: Tensor) -> Any:
    (a, b), (shape, value) = ctx.saved, ctx.extra
    scaled = gy if value == 1 else _mul_scalar(gy, value)
    return (
        sum_to(gy, shape) if ctx.needs[0] else None,
        sum_to(_div(scaled, b), a.shape) if ctx.needs[1] else None,
        sum_to(_neg(_mul(scaled, _div(a, _mul(b, b)))), b.shape) if ctx.needs[2] else None,
    )


def _three(name: str, x: Any, a: Any, b: Any) -> tuple[Tensor, Tensor, Tensor, _dtype.dtype]:
    """Three tensors in their common dtype."""
    if x.__class__ is a.__class__ is b.__class__ is Tensor and x._meta.dtype is a._meta.dtype is b._meta.dtype:
        return x, a, b, x._meta.dtype
    for given, which, place in ((x, "input", 1), (a, "tensor1", 2), (b, "tensor2", 3)):
        if not isinstance(given, Tensor):
            raise TypeError(f"{name}(): argument '{which}' (position {place}) must be Tensor, not {type(given).__name__}")
    a, b, _ = _same(a, b)
    x, a, kind = _same(x, a)
    return x, a, to_dtype(b, kind), kind


@with_out
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value * tensor1 * tensor2, with broadcasting.

    >>> import fastgrad as torch
    >>> torch.addcmul(torch.ones(2), torch.tensor([2.0, 3.0]), torch.tensor([4.0, 5.0]), value=0.5)
    tensor([5.0000, 8.5000])
    """
    x, a, b, kind = _three("addcmul", input, tensor1, tensor2)
    if kind.category == 2:
        made: Tensor = _addcmul(x, a, b, value=value)
        return made
    if kind.category == 0:
        raise NotImplementedError("\"addcmul_cpu_out\" not implemented for 'Bool'")
    return add(x, mul(mul(a, b), int(value)))


@with_out
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value * tensor1 / tensor2, with broadcasting. RuntimeError where both are integers.

    >>> import fastgrad as torch
    >>> torch.addcdiv(torch.ones(2), torch.tensor([2.0, 3.0]), torch.tensor([4.0, 6.0]))
    tensor([1.5000, 1.5000])
    """
    x, a, b, _ = _three("addcdiv", input, tensor1, tensor2)
    if tensor1.dtype.category != 2 and tensor2.dtype.category != 2:
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
            "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
            "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) "
            "for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / "
            "tensor2), for all dtypes."
        )
    made: Tensor = _addcdiv(x, a, b, value=value)
    return made


# --- angles of points -------------------------------------------------------------------------------------------------


@op(name="Atan20")
def _atan2(ctx: Any, y: Tensor, x: Tensor) -> Tensor:
    ctx.save(y, x)
    return launch.atan2(y, x)


@_atan2.derivative
def atan2_derivative(ctx: Any, gy: Tensor) -> Any:
    """x / (x**2 + y**2) and -y / (x**2 + y**2), and 0 at the origin."""
    y, x = ctx.saved
    square = _add(_mul(y, y), _mul(x, x))
    share = _div(gy, square)
    share = _where(arrays.apply(_is_zero, square), zeros(share), share)
    return (
        sum_to(_mul(share, x), y.shape) if ctx.needs[0] else None,
        sum_to(_mul(share, _neg(y)), x.shape) if ctx.needs[1] else None,
    )


def _is_zero(x: Any) -> Any:
    return x == 0


@with_out
def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle of the point (other, input), in [-pi, pi].

    >>> import fastgrad as torch
    >>> torch.atan2(torch.tensor([1.0, -1.0]), torch.tensor([1.0, 0.0]))
    tensor([ 0.7854, -1.5708])
    """
    if not isinstance(other, Tensor):
        raise TypeError(f"atan2(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
    a, b = as_tensor(input, "atan2"), other
    if a.dtype.category != 2 and b.dtype.category != 2:  # each from its own dtype: none is wrapped
        kind = _dtype.get_default_dtype()
        a, b = to_dtype(a, kind), to_dtype(b, kind)
    a, b, _ = _same(a, b)
    made: Tensor = _atan2(a, b)
    return made


arctan2 = atan2

# --- NaN --------------------------------------------------------------------------------------------------------------


_LARGEST = {kind: float(np.finfo(kind.numpy).max) for kind in (_dtype.float32, _dtype.float64)}


@op(name="NanToNum")
def _nan_to_num(ctx: Any, x: Tensor, *, nan: float, posinf: float, neginf: float) -> Tensor:
    ctx.save(x)
    return launch.nan_to_num(x, nan, posinf, neginf)


@_nan_to_num.derivative
def nan_to_num_derivative(ctx: Any, gy: Tensor) -> Tensor:
    made: Tensor = _where(launch.isfinite(ctx.saved[0]), gy, zeros(gy))
    return made


@with_out
def nan_to_num(input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """Numbers in the place of NaN and infinities: `nan`, and the largest and smallest of the dtype unless given.

    >>> import fastgrad as torch
    >>> torch.nan_to_num(torch.tensor([float("nan"), 1.0, float("inf")]), posinf=9.0)
    tensor([0., 1., 9.])
    """
    for value in (nan, posinf, neginf):
        if value is not None and value.__class__ is not float and not _number(value):
            raise TypeError(f"nan_to_num(): argument must be float, not {type(value).__name__}")
    if as_tensor(input, "nan_to_num").dtype.category != 2:
        return input.clone()
    largest = _LARGEST[input.dtype]
    made: Tensor = _nan_to_num(
        input, nan=float(nan or 0.0), posinf=largest if posinf is None else float(posinf),
        neginf=-largest if neginf is None else float(neginf),
    )  # fmt: skip
    return made


__all__ = ["addcdiv", "addcmul", "arctan2", "atan2", "lerp", "nan_to_num"]
