"""Elementwise mathematics of one input: exp, log, sqrt, reciprocal, absolute value, sign."""

from __future__ import annotations

from typing import Any

from .. import _dtype
from .. import _launch as launch
from .._tensor import Tensor
from .convert import to_dtype
from .elementwise import _div, _mul, _mul_scalar, _neg
from .op import op
from .out import with_out


def as_float(x: Any, name: str) -> Tensor:
    """A float tensor: integers and booleans become the default dtype; TypeError for anything but a tensor."""
    as_tensor(x, name)
    return x if x.dtype.category == 2 else to_dtype(x, _dtype.get_default_dtype())


def as_tensor(x: Any, name: str) -> Tensor:
    """`x`, which must be a tensor: TypeError with PyTorch's text otherwise."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")
    return x


def zeros(x: Tensor) -> Tensor:
    """Zeros of the shape and dtype of `x`."""
    return launch.fill(launch.empty(x.shape, x.dtype), 0)


@op(name="Exp")
def _exp(ctx: Any, x: Tensor) -> Tensor:
    y = launch.exp(x)
    ctx.save_output(y)
    return y


@_exp.derivative
def exp_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _mul(gy, ctx.saved[0])


@with_out
def exp(input: Tensor) -> Tensor:
    """e ** input.

    >>> import fastgrad as torch
    >>> torch.exp(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return _exp(as_float(input, "exp"))


@op(name="Log")
def _log(ctx: Any, x: Tensor) -> Tensor:
    ctx.save(x)
    return launch.log(x)


@_log.derivative
def log_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _div(gy, ctx.saved[0])


@with_out
def log(input: Tensor) -> Tensor:
    """The natural logarithm: -inf at 0, NaN below.

    >>> import fastgrad as torch
    >>> torch.log(torch.tensor([1.0, 0.0]))
    tensor([0., -inf])
    """
    return _log(as_float(input, "log"))


@op(name="Sqrt")
def _sqrt(ctx: Any, x: Tensor) -> Tensor:
    y = launch.sqrt(x)
    ctx.save_output(y)
    return y


@_sqrt.derivative
def sqrt_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _div(gy, _mul_scalar(ctx.saved[0], 2))


@with_out
def sqrt(input: Tensor) -> Tensor:
    """The square root; NaN below zero. Its slope at 0 is infinite.

    >>> import fastgrad as torch
    >>> torch.sqrt(torch.tensor([4.0, 2.0]))
    tensor([2.0000, 1.4142])
    """
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


@with_out
def reciprocal(input: Tensor) -> Tensor:
    """1 / input.

    >>> import fastgrad as torch
    >>> torch.reciprocal(torch.tensor([2.0, 0.0]))
    tensor([0.5000,    inf])
    """
    return _reciprocal(as_float(input, "reciprocal"))


@op(name="Abs")
def _abs(ctx: Any, x: Tensor) -> Tensor:
    ctx.save(x)
    return launch.absolute(x)


@_abs.derivative
def abs_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _mul(gy, _sign(ctx.saved[0]))


@with_out
def abs(input: Tensor) -> Tensor:
    """The absolute value; its slope at 0 is 0.

    >>> import fastgrad as torch
    >>> torch.abs(torch.tensor([-1.5, 2.0]))
    tensor([1.5000, 2.0000])
    """
    if as_tensor(input, "abs").dtype.category == 2:
        return _abs(input)
    if input.dtype is _dtype.bool_:
        raise NotImplementedError("\"abs_cpu\" not implemented for 'Bool'")
    return launch.absolute(input)


@op(name="Sign")
def _sign(ctx: Any, x: Tensor) -> Tensor:
    return launch.sign(x)


@_sign.derivative
def sign_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return zeros(gy)


@with_out
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1, and 0 for NaN; its slope is 0 everywhere.

    >>> import fastgrad as torch
    >>> torch.sign(torch.tensor([-3.0, 0.0, 5.0]))
    tensor([-1.,  0.,  1.])
    """
    if as_tensor(input, "sign").dtype.category == 2:
        return _sign(input)
    return input.clone() if input.dtype is _dtype.bool_ else launch.sign(input)


__all__ = ["abs", "exp", "log", "reciprocal", "sign", "sqrt"]
