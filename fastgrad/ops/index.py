"""Indexing, read and write: basic indexes are views, advanced ones gather copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import Size, wrap_dim
from .._launch import arrays
from .._tensor import Tensor
from .convert import to_dtype
from .op import op
from .shape import add_window, contiguous

_view = launch.view


@op(name="Slice")
def _window(ctx: Any, x: Tensor, *, shape: Size, strides: tuple[int, ...], offset: int) -> Tensor:
    """A view made by integers and slices; the offset is absolute."""
    ctx.extra = x, shape, strides, offset
    ctx.extra = x.shape, x._strides, x._offset, shape, strides, offset
    return _view(x, shape, strides, offset, shape.numel())


@_window.derivative
def window_derivative(ctx: Any, gy: Tensor) -> Tensor:
    from .shape import as_strided_derivative

    return as_strided_derivative(ctx, gy)


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """A view of `length` neighbours along a dimension."""
    x, dim = input, wrap_dim(dim, input.ndim)
    start = int(start) + (x.shape[dim] if start < 0 else 0)
    if length < 0 or start < 0 or start + length > x.shape[dim]:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({x.shape[dim]}).")
    shape = Size((*x.shape[:dim], length, *x.shape[dim + 1 :]))
    return _window(x, shape=shape, strides=x._strides, offset=x._offset + start * x._strides[dim])


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """A view of one place along a dimension, which goes away."""
    dim = wrap_dim(dim, input.ndim)
    return getitem(input, (slice(None),) * dim + (index,))


def _parse(x: Tensor, index: Any) -> tuple[Size, tuple[int, ...], int, list[Any]]:
    """The view made by the basic parts of an index, and the advanced parts as (dimension of the view, index)."""
    items = list(index) if isinstance(index, tuple) else [index]
    consumed = sum(_width(item) for item in items if item is not None and item is not Ellipsis)
    if consumed > x.ndim:
        raise IndexError(f"too many indices for tensor of dimension {x.ndim}")
    if Ellipsis not in [item for item in items if not isinstance(item, (Tensor, np.ndarray))]:
        items.append(Ellipsis)
    shape: list[int] = []
    strides: list[int] = []
    offset, d, advanced = x._offset, 0, []
    for item in items:
        if item is Ellipsis:
            for _ in range(x.ndim - consumed):
                shape.append(x.shape[d])
                strides.append(x._strides[d])
                d += 1
        elif item is None:
            shape.append(1)
            strides.append(0)
        elif isinstance(item, slice):
            start, stop, step = _slice(item, x.shape[d])
            shape.append(max(0, -(-(stop - start) // step)))
            strides.append(x._strides[d] * step)
            offset += start * x._strides[d]
            d += 1
        elif _is_place(item):
            place, size = int(item), x.shape[d]
            if not -size <= place < size:
                raise IndexError(f"index {place} is out of bounds for dimension {d} with size {size}")
            offset += (place + size if place < 0 else place) * x._strides[d]
            d += 1
        else:
            part = _advanced(item)
            width = part.ndim if part.dtype == np.bool_ else 1
            if part.dtype == np.bool_ and part.shape != x.shape[d : d + width]:
                bad = next(k for k in range(width) if part.shape[k] != x.shape[d + k])
                raise IndexError(
                    f"The shape of the mask {list(part.shape)} at index {bad} does not match the shape of the indexed tensor "
                    f"{list(x.shape)} at index {d + bad}"
                )
            advanced.append((len(shape), part))
            for _ in range(width):
                shape.append(x.shape[d])
                strides.append(x._strides[d])
                d += 1
    return Size(shape), tuple(strides), offset, advanced


def _is_place(item: Any) -> bool:
    if isinstance(item, (bool, np.bool_)):
        return False
    if isinstance(item, Tensor):
        return item.ndim == 0 and item.dtype.category == 1
    return isinstance(item, (int, np.integer))


def _width(item: Any) -> int:
    """How many dimensions an item uses up."""
    if isinstance(item, (Tensor, np.ndarray)) and item.dtype in (_dtype.bool_, np.bool_):
        return len(item.shape)
    if isinstance(item, (bool, np.bool_)):
        return 0
    return 1


def _slice(item: slice, size: int) -> tuple[int, int, int]:
    step = 1 if item.step is None else int(item.step)
    if step <= 0:
        raise ValueError("step must be greater than zero")
    start, stop, step = slice(*[None if v is None else int(v) for v in (item.start, item.stop)], step).indices(size)
    return start, max(start, stop), step


def _advanced(item: Any) -> Any:
    """An advanced part of an index as an array of integers or booleans."""
    if isinstance(item, Tensor):
        if item.dtype.category == 2:
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        return item._array().astype(np.bool_) if item.dtype is _dtype.uint8 else item._array()
    part = np.asarray(item)
    if part.size == 0 and part.dtype == np.float64:
        part = part.astype(np.int64)
    if part.dtype.kind not in "iub":
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
            f"{type(item).__name__})"
        )
    return part


def _places(shape: Size, advanced: list[Any]) -> Any:
    """NumPy's form of an index whose advanced parts stand at given dimensions; out of range raises IndexError."""
    items: list[Any] = []
    for at, part in advanced:
        items += [slice(None)] * (at - _used(items)) + [part]
        if part.dtype != np.bool_ and part.size:
            size, low, high = shape[at], part.min(), part.max()
            if low < -size or high >= size:
                bad = low if low < -size else high
                raise IndexError(f"index {bad} is out of bounds for dimension {at} with size {size}")
    try:
        np.broadcast_shapes(*[p.shape if p.dtype != np.bool_ else (int(p.sum()),) for _, p in advanced])
    except ValueError:
        shapes = ", ".join(str(list(p.shape)) for _, p in advanced)
        raise IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}") from None
    return tuple(items)


def _used(items: list[Any]) -> int:
    return sum(item.ndim if isinstance(item, np.ndarray) and item.dtype == np.bool_ else 1 for item in items)


@op(name="Index")
def _gather(ctx: Any, x: Tensor, *, places: Any) -> Tensor:
    ctx.extra = x.shape, places
    return arrays.apply(lambda a: a[places], x)


@_gather.derivative
def gather_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, places = ctx.extra
    return _scatter(gy, shape=shape, places=places)


@op(name="IndexPut")
def _scatter(ctx: Any, gy: Tensor, *, shape: Size, places: Any) -> Tensor:
    """Zeros with `gy` added at places; equal places add up."""
    ctx.extra = places
    out = launch.fill(launch.empty(shape, gy.dtype, shape.numel()), 0)
    np.add.at(out._array(), places, gy._array())
    return out


@_scatter.derivative
def scatter_derivative(ctx: Any, ggx: Tensor) -> Tensor:
    return _gather(ggx, places=ctx.extra)


@op(name="IndexSelect")
def _take_rows(ctx: Any, x: Tensor, *, rows: Any) -> Tensor:
    ctx.extra = x.shape, (rows,)
    return arrays.apply(lambda a: a.take(rows, 0), x)


_take_rows.derivative(gather_derivative)


def getitem(x: Tensor, index: Any) -> Tensor:
    """`x[index]`: a view for integers, slices, None and ...; a copy for tensors, arrays, lists and masks.

    >>> import fastgrad as torch
    >>> torch.arange(6).view(2, 3)[:, 1]
    tensor([1, 4])
    """
    if isinstance(index, list) or isinstance(index, (bool, np.bool_)):
        index = (np.asarray(_plain_list(index)),)
    shape, strides, offset, advanced = _parse(x, index)
    if not advanced:
        return _window(x, shape=shape, strides=strides, offset=offset)
    if shape != x.shape or strides != x._strides or offset != x._offset:
        x = _window(x, shape=shape, strides=strides, offset=offset)
    places = _places(shape, advanced)
    if len(places) == 1 and places[0].dtype != np.bool_ and x.dtype.category == 2:
        return _take_rows(x, rows=places[0].copy())
    return _gather(x, places=tuple([p.copy() if isinstance(p, np.ndarray) else p for p in places]))


def _plain_list(index: Any) -> Any:
    from .create import _plain

    return _plain(index)


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`, recorded when gradients are wanted; the value is broadcast and converted."""
    from . import inplace
    from .create import scalar

    if isinstance(index, list) or isinstance(index, (bool, np.bool_)):
        index = (np.asarray(_plain_list(index)),)
    inplace.check(x)
    shape, strides, offset, advanced = _parse(x, index)
    if not isinstance(value, Tensor):
        value = arrays.new(np.asarray(value, x.dtype.numpy)) if isinstance(value, np.ndarray) else scalar(value, x.dtype)
    if not inplace.recorded(x, value):
        window = _view(x.detach(), shape, strides, offset, shape.numel())
        if advanced:
            window._array()[_places(shape, advanced)] = value._array()
        else:
            _check_fits(value, shape)
            launch.copy_into(window, _squeezed(value, shape))
        x._bump()
        return
    if not advanced:
        _check_fits(value, shape)
        window = _window(x, shape=shape, strides=strides, offset=offset)
        inplace.replace(window, lambda old: _overwrite(old, to_dtype(_squeezed(value, shape), x.dtype)))
        return
    places = _places(shape, advanced)
    window = _window(x, shape=shape, strides=strides, offset=offset)
    inplace.replace(window, lambda old: _put(old, to_dtype(value, x.dtype), places=places))


def _check_fits(value: Tensor, shape: Size) -> None:
    lead = value.ndim - len(shape)
    fits = all(size == 1 for size in value.shape[: max(lead, 0)]) and all(
        size in (1, wanted) for size, wanted in zip(reversed(value.shape), reversed(shape), strict=False)
    )
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result of shape "
            f"{list(shape)}"
        )


def _squeezed(value: Tensor, shape: Size) -> Tensor:
    from .shape import reshape

    return reshape(value, *value.shape[value.ndim - len(shape) :]) if value.ndim > len(shape) else value


@op(name="Copy")
def _overwrite(ctx: Any, old: Tensor, value: Tensor) -> Tensor:
    """`value` in the shape of `old`, of which nothing is left."""
    ctx.extra = old.shape, value.shape
    return launch.copy(launch.expand(value, old.shape))


@_overwrite.derivative
def overwrite_derivative(ctx: Any, gy: Tensor) -> Any:
    from .pointwise import zeros
    from .reduce import sum_to

    return zeros(gy) if ctx.needs[0] else None, sum_to(gy, ctx.extra[1]) if ctx.needs[1] else None


@op(name="IndexPut")
def _put(ctx: Any, old: Tensor, value: Tensor, *, places: Any) -> Tensor:
    out = launch.copy(old)
    out._array()[places] = value._array()
    ctx.extra = value.shape, places
    return out


@_put.derivative
def put_derivative(ctx: Any, gy: Tensor) -> Any:
    from .create import scalar
    from .reduce import sum_to

    shape, places = ctx.extra
    kept = _put(gy, scalar(0.0, gy.dtype), places=places) if ctx.needs[0] else None
    return kept, sum_to(_gather(gy, places=places), shape) if ctx.needs[1] else None


@op(name="Gather")
def _take_along(ctx: Any, x: Tensor, *, places: Tensor, dim: int) -> Tensor:
    ctx.extra = x.shape, places, dim
    return arrays.apply(lambda a, p: np.take_along_axis(a, p, dim), x, places)


@_take_along.derivative
def take_along_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, places, dim = ctx.extra
    return scatter_along(gy, places, dim=dim, shape=shape)


@op(name="Scatter")
def _scatter_along(ctx: Any, gy: Tensor, *, places: Tensor, dim: int, shape: Size) -> Tensor:
    """Zeros with gy added at `places` along a dimension."""
    ctx.extra = places, dim
    out = launch.fill(launch.empty(shape, gy.dtype, shape.numel()), 0)
    where: list[Any] = list(np.ogrid[tuple(slice(n) for n in places.shape)])
    where[dim] = places._array()
    np.add.at(out._array(), tuple(where), gy._array())
    return out


@_scatter_along.derivative
def scatter_along_derivative(ctx: Any, ggx: Tensor) -> Tensor:
    places, dim = ctx.extra
    return _take_along(ggx, places=places, dim=dim)


def scatter_along(gy: Tensor, places: Tensor, *, dim: int, shape: Size) -> Tensor:
    """The derivative of taking one place along a dimension."""
    return _scatter_along(gy, places=places, dim=dim, shape=shape)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The entries along a dimension that an integer vector names."""
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    return getitem(input, (slice(None),) * dim + (index,))


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Along a dimension, the entry that `index` (int64, of the result's shape) names at each place."""
    dim = wrap_dim(dim, input.ndim)
    places = index._array()
    if index.dtype is not _dtype.int64:
        raise RuntimeError("gather(): Expected dtype int32/int64 for index")
    if places.size and (places.min() < 0 or places.max() >= input.shape[dim]):
        bad = places.min() if places.min() < 0 else places.max()
        raise RuntimeError(f"index {bad} is out of bounds for dimension {dim} with size {input.shape[dim]}")
    for d in range(input.ndim):
        if d != dim and index.shape[d] != input.shape[d]:
            input = narrow(input, d, 0, index.shape[d])
    return _take_along(contiguous(input), places=index, dim=dim)


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """The distinct values, ascending; also where each element's value stands among them, and how often each occurs."""
    made = np.unique(
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


__all__ = ["add_window", "gather", "getitem", "index_select", "narrow", "select", "setitem", "unique"]
