"""Euclidean distance and cosine of the rows of two contiguous tensors of one shape; see `kernels/cpu/distance.py`."""

from __future__ import annotations

from .._geometry import Size
from .._tensor import Tensor, empty, new
from . import core
from .core import Rows, contiguous

GRAIN = 16384  # numbers handed to a thread at a time

_distance = Rows("distance.distance")
_distance_backward = Rows("distance.distance_backward")
_cosine = Rows("distance.cosine")
_cosine_backward = Rows("distance.cosine_backward")


def _rows(x: Tensor) -> tuple[int, int, int]:
    """Rows, their length, and how many a thread takes at a time."""
    n = x._meta.shape[-1]
    return x._meta.numel // n if n else 0, n, GRAIN // (n or 1) or 1


def distance(a: Tensor, b: Tensor, eps: float) -> Tensor:
    """|a - b + eps| along the last dimension, which has numbers."""
    a, b = contiguous(a), contiguous(b)
    rows, n, grain = _rows(a)
    out = empty(Size(a._meta.shape[:-1]), a._meta.dtype)
    core.run(_distance[a._meta.dtype], rows, grain, out._address, a._address, b._address, n, eps)
    return out


def distance_backward(a: Tensor, b: Tensor, y: Tensor, gy: Tensor, eps: float) -> Tensor:
    """The gradient along a; along b it is the negative."""
    a, b, gy = contiguous(a), contiguous(b), contiguous(gy)
    rows, n, grain = _rows(a)
    made, kind = new(a._meta), a._meta.dtype
    core.run(_distance_backward[kind], rows, grain, made._address, a._address, b._address, y._address, gy._address, n, eps)
    return made


def cosine(a: Tensor, b: Tensor, inside: bool, eps: float) -> tuple[Tensor, Tensor]:
    """The cosine along the last dimension, which has numbers, and what backward needs; `inside`: eps under the root."""
    a, b = contiguous(a), contiguous(b)
    rows, n, grain = _rows(a)
    kind = a._meta.dtype
    out, factors = empty(Size(a._meta.shape[:-1]), kind), empty((rows, 3), kind)
    core.run(_cosine[kind], rows, grain, out._address, factors._address, a._address, b._address, n, int(inside), eps)
    return out, factors


def cosine_backward(a: Tensor, b: Tensor, factors: Tensor, gy: Tensor, which: int) -> Tensor:
    """The gradient along a, which was the first (`which` 1) or the second (2) of the two."""
    a, b, gy = contiguous(a), contiguous(b), contiguous(gy)
    rows, n, grain = _rows(a)
    made, kind = new(a._meta), a._meta.dtype
    core.run(
        _cosine_backward[kind], rows, grain, made._address, a._address, b._address, factors._address, gy._address, n, which
    )
    return made
