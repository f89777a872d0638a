"""The gated linear unit: two halves of one tensor, read and written where they stand."""

from __future__ import annotations

from math import prod

from .. import _meta
from .._geometry import Size
from .._tensor import Tensor, new
from . import core
from .core import GRAIN, Rows, contiguous

_glu = Rows("activation.glu")
_glu_backward = Rows("activation.glu_backward")
_halved: dict[tuple[_meta.Meta, int], tuple[_meta.Meta, int, int]] = {}  # the result's meta, outer, inner


def _half(meta: _meta.Meta, dim: int) -> tuple[_meta.Meta, int, int]:
    found = _halved.get((meta, dim))
    if found is None:
        if len(_halved) > 10_000:
            _halved.clear()
        shape = meta.shape
        made = _meta.contiguous(Size((*shape[:dim], shape[dim] // 2, *shape[dim + 1 :])), meta.dtype)
        found = _halved[meta, dim] = (made, prod(shape[:dim]), prod(made.shape[dim:]))
    return found


def glu(x: Tensor, dim: int) -> Tensor:
    """a sigmoid(b), with a and b the halves of x along a dimension of even size."""
    x = contiguous(x)
    made, outer, inner = _half(x._meta, dim)
    out = new(made)
    core.run(_glu[made.dtype], outer, GRAIN // (inner or 1) or 1, out._address, x._address, inner)
    return out


def glu_backward(x: Tensor, gy: Tensor, dim: int) -> Tensor:
    """The gradient along x, in one tensor."""
    x, gy = contiguous(x), contiguous(gy)
    made, outer, inner = _half(x._meta, dim)
    gx = new(x._meta)
    grain = GRAIN // (inner or 1) or 1
    core.run(_glu_backward[made.dtype], outer, grain, gx._address, x._address, gy._address, inner)
    return gx
