"""Products, extremes without places, logarithms of sums, and running totals."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._geometry import Size, wrap_dim
from .._launch import arrays, moments
from .._launch import reduce as launch
from .._tensor import Tensor
from . import shape as shapes
from .choose import _where
from .convert import to_dtype
from .elementwise import _div, _mul, _sub
from .gather import narrow
from .join import cat
from .op import op
from .out import numpy_names, with_out
from .pointwise import _exp, as_float, as_tensor, zeros
from .reduce import _stretch, _sum, _with_dims, dims_of

# --- products ---------------------------------------------------------------------------------------------------------


@op(name="Prod0")
def _prod_all(ctx: Any, x: Tensor) -> Tensor:
    y = launch.product.all(x)
    ctx.save_output(y, x)
    return y


@_prod_all.derivative
def prod_all_derivative(ctx: Any, gy: Tensor) -> Tensor:
    y, x = ctx.saved
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
    if not _has_zero(x):
        return _div(_mul(gy, y), x)
    n = x.shape[dim]
    one = _ones(x.shape, dim, x.dtype)
    before = cat([one, _cumprod(narrow(x, dim, 0, n - 1), dim=dim)], dim) if n > 1 else one
    after = one
    if n > 1:
        from .rearrange import flip

        after = flip(cat([one, _cumprod(narrow(flip(x, dim), dim, 0, n - 1), dim=dim)], dim), dim)
    return _mul(gy, _mul(before, after))


def _has_zero(x: Tensor) -> bool:
    return not bool(arrays.apply(np.all, x.detach()).item())


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


def _extreme(name: str, launched: Any, function: Any) -> Any:
    word = "largest" if name == "amax" else "smallest"

    @op(name=name.capitalize())
    def extreme(ctx: Any, x: Tensor, *, dims: tuple[int, ...], keepdim: bool) -> Tensor:
        y: Tensor = launched.dims(x, dims, keepdim)
        ctx.save_output(y, x)
        ctx.extra = dims, keepdim
        return y

    @extreme.derivative
    def extreme_derivative(ctx: Any, gy: Tensor) -> Tensor:
        (y, x), (dims, keepdim) = ctx.saved, ctx.extra
        return shared_slope(_with_dims(gy, x.shape, dims, keepdim), _with_dims(y, x.shape, dims, keepdim), x, dims)

    def public(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
        x = as_tensor(input, name)
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
        if x.dtype.category == 2:
            made: Tensor = extreme(x, dims=dims, keepdim=keepdim)
            return made
        return arrays.apply(lambda a: function(a, dims, keepdims=keepdim), x, dtype=x.dtype)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"""The {word} element, of all or over dimensions; those that tie share the gradient.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor({"[2., 4.]" if name == "amax" else "[1., 3.]"})
    """
    return with_out(numpy_names(public))


def shared_slope(gy: Tensor, y: Tensor, x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """gy, shared evenly between the elements of x that equal y."""
    chosen = arrays.apply(np.equal, x, y)
    kind = x.dtype.numpy
    count = arrays.apply(lambda c: np.asarray(np.count_nonzero(c, dims, keepdims=True)).astype(kind), chosen)
    return _div(_where(chosen, _stretch(gy, x.shape), zeros(x)), count)


amax = _extreme("amax", launch.maximum, np.max)
amin = _extreme("amin", launch.minimum, np.min)


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


# --- running totals -----------------------------------------------------------------------------------------------------


@op(name="Cumsum")
def _cumsum(ctx: Any, x: Tensor, *, dim: int) -> Tensor:
    ctx.extra = dim
    return moments.cumsum(x, dim)


@_cumsum.derivative
def cumsum_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _summed_from_the_end(gy, ctx.extra)


def _summed_from_the_end(gy: Tensor, dim: int) -> Tensor:
    from .rearrange import flip

    if not gy.shape:
        return gy
    return flip(_cumsum(flip(gy, dim), dim=dim), dim)


@op(name="Cumprod")
def _cumprod(ctx: Any, x: Tensor, *, dim: int) -> Tensor:
    y = moments.cumprod(x, dim)
    ctx.save_output(y, x)
    ctx.extra = dim
    return y


@_cumprod.derivative
def cumprod_derivative(ctx: Any, gy: Tensor) -> Tensor:
    """Of y_i = x_0 ... x_i: the sum of gy_i y_i from each place on, over x; where some x is 0, factor by factor."""
    (y, x), dim = ctx.saved, ctx.extra
    if not x.shape:
        return gy
    if not _has_zero(x):
        return _div(_summed_from_the_end(_mul(gy, y), dim), x)
    n, parts = x.shape[dim], []
    one = _ones(x.shape, dim, x.dtype)
    for k in range(n):
        before = _prod(narrow(x, dim, 0, k), dim=dim, keepdim=True) if k else one
        after = cat([one, _cumprod(narrow(x, dim, k + 1, n - k - 1), dim=dim)], dim) if k < n - 1 else one
        slope = _mul(narrow(gy, dim, k, n - k), _mul(_stretch(before, after.shape) if k else before, after))
        parts.append(_sum(slope, dims=(dim,), keepdim=True))
    return cat(parts, dim)


@op(name="Logcumsumexp")
def _logcumsumexp(ctx: Any, x: Tensor, *, dim: int) -> Tensor:
    y = moments.logcumsumexp(x, dim)
    ctx.save_output(y, x)
    ctx.extra = dim
    return y


@_logcumsumexp.derivative
def logcumsumexp_derivative(ctx: Any, gy: Tensor) -> Tensor:
    """The sum from each place on of gy_i e**(x - y_i); where that may overflow, by its logarithm, positive and negative gy
    apart."""
    (y, x), dim = ctx.saved, ctx.extra
    if not x.shape:
        return _mul(gy, _exp(_sub(x, y)))
    if arrays.apply(_is_narrow, y.detach()).item():
        most = launch.maximum.all(y.detach())
        return _mul(_exp(_sub(x, most)), _summed_from_the_end(_mul(gy, _exp(_sub(most, y))), dim))
    from .pointwise import _log
    from .rearrange import flip

    nothing = zeros(gy)
    positive = arrays.apply(_is_positive, gy.detach())
    parts = []
    for sign, side in ((1.0, positive), (-1.0, arrays.apply(np.logical_not, positive))):
        size = _where(side, gy * sign, nothing)
        total = flip(_logcumsumexp(flip(_sub(_log(size), y), dim), dim=dim), dim)
        parts.append(_exp(total + x) * sign)
    return parts[0] + parts[1]


def _is_narrow(y: Any) -> Any:
    return np.asarray(np.ptp(y) < 40 if y.size else True)


def _is_positive(x: Any) -> Any:
    return x > 0


def _running(name: str, operation: Any, function: Any, doc: str, shown: str) -> Any:
    def running(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
        if function is None:
            x, kind = as_tensor(input, name), _dtype.float32
            if x.dtype.category != 2:
                raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for '{x.dtype.scalar_name}'")
        else:
            x, kind = _totalled(as_tensor(input, name), dtype)
        axis = wrap_dim(dim, x.ndim)
        if kind.category == 2:
            made: Tensor = operation(x, dim=axis)
            return made
        return arrays.apply(lambda a: function(a, axis, kind.numpy).reshape(a.shape), x, dtype=kind)

    running.__name__ = running.__qualname__ = name
    running.__doc__ = f"""{doc}

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([1.0, 2.0, 3.0]), 0)
    {shown}
    """
    return with_out(numpy_names(running))


cumsum = _running("cumsum", _cumsum, np.cumsum, "Sums of all elements up to each along a dimension.", "tensor([1., 3., 6.])")
cumprod = _running("cumprod", _cumprod, np.cumprod, "Products of all elements up to each along a dimension.",
                   "tensor([1., 2., 6.])")  # fmt: skip
logcumsumexp = _running("logcumsumexp", _logcumsumexp, None, "log(cumsum(e**input)), without overflow.",
                        "tensor([1.0000, 2.3133, 3.4076])")  # fmt: skip

__all__ = ["amax", "amin", "aminmax", "cumprod", "cumsum", "logcumsumexp", "logsumexp", "prod"]
