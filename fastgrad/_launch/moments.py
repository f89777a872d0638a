"""Sums of distances from a centre (variances and norms), logarithms of sums, and running totals of float tensors."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from .. import _dtype
from .._geometry import Size
from .._tensor import Tensor, empty, new, view
from . import core
from .core import Rows, contiguous, fill
from .reduce import GRAIN, ROW_BLOCK, RUN_BLOCK, _shaped, reduced, sum_dims

_columns = Rows("reduce.squared_distance_columns")
_runs = {"squared": Rows("reduce.squared_distance_runs"), "plain": Rows("reduce.distance_runs")}


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
    """The sum of (x - centre)**2 ("squared") or |x - centre| ("plain") over dimensions (not negative, ascending, once each);
    `centre` is contiguous, with a number for each sum, or one for all."""
    shape, kind = x.shape, x.dtype
    result = reduced(shape, dims, keepdim)
    if x._numel == 0:
        return fill(empty(result, kind, result.numel()), 0)
    if power == "squared" and len(dims) == 1 and dims[0] < len(shape) - 1 and centre._numel == result.numel():
        return _squared_columns(contiguous(x), centre, dims[0], result)
    x, n, _ = last_dims(x, dims)
    outer = x._numel // n
    many = n > RUN_BLOCK
    block = RUN_BLOCK if many and outer == 1 else n
    blocks = -(-x._numel // block)
    out = empty(Size((blocks,)), kind)
    shared = blocks // outer if centre._numel == outer else blocks
    row, grain = _runs[power][kind], max(1, GRAIN // block)
    core.run(row, blocks, grain, out._address, x._address, centre._address, x._numel, block, shared)
    return _shaped(out if blocks == outer else sum_dims(out, (0,), False), result)


def _squared_columns(x: Tensor, centre: Tensor, dim: int, result: Size) -> Tensor:
    shape, kind = x.shape, x.dtype
    outer, n, inner = prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])
    blocks = -(-n // ROW_BLOCK)
    out = empty(Size((outer, blocks, inner)), kind)
    grain = max(1, GRAIN // (min(n, ROW_BLOCK) * inner))
    core.run(_columns[kind], outer * blocks, grain, out._address, x._address, centre._address, n, inner, ROW_BLOCK)
    return _shaped(out if blocks == 1 else sum_dims(out, (1,), False), result)


_logsumexp = Rows("reduce.logsumexp_rows")


def logsumexp(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """log(sum(e**x)) over dimensions (not negative, ascending, each once)."""
    result = reduced(x.shape, dims, keepdim)
    out = empty(result, x.dtype, result.numel())
    if x._numel == 0:
        return fill(out, -float("inf"))
    x, n, _ = last_dims(x, dims)
    core.run(_logsumexp[x.dtype], out._numel, max(1, GRAIN // 4 // n), out._address, x._address, n)
    return out


def _running(name: str) -> Callable[[Tensor, int], Tensor]:
    """A launch function `f(x, dim)`; `dim` is not negative."""
    rows = Rows(f"running.{name}")

    def call(x: Tensor, dim: int) -> Tensor:
        x = contiguous(x)
        meta = x._meta
        out = new(meta)
        if meta.numel:
            shape = meta.shape or Size((1,))
            outer, n, inner = prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])
            totals = empty(Size((outer * inner,)), _dtype.float64)
            grain = max(1, GRAIN // (n * inner))
            core.run(rows[meta.dtype], outer, grain, out._address, totals._address, x._address, n, inner)
        return out

    return call


cumsum = _running("cumsum")
cumprod = _running("cumprod")
logcumsumexp = _running("logcumsumexp")
