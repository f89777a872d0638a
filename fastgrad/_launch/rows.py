"""Rows of a tensor by number."""

from __future__ import annotations

from .. import _dtype, _meta
from .._tensor import Tensor, new
from . import core

# Bytes handed to a thread at a time. Scattered rows come at the speed of memory, which one core nearly uses up: two
# threads were no faster at 200 KB.
GRAIN_BYTES = 1 << 18

_take_rows = core.Rows("rows.take_rows")


def take_rows(x: Tensor, places: int, count: int) -> Tensor:
    """The rows of a contiguous `x` that `count` int64 numbers at address `places` name, all in range."""
    return _taken(x, (count, *x._meta.shape[1:]), places, count)


def take(x: Tensor, index: Tensor) -> Tensor:
    """(*index, ...) from a contiguous `x` (n, ...): what a contiguous int64 tensor names, all in [-n, n)."""
    return _taken(x, (*index._meta.shape, *x._meta.shape[1:]), index._address, index._meta.numel)


def _taken(x: Tensor, shape: tuple[int, ...], places: int, count: int) -> Tensor:
    meta = x._meta
    made = _meta.contiguous(shape, meta.dtype)
    out = new(made)
    size = made.numel // (count or 1) * meta.dtype.itemsize
    grain = GRAIN_BYTES // (size or 1) or 1
    core.run(_take_rows[_dtype.float32], count, grain, out._address, x._address, places, size, meta.shape[0])
    return out
