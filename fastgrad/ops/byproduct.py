"""Gradients that a loss makes in the same pass as its value, and keeps in `ctx.scratch` for backward."""

from __future__ import annotations

from .. import _launch as launch
from .. import _recording
from .._dtype import float32, float64
from .._tensor import Tensor
from ..autograd.modes import state
from .elementwise import _mul

_ONE = {float32: bytes.fromhex("0000803f"), float64: bytes.fromhex("000000000000f03f")}


def times(slope: Tensor, gy: Tensor) -> Tensor:
    """slope * gy; the slope itself where gy is 1, as it is when backward starts at a loss: no pass over the gradient. A
    node that is kept for another pass keeps its slope: whoever gets the gradient may write into it."""
    if state.enabled:
        return _mul(slope, gy)
    if not state.retains and _is_one(gy) and _is_always_one(gy):
        return slope
    return launch.mul(slope, gy)


def _is_one(gy: Tensor) -> bool:
    memory, one = gy._storage, _ONE[gy._meta.dtype]
    return memory.__class__ is bytes and gy._meta.numel == 1 and gy._base is None and memory[: len(one)] == one


def _is_always_one(gy: Tensor) -> bool:
    """Whether a compiled step, if one is being recorded, will find this 1 at every replay too."""
    return _recording.active is None or bool(_recording.active.is_always_one(gy))
