"""Normalisation: the kernels stand in `kernels/cpu/norm.py` (rows) and `kernels/cpu/batch_norm.py` (channels of a batch)."""

from __future__ import annotations

from .._tensor import Tensor, empty, new
from . import core
from .core import Rows, contiguous
from .reduce import sum_dims

PLAIN, SCALED, SHIFTED, SLOPE, SCALE_SLOPE = 1, 2, 4, 8, 16  # flags of norm.py
GRAIN = 16384  # numbers handed to a thread at a time
MOST_ROWS, LEAST_ROWS = 256, 32  # in one partial sum over the batch: sums stay exact, and partial sums few

_forward = Rows("norm.forward")
_backward = Rows("norm.backward")


def _block(rows: int, size: int) -> int:
    """How many rows of `size` numbers are summed together."""
    return min(rows, max(LEAST_ROWS, min(MOST_ROWS, GRAIN // (size or 1)))) or 1


def row_norm(
    x: Tensor, w: Tensor | None, b: Tensor | None, shape: tuple[int, int, int, int], plain: bool, eps: float
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """x normalised by rows, and the rows' mean and 1 / deviation. `shape` is (rows, numbers of a row, numbers of a channel,
    groups); `plain` leaves the mean out."""
    rows, n, inner, groups = shape
    x = contiguous(x)
    kind = x._meta.dtype
    out, mean, rstd = new(x._meta), empty((rows,), kind), empty((rows,), kind)
    flags, scale, shift = PLAIN if plain else 0, 0, 0
    if w is not None:
        w = contiguous(w)
        flags, scale = flags | SCALED, w._address
    if b is not None:
        b = contiguous(b)
        flags, shift = flags | SHIFTED, b._address
    if x._meta.numel:
        core.run(
            _forward[kind], rows, GRAIN // n or 1, out._address, mean._address, rstd._address, x._address, scale, shift, n,
            inner, groups, flags, eps,
        )  # fmt: skip
    return out, (mean, rstd)


def row_norm_backward(
    x: Tensor, gy: Tensor, w: Tensor | None, moments: tuple[Tensor, Tensor], shape: tuple[int, int, int, int], plain: bool,
    need_x: bool, need_w: bool,
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:  # fmt: skip
    """The gradients along x, the scale and the shift; the latter two as vectors of groups * channels."""
    rows, n, inner, groups = shape
    x, gy = contiguous(x), contiguous(gy)
    kind, channels = x._meta.dtype, groups * (n // (inner or 1))
    mean, rstd = moments
    flags, made, scale = PLAIN if plain else 0, 0, 0
    gx = gw = gb = None
    if w is not None:
        w = contiguous(w)
        flags, scale = flags | SCALED, w._address
    if need_x:
        gx = new(x._meta)
        flags, made = flags | SLOPE, gx._address
    block = _block(rows, n)
    blocks = -(-rows // block)
    steep = flat = 0
    if need_w:
        parts = (channels,) if blocks == 1 else (blocks, channels)
        gw, gb = empty(parts, kind), empty(parts, kind)
        flags, steep, flat = flags | SCALE_SLOPE, gw._address, gb._address
    if x._meta.numel:
        core.run(
            _backward[kind], blocks, GRAIN // (block * n) or 1, made, steep, flat, x._address, gy._address, mean._address,
            rstd._address, scale, rows, n, inner, groups, block, flags,
        )  # fmt: skip
    if gw is None or gb is None or blocks == 1:
        return gx, gw, gb
    return gx, sum_dims(gw, (0,), False), sum_dims(gb, (0,), False)
