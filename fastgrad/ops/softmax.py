"""Softmax and its logarithm along one dimension, with derivatives of any order."""

from __future__ import annotations

from typing import Any

from .. import _dtype
from .._geometry import wrap_dim
from .._launch import softmax as launch
from .._tensor import Tensor
from .convert import to_dtype
from .op import op
from .pointwise import exp


@op(name="Softmax", scalar=True)
def _softmax(ctx: Any, x: Tensor, dim: int) -> Tensor:
    y = launch.softmax(x, dim)
    ctx.save_output(y)
    ctx.extra = dim
    return y


@_softmax.derivative
def softmax_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return softmax_backward(ctx.saved[0], gy, dim=ctx.extra)


@op
def softmax_backward(ctx: Any, y: Tensor, gy: Tensor, *, dim: int) -> Tensor:
    """y (gy - sum(y gy))"""
    ctx.save(y, gy)
    ctx.extra = dim
    return launch.softmax_backward(y, gy, dim)


@softmax_backward.derivative
def softmax_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    (y, gy), dim = ctx.saved, ctx.extra
    need_y, need_gy = ctx.needs
    along_y = None
    if need_y:
        along_y = ggx * (gy - (y * gy).sum(dim, keepdim=True)) - gy * (y * ggx).sum(dim, keepdim=True)
    return along_y, softmax_backward(y, ggx, dim=dim) if need_gy else None


@op(name="LogSoftmax", scalar=True)
def _log_softmax(ctx: Any, x: Tensor, dim: int) -> Tensor:
    y = launch.log_softmax(x, dim)
    ctx.save_output(y)
    ctx.extra = dim
    return y


@_log_softmax.derivative
def log_softmax_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return log_softmax_backward(ctx.saved[0], gy, dim=ctx.extra)


@op
def log_softmax_backward(ctx: Any, y: Tensor, gy: Tensor, *, dim: int) -> Tensor:
    """gy - e**y sum(gy)"""
    ctx.save(y, gy)
    ctx.extra = dim
    return launch.log_softmax_backward(y, gy, dim)


@log_softmax_backward.derivative
def log_softmax_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    (y, gy), dim = ctx.saved, ctx.extra
    need_y, need_gy = ctx.needs
    powers = exp(y)
    along_y = -ggx * powers * gy.sum(dim, keepdim=True) if need_y else None
    return along_y, ggx - (powers * ggx).sum(dim, keepdim=True) if need_gy else None


def _prepared(name: str, x: Tensor, dim: int, dtype: Any) -> tuple[Tensor, int]:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")
    if dtype is not None:
        x = to_dtype(x, _dtype.wanted(dtype))
    meta = x._meta
    if meta.dtype.category != 2:
        raise NotImplementedError(f"\"{name}_lastdim_kernel_impl\" not implemented for '{meta.dtype.scalar_name}'")
    return x, wrap_dim(dim, len(meta.shape))


def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """e**x over its sum along `dim`; `dtype` converts first. A row that holds NaN or +infinity becomes NaN.

    IndexError for a dimension that is not there.

    >>> import fastgrad as torch
    >>> torch.softmax(torch.zeros(2), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _softmax(*_prepared("softmax", input, dim, dtype))


def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """The logarithm of softmax along `dim`, computed without overflow; `dtype` converts first.

    >>> import fastgrad as torch
    >>> torch.log_softmax(torch.zeros(2), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return _log_softmax(*_prepared("log_softmax", input, dim, dtype))
