"""The number at a rank along a dimension of a float tensor, and its place; the kernels stand in `kernels/cpu/select.py`."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import _dtype, _meta
from .._geometry import Size
from .._tensor import Tensor, new
from . import core
from .core import Rows, contiguous
from .reduce import reduced

KTH, MIDDLE, MIDDLE_NUMBER, LOWER, UPPER, NEAREST, SKIP_NAN = 0, 1, 2, 3, 4, 5, 8  # which rank
STRIP, SHORT, FEW = 64, 256, 4096  # those of the kernels
GRAIN = 2048  # numbers handed to a thread at a time

_strips, _columns = Rows("select.strips"), Rows("select.columns")
# By meta, dimension, keepdim: the metas of values, places and the kernel's own memory, row, total, grain, sizes.
_plans: dict[Any, tuple[Any, ...]] = {}


def ranked(
    x: Tensor, dim: int | None, keepdim: bool, mode: int, k: int = 0, q: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """(values, places, parts) of the rank that `mode` says, of all or along a dimension, among which there are some. The
    parts are how far behind it a quantile lies (LOWER)."""
    x = contiguous(x)
    meta = x._meta
    plan = _plans.get((meta, dim, keepdim))
    if plan is None:
        if len(_plans) > 10_000:
            _plans.clear()
        plan = _plans[meta, dim, keepdim] = _planned(meta, dim, keepdim)
    of_values, of_places, of_own, row, total, grain, sizes = plan
    values, places = new(of_values), new(of_places)
    parts = new(of_values) if mode & 7 == LOWER else values
    if total == 0:
        return values, places, parts
    if of_own is None:
        core.run(row, total, grain, values._address, places._address, parts._address, x._address, *sizes, mode, k, q)
    else:
        own = new(of_own)
        core.run(
            row, total, grain, values._address, places._address, parts._address, own._address, x._address, *sizes, mode, k, q
        )
    return values, places, parts


def ranked_of_all(x: Tensor, mode: int) -> Tensor:
    """The number at the rank that `mode` says among all elements, of which there are some."""
    return ranked(x, None, False, mode)[0]


def _planned(meta: _meta.Meta, dim: int | None, keepdim: bool) -> tuple[Any, ...]:
    shape, kind = Size((meta.numel,)) if dim is None else meta.shape or Size((1,)), meta.dtype
    dim = dim or 0
    outer, n, inner = prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])
    result = reduced(shape, (dim,), keepdim and bool(meta.shape))
    made = _meta.contiguous(result, kind), _meta.contiguous(result, _dtype.int64)
    if n <= SHORT:
        strips = -(-outer // STRIP) if inner == 1 else outer * -(-inner // STRIP)
        return *made, None, _strips[kind], strips, max(1, GRAIN // (n * STRIP)), (n, inner, outer)
    own = _meta.contiguous(Size((outer * n * inner if n > FEW else 1,)), kind)
    return *made, own, _columns[kind], outer * inner, max(1, GRAIN // n), (n, inner)
