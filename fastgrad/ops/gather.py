"""Places along one dimension: narrow, select, index_select, gather; and the distinct values of a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import Size, Step, wrap_dim
from .._launch import along, arrays, embedding, rows
from .._launch import places as at
from .._tensor import Tensor
from ..autograd.modes import state
from .index import getitem, scatter, window_of
from .op import op
from .out import with_out
from .pointwise import as_tensor
from .shape import contiguous, reshape
from .subscript import _ALL


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """A view of `length` neighbours along a dimension, from `start` on.

    Raises IndexError for a start and RuntimeError for a length that is out of range.

    >>> import fastgrad as torch
    >>> torch.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    if not input.shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    x, dim, start = input, wrap_dim(dim, input.ndim), int(start)
    size = x.shape[dim]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    start += size if start < 0 else 0
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return window_along(x, dim, (start, length, 1), "Slice")


def window_along(x: Tensor, dim: int, step: Any, kind: str) -> Tensor:
    """The view that one step along one dimension makes."""
    steps: list[Step] = [(0, size, 1) for size in x.shape]
    steps[dim] = step
    return window_of(x, kind, steps)


def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """A view of one place along a dimension, which goes away. IndexError where it is out of range.

    >>> import fastgrad as torch
    >>> torch.arange(6).view(2, 3).select(1, 2)
    tensor([2, 5])
    """
    if not input.shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = wrap_dim(dim, input.ndim), int(index)
    size = input.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {dim}"
        )
    return window_along(input, dim, index + size if index < 0 else index, "Select")


@op(name="IndexSelect")
def _index_select(ctx: Any, x: Tensor, *, dim: int, places: Any) -> Tensor:
    ctx.extra = x.shape, dim, places
    ctx.save()  # PyTorch saves the index: a second backward fails
    if dim == 0 and at.is_rows(x, places):
        return rows.take(x, places)
    return arrays.apply(lambda a, p: a.take(p, dim), x, places)


@_index_select.derivative
def index_select_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, dim, places = ctx.extra
    if dim == 0 and not state.enabled and at.is_rows(gy, places):
        made = embedding.rows_backward(reshape(gy, places.shape[0], -1), places, None, shape[0], -1)
        return reshape(made, *shape)
    return scatter(gy, shape=shape, places=(_ALL,) * dim + (places,))


@with_out
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The entries along a dimension that an integer vector names, as a copy.

    Raises IndexError where an index is negative or too large.

    >>> import fastgrad as torch
    >>> torch.tensor([5, 6, 7]).index_select(0, torch.tensor([2, 0]))
    tensor([7, 5])
    """
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype not in (_dtype.int64, _dtype.int32):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    places = reshape(launch.copy(index.detach()), -1)
    at.within(places, 0, input.shape[dim] if input.shape else 1, IndexError, "index out of range in self")
    if not input.shape:
        return getitem(input, ...)
    return _index_select(input, dim=dim, places=places)


@op(name="Gather")
def _take_along(ctx: Any, x: Tensor, *, places: Tensor, dim: int) -> Tensor:
    ctx.save(places)
    ctx.extra = x.shape, dim
    if x._meta.dtype.category == 2:
        return along.take(x, places, dim)
    return arrays.apply(lambda a, p: np.take_along_axis(a, p, dim), x, places)


@_take_along.derivative
def take_along_derivative(ctx: Any, gy: Tensor) -> Tensor:
    (places,), (shape, dim) = ctx.saved, ctx.extra
    return scatter_along(gy, places, dim=dim, shape=shape)


@op(name="Scatter")
def _scatter_along(ctx: Any, gy: Tensor, *, places: Tensor, dim: int, shape: Size) -> Tensor:
    ctx.extra = places, dim
    return along.put(gy, places, dim, shape)


@_scatter_along.derivative
def scatter_along_derivative(ctx: Any, ggx: Tensor) -> Tensor:
    places, dim = ctx.extra
    return _take_along(ggx, places=places, dim=dim)


def scatter_along(gy: Tensor, places: Tensor, *, dim: int, shape: Size) -> Tensor:
    """Zeros of `shape` with gy added at `places` along a dimension: the derivative of taking those places."""
    return _scatter_along(gy, places=places, dim=dim, shape=shape)


@with_out
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Along a dimension, the entry that `index` (int64, of the result's shape) names at each place.

    Raises RuntimeError where an index is out of range or the shapes do not fit.

    >>> import fastgrad as torch
    >>> torch.tensor([[1, 2], [3, 4]]).gather(1, torch.tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    dim = wrap_dim(dim, as_tensor(input, "gather").ndim)
    if index.dtype not in (_dtype.int64, _dtype.int32):
        raise RuntimeError("gather(): Expected dtype int32/int64 for index")
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    x = input
    if any(d != dim and n > size for d, (n, size) in enumerate(zip(index.shape, x.shape, strict=False))):
        raise RuntimeError(
            f"Size does not match at dimension {next(d for d in range(x.ndim) if d != dim and index.shape[d] > x.shape[d])} "
            f"expected index {list(index.shape)} to be no larger than self {list(x.shape)} apart from dimension {dim}"
        )
    if not x.shape:
        return reshape(gather(reshape(x, 1), 0, reshape(index, -1)), index.shape)
    size = x.shape[dim]
    at.within(index, 0, size, RuntimeError, f"index {{bad}} is out of bounds for dimension {dim} with size {size}")
    for d in range(x.ndim):
        if d != dim and index.shape[d] != x.shape[d]:
            x = narrow(x, d, 0, index.shape[d])
    return _take_along(contiguous(x), places=launch.cast(index.detach(), _dtype.int64), dim=dim)


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """The distinct values, ascending; also where each element's value stands among them, and how often each occurs.

    With `dim`, distinct slices along that dimension. Every NaN counts as a value of its own.

    >>> import fastgrad as torch
    >>> torch.unique(torch.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    made: Any = np.unique(  # type: ignore[call-overload]
        input._array(), return_inverse=return_inverse, return_counts=return_counts, axis=dim, equal_nan=False
    )
    if not (return_inverse or return_counts):
        return arrays.new(made)
    values, *rest = made
    results = [arrays.new(values)]
    if return_inverse:
        results.append(arrays.new(rest.pop(0).reshape(input.shape if dim is None else -1).astype(np.int64)))
    if return_counts:
        results.append(arrays.new(rest.pop(0).astype(np.int64)))
    return tuple(results)


__all__ = ["gather", "index_select", "narrow", "select", "unique"]
