"""Losses over classes, x (rows, n): value and gradient in one pass; the kernels stand in `kernels/cpu/class_loss.py`."""

from __future__ import annotations

from .. import _recording
from .._geometry import SCALAR
from .._storage import address_of
from .._tensor import Tensor, empty, new
from . import core
from .core import Rows, contiguous
from .native import has_native
from .reduce import sum_all

GRAIN = 16384  # numbers in the rows that are summed together, which is what a thread takes at a time
MEAN, EACH, WEIGHTED, GRADIENT = 2, 4, 1, 8  # the kernels' flags
FLAGS = {"sum": 0, "mean": MEAN, "none": EACH}

_target_weight = Rows("class_loss.target_weight")
_cross_entropy = Rows("class_loss.cross_entropy")
_soft_cross_entropy = Rows("class_loss.soft_cross_entropy")
_smooth_cross_entropy = Rows("class_loss.smooth_cross_entropy")
_nll_loss = Rows("class_loss.nll_loss")


def _blocks(rows: int, n: int) -> tuple[int, int]:
    """How many rows are summed together, and how many such blocks there are (at least one)."""
    block = GRAIN // n or 1 if n else 1
    return block, 1 if rows <= block else -(-rows // block)


def _of_indices(
    kernel: Rows, x: Tensor, target: Tensor, weight: Tensor | None, ignored: int, reduction: str, wanted: bool,
    spread: Tensor | None = None, *numbers: float,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    meta = x._meta
    if not (meta.contiguous and target._meta.contiguous):
        x, target = contiguous(x), contiguous(target)
        meta = x._meta
    rows, n = meta.shape
    kind = meta.dtype
    flags, weights = FLAGS[reduction], 0
    if wanted:
        flags |= GRADIENT
    if weight is not None:
        weight = contiguous(weight)
        flags |= WEIGHTED
        weights = weight._address
    notes = bytes(16)  # the sum of the rows' weights, float64, and behind it a byte: some target is no class
    total, targets = address_of(notes), target._address
    if _recording.active is not None:
        _recording.active.memory_of(notes)
    block, blocks = _blocks(rows, n)
    if blocks > 1:
        core.run(_target_weight[kind], 1, 1, total, total + 8, targets, weights, rows, n, flags, ignored)
    gradient = new(meta)  # also the kernel's working memory
    out = empty((rows,) if reduction == "none" else SCALAR if blocks == 1 else (blocks,), kind)
    core.run(
        kernel[kind], blocks, 1, out._address, gradient._address, x._address, targets, weights,
        *(() if spread is None else (spread._address,)), total, total + 8, rows, n, block, flags, ignored, *numbers,
    )  # fmt: skip
    if _recording.active is not None:
        _recording.active.check(total + 8, _raise_outside, (target, n, ignored))
    if notes[8]:
        _raise_outside(target, n, ignored)
    return sum_all(out) if blocks > 1 and reduction != "none" else out, gradient if wanted else None


def _raise_outside(target: Tensor, n: int, ignored: int) -> None:
    """The error for targets of which some is no class."""
    array = target._array()
    wrong = array[(array != ignored) & ((array < 0) | (array >= n))]
    raise IndexError(f"Target {wrong[0]} is out of bounds.")


@has_native("CROSS", SCALAR, _cross_entropy)
def cross_entropy(
    x: Tensor, target: Tensor, weight: Tensor | None, ignored: int, reduction: str, wanted: bool
) -> tuple[Tensor, Tensor | None]:
    """The loss of scores x (rows, n) for class indices target (rows,), int64, and its gradient where wanted.

    With reduction "none" the gradient is that of each row's own loss. IndexError for a target that is no class.
    """
    return _of_indices(_cross_entropy, x, target, weight, ignored, reduction, wanted)


@has_native("CROSS", SCALAR, _nll_loss)
def nll_loss(
    x: Tensor, target: Tensor, weight: Tensor | None, ignored: int, reduction: str, wanted: bool
) -> tuple[Tensor, Tensor | None]:
    """As `cross_entropy`, for log-probabilities x; the gradient does not depend on x."""
    return _of_indices(_nll_loss, x, target, weight, ignored, reduction, wanted)


def smooth_cross_entropy(
    x: Tensor, target: Tensor, weight: Tensor | None, ignored: int, reduction: str, wanted: bool, spread: Tensor, part: float
) -> tuple[Tensor, Tensor | None]:
    """As `cross_entropy`, where a row counts as `part` of its target's weight and, for every class, as its `spread` (n,)."""
    return _of_indices(_smooth_cross_entropy, x, target, weight, ignored, reduction, wanted, spread, part)


def soft_cross_entropy(
    x: Tensor, target: Tensor, total: float, reduction: str, wanted: bool
) -> tuple[Tensor, Tensor | None]:
    """The loss of scores x (rows, n) for weights target (rows, n) of the same dtype; a mean divides by `total`."""
    x, target = contiguous(x), contiguous(target)
    meta = x._meta
    rows, n = meta.shape
    row = _soft_cross_entropy[meta.dtype]
    flags = FLAGS[reduction] | (GRADIENT if wanted else 0)
    gradient = new(meta)  # also the kernel's working memory
    block, blocks = _blocks(rows, n)
    out = empty(SCALAR if blocks == 1 else (blocks,), meta.dtype) if reduction != "none" else empty((rows,), meta.dtype)
    core.run(row, blocks, 1, out._address, gradient._address, x._address, target._address, rows, n, block, flags, total)
    return sum_all(out) if blocks > 1 and reduction != "none" else out, gradient if wanted else None
