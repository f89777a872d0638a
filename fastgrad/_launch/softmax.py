"""Softmax and log-softmax along one dimension, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from .._meta import Meta
from .._tensor import Tensor, new
from . import core
from .core import Rows, contiguous
from .native import has_native

# Numbers handed to a thread at a time: they take 5 to 10 microseconds.
GRAIN = 16384


COLUMNS = 64  # columns of a task


def _launched(rows: Rows, columns: Rows, dim: int, *inputs: Tensor) -> Tensor:
    """The result of contiguous inputs, by rows along the last dimension, by columns along another."""
    meta = inputs[0]._meta
    out, plan = new(meta), _plans.get((rows.name, meta, dim))
    if plan is None:
        if not meta.numel:
            return out
        n, inner = (meta.shape[dim], prod(meta.shape[dim + 1 :])) if meta.shape else (1, 1)
        if inner == 1:
            plan = rows[meta.dtype], meta.numel // n, GRAIN // n or 1, (n,)
        else:
            total = meta.numel // (n * inner) * -(-inner // COLUMNS)
            plan = columns[meta.dtype], total, GRAIN // (n * min(inner, COLUMNS)) or 1, (n, inner)
        if len(_plans) > 10_000:
            _plans.clear()
        _plans[rows.name, meta, dim] = plan
    row, total, grain, sizes = plan
    core.run(row, total, grain, out._address, *[x._address for x in inputs], *sizes)
    return out


_plans: dict[tuple[str, Meta, int], tuple[int, int, int, tuple[int, ...]]] = {}  # row, tasks, grain, the kernel's sizes


def _rows(name: str) -> Callable[[Tensor, int], Tensor]:
    """A launch function `f(x, dim)`; `dim` is not negative."""
    rows, columns = Rows(f"softmax.{name}"), Rows(f"softmax.{name}_columns")

    @has_native("EACH_ROW", 1, rows)
    def call(x: Tensor, dim: int) -> Tensor:
        return _launched(rows, columns, dim, contiguous(x))

    return call


def _rows_backward(name: str) -> Callable[[Tensor, Tensor, int], Tensor]:
    """A launch function `f(y, gy, dim)`."""
    rows, columns = Rows(f"softmax.{name}"), Rows(f"softmax.{name}_columns")

    @has_native("EACH_ROW", 2, rows)
    def call(y: Tensor, gy: Tensor, dim: int) -> Tensor:
        return _launched(rows, columns, dim, contiguous(y), contiguous(gy))

    return call


softmax = _rows("softmax")
log_softmax = _rows("log_softmax")
softmax_backward = _rows_backward("softmax_backward")
log_softmax_backward = _rows_backward("log_softmax_backward")
