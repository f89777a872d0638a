"""What stands between the brackets of `x[...]`: its basic parts as steps along dimensions, its advanced parts as tensors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import Step
from .._launch import arrays
from .._launch.places import within
from .._tensor import Tensor

_ALL = slice(None)


def parse(shape: tuple[int, ...], index: Any) -> tuple[list[Step], list[tuple[int, Any]], str]:
    """The basic parts of an index as steps (see `indexed`), its advanced parts as (dimension of the view, tensor), and what
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
            width = part.ndim if part.dtype is _dtype.bool_ else 1
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
    """An advanced part of an index as a tensor of integers or booleans."""
    if isinstance(item, Tensor):
        if item.dtype is _dtype.uint8:
            warnings.warn(
                "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                UserWarning,
                stacklevel=5,
            )
            return launch.cast(item, _dtype.bool_)
        if item.dtype not in (_dtype.int64, _dtype.int32, _dtype.bool_):
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        return item.detach()
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
    return arrays.new(part if part.dtype == np.bool_ else part.astype(np.int64))


def _check_mask(part: Any, shape: tuple[int, ...], d: int) -> None:
    if part.dtype is _dtype.bool_ and part.shape != shape[d : d + part.ndim]:
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
        items += [_ALL] * (at - used) + [launch.copy(part)]  # a copy: the user's tensor may change before the backward
        if part.dtype is _dtype.bool_:
            used = at + part.ndim
            continue
        used, size = at + 1, shape[at]
        if size == 0 and part._numel:
            raise IndexError("index is out of bounds for dimension with size 0")
        within(part, -size, size, IndexError, f"index {{bad}} is out of bounds for dimension {at} with size {size}")
    if len(advanced) == 1:
        return tuple(items)
    sizes = [part.shape if part.dtype is not _dtype.bool_ else (int(part._array().sum()),) for _, part in advanced]
    try:
        np.broadcast_shapes(*sizes)
    except ValueError:
        shapes = ", ".join(str(list(size)) for size in sizes)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None
    return tuple(items)


def shape_of(shape: tuple[int, ...], places: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of what places name in a tensor of a shape; of index tensors only the shapes matter, not of masks."""
    stand_in = [
        part if not isinstance(part, Tensor) else part._array() if part.dtype is _dtype.bool_ else np.zeros(part.shape, int)
        for part in places
    ]
    made: tuple[int, ...] = np.broadcast_to(np.False_, shape)[tuple(stand_in)].shape
    return made
