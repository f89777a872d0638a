"""Gradients that a loss makes in the same pass as its value, and keeps in `ctx.scratch` for backward."""

from __future__ import annotations

from .. import _launch as launch
from .. import _recording
from .._dtype import float32, float64
from .._tensor import Tensor
from ..autograd.modes import state
from .elementwise import _mul

# What the memory of a tensor without dimensions holds when its value is 1.
_ONE = {float32: bytes.fromhex("0000803f").ljust(16, b"\0"), float64: bytes.fromhex("000000000000f03f").ljust(16, b"\0")}


def times(slope: Tensor, gy: Tensor) -> Tensor:
    """slope * gy; the slope itself where gy is 1, as it is when backward starts at a loss: no pass over the gradient. A
    node that is kept for another pass keeps its slope: whoever gets the gradient may write into it."""
    is_one = gy._storage == _ONE[gy._meta.dtype] and gy._base is None
    if is_one and not state.enabled and not state.retains and _is_always_one(gy):
        return slope
    return _mul(slope, gy) if state.enabled else launch.mul(slope, gy)


def _is_always_one(gy: Tensor) -> bool:
    """Whether a compiled step, if one is being recorded, will find this 1 at every replay too."""
    return _recording.active is None or bool(_recording.active.is_always_one(gy))
