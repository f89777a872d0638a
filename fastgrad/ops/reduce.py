"""Reductions: sum, mean, extremes and their places."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import Size, wrap_dim
from .._launch import arrays
from .._tensor import Tensor
from . import elementwise  # imports this module too: its names are looked up when they are used
from . import index as indexing
from . import shape as shapes
from .convert import to_dtype
from .op import op


ONE = Size((1,))


def dims_of(dim: Any, ndim: int) -> tuple[int, ...]:
    """All dimensions for None or (), else the given ones, counted from the front."""
    if dim is None or dim == () or dim == []:
        return tuple(range(ndim))
    given = (dim,) if isinstance(dim, int) else tuple(dim)
    dims = tuple([wrap_dim(d, ndim) for d in given])
    if len(set(dims)) != len(dims):
        repeated = next(d for d in dims if dims.count(d) > 1)
        raise RuntimeError(f"dim {repeated} appears multiple times in the list of dims")
    return dims if ndim else ()


@op(name="Sum")
def _sum_all(ctx: Any, x: Tensor) -> Tensor:
    ctx.extra = x.shape
    return launch.sum_all(x)


@_sum_all.derivative
def sum_all_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _stretch(gy, shape=ctx.extra)


@op(name="Sum")
def _sum(ctx: Any, x: Tensor, *, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    ctx.extra = x.shape, dims, keepdim
    return launch.sum_dims(x, dims, keepdim)


@_sum.derivative
def sum_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, dims, keepdim = ctx.extra
    return _stretch(_with_dims(gy, shape, dims, keepdim), shape=shape)


def _with_dims(gy: Tensor, shape: Size, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """A reduced tensor with its lost dimensions back, of size 1."""
    if keepdim or not dims:
        return gy
    return shapes.reshape(gy, Size([1 if d in dims else size for d, size in enumerate(shape)]))


def _stretch(gy: Tensor, *, shape: Size) -> Tensor:
    return gy if gy.shape == shape else shapes._expand(gy, shape=shape)


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
    made = _sum(gx, dims=dims, keepdim=True) if dims else gx
    return shapes.reshape(made, shape) if lead else made


@op(name="Sum1")
def _sum_to_one(ctx: Any, x: Tensor) -> Tensor:
    """The sum of all elements, with one dimension: how the gradient of a single bias or weight ends."""
    ctx.extra = x.shape
    return launch.sum_all(x, ONE)


@_sum_to_one.derivative
def sum_to_one_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _stretch(shapes.reshape(gy, ()), shape=ctx.extra)


def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None) -> Tensor:
    """The sum over all elements, or over the given dimensions; integers and booleans sum to int64.

    >>> import fastgrad as torch
    >>> torch.ones(2, 3).sum(dim=1)
    tensor([3., 3.])
    """
    x, dim = input, axis if dim is None else dim
    kind = dtype or (x.dtype if x.dtype.category == 2 else _dtype.int64)
    dims = dims_of(dim, x.ndim)
    if kind.category == 2:
        x = to_dtype(x, kind)
        if len(dims) == x.ndim and not keepdim:
            return _sum_all(x)
        return _sum(x, dims=dims, keepdim=keepdim)
    return arrays.apply(lambda a: a.sum(dims, dtype=kind.numpy, keepdims=keepdim), x, dtype=kind)


@op(name="Mean")
def _mean_all(ctx: Any, x: Tensor) -> Tensor:
    ctx.extra = x.shape, x._numel
    total = launch.sum_all(x)
    return launch.div_scalar(total, float(x._numel), out=total)


@_mean_all.derivative
def mean_all_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, count = ctx.extra
    return _stretch(elementwise._div_scalar(gy, count), shape=shape)


@op(name="Mean")
def _mean(ctx: Any, x: Tensor, *, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    count = Size([x.shape[d] for d in dims]).numel()
    ctx.extra = x.shape, dims, keepdim, count
    total = launch.sum_dims(x, dims, keepdim)
    return launch.div_scalar(total, float(count), out=total)


@_mean.derivative
def mean_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, dims, keepdim, count = ctx.extra
    return _stretch(elementwise._div_scalar(_with_dims(gy, shape, dims, keepdim), count), shape=shape)


def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None) -> Tensor:
    """The mean over all elements, or over the given dimensions, of a float tensor; NaN of nothing."""
    x, dim = input, axis if dim is None else dim
    kind = dtype or x.dtype
    if kind.category != 2:
        what = "Input dtype" if dtype is None else "Optional dtype"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {what} must be either a floating point or complex dtype. Got: "
            f"{kind.scalar_name}"
        )
    x = to_dtype(x, kind)
    dims = dims_of(dim, x.ndim)
    if len(dims) == x.ndim and not keepdim:
        return _mean_all(x)
    return _mean(x, dims=dims, keepdim=keepdim)


class max_result(tuple[Any, ...]):
    """`values` and `indices` of an extreme along a dimension."""

    kind = "max"

    @property
    def values(self) -> Tensor:
        made: Tensor = self[0]
        return made

    @property
    def indices(self) -> Tensor:
        made: Tensor = self[1]
        return made

    def __repr__(self) -> str:
        return f"torch.return_types.{self.kind}(\nvalues={self[0]!r},\nindices={self[1]!r})"


class min_result(max_result):
    kind = "min"


def _extreme(kind: str, launched: Any, find: Any, result: type[max_result]) -> tuple[Any, Any]:
    """The public `max`/`min` and `argmax`/`argmin`."""
    name = kind.capitalize()

    @op(name=name)
    def along(ctx: Any, x: Tensor, *, dim: int, keepdim: bool) -> Any:
        values, places = launched(x, dim, keepdim)
        ctx.extra = x.shape, dim, keepdim, places
        return values, places

    @along.derivative
    def along_derivative(ctx: Any, gy: Any) -> Any:
        shape, dim, keepdim, places = ctx.extra
        values = _with_dims(gy[0], shape, (dim,), keepdim)
        return indexing.scatter_along(values, _with_dims(places, shape, (dim,), keepdim), dim=dim, shape=shape)

    @op(name=name)
    def whole(ctx: Any, x: Tensor) -> Tensor:
        values, _ = launched(shapes.reshape(x.detach(), -1), 0, False)
        ctx.save_output(values, x)
        return values

    @whole.derivative
    def whole_derivative(ctx: Any, gy: Tensor) -> Tensor:
        """Shared evenly between all elements that tie."""
        best, x = ctx.saved
        chosen = arrays.apply(lambda a, b: ((a == b) | (np.isnan(a) & np.isnan(b))).astype(a.dtype), x, best)
        return elementwise._mul(elementwise._div_scalar(gy, float(chosen._array().sum())), chosen)

    def check(x: Tensor, dim: Any, function: str) -> None:
        if x._numel == 0 and dim is None:
            raise RuntimeError(
                f"{function}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
                "with the 'dim' argument."
            )
        if dim is not None and x.shape and x.shape[dim] == 0:
            raise IndexError(f"{function}(): Expected reduction dim {dim} to have non-zero size.")

    def extreme(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, other: Any = None) -> Any:
        dim = axis if dim is None else dim
        if isinstance(dim, Tensor) or other is not None:
            from . import pointwise

            return getattr(pointwise, f"{kind}imum")(input, dim if other is None else other)
        x = input
        if dim is None:
            check(x, None, kind)
            if x.dtype.category == 2:
                return whole(x)
            return arrays.apply(lambda a: getattr(a, kind)(), x)
        dim = wrap_dim(dim, x.ndim)
        check(x, dim, kind)
        if x.dtype.category == 2 and x.shape:
            return result(along(x, dim=dim, keepdim=keepdim))
        places = argument(x, dim, keepdim)
        if not x.shape:
            return result((shapes.clone(x), places))
        kept = places if keepdim else arrays.apply(lambda p: np.expand_dims(p, dim), places)
        values = arrays.apply(lambda a, p: np.take_along_axis(a, p, dim), x, kept)
        return result((values if keepdim else arrays.apply(lambda v: v.squeeze(dim), values), places))

    def argument(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Tensor:
        dim = axis if dim is None else dim
        x = input.detach()
        if dim is not None:
            dim = wrap_dim(dim, x.ndim)
        check(x, dim, f"arg{kind}")
        if x.dtype.category == 2 and dim is not None and x.shape:
            made: Tensor = launched(x, dim, keepdim)[1]
            return made
        if not x.shape:
            return arrays.new(np.int64(0))
        return arrays.apply(lambda a: np.asarray(find(a, axis=dim, keepdims=keepdim)), x, dtype=_dtype.int64)

    for function, text in ((extreme, "value"), (argument, "place of the value")):
        function.__doc__ = f"The {text} that is the {kind}imum: of all elements, or along `dim` (there with its first place)."
    extreme.__name__ = extreme.__qualname__ = kind
    argument.__name__ = argument.__qualname__ = f"arg{kind}"
    return extreme, argument


max, argmax = _extreme("max", launch.max_index, np.argmax, max_result)
min, argmin = _extreme("min", launch.min_index, np.argmin, min_result)
