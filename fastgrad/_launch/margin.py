"""Losses with a margin over classes, x (rows, n): value and gradient in one pass; see `kernels/cpu/margin.py`."""

from __future__ import annotations

from .. import _recording
from .._dtype import uint8
from .._geometry import SCALAR
from .._tensor import Tensor, empty, new
from . import core
from .class_loss import FLAGS, GRADIENT, WEIGHTED, _blocks
from .core import Rows, contiguous
from .embedding import look_outside
from .reduce import sum_all

_multi = Rows("margin.multi")
_multilabel = Rows("margin.multilabel")


def _finished(out: Tensor, blocks: int, reduction: str) -> Tensor:
    return sum_all(out) if blocks > 1 and reduction != "none" else out


def _check(notes: bytes, outside: int, text: str) -> None:
    if _recording.active is not None:
        _recording.active.check(outside, _refuse, (text,))
    if notes[0]:
        _refuse(text)


def _refuse(text: str) -> None:
    raise RuntimeError(text)


def multi_margin(
    x: Tensor, target: Tensor, weight: Tensor | None, square: bool, margin: float, reduction: str, wanted: bool
) -> tuple[Tensor, Tensor | None]:
    """The loss for class indices target (rows,), int64, and its gradient. RuntimeError for a target that is no class."""
    x, target = contiguous(x), contiguous(target)
    meta = x._meta
    rows, n = meta.shape
    flags, weights = FLAGS[reduction] | (GRADIENT if wanted else 0), 0
    if weight is not None:
        weight = contiguous(weight)
        flags, weights = flags | WEIGHTED, weight._address
    notes, outside = look_outside(target, 0, n)
    block, blocks = _blocks(rows, n)
    gradient = new(meta)  # also the kernel's working memory
    out = empty((rows,) if reduction == "none" else SCALAR if blocks == 1 else (blocks,), meta.dtype)
    core.run(
        _multi[meta.dtype], blocks, 1, out._address, gradient._address, x._address, target._address, weights,
        outside, rows, n, block, flags, int(square), margin,
    )  # fmt: skip
    _check(notes, outside, "target out of range")
    return _finished(out, blocks, reduction), gradient if wanted else None


def multilabel_margin(x: Tensor, target: Tensor, reduction: str, wanted: bool) -> tuple[Tensor, Tensor | None]:
    """The loss for targets (rows, n), int64: class indices up to the first -1. RuntimeError for one that is no class."""
    x, target = contiguous(x), contiguous(target)
    meta = x._meta
    rows, n = meta.shape
    notes, outside = look_outside(target, -1, n)
    block, blocks = _blocks(rows, n)
    gradient, chosen = new(meta), empty(meta.shape, uint8)
    out = empty((rows,) if reduction == "none" else SCALAR if blocks == 1 else (blocks,), meta.dtype)
    core.run(
        _multilabel[meta.dtype], blocks, 1, out._address, gradient._address, chosen._address, x._address, target._address,
        outside, rows, n, block, FLAGS[reduction] | (GRADIENT if wanted else 0),
    )  # fmt: skip
    _check(notes, outside, "argument #2 'target' is out of range")
    return _finished(out, blocks, reduction), gradient if wanted else None
