"""View arithmetic: pure functions on shapes, strides and offsets, all in elements.

Nothing here touches memory. A *layout* is what an elementwise kernel walks: the sizes and the strides of every operand,
with dimensions of size 1 dropped and neighbours merged where they lie one behind the other for all operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of ints with `numel()`, printed as PyTorch prints it."""

    __slots__ = ()

    def numel(self) -> int:
        return prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Any:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Any:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __getitem__(self, index: Any) -> Any:
        made = tuple.__getitem__(self, index)
        return Size(made) if isinstance(index, slice) else made


SCALAR = Size(())
_strides_of: dict[tuple[int, ...], tuple[int, ...]] = {SCALAR: ()}


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of a row-major array of this shape."""
    found = _strides_of.get(shape)
    if found is None:
        step, strides = 1, []
        for size in reversed(shape):
            strides.append(step)
            step *= max(size, 1)
        if len(_strides_of) > 10_000:
            _strides_of.clear()
        found = _strides_of[shape] = tuple(reversed(strides))
    return found


def is_contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether the elements lie in row-major order without gaps; strides of sizes 0 and 1 do not count."""
    if strides == contiguous_strides(shape):
        return True
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size == 0:
            return True
        if size != 1:
            if stride != step:
                return 0 in shape
            step *= size
    return True


def broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> Size:
    """The shape two operands are stretched to; RuntimeError with PyTorch's text where sizes do not fit."""
    if a == b:
        return a if a.__class__ is Size else Size(a)
    n = max(len(a), len(b))
    left, right = (1,) * (n - len(a)) + tuple(a), (1,) * (n - len(b)) + tuple(b)
    made = []
    for d, (x, y) in enumerate(zip(left, right, strict=True)):
        if x != y and x != 1 and y != 1:
            raise RuntimeError(
                f"The size of tensor a ({x}) must match the size of tensor b ({y}) at non-singleton dimension {d}"
            )
        made.append(y if x == 1 else x)
    return Size(made)


def expand_strides(shape: tuple[int, ...], strides: tuple[int, ...], to: tuple[int, ...]) -> tuple[int, ...]:
    """Strides that read an operand as if it had the shape `to`: 0 along stretched dimensions."""
    lead = len(to) - len(shape)
    kept = [0 if size == 1 and wanted != 1 else step for size, step, wanted in zip(shape, strides, to[lead:], strict=True)]
    return (0,) * lead + tuple(kept)


class Layout(NamedTuple):
    """How one elementwise kernel walks its operands."""

    shape: Size  # of the output
    numel: int
    address: int  # of the int64 block the kernel reads; 0 when everything is contiguous
    block: Any  # the NumPy array behind the address


_layouts: dict[Any, Layout] = {}


def layout(out_strides: tuple[int, ...] | None, *operands: tuple[tuple[int, ...], tuple[int, ...]]) -> Layout:
    """The layout for inputs given as (shape, strides), and an output of the broadcast shape: contiguous, or with the
    given strides."""
    key = (out_strides, operands)
    found = _layouts.get(key)
    if found is None:
        if len(_layouts) > 10_000:
            _layouts.clear()
        found = _layouts[key] = _make_layout(out_strides, operands)
    return found


def _make_layout(out_strides: Any, operands: Any) -> Layout:
    shape: Size = Size(operands[0][0])
    for other, _ in operands[1:]:
        shape = broadcast(shape, other)
    columns = [contiguous_strides(shape) if out_strides is None else out_strides]
    columns += [expand_strides(size, strides, shape) for size, strides in operands]
    sizes, merged = collapse(shape, columns)
    numel = prod(shape)
    if numel == 0 or all(strides == (1,) for strides in merged):
        return Layout(shape, numel, 0, None)
    block = np.array([len(sizes), *sizes, *[step for strides in merged for step in strides]], np.int64)
    return Layout(shape, numel, block.__array_interface__["data"][0], block)


def collapse(shape: Sequence[int], columns: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """Drop dimensions of size 1, and merge neighbours that every operand walks in one stride. At least one is left."""
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in columns]
    for d, size in enumerate(shape):
        if size == 1:
            continue
        if sizes and all(kept[-1] == strides[d] * size for kept, strides in zip(steps, columns, strict=True)):
            sizes[-1] *= size
            for kept, strides in zip(steps, columns, strict=True):
                kept[-1] = strides[d]
        else:
            sizes.append(size)
            for kept, strides in zip(steps, columns, strict=True):
                kept.append(strides[d])
    if not sizes:
        return (1,), [(1,) for _ in columns]
    return tuple(sizes), [tuple(kept) for kept in steps]


def view_strides(shape: tuple[int, ...], strides: tuple[int, ...], to: tuple[int, ...]) -> tuple[int, ...] | None:
    """Strides that show the same elements in the same order under the shape `to`; None where a copy would be needed."""
    if is_contiguous(shape, strides):
        return contiguous_strides(to)
    if prod(shape) == 0:
        return contiguous_strides(to)
    sizes, (steps,) = collapse(shape, [strides])
    made: list[int] = []
    group = len(sizes) - 1
    left, step = sizes[group], steps[group]
    for size in reversed(to):
        if size == 1:
            made.append(step)
            continue
        if left == 1:
            group -= 1
            left, step = sizes[group], steps[group]
        if left % size:
            return None
        made.append(step)
        step *= size
        left //= size
    return tuple(reversed(made))


def infer_shape(shape: Sequence[int], numel: int) -> Size:
    """A requested shape with its one -1 replaced; RuntimeError with PyTorch's texts where it cannot hold `numel`."""
    if -1 in shape:
        known = prod([size for size in shape if size != -1])
        if list(shape).count(-1) > 1:
            raise RuntimeError("only one dimension can be inferred")
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {numel} elements into shape {list(shape)} because the unspecified dimension "
                "size -1 can be any value and is ambiguous"
            )
        if numel % known:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
        return Size([numel // known if size == -1 else size for size in shape])
    if any(size < 0 for size in shape):
        bad = next(d for d, size in enumerate(shape) if size < 0)
        raise RuntimeError(f"invalid shape dimension {shape[bad]} at index {bad} of shape {list(shape)}")
    if prod(shape) != numel:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    return Size(shape)


def wrap_dim(dim: int, ndim: int) -> int:
    """A dimension counted from the front; IndexError with PyTorch's text where it is out of range."""
    most = max(ndim, 1)
    if not -most <= dim < most:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-most}, {most - 1}], but got {dim})"
        )
    return dim + most if dim < 0 else dim


Step = int | tuple[int, int, int] | None


def indexed(
    shape: tuple[int, ...], strides: tuple[int, ...], offset: int, steps: Sequence[Step]
) -> tuple[Size, tuple[int, ...], int]:
    """The view that basic indexes make. A step for each dimension: an integer picks one place, `(start, count, step)` keeps
    every step-th from start on; None between them adds a dimension of size 1."""
    sizes: list[int] = []
    kept: list[int] = []
    d = 0
    for step in steps:
        if step is None:
            sizes.append(1)
            kept.append(strides[d] * shape[d] if d < len(shape) else 1)
            continue
        if step.__class__ is int:
            offset += step * strides[d]
        else:
            start, count, every = step  # type: ignore[misc]
            offset += start * strides[d]
            sizes.append(count)
            kept.append(strides[d] * every)
        d += 1
    return Size(sizes), tuple(kept), offset


def overlaps_itself(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether two elements may share memory, as in an expanded tensor."""
    reach = 0
    for stride, size in sorted((abs(step), size) for size, step in zip(shape, strides, strict=True) if size != 1):
        if stride <= reach:
            return True
        reach += stride * (size - 1)
    return False
