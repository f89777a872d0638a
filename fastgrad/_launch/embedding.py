"""Rows of a table by number; the kernels stand in `kernels/cpu/embedding.py`."""

from __future__ import annotations

import numpy as np

from .. import _dtype, _recording
from .._geometry import Size
from .._recording import host
from .._storage import address_of
from .._tensor import Tensor, empty
from . import arrays, core
from .core import Rows, contiguous

GRAIN = 16384  # numbers handed to a thread at a time
STRIP = 64  # columns in a task of the gradient

_outside = Rows("embedding.outside")
_forward = Rows("embedding.forward")
_backward = Rows("embedding.backward")


def look_outside(index: Tensor, least: int, most: int) -> tuple[bytes, int]:
    """A byte that tells whether some number of a contiguous int64 tensor is not in [least, most), and its address."""
    notes = bytes(16)
    address = address_of(notes)
    if _recording.active is not None:
        _recording.active.memory_of(notes)
    core.run(_outside[_dtype.float32], 1, 1, address, index._address, least, most, index._meta.numel)
    return notes, address


def rows(table: Tensor, index: Tensor) -> Tensor:
    """(*index, size): the rows of (n, size) that an int64 tensor names. IndexError for one that is not there."""
    table, index = contiguous(table), contiguous(index)
    count, size = table._meta.shape
    kind, n = table._meta.dtype, index._meta.numel
    out = empty(Size((*index._meta.shape, size)), kind)
    notes, outside = look_outside(index, 0, count)
    core.run(
        _forward[kind], n, GRAIN // (size or 1) or 1, out._address, table._address, index._address, outside, count, size,
    )  # fmt: skip
    if _recording.active is not None:
        _recording.active.check(outside, _refuse, ())
    if notes[0]:
        _refuse()
    return out


def _refuse() -> None:
    raise IndexError("index out of range in self")


def rows_backward(gy: Tensor, index: Tensor, counts: Tensor | None, count: int, ignored: int) -> Tensor:
    """The gradient of a table of `count` rows; row `ignored` has none, `counts` divides each row's."""
    gy, index = contiguous(gy), contiguous(index)
    size, kind, n = gy._meta.shape[-1], gy._meta.dtype, index._meta.numel
    made = empty(Size((count, size)), kind)
    strips = -(-size // STRIP)
    grain = 1 if n * STRIP > GRAIN else strips or 1
    core.run(
        _backward[kind], strips, grain, made._address, gy._address, index._address,
        0 if counts is None else counts._address, count, n, size, ignored, int(counts is not None),
    )  # fmt: skip
    return made


@host
def frequencies(index: Tensor, count: int) -> Tensor:
    """(count,), int64: how often each number from 0 on appears."""
    return arrays.new(np.bincount(index._array().reshape(-1), minlength=count).astype(_dtype.int64.numpy))


@host
def limit_norms(table: Tensor, index: Tensor, most: float, order: float) -> None:
    """Scale the named rows of the table down, in place, to a norm of at most `most`."""
    array = table._array()
    chosen = np.unique(index._array())
    if chosen.size and (chosen[0] < 0 or chosen[-1] >= len(array)):
        _refuse()
    picked = array[chosen]
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(picked, order, axis=1).astype(array.dtype)
        scale = np.where(norms > most, most / (norms + 1e-7), 1).astype(array.dtype)
    array[chosen] = picked * scale[:, None]
