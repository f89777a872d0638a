"""Matrix products: the one function through which every product goes."""

from __future__ import annotations

import numpy as np

from .._geometry import Size, broadcast
from .._tensor import Tensor, empty
from .elementwise import add


def matmul(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """(..., n, k) @ (..., k, m) -> (..., n, m) for float tensors of one dtype, any strides; batches broadcast."""
    if a.ndim == 2 and b.ndim == 2:
        shape = Size((a.shape[0], b.shape[1]))
    else:
        shape = Size((*broadcast(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]))
    if out is None:
        out = empty(shape, a.dtype, shape.numel())
    np.matmul(a._array(), b._array(), out=out._array())
    return out


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(n, k) @ (m, k).T + (m,) -> (n, m)."""
    shape = Size((x.shape[0], weight.shape[0]))
    out = empty(shape, x.dtype, shape[0] * shape[1])
    np.matmul(x._array(), weight._array().T, out=out._array())
    if bias is not None:
        add(out, bias, out=out)
    return out
