"""Softmax and log-softmax along one dimension, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable

from .._geometry import Size
from .._tensor import Tensor, new, view
from . import core
from .core import Rows, contiguous
from .native import has_native

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


def _rows(name: str) -> Callable[[Tensor, int], Tensor]:
    """A launch function `f(x, dim)`; `dim` is not negative."""
    rows = Rows(f"softmax.{name}")

    @has_native("EACH_ROW", 1, rows)
    def call(x: Tensor, dim: int) -> Tensor:
        meta = x._meta
        if not meta.contiguous or dim != len(meta.shape) - 1:
            x = _exchanged(x, dim)
            meta = x._meta
        out, row = new(meta), rows[meta.dtype]
        if meta.numel:
            n = meta.shape[-1] if meta.shape else 1
            core.run(row, meta.numel // n, GRAIN // n or 1, out._address, x._address, n)
        return out if dim == len(meta.shape) - 1 else _exchanged(out, dim)

    return call


def _rows_backward(name: str) -> Callable[[Tensor, Tensor, int], Tensor]:
    """A launch function `f(y, gy, dim)`."""
    rows = Rows(f"softmax.{name}")

    @has_native("EACH_ROW", 2, rows)
    def call(y: Tensor, gy: Tensor, dim: int) -> Tensor:
        y, gy = _exchanged(y, dim), _exchanged(gy, dim)
        meta = y._meta
        out, row = new(meta), rows[meta.dtype]
        if meta.numel:
            n = meta.shape[-1] if meta.shape else 1
            core.run(row, meta.numel // n, GRAIN // n or 1, out._address, y._address, gy._address, n)
        return _exchanged(out, dim)

    return call


softmax = _rows("softmax")
log_softmax = _rows("log_softmax")
softmax_backward = _rows_backward("softmax_backward")
log_softmax_backward = _rows_backward("log_softmax_backward")
