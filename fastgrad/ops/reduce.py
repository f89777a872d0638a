"""Reductions: sum, mean, extremes and their places."""

from __future__ import annotations

from typing import Any

from .. import _dtype
from .. import _launch as launch
from .._geometry import Size, wrap_dim
from .._launch import tally
from .._tensor import Tensor
from . import (
    elementwise,  # imports this module too: its names are looked up when they are used
    stretch,
)
from . import shape as shapes
from .convert import to_dtype
from .op import op
from .out import with_out


def dims_of(dim: Any, ndim: int) -> tuple[int, ...]:
    """All dimensions for None or (), else the given ones, counted from the front."""
    if dim.__class__ is int and -ndim <= dim < ndim:
        return (dim,) if dim >= 0 else (dim + ndim,)
    if dim is None or dim == () or dim == []:
        return tuple(range(ndim))
    if dim.__class__ is int:
        wrapped = wrap_dim(dim, ndim)
        return (wrapped,) if ndim else ()
    given = (dim,) if isinstance(dim, int) else tuple(dim)
    dims = tuple([wrap_dim(d, ndim) for d in given])
    if len(set(dims)) != len(dims):
        repeated = next(d for d in dims if dims.count(d) > 1)
        raise RuntimeError(f"dim {repeated} appears multiple times in the list of dims")
    return dims if ndim else ()


def _given(input: Any, name: str) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    return input


# --- sums and means ---------------------------------------------------------------------------------------------------


@op(name="Sum0")
def _sum_all(ctx: Any, x: Tensor) -> Tensor:
    ctx.extra = x.shape
    return launch.sum_all(x)


@_sum_all.derivative
def sum_all_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _stretch(gy, ctx.extra)


@op(name="Sum1", scalar=True)
def _sum(ctx: Any, x: Tensor, over: tuple[tuple[int, ...], bool]) -> Tensor:
    dims, keepdim = over
    ctx.extra = x.shape, dims, keepdim
    return launch.sum_dims(x, dims, keepdim)


@_sum.derivative
def sum_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, dims, keepdim = ctx.extra
    return _stretch(_with_dims(gy, shape, dims, keepdim), shape)


def _with_dims(gy: Tensor, shape: Size, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """A reduced tensor with its lost dimensions back, of size 1."""
    if keepdim or not dims:
        return gy
    return shapes.reshape(gy, Size([1 if d in dims else size for d, size in enumerate(shape)]))


def _stretch(gy: Tensor, shape: Size) -> Tensor:
    return gy if gy.shape == shape else stretch._expand(gy, shape)


def sum_to(gx: Tensor, shape: Size) -> Tensor:
    """Sum a gradient over the dimensions along which an operand of this shape was stretched."""
    if gx.shape == shape:
        return gx
    if not shape:
        return _sum_all(gx)
    if shape == (1,):
        return _sum_to_one(gx)
    lead = gx.ndim - len(shape)
    dims = tuple([d for d, size in enumerate(gx.shape) if d < lead or (shape[d - lead] == 1 and size != 1)])
    made = _sum(gx, (dims, True)) if dims else gx
    return shapes.reshape(made, shape) if lead else made


@op(name="Sum1")
def _sum_to_one(ctx: Any, x: Tensor) -> Tensor:
    """The sum of all elements, with one dimension: how the gradient of a single bias or weight ends."""
    ctx.extra = x.shape
    return launch.sum_to_one(x)


@_sum_to_one.derivative
def sum_to_one_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _stretch(shapes.reshape(gy, ()), ctx.extra)


@with_out
def sum(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Tensor:
    """The sum over all elements, or over the given dimensions; integers and booleans sum to int64.

    Raises IndexError for a dimension that is not there, RuntimeError for one given twice.

    >>> import fastgrad as torch
    >>> torch.ones(2, 3).sum(dim=1)
    tensor([3., 3.])
    """
    x, dim, keepdim = _given(input, "sum"), axis if dim is None else dim, keepdim or keepdims
    if dim is None and dtype is None and not keepdim:
        return _sum_all(x) if x._meta.dtype.category == 2 else tally.total_of_all(x)
    if dtype is None and x._meta.dtype.category == 2:
        return _sum(x, (dims_of(dim, len(x._meta.shape)), keepdim))
    own = x.dtype if x.dtype.category == 2 else _dtype.int64
    kind = own if dtype is None else _dtype.wanted(dtype)
    dims = dims_of(dim, x.ndim)
    if kind.category == 2:
        made: Tensor = _sum(to_dtype(x, kind), (dims, keepdim))
        return made
    return to_dtype(tally.total.dims(to_dtype(x, kind) if x.dtype.category == 2 else x, dims, keepdim), kind)


@op(name="Mean0")
def _mean_all(ctx: Any, x: Tensor) -> Tensor:
    count = x._meta.numel
    ctx.extra = x.shape, count
    total = launch.sum_all(x)
    return launch.div_scalar(total, float(count), out=total)


@_mean_all.derivative
def mean_all_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, count = ctx.extra
    return _stretch(elementwise._div_scalar(gy, count), shape)


@op(name="Mean1")
def _mean(ctx: Any, x: Tensor, *, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    count = Size([x.shape[d] for d in dims]).numel()
    ctx.extra = x.shape, dims, keepdim, count
    total = launch.sum_dims(x, dims, keepdim)
    return launch.div_scalar(total, float(count), out=total)


@_mean.derivative
def mean_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, dims, keepdim, count = ctx.extra
    return _stretch(elementwise._div_scalar(_with_dims(gy, shape, dims, keepdim), count), shape)


@with_out
def mean(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Tensor:
    """The mean over all elements, or over the given dimensions, of a float tensor; NaN of nothing.

    Raises RuntimeError for integers and booleans: give `dtype=torch.float32`, or call `.float()` first.

    >>> import fastgrad as torch
    >>> torch.tensor([[1.0, 2.0], [3.0, 6.0]]).mean(dim=0)
    tensor([2., 4.])
    """
    x, dim, keepdim = _given(input, "mean"), axis if dim is None else dim, keepdim or keepdims
    kind = x._meta.dtype if dtype is None else _dtype.wanted(dtype)
    if kind.category != 2:
        what = "Input dtype" if dtype is None else "Optional dtype"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {what} must be either a floating point or complex dtype. "
            f"Got: {kind.scalar_name}"
        )
    if kind is not x._meta.dtype:
        x = to_dtype(x, kind)
    if dim is None and not keepdim:
        return _mean_all(x)
    return _mean(x, dims=dims_of(dim, len(x._meta.shape)), keepdim=keepdim)


__all__ = ["mean", "sum"]
