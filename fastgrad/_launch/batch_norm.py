"""Batch norm of (rows, channels, inner): the kernels stand in `kernels/cpu/batch_norm.py`."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor, empty, new
from . import core
from .core import Rows, contiguous, copy_into
from .norm import GRAIN, _block
from .reduce import sum_dims

SCALED, SHIFTED, TRAINING, TRACKED, COUNTED, SLOPE, SCALE_SLOPE = 1, 2, 4, 8, 16, 32, 64

_forward = Rows("batch_norm.forward")
_moments = Rows("batch_norm.moments")
_statistics = Rows("batch_norm.statistics")
_apply = Rows("batch_norm.apply")
_backward = Rows("batch_norm.backward")
_slopes = Rows("batch_norm.slopes")
_apply_backward = Rows("batch_norm.apply_backward")


def _given(tensor: Tensor | None, flag: int) -> tuple[int, int, Any]:
    """Its address and flag, and the tensor that must live until the call is over."""
    if tensor is None:
        return 0, 0, None
    tensor = contiguous(tensor)
    return tensor._address, flag, tensor


def _write_back(running: tuple[Tensor, Tensor] | None, held: tuple[Tensor, ...]) -> None:
    """Statistics that were not contiguous were updated in copies."""
    for own, changed in zip(running or (), held, strict=True):
        if own is not changed:
            copy_into(own, changed)


def batch_norm(
    x: Tensor, w: Tensor | None, b: Tensor | None, running: tuple[Tensor, Tensor] | None, batches: Tensor | None,
    training: bool, momentum: float, eps: float, shape: tuple[int, int, int],
) -> tuple[Tensor, tuple[Tensor, Tensor]]:  # fmt: skip
    """x normalised by channels, and the channels' mean and 1 / deviation; `running` (mean, variance) and `batches` (int64,
    no dimensions) are updated in place while training. A momentum below 0 averages over all batches."""
    rows, channels, inner = shape
    x = contiguous(x)
    kind = x._meta.dtype
    out, mean, rstd = new(x._meta), empty((channels,), kind), empty((channels,), kind)
    scale, scaled, w = _given(w, SCALED)
    shift, shifted, b = _given(b, SHIFTED)
    flags = scaled | shifted | (TRAINING if training else 0)
    place = spread = count = 0
    held: tuple[Tensor, ...] = ()
    if running is not None:
        held = contiguous(running[0]), contiguous(running[1])
        place, spread = held[0]._address, held[1]._address
        flags |= TRACKED if training else 0
    if batches is not None:
        count = batches._address
        flags |= COUNTED
    block = _block(rows, channels * inner)
    blocks = -(-rows // block) if training else 1
    means, spreads = empty((blocks, channels), kind), empty((blocks, channels), kind)
    sizes = (rows, channels, inner)
    if blocks == 1 and rows * channels * inner <= 2 * GRAIN:
        core.run(
            _forward[kind], 1, 1, out._address, x._address, scale, shift, mean._address, rstd._address, means._address,
            spreads._address, place, spread, count, *sizes, block, flags, eps, momentum,
        )  # fmt: skip
        _write_back(running, held)
        return out, (mean, rstd)
    if training:
        grain = GRAIN // (block * channels * inner) or 1
        core.run(_moments[kind], blocks, grain, means._address, spreads._address, x._address, *sizes, block)
    core.run(
        _statistics[kind], 1, 1, mean._address, rstd._address, means._address, spreads._address, place, spread, count,
        *sizes, block, flags, eps, momentum,
    )  # fmt: skip
    core.run(
        _apply[kind], rows, GRAIN // (channels * inner) or 1, out._address, x._address, mean._address, rstd._address, scale,
        shift, channels, inner, flags,
    )  # fmt: skip
    _write_back(running, held)
    return out, (mean, rstd)


def batch_norm_backward(
    x: Tensor, gy: Tensor, w: Tensor | None, moments: tuple[Tensor, Tensor], training: bool, shape: tuple[int, int, int],
    need_x: bool, need_w: bool,
) -> tuple[Tensor | None, Tensor, Tensor]:  # fmt: skip
    """The gradients along x, the scale and the shift."""
    rows, channels, inner = shape
    x, gy = contiguous(x), contiguous(gy)
    kind = x._meta.dtype
    mean, rstd = moments
    scale, flags, w = _given(w, SCALED)
    flags |= (TRAINING if training else 0) | (SCALE_SLOPE if need_w else 0)
    gw, gb = empty((channels,), kind), empty((channels,), kind)
    made, gx = 0, None
    if need_x:
        gx = new(x._meta)
        flags, made = flags | SLOPE, gx._address
    block = _block(rows, channels * inner)
    blocks = -(-rows // block)
    sizes = (rows, channels, inner)
    if blocks == 1 and rows * channels * inner <= 2 * GRAIN:
        core.run(
            _backward[kind], 1, 1, made, gw._address, gb._address, x._address, gy._address, mean._address, rstd._address,
            scale, *sizes, flags,
        )  # fmt: skip
        return gx, gw, gb
    if flags & (TRAINING | SCALE_SLOPE):
        steep, flat = empty((blocks, channels), kind), empty((blocks, channels), kind)
        grain = GRAIN // (block * channels * inner) or 1
        core.run(
            _slopes[kind], blocks, grain, steep._address, flat._address, x._address, gy._address, mean._address,
            rstd._address, *sizes, block,
        )  # fmt: skip
        gw, gb = sum_dims(steep, (0,), False), sum_dims(flat, (0,), False)
    if gx is not None:
        core.run(
            _apply_backward[kind], rows, GRAIN // (channels * inner) or 1, made, x._address, gy._address, mean._address,
            rstd._address, scale, gw._address, gb._address, *sizes, flags,
        )  # fmt: skip
    return gx, gw, gb
