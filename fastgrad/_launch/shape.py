"""Views, and the few copies that shapes need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import _dtype, _meta
from .._geometry import Size, Step, contiguous_strides, indexed, overlaps_itself
from .._recording import host
from .._tensor import Tensor, empty, view
from .._tensor import window as window_on
from . import core


def expand(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A view with dimensions of size 1 (or missing in front) stretched, without copying. Sizes must fit."""
    return x if x.shape == shape else window_on(x, _meta.expanded(x._meta, Size(shape)))


def reshape(x: Tensor, shape: Size) -> Tensor:
    """A contiguous tensor's memory under another shape."""
    return view(x, shape, contiguous_strides(shape))


def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """A view with a new dimension of size 1."""
    return view(x, *indexed(x.shape, x._strides, x._offset, _with_none(x.shape, dim)))


def _with_none(shape: tuple[int, ...], dim: int) -> list[Step]:
    steps: list[Step] = [(0, size, 1) for size in shape]
    steps.insert(dim, None)
    return steps


def as_strided(x: Tensor, shape: Size, strides: tuple[int, ...], offset: int) -> Tensor:
    """A view with any sizes, strides and absolute offset."""
    return view(x, shape, strides, offset)


@host
def add_window(shape: Size, gy: Tensor, strides: tuple[int, ...], offset: int) -> Tensor:
    """Zeros of `shape`, with `gy` added at a window (in the strides of a contiguous tensor of that shape). Elements of the
    window that share memory add up."""
    out = core.fill(empty(shape, gy.dtype), 0)
    if not overlaps_itself(gy.shape, strides):
        core.copy_into(view(out, gy.shape, strides, offset), gy)
        return out
    places = np.zeros(gy.shape, np.int64) + offset
    for d, step in enumerate(strides):
        places += (np.arange(gy.shape[d]) * step).reshape((-1,) + (1,) * (gy.ndim - d - 1))
    np.add.at(out._array().reshape(-1), places.reshape(-1), gy._array().reshape(-1))
    return out


@host
def cat(tensors: Sequence[Tensor], dim: int, dtype: _dtype.dtype) -> Tensor:
    """Tensors of equal shape but for `dim`, one behind the other along it."""
    shape = list(tensors[0].shape)
    shape[dim] = sum(t.shape[dim] for t in tensors)
    made = Size(shape)
    out = empty(made, dtype, made.numel())
    np.concatenate([t._array() for t in tensors], axis=dim, out=out._array())
    return out
