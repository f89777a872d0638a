"""Softmax and log-softmax along one dimension, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable

from .._geometry import Size
from .._tensor import Tensor, new, view
from . import core
from .core import Rows, contiguous

# Numbers handed to a thread at a time: they take 5 to 10 microseconds.
GRAIN = 16384


def _exchanged(x: Tensor, dim: int) -> Tensor:
    """A contiguous tensor in which `dim` and the last dimension have changed places."""
    meta = x._meta
    last = len(meta.shape) - 1
    if dim != last and last > 0:
        shape, strides = list(meta.shape), list(meta.strides)
        shape[dim], shape[last] = shape[last], shape[dim]
        strides[dim], strides[last] = strides[last], strides[dim]
        x = view(x, Size(shape), tuple(strides))
    return contiguous(x)


def _along(name: str) -> Callable[..., Tensor]:
    """A launch function `f(*inputs, dim)` of a kernel that takes (rows, n) and makes as much; `dim` is not negative."""
    rows = Rows(f"softmax.{name}")

    def call(*inputs: Tensor, dim: int) -> Tensor:
        inputs = tuple([_exchanged(x, dim) for x in inputs])
        meta = inputs[0]._meta
        row = rows[meta.dtype]
        out = new(meta)
        if meta.numel:
            n = meta.shape[-1] if meta.shape else 1
            core.run(row, meta.numel // n, GRAIN // n or 1, out._address, *[x._address for x in inputs], n)
        return _exchanged(out, dim)

    return call


softmax = _along("softmax")
log_softmax = _along("log_softmax")
softmax_backward = _along("softmax_backward")
log_softmax_backward = _along("log_softmax_backward")
