"""Products, extremes without places, logarithms of sums, and running totals."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._geometry import Size, wrap_dim
from .._launch import arrays, moments, size
from .._launch import elementwise as launches
from .._launch import reduce as launch
from .._tensor import Tensor
from ..autograd.modes import state
from . import shape as shapes
from .choose import _where
from .convert import to_dtype
from .elementwise import _div, _mul, _sub
from .gather import narrow
from .join import cat
from .op import op
from .out import numpy_names, with_out
from .pointwise import _exp, as_float, as_tensor, zeros
from .reduce import _stretch, _with_dims, dims_of

# --- products ---------------------------------------------------------------------------------------------------------


@op(name="Prod0")
def _prod_all(ctx: Any, x: Tensor) -> Tensor:
    y = launch.prod_all(x)
    ctx.save_output(y, x)
    return y


@_prod_all.derivative
def prod_all_derivative(ctx: Any, gy: Tensor) -> Tensor:
    y, x = ctx.saved
    if not x.shape:
        return gy
    flat = shapes.reshape(x, -1)
    return shapes.reshape(_factor_slopes(gy, shapes.reshape(y, 1), flat, 0), x.shape)


@op(name="Prod1")
def _prod(ctx: Any, x: Tensor, *, dim: int, keepdim: bool) -> Tensor:
    y = launch.product.dims(x, (dim,), keepdim)
    ctx.save_output(y, x)
    ctx.extra = dim, keepdim
    return y


@_prod.derivative
def prod_derivative(ctx: Any, gy: Tensor) -> Tensor:
    (y, x), (dim, keepdim) = ctx.saved, ctx.extra
    gy, y = _with_dims(gy, x.shape, (dim,), keepdim), _with_dims(y, x.shape, (dim,), keepdim)
    return _factor_slopes(gy, y, x, dim)


def _factor_slopes(gy: Tensor, y: Tensor, x: Tensor, dim: int) -> Tensor:
    """gy times the product of all other factors: y / x where no factor is 0, else from both sides of each factor."""
    if not size.has_zero(x):
        return _div(_mul(gy, y), x)
    from .rearrange import flip
    from .running import _cumprod

    n = x.shape[dim]
    one = _ones(x.shape, dim, x.dtype)
    before = cat([one, _cumprod(narrow(x, dim, 0, n - 1), dim=dim)], dim) if n > 1 else one
    after = one
    if n > 1:
        after = flip(cat([one, _cumprod(narrow(flip(x, dim), dim, 0, n - 1), dim=dim)], dim), dim)
    return _mul(gy, _mul(before, after))


def _ones(shape: Size, dim: int, kind: _dtype.dtype) -> Tensor:
    from .create import ones

    return ones(*[1 if d == dim else n for d, n in enumerate(shape)], dtype=kind)


def _totalled(x: Tensor, dtype: Any) -> tuple[Tensor, _dtype.dtype]:
    """A tensor in the dtype in which it is added up or multiplied: int64 for integers and booleans."""
    kind = (x.dtype if x.dtype.category == 2 else _dtype.int64) if dtype is None else _dtype.wanted(dtype)
    return to_dtype(x, kind), kind


@with_out
@numpy_names
def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or along a dimension; integers and booleans multiply to int64.

    >>> import fastgrad as torch
    >>> torch.prod(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 0)
    tensor([3., 8.])
    """
    x, kind = _totalled(as_tensor(input, "prod"), dtype)
    if isinstance(dim, (tuple, list)):
        if len(dim) != 1:
            raise TypeError("prod() received an invalid combination of arguments: 'dim' must be int")
        (dim,) = dim
    axis = None if dim is None else wrap_dim(dim, x.ndim)
    if kind.category == 2:
        if axis is None or not x.shape:
            made: Tensor = _prod_all(x)
            return made
        made = _prod(x, dim=axis, keepdim=keepdim)
        return made
    keep = keepdim and dim is not None
    return arrays.apply(lambda a: np.prod(a, axis if a.ndim else None, kind.numpy, keepdims=keep), x, dtype=kind)


# --- extremes ---------------------------------------------------------------------------------------------------------


def _extreme(name: str, launched: Any, whole: Any) -> Any:
    word = "largest" if name == "amax" else "smallest"

    @op(name=name.capitalize())
    def extreme(ctx: Any, x: Tensor, *, dims: tuple[int, ...], keepdim: bool) -> Tensor:
        y: Tensor = launched.dims(x, dims, keepdim) if keepdim or len(dims) < len(x._meta.shape) else whole(x)
        ctx.save_output(y, x)
        ctx.extra = dims, keepdim
        return y

    @extreme.derivative
    def extreme_derivative(ctx: Any, gy: Tensor) -> Tensor:
        (y, x), (dims, keepdim) = ctx.saved, ctx.extra
        if not state.enabled:
            return tied_slope(gy, y, x, dims, keepdim, False)
        return shared_slope(_with_dims(gy, x.shape, dims, keepdim), _with_dims(y, x.shape, dims, keepdim), x, dims)

    def public(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
        x = as_tensor(input, name)
        if (dim == () or dim is None) and not keepdim and x._meta.numel:
            return extreme(x, dims=tuple(range(len(x._meta.shape))), keepdim=False)
        dims = dims_of(dim, x.ndim)
        if x._numel == 0:
            if dim in ((), None) or not dims:
                raise RuntimeError(
                    f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
                    "with the 'dim' argument."
                )
            for d in dims:
                if x.shape[d] == 0:
                    raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")
        made: Tensor = extreme(x, dims=dims, keepdim=keepdim)
        return made

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"""The {word} element, of all or over dimensions; those that tie share the gradient.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor({"[2., 4.]" if name == "amax" else "[1., 3.]"})
    """
    return with_out(numpy_names(public))


def tied_slope(gy: Tensor, y: Tensor, x: Tensor, dims: tuple[int, ...], keepdim: bool, with_nan: bool) -> Tensor:
    """gy, shared evenly between the elements of x that tie with the extreme y, not to be recorded. An extreme that is NaN is
    shared by those that are NaN, too (`with_nan`), or makes all gradients NaN."""
    if len(dims) == len(x.shape):
        keepdim = True  # in effect: a single number goes with any shape
    gy, y = _with_dims(gy, x.shape, dims, keepdim), _with_dims(y, x.shape, dims, keepdim)
    count = moments.distances(x, y, tuple(sorted(dims)), bool(y.shape), "same")
    share = launches.div(gy, count)
    return size.tied(x, y, share) if with_nan else size.tied_number(x, y, share)


def shared_slope(gy: Tensor, y: Tensor, x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """gy, shared evenly between the elements of x that equal y."""
    chosen = arrays.apply(np.equal, x, y)
    kind = x.dtype.numpy
    count = arrays.apply(lambda c: np.asarray(np.count_nonzero(c, dims, keepdims=True)).astype(kind), chosen)
    return _div(_where(chosen, _stretch(gy, x.shape), zeros(x)), count)


amax = _extreme("amax", launch.maximum, launch.max_all)
amin = _extreme("amin", launch.minimum, launch.min_all)


class aminmax_result(tuple[Tensor, Tensor]):
    """`min` and `max` of `aminmax`."""

    __slots__ = ()
    min = property(lambda self: self[0])
    max = property(lambda self: self[1])

    def __repr__(self) -> str:
        return f"torch.return_types.aminmax(\nmin={self[0]!r},\nmax={self[1]!r})"


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> Any:
    """The smallest and the largest element, of all or along a dimension.

    >>> import fastgrad as torch
    >>> torch.aminmax(torch.tensor([1.0, 3.0])).max
    tensor(3.)
    """
    x = as_tensor(input, "aminmax")
    if dim is None and x._numel == 0:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    dims = () if dim is None else dim
    made = aminmax_result((amin(x, dims, keepdim), amax(x, dims, keepdim)))
    if out is None:
        return made
    from .out import write_into

    if isinstance(out, Tensor):
        raise TypeError("aminmax(): argument 'out' must be tuple of Tensors, not Tensor")
    return aminmax_result(write_into(to, result) for to, result in zip(out, made, strict=True))


# --- logarithms of sums -------------------------------------------------------------------------------------------------


@op(name="Logsumexp")
def _logsumexp(ctx: Any, x: Tensor, *, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    y = moments.logsumexp(x, dims, keepdim)
    ctx.save_output(y, x)
    ctx.extra = dims, keepdim
    return y


@_logsumexp.derivative
def logsumexp_derivative(ctx: Any, gy: Tensor) -> Tensor:
    (y, x), (dims, keepdim) = ctx.saved, ctx.extra
    gy, y = _with_dims(gy, x.shape, dims, keepdim), _with_dims(y, x.shape, dims, keepdim)
    return _mul(gy, _exp(_sub(x, y)))


@with_out
@numpy_names
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """log(sum(e**input)) over dimensions, without overflow.

    >>> import fastgrad as torch
    >>> torch.logsumexp(torch.tensor([0.0, 0.0]), 0)
    tensor(0.6931)
    """
    x = as_float(input, "logsumexp")
    made: Tensor = _logsumexp(x, dims=tuple(sorted(dims_of(dim, x.ndim))), keepdim=keepdim)
    return made


__all__ = ["amax", "amin", "aminmax", "logsumexp", "prod"]
