"""Order: sort, topk, median, quantile. NumPy finds the places; gradients go back to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._geometry import wrap_dim
from .._launch import along, arrays, mathematics, select
from .._launch import rearrange as launch
from .._launch.core import fill
from .._tensor import Tensor
from ..autograd.modes import state
from .elementwise import _add, _mul, _sub
from .fold import tied_slope
from .gather import scatter_along
from .join import stack
from .op import op
from .out import numpy_names, with_out
from .pointwise import as_tensor, zeros
from .reduce import _with_dims
from .shape import clone, reshape, squeeze
from .stretch import expand


def _result(name: str) -> Any:
    """A pair `values`, `indices` that prints as PyTorch's."""

    def represent(self: Any) -> str:
        return f"torch.return_types.{name}(\nvalues={self[0]!r},\nindices={self[1]!r})"

    fields = {
        "__slots__": (), "__module__": "torch.return_types", "__repr__": represent,
        "values": property(lambda self: self[0]), "indices": property(lambda self: self[1]),
    }  # fmt: skip
    return type(name, (tuple,), fields)


@op(name="Sort0")
def _at_places(ctx: Any, x: Tensor, *, places: Tensor, dim: int) -> Tensor:
    """The elements at places along a dimension, found by somebody who looked at x."""
    ctx.save(places)
    ctx.extra = x.shape, dim
    if x._meta.dtype.category == 2:
        return along.take(x, places, dim)
    return arrays.apply(lambda a, p: np.take_along_axis(a, p, dim), x, places)


@_at_places.derivative
def at_places_derivative(ctx: Any, gy: Tensor) -> Tensor:
    (places,), (shape, dim) = ctx.saved, ctx.extra
    return scatter_along(gy, places, dim=dim, shape=shape)


def _chosen(x: Tensor, places: Tensor, dim: int, node: Any = _at_places) -> Tensor:
    made: Tensor = node(x, places=places, dim=dim)
    return made


sort_result, topk_result, median_result = _result("sort"), _result("topk"), _result("median")
nanmedian_result, kthvalue_result = _result("nanmedian"), _result("kthvalue")


@with_out
@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    """`(values, indices)` in ascending or descending order along a dimension; equal elements keep their order, NaN is the
    largest.

    >>> import fastgrad as torch
    >>> torch.sort(torch.tensor([3, 1, 2])).values
    tensor([1, 2, 3])
    """
    x, dim = as_tensor(input, "sort"), wrap_dim(dim, input.ndim)
    if not x.shape:
        return sort_result((clone(x), arrays.new(np.int64(0))))
    places = launch.order(x.detach(), dim, descending)
    return sort_result((_chosen(x, places, dim), places))


@with_out
@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The places of the elements in ascending or descending order along a dimension.

    >>> import fastgrad as torch
    >>> torch.argsort(torch.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    x, dim = as_tensor(input, "argsort"), wrap_dim(dim, input.ndim)
    return launch.order(x.detach(), dim, descending) if x.shape else arrays.new(np.int64(0))


@with_out
def msort(input: Tensor) -> Tensor:
    """The elements in ascending order along the first dimension.

    >>> import fastgrad as torch
    >>> torch.msort(torch.tensor([3, 1, 2]))
    tensor([1, 2, 3])
    """
    made: Tensor = sort(input, 0)[0]
    return made


@with_out
@numpy_names
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """`(values, indices)` of the k largest (or smallest) along a dimension, best first.

    >>> import fastgrad as torch
    >>> torch.topk(torch.tensor([1, 4, 2]), 2)
    torch.return_types.topk(
    values=tensor([4, 2]),
    indices=tensor([1, 2]))
    """
    x, dim = as_tensor(input, "topk"), wrap_dim(dim, input.ndim)
    if not 0 <= k <= (x.shape[dim] if x.shape else 1):
        raise RuntimeError("selected index k out of range")
    if not x.shape:
        return topk_result((clone(x), arrays.new(np.int64(0))))
    places = launch.best(x.detach(), k, dim, largest)
    return topk_result((_chosen(x, places, dim), places))


# --- one of the middle ----------------------------------------------------------------------------------------------------


@op(name="Kthvalue0")
def _ranked(ctx: Any, x: Tensor, *, dim: int, keepdim: bool, mode: int, k: int) -> Any:
    """The element at a rank along a dimension, and its place."""
    ctx.extra = x.shape, dim, keepdim
    values, places, _ = select.ranked(x, dim, keepdim, mode, k)
    ctx.save(places)
    return values, places


@_ranked.derivative
def ranked_derivative(ctx: Any, gy: Any) -> Tensor:
    (places,), (shape, dim, keepdim) = ctx.saved, ctx.extra
    if not state.enabled:
        return along.put(gy[0], places, dim, shape)
    return scatter_along(_with_dims(gy[0], shape, (dim,), keepdim), _with_dims(places, shape, (dim,), keepdim), dim=dim,
                         shape=shape)  # fmt: skip


def _placed(x: Tensor, dim: int, keepdim: bool, k: int, result: Any) -> Any:
    """The k-th of integers along a dimension, and its place."""
    places = arrays.apply(lambda a: np.take(np.argsort(a, dim, kind="stable"), [k], dim), x)
    values = _chosen(x, places, dim)
    return result((values, places) if keepdim else (squeeze(values, dim), squeeze(places, dim)))


def _middle_value(a: Any) -> Any:
    """The lower median of all integers."""
    return np.partition(a.reshape(-1), (a.size - 1) // 2)[(a.size - 1) // 2]


def _median(name: str, result: Any, skip_nan: bool) -> Any:
    def median(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
        x = as_tensor(input, name)
        if x.dtype is _dtype.bool_:
            raise NotImplementedError(f"\"median_out_impl\" not implemented for '{x.dtype.scalar_name}'")
        if dim is None:
            if not x._numel:
                made = np.array(np.nan if x.dtype.category == 2 else np.iinfo(x.dtype.numpy).min, x.dtype.numpy)
                return arrays.new(made)
            if x._meta.dtype.category != 2:
                return arrays.apply(_middle_value, x)
            made_value: Tensor = _whole(x, mode=select.MIDDLE_NUMBER if skip_nan else select.MIDDLE)
            return made_value
        dim = wrap_dim(dim, x.ndim)
        if not x.shape:
            return result((clone(x), arrays.new(np.int64(0))))
        if x.shape[dim] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
        if x._meta.dtype.category != 2:
            return _placed(x, dim, keepdim, (x.shape[dim] - 1) // 2, result)
        return result(_ranked(x, dim=dim, keepdim=keepdim, mode=select.MIDDLE_NUMBER if skip_nan else select.MIDDLE, k=0))

    median.__name__ = median.__qualname__ = name
    median.__doc__ = f"""The lower median of all elements, or `(values, indices)` along a dimension; NaN {"is left out" if
    skip_nan else "where one is NaN"}.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([3.0, 1.0, 2.0, 4.0]))
    tensor(2.)
    """
    return with_out(numpy_names(median))


@op(name="Median0")
def _whole(ctx: Any, x: Tensor, *, mode: int) -> Tensor:
    y = select.ranked_of_all(x, mode)
    ctx.save_output(y, x)
    return y


@_whole.derivative
def whole_derivative(ctx: Any, gy: Tensor) -> Tensor:
    """Shared evenly between the elements that equal the median, or that are NaN as it is."""
    from .choose import _where

    value, x = ctx.saved
    if not state.enabled:
        return tied_slope(gy, value, x, tuple(range(len(x.shape))), False, True)
    chosen = arrays.apply(lambda a, b: (a == b) | (np.isnan(a) & np.isnan(b)), x.detach(), value)
    kind = gy.dtype.numpy
    share = gy / arrays.apply(lambda c: np.asarray(np.count_nonzero(c), kind), chosen)
    made: Tensor = _where(chosen, expand(share, *x.shape), zeros(x))
    return made


median, nanmedian = _median("median", median_result, False), _median("nanmedian", nanmedian_result, True)


@with_out
@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """`(values, indices)` of the k-th smallest along a dimension, counted from 1.

    >>> import fastgrad as torch
    >>> torch.kthvalue(torch.tensor([3, 1, 2]), 2).values
    tensor(2)
    """
    x, dim = as_tensor(input, "kthvalue"), wrap_dim(dim, input.ndim)
    if not 1 <= k <= (x.shape[dim] if x.shape else 1):
        raise RuntimeError("kthvalue(): selected number k out of range for dimension " + str(dim))
    if not x.shape:
        return kthvalue_result((clone(x), arrays.new(np.int64(0))))
    if x._meta.dtype.category != 2:
        return _placed(x, dim, keepdim, k - 1, kthvalue_result)
    return kthvalue_result(_ranked(x, dim=dim, keepdim=keepdim, mode=select.KTH, k=k - 1))


# --- quantiles ------------------------------------------------------------------------------------------------------------

# The ranks whose numbers are mixed.
_METHODS = {
    "linear": (select.LOWER, select.UPPER), "lower": (select.LOWER,), "higher": (select.UPPER,),
    "midpoint": (select.LOWER, select.UPPER), "nearest": (select.NEAREST,),
}  # fmt: skip


@op(name="Quantile")
def _quantile_of(ctx: Any, x: Tensor, *, q: float, dim: int, keepdim: bool, how: str, skip_nan: bool) -> Tensor:
    skip = select.SKIP_NAN if skip_nan else 0
    found = [select.ranked(x, dim, keepdim, mode | skip, 0, q) for mode in _METHODS[how]]
    first, places, part = found[0]
    ctx.extra = x.shape, dim, keepdim
    if len(found) == 1:
        ctx.save(places)
        return first
    if how == "midpoint":
        part = fill(part, 0.5)
    ctx.save(places, found[1][1], part)
    return mathematics.lerp(first, found[1][0], part)


@_quantile_of.derivative
def quantile_derivative(ctx: Any, gy: Tensor) -> Tensor:
    """gy to the places of the two neighbours, by how near they are."""
    (places, *more), (shape, dim, keepdim) = ctx.saved, ctx.extra
    shares = [(places, gy)]
    if more:
        after, part = more
        share = _mul(gy, part)
        shares = [(places, _sub(gy, share)), (after, share)]
    slopes = [
        scatter_along(_with_dims(g, shape, (dim,), keepdim), _with_dims(p, shape, (dim,), keepdim), dim=dim, shape=shape)
        for p, g in shares
    ]
    return _add(*slopes) if more else slopes[0]


def _quantile(name: str, skip_nan: bool) -> Any:
    def quantile(
        input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
    ) -> Tensor:
        x = as_tensor(input, name)
        if x.dtype.category != 2:
            raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
        if not x._numel:
            raise RuntimeError(f"{name}() input tensor must be non-empty")
        if interpolation not in _METHODS:
            raise RuntimeError(
                f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
            )
        given = q if isinstance(q, Tensor) else arrays.new(np.array(q, x.dtype.numpy))
        if given.dtype is not x.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        if given.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        wanted = given._array().copy()
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise RuntimeError(f"{name}() q {'value must be' if not given.ndim else 'values must be'} in the range [0, 1]")
        line = reshape(x, -1) if dim is None else x if x.shape else reshape(x, 1)
        axis = 0 if dim is None else wrap_dim(dim, line.ndim)
        made = [
            _quantile_of(line, q=float(v), dim=axis, keepdim=keepdim and bool(x.shape), how=interpolation, skip_nan=skip_nan)
            for v in wanted.reshape(-1)
        ]
        if dim is None and keepdim:
            made = [reshape(m, [1] * x.ndim) for m in made]
        return stack(made) if given.ndim else made[0]

    quantile.__name__ = quantile.__qualname__ = name
    quantile.__doc__ = f"""The q-quantiles of all elements or along a dimension, between neighbours by `interpolation`.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([1.0, 2.0, 3.0, 4.0]), 0.5)
    tensor(2.5000)
    """
    return with_out(numpy_names(quantile))


quantile, nanquantile = _quantile("quantile", False), _quantile("nanquantile", True)

__all__ = ["argsort", "kthvalue", "median", "msort", "nanmedian", "nanquantile", "quantile", "sort", "topk"]
