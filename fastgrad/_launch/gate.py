"""The gated linear unit: two halves of one tensor, read and written where they stand."""

from __future__ import annotations

from .._geometry import Size
from .._tensor import Tensor, empty, view
from . import activation


def _halves(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    meta = x._meta
    half = meta.shape[dim] // 2
    shape = Size([half if d == dim else size for d, size in enumerate(meta.shape)])
    offset = x._offset
    return view(x, shape, meta.strides, offset), view(x, shape, meta.strides, offset + half * meta.strides[dim])


def glu(x: Tensor, dim: int) -> Tensor:
    """a sigmoid(b), with a and b the halves of x along a dimension of even size."""
    return activation.glu(*_halves(x, dim))


def glu_backward(x: Tensor, gy: Tensor, dim: int) -> Tensor:
    """The gradient along x, in one tensor."""
    gx = empty(x.shape, x._meta.dtype, x._meta.numel)
    a, b = _halves(x, dim)
    ga, gb = _halves(gx, dim)
    activation.glu(gy, b, out=ga)
    activation.glu_backward(a, b, gy, out=gb)
    return gx
