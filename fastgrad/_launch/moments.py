"""Sums of distances from a centre (variances and norms), logarithms of sums, and running totals of float tensors."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from .. import _dtype, _meta
from .._geometry import Size
from .._tensor import Tensor, empty, new, view
from . import core
from .core import Rows, contiguous, fill
from .reduce import GRAIN, ROW_BLOCK, RUN_BLOCK, _shaped, reduced, sum_dims

_columns = {"squared": Rows("reduce.squared_distance_columns"), "same": Rows("reduce.same_columns")}
_runs = {"squared": Rows("reduce.squared_distance_runs"), "same": Rows("reduce.same_runs")}


def last_dims(x: Tensor, dims: tuple[int, ...]) -> tuple[Tensor, int, Size]:
    """A contiguous tensor with these dimensions at the end, how many numbers they hold, and the shape of the others."""
    meta = x._meta
    others = [d for d in range(len(meta.shape)) if d not in dims]
    order = [*others, *dims]
    if order != sorted(order):
        shape, strides = Size([meta.shape[d] for d in order]), tuple([meta.strides[d] for d in order])
        x = view(x, shape, strides)
    return contiguous(x), prod([meta.shape[d] for d in dims]), Size([meta.shape[d] for d in others])


def distances(x: Tensor, centre: Tensor, dims: tuple[int, ...], keepdim: bool, power: str) -> Tensor:
    """The sum of (x - centre)**2 ("squared"), or how many are the centre or NaN as it is ("same"), over dimensions (not
    negative, ascending, once each); `centre` is contiguous, with a number for each sum."""
    key = (x._meta, centre._numel, dims, keepdim, power)
    plan = _plans.get(key)
    if plan is not None:
        made, row, total, grain, sizes = plan
        out = new(made)
        core.run(row, total, grain, out._address, x._address, centre._address, *sizes)
        return out
    shape, kind = x.shape, x.dtype
    result = reduced(shape, dims, keepdim)
    if x._numel == 0:
        return fill(empty(result, kind, result.numel()), 0)
    if len(_plans) > 10_000:
        _plans.clear()
    if len(dims) == 1 and dims[0] < len(shape) - 1:
        return _by_columns(_columns[power][kind], contiguous(x), centre, dims[0], result, key if x._contiguous else None)
    given = x
    x, n, _ = last_dims(x, dims)
    outer = x._numel // n
    many = n > RUN_BLOCK
    block = RUN_BLOCK if many and outer == 1 else n
    blocks = -(-x._numel // block)
    out = empty(Size((blocks,)), kind)
    shared = blocks // outer
    row, grain = _runs[power][kind], max(1, GRAIN // block)
    if blocks == outer and x is given:
        _plans[key] = _meta.contiguous(result, kind), row, blocks, grain, (x._numel, block, shared)
    core.run(row, blocks, grain, out._address, x._address, centre._address, x._numel, block, shared)
    return _shaped(out if blocks == outer else sum_dims(out, (0,), False), result)


# Those that are one launch on a contiguous tensor: meta of the result, row, total, grain, the kernel's sizes.
_plans: dict[Any, Plan] = {}


def _by_columns(row: int, x: Tensor, centre: Tensor, dim: int, result: Size, key: Any) -> Tensor:
    shape, kind = x.shape, x.dtype
    outer, n, inner = prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])
    blocks = -(-n // ROW_BLOCK)
    out = empty(Size((outer, blocks, inner)), kind)
    grain = max(1, GRAIN // (min(n, ROW_BLOCK) * inner))
    sizes = (n, inner, ROW_BLOCK)
    if blocks == 1 and key is not None:
        _plans[key] = _meta.contiguous(result, kind), row, outer, grain, sizes
    core.run(row, outer * blocks, grain, out._address, x._address, centre._address, *sizes)
    return _shaped(out if blocks == 1 else sum_dims(out, (1,), False), result)


_logsumexp, _logsumexp_columns = Rows("reduce.logsumexp_rows"), Rows("reduce.logsumexp_columns")
_variance, _variance_columns = Rows("reduce.variance_rows"), Rows("reduce.variance_columns")
_variance_pieces = Rows("size.variance")
# One launch on a contiguous tensor, by its meta, dimensions and keepdim: meta of the result, row, total, grain, sizes.
Plan = tuple[_meta.Meta, int, int, int, tuple[int, ...]]
_logsumexp_plans: dict[Any, Plan] = {}
_variance_plans: dict[Any, Plan | None] = {}


def _one_run(meta: _meta.Meta, dims: tuple[int, ...]) -> tuple[int, int, int] | None:
    """(outer, n, inner) where the dimensions (ascending) are neighbours in a contiguous tensor that is not empty."""
    if not meta.contiguous or not meta.numel or (dims and dims[-1] - dims[0] != len(dims) - 1):
        return None
    first, last = (dims[0], dims[-1] + 1) if dims else (0, 0)
    return prod(meta.shape[:first]), prod(meta.shape[first:last]), prod(meta.shape[last:])


def logsumexp(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """log(sum(e**x)) over dimensions (not negative, ascending, each once)."""
    plan = _logsumexp_plans.get((x._meta, dims, keepdim))
    if plan is None:
        kind, key = x.dtype, (x._meta, dims, keepdim)
        made = _meta.contiguous(reduced(x.shape, dims, keepdim), kind)
        if x._numel == 0:
            return fill(new(made), -float("inf"))
        run = _one_run(x._meta, dims)
        if run is None:
            x, n, _ = last_dims(x, dims)
            run = x._numel // n, n, 1
        outer, n, inner = run
        work = 4 * n * min(inner, 64)
        if inner == 1:
            plan = made, _logsumexp[kind], outer, max(1, GRAIN // work), (n,)
        else:
            plan = made, _logsumexp_columns[kind], outer * -(-inner // 64), max(1, GRAIN // work), (n, inner)
        if x._meta is key[0]:
            if len(_logsumexp_plans) > 10_000:
                _logsumexp_plans.clear()
            _logsumexp_plans[key] = plan
    made, row, total, grain, sizes = plan
    out = new(made)
    core.run(row, total, grain, out._address, x._address, *sizes)
    return out


def variance(x: Tensor, dims: tuple[int, ...], keepdim: bool, degrees: float) -> tuple[Tensor, Tensor] | None:
    """(variance, mean) over dimensions in one launch; None where more than one pays."""
    key = (x._meta, dims, keepdim)
    if key not in _variance_plans:
        if len(_variance_plans) > 10_000:
            _variance_plans.clear()
        run, kind = _one_run(x._meta, dims), x.dtype
        plan: Plan | None = None
        if run is not None:
            outer, n, inner = run
            made = _meta.contiguous(reduced(x.shape, dims, keepdim), kind)
            if inner == 1 and (n <= RUN_BLOCK or outer > 1):
                plan = made, _variance[kind], outer, max(1, GRAIN // n), (n,)
            elif inner > 1 and n <= ROW_BLOCK:
                plan = made, _variance_columns[kind], outer, max(1, GRAIN // (n * inner)), (n, inner)
        elif len(dims) > 1 and x._contiguous and x._numel:
            plan = _two_runs(x._meta, dims, keepdim)
        _variance_plans[key] = plan
    found = _variance_plans[key]
    if found is None:
        return None
    made, row, total, grain, sizes = found
    out, mean = new(made), new(made)
    core.run(row, total, grain, out._address, mean._address, x._address, *sizes, degrees)
    return out, mean


def _two_runs(meta: _meta.Meta, dims: tuple[int, ...], keepdim: bool) -> Plan | None:
    """Where the first few and the last few dimensions of a contiguous tensor are reduced."""
    shape, n = meta.shape, len(meta.shape)
    kept = [d for d in range(n) if d not in dims]
    if not kept or kept[-1] - kept[0] != len(kept) - 1 or kept[-1] == n - 1:
        return None
    pieces, count, size = prod(shape[: kept[0]]), prod(shape[kept[0] : kept[-1] + 1]), prod(shape[kept[-1] + 1 :])
    if pieces > 4096 or size > RUN_BLOCK:
        return None
    made = _meta.contiguous(reduced(shape, dims, keepdim), meta.dtype)
    return made, _variance_pieces[meta.dtype], count, max(1, GRAIN // (pieces * size)), (pieces, count, size)


def _running(name: str) -> Callable[..., Tensor]:
    """A launch function `f(x, dim, back=0)`; `dim` is not negative; `back`: from the end."""
    rows = Rows(f"running.{name}")

    plans: dict[Any, Plan] = {}

    def call(x: Tensor, dim: int, back: int = 0) -> Tensor:
        x = contiguous(x)
        meta = x._meta
        out = new(meta)
        plan = plans.get((meta, dim))
        if plan is None:
            if not meta.numel:
                return out
            if len(plans) > 10_000:
                plans.clear()
            shape = meta.shape or Size((1,))
            outer, n, inner = prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])
            totals = _meta.contiguous(Size((outer * inner + 8,)), _dtype.float64)
            total, work = (outer, n * inner) if inner > 1 else (-(-outer // 8), 8 * n)
            plan = plans[meta, dim] = totals, rows[meta.dtype], total, max(1, GRAIN // work), (outer, n, inner)
        made, row, total, grain, sizes = plan
        own = new(made)
        core.run(row, total, grain, out._address, own._address, x._address, *sizes, back)
        return out

    return call


cumsum = _running("cumsum")
cumprod = _running("cumprod")
logcumsumexp = _running("logcumsumexp")
