"""Views, and the few copies that shapes need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import _dtype
from .._geometry import Size, contiguous_strides, expand_strides
from .._tensor import Tensor, empty, view
from . import core


def expand(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A view with dimensions of size 1 (or missing in front) stretched, without copying. Sizes must fit."""
    if x.shape == shape:
        return x
    made = Size(shape)
    return view(x, made, expand_strides(x.shape, x._strides, made), x._offset, made.numel())


def reshape(x: Tensor, shape: Size) -> Tensor:
    """A contiguous tensor's memory under another shape."""
    return view(x, shape, contiguous_strides(shape), x._offset, x._numel)


def as_strided(x: Tensor, shape: Size, strides: tuple[int, ...], offset: int) -> Tensor:
    return view(x, shape, strides, offset, shape.numel())


def add_window(shape: Size, gy: Tensor, strides: tuple[int, ...], offset: int) -> Tensor:
    """Zeros of `shape`, with `gy` added at a window (in the strides of a contiguous tensor of that shape). Elements of the
    window that share memory add up."""
    out = empty(shape, gy.dtype, shape.numel())
    flat = out._array().reshape(-1)
    flat.fill(0)
    places = np.zeros(gy.shape, np.int64) + offset
    for d, step in enumerate(strides):
        places += (np.arange(gy.shape[d]) * step).reshape((-1,) + (1,) * (gy.ndim - d - 1))
    np.add.at(flat, places.reshape(-1), gy._array().reshape(-1))
    return out


def cat(tensors: Sequence[Tensor], dim: int, dtype: _dtype.dtype) -> Tensor:
    """Tensors of equal shape but for `dim`, one behind the other along it."""
    shape = list(tensors[0].shape)
    shape[dim] = sum(t.shape[dim] for t in tensors)
    made = Size(shape)
    out = empty(made, dtype, made.numel())
    np.concatenate([t._array() for t in tensors], axis=dim, out=out._array())
    return out


def contiguous(x: Tensor) -> Tensor:
    return core.contiguous(x)
