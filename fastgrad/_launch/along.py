"""Float tensors taken from places along a dimension, and put back there; the kernels stand in `kernels/cpu/along.py`."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import _meta
from .._geometry import Size
from .._tensor import Tensor, empty, new
from . import core, places
from .core import Rows, contiguous, fill
from .reduce import GRAIN

_take, _put = Rows("along.take"), Rows("along.put")
_plans: dict[Any, tuple[Any, ...]] = {}  # the result's meta, row, total, grain, sizes


def _plan(rows: Rows, x: _meta.Meta, shape: Size, dim: int, made: Size, k: int) -> tuple[Any, ...]:
    """That of one side (n, inner) = `shape`, with k places for each of the other dimensions."""
    key = (x, shape, dim, made, k, rows is _put)
    plan = _plans.get(key)
    if plan is None:
        if len(_plans) > 10_000:
            _plans.clear()
        outer, n, inner = prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])
        work = max(1, n * min(inner, 512))
        total = outer * -(-inner // 512)
        plan = _plans[key] = _meta.contiguous(made, x.dtype), rows[x.dtype], total, max(1, GRAIN // work), (n, k, inner)
    return plan


def take(x: Tensor, index: Tensor, dim: int) -> Tensor:
    """The elements at places (int64, in range) along a dimension: of x's shape, but for that one."""
    x, index = contiguous(x), contiguous(index)
    shape = x.shape or Size((1,))
    made, row, total, grain, sizes = _plan(_take, x._meta, shape, dim, index.shape, index.shape[dim] if index.shape else 1)
    out = new(made)
    core.run(row, total, grain, out._address, index._address, x._address, *sizes)
    return out


def put(gy: Tensor, index: Tensor, dim: int, shape: Size) -> Tensor:
    """Zeros of `shape` with gy added at places along a dimension. gy and the places have its size elsewhere, and may be
    without that dimension; where they are smaller elsewhere, NumPy serves."""
    gy, index = contiguous(gy), contiguous(index)
    given = index.shape
    k = 1 if len(given) < len(shape) else given[dim] if shape else 1
    if len(given) == len(shape) and any(given[d] != n for d, n in enumerate(shape) if d != dim):
        out = fill(empty(shape, gy.dtype), 0)
        places.add_along(out, dim, index, gy)
        return out
    made, row, total, grain, sizes = _plan(_put, gy._meta, shape or Size((1,)), dim, shape, k)
    out = new(made)
    core.run(row, total, grain, out._address, index._address, gy._address, *sizes)
    return out
