"""`x[index]`, read and write: integers, slices, None and ... make views; tensors, arrays, lists and masks gather copies."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import Size, Step, contiguous_strides, indexed
from .._launch import arrays
from .._tensor import Tensor
from . import inplace
from .convert import to_dtype
from .create import scalar
from .op import op
from .pointwise import zeros
from .reduce import sum_to
from .shape import add_window, expand, reshape

_ALL = slice(None)

# --- what an index means ----------------------------------------------------------------------------------------------


def _parse(shape: tuple[int, ...], index: Any) -> tuple[list[Step], list[tuple[int, Any]], str]:
    """The basic parts of an index as steps (see `indexed`), its advanced parts as (dimension of the view, array), and what
    PyTorch calls the last basic part: Select, Slice, Unsqueeze, or Alias where there is none."""
    items = _items(index)
    consumed = 0
    for item in items:
        if item is not None and item is not Ellipsis:
            consumed += _width(item)
    if consumed > len(shape):
        raise IndexError(_too_many(shape, items))
    steps: list[Step] = []
    advanced: list[tuple[int, Any]] = []
    last, d, lost, hidden = "Alias", 0, 0, len(shape) - consumed  # dimensions read, gone, and still behind the ...
    for item in [*items, Ellipsis]:
        if item is Ellipsis:
            steps += [(0, size, 1) for size in shape[d : d + hidden]]
            d, hidden = d + hidden, 0
        elif item is None:
            steps.append(None)
            last = "Unsqueeze"
        elif item.__class__ is slice:
            step = _slice(item, shape[d])
            steps.append(step)
            if step != (0, shape[d], 1) or len(items) == 1:
                last = "Slice"
            d += 1
        elif _is_place(item):
            steps.append(_place(item, d, shape[d]))
            last, d, lost = "Select", d + 1, lost + 1
        else:
            part = _advanced(item)
            width = part.ndim if part.dtype == np.bool_ else 1
            _check_mask(part, shape, d)
            advanced.append((len(steps) - lost, part))
            steps += [(0, size, 1) for size in shape[d : d + width]]
            d += width
    return steps, advanced, last


def _items(index: Any) -> tuple[Any, ...]:
    """An index as a tuple of its parts."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and any(
        item is None or item is Ellipsis or isinstance(item, (slice, list, tuple, Tensor, np.ndarray)) for item in index
    ):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated; use x[tuple(seq)] instead of x[seq].",
            UserWarning,
            stacklevel=4,
        )
        return tuple(index)
    return (index,)


def _too_many(shape: tuple[int, ...], items: tuple[Any, ...]) -> str:
    if shape:
        return f"too many indices for tensor of dimension {len(shape)}"
    if isinstance(items[0], slice):
        return "slice() cannot be applied to a 0-dim tensor."
    return (
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim "
        "tensor to a number"
    )


def _is_place(item: Any) -> bool:
    if isinstance(item, (bool, np.bool_)):
        return False
    if isinstance(item, Tensor):
        return item.ndim == 0 and item.dtype.category == 1
    return isinstance(item, (int, np.integer))


def _place(item: Any, dim: int, size: int) -> int:
    place = int(item)
    if not -size <= place < size:
        raise IndexError(f"index {place} is out of bounds for dimension {dim} with size {size}")
    return place + size if place < 0 else place


def _width(item: Any) -> int:
    """How many dimensions an item uses up."""
    if isinstance(item, (Tensor, np.ndarray)) and item.dtype in (_dtype.bool_, _dtype.uint8, np.bool_):
        return len(item.shape)
    return 0 if isinstance(item, (bool, np.bool_)) else 1


def _slice(item: slice, size: int) -> tuple[int, int, int]:
    """(start, count, step) of a slice of a dimension."""
    if item.step is not None and int(item.step) <= 0:
        raise ValueError("step must be greater than zero")
    start, stop, step = item.indices(size)
    return start, max(0, -(-(stop - start) // step)), step


def _advanced(item: Any) -> Any:
    """An advanced part of an index as an array of integers or booleans."""
    if isinstance(item, Tensor):
        if item.dtype is _dtype.uint8:
            warnings.warn(
                "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                UserWarning,
                stacklevel=5,
            )
            return item._array().astype(np.bool_)
        if item.dtype not in (_dtype.int64, _dtype.int32, _dtype.bool_):
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        return item._array()
    if isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    part = np.asarray(item)
    if part.size == 0 and not isinstance(item, np.ndarray):
        part = part.astype(np.int64)  # the dtype of [] says nothing
    if part.dtype.kind not in "iub":
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
            f"{type(item).__name__})"
        )
    return part


def _check_mask(part: Any, shape: tuple[int, ...], d: int) -> None:
    if part.dtype == np.bool_ and part.shape != shape[d : d + part.ndim]:
        bad = next(k for k in range(part.ndim) if part.shape[k] != shape[d + k])
        raise IndexError(
            f"The shape of the mask {list(part.shape)} at index {bad} does not match the shape of the indexed tensor "
            f"{list(shape)} at index {d + bad}"
        )


def places_of(shape: tuple[int, ...], advanced: list[tuple[int, Any]]) -> tuple[Any, ...]:
    """NumPy's form of an index whose advanced parts stand at given dimensions; IndexError where one is out of range."""
    items: list[Any] = []
    used = 0  # dimensions that the items so far stand for
    for at, part in advanced:
        items += [_ALL] * (at - used) + [part.copy()]  # a copy: the user's tensor may change before the backward
        if part.dtype == np.bool_:
            used = at + part.ndim
            continue
        used, size = at + 1, shape[at]
        if part.size:
            low, high = part.min(), part.max()
            if size == 0:
                raise IndexError("index is out of bounds for dimension with size 0")
            if low < -size or high >= size:
                bad = low if low < -size else high
                raise IndexError(f"index {bad} is out of bounds for dimension {at} with size {size}")
    sizes = [part.shape if part.dtype != np.bool_ else (int(part.sum()),) for _, part in advanced]
    try:
        np.broadcast_shapes(*sizes)
    except ValueError:
        shapes = ", ".join(str(list(size)) for size in sizes)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None
    return tuple(items)


# --- reading ----------------------------------------------------------------------------------------------------------


def _window(ctx: Any, x: Tensor, steps: list[Step]) -> Tensor:
    ctx.extra = x.shape, steps
    return launch.view(x, *indexed(x.shape, x._strides, x._offset, steps))


@op(name="Slice", view=True)
def _sliced(ctx: Any, x: Tensor, *, steps: list[Step]) -> Tensor:
    return _window(ctx, x, steps)


@op(name="Select", view=True)
def _selected(ctx: Any, x: Tensor, *, steps: list[Step]) -> Tensor:
    return _window(ctx, x, steps)


@op(name="Unsqueeze", view=True)
def _unsqueezed(ctx: Any, x: Tensor, *, steps: list[Step]) -> Tensor:
    return _window(ctx, x, steps)


@op(name="Alias", view=True)
def _aliased(ctx: Any, x: Tensor, *, steps: list[Step]) -> Tensor:
    return _window(ctx, x, steps)


@_sliced.derivative
@_selected.derivative
@_unsqueezed.derivative
@_aliased.derivative
def window_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, steps = ctx.extra
    _, strides, offset = indexed(shape, contiguous_strides(shape), 0, steps)
    return add_window(gy, shape=shape, strides=strides, offset=offset)


WINDOWS = {"Slice": _sliced, "Select": _selected, "Unsqueeze": _unsqueezed, "Alias": _aliased}


@op(name="Index")
def _gather(ctx: Any, x: Tensor, *, places: Any) -> Tensor:
    ctx.extra = x.shape, places
    ctx.save()  # PyTorch saves the index: a second backward fails
    return arrays.apply(lambda a: a[places], x)


@_gather.derivative
def gather_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, places = ctx.extra
    return scatter(gy, shape=shape, places=places)


@op(name="IndexPut")
def scatter(ctx: Any, gy: Tensor, *, shape: Size, places: Any) -> Tensor:
    """Zeros with `gy` added at places; equal places add up."""
    ctx.extra = places
    out = launch.fill(launch.empty(shape, gy.dtype), 0)
    np.add.at(out._array(), places, gy._array())
    return out


@scatter.derivative
def scatter_derivative(ctx: Any, ggx: Tensor) -> Tensor:
    return _gather(ggx, places=ctx.extra)


def getitem(x: Tensor, index: Any) -> Tensor:
    """`x[index]`: a view for integers, slices, None and ...; a copy for tensors, arrays, lists and masks.

    Raises IndexError where an index is out of range or a mask does not fit, ValueError for a negative step.

    >>> import fastgrad as torch
    >>> torch.arange(6).view(2, 3)[:, 1]
    tensor([1, 4])
    """
    steps, advanced, last = _parse(x.shape, index)
    if not advanced:
        made: Tensor = WINDOWS[last](x, steps=steps)
        return made
    if last != "Alias":
        x = WINDOWS[last](x, steps=steps)
    return _gather(x, places=places_of(x.shape, advanced))


# --- writing ----------------------------------------------------------------------------------------------------------


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`, recorded when gradients are wanted; a number or a tensor, which is broadcast and converted.

    Raises RuntimeError where the value does not fit, TypeError for anything but tensors and numbers.

    >>> import fastgrad as torch
    >>> x = torch.zeros(2, 2)
    >>> x[:, 0] = 1
    >>> x
    tensor([[1., 0.],
            [1., 0.]])
    """
    steps, advanced, last = _parse(x.shape, index)
    value = _as_value(value, x)
    while value.ndim and value.shape[0] == 1:  # sizes of 1 in front say nothing
        value = reshape(value, *value.shape[1:])
    recorded = inplace.recorded(x, value)
    target = x
    if last != "Alias":
        target = WINDOWS[last](x, steps=steps)
        if target._meta is x._meta and target._address == x._address:
            target = x  # all of it
    inplace.check(target)
    if not advanced:
        value = expand(value, *target.shape)
        if recorded:
            inplace.replace(target, lambda old: _overwrite(old, to_dtype(value, x.dtype)))
        else:
            launch.copy_into(target, value)
            x._bump()
        return
    if value.dtype is not x.dtype and not (value.ndim == 0 and all(part.dtype == np.bool_ for _, part in advanced)):
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {x.dtype.scalar_name} for the destination "
            f"and {value.dtype.scalar_name} for the source."
        )
    places = places_of(target.shape, advanced)
    _check_fits(value, target, places)
    if recorded:
        inplace.replace(target, lambda old: _put(old, to_dtype(value, x.dtype), places=places))
    else:
        target._array()[places] = value._array()
        x._bump()


def _as_value(value: Any, x: Tensor) -> Tensor:
    """What is assigned to a part of `x`, as a tensor."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (int, float, np.number, np.bool_)):
        return scalar(_dtype.checked(value, x.dtype), x.dtype)
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    raise TypeError(f"can't assign a {name} to a torch.{x.dtype.scalar_name}Tensor")


def _check_fits(value: Tensor, target: Tensor, places: Any) -> None:
    shape = target._array()[places].shape if value.ndim else ()  # a number fits anywhere
    if value.ndim > len(shape) or not launch.fits(value.shape, shape):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result of shape "
            f"{list(shape)}"
        )


@op(name="Copy")
def _overwrite(ctx: Any, old: Tensor, value: Tensor) -> Tensor:
    """`value` in the shape of `old`, of which nothing is left."""
    ctx.extra = old.shape, value.shape
    return launch.copy(launch.expand(value, old.shape))


_overwrite.node.__name__ = "CopyBackwards"
_overwrite.node.name = lambda node: "torch::autograd::CopyBackwards"


@_overwrite.derivative
def overwrite_derivative(ctx: Any, gy: Tensor) -> Any:
    return zeros(gy) if ctx.needs[0] else None, sum_to(gy, ctx.extra[1]) if ctx.needs[1] else None


@op(name="IndexPut")
def _put(ctx: Any, old: Tensor, value: Tensor, *, places: Any) -> Tensor:
    """`old` with `value` at places; which of several values for one place stays is not said."""
    out = launch.copy(old)
    out._array()[places] = value._array()
    ctx.extra = value.shape, places
    return out


@_put.derivative
def put_derivative(ctx: Any, gy: Tensor) -> Any:
    shape, places = ctx.extra
    kept = _put(gy, scalar(0.0, gy.dtype), places=places) if ctx.needs[0] else None
    return kept, sum_to(_gather(gy, places=places), shape) if ctx.needs[1] else None


__all__ = ["getitem", "setitem"]
