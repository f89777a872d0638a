"""Reductions of float tensors over some dimensions."""

from __future__ import annotations

from math import prod

from .. import _dtype, _meta
from .._geometry import SCALAR, Size
from .._meta import Meta
from .._tensor import Tensor, empty, new, view
from . import core
from .core import Rows, contiguous, fill
from .native import has_native

# Numbers in one partial sum of a whole sum, and rows in one of a column sum: long enough that adding the partial sums
# costs nothing, short enough to cut between threads and to keep the rounding error of a long column small.
RUN_BLOCK = 16384
ROW_BLOCK = 256
# Numbers read by one task's worth of work before a second thread pays.
GRAIN = 32768

ONE = Size((1,))
_max_index = Rows("reduce.max_index")
_min_index = Rows("reduce.min_index")


class Fold:
    """A sum, product or extreme: of runs of numbers, and of columns row by row; blocks of either are folded again."""

    def __init__(self, name: str, empty: float) -> None:
        self._runs, self._columns = Rows(f"reduce.{name}_runs"), Rows(f"reduce.{name}_columns")
        self._empty = empty  # the result for no numbers
        # Those over dimensions that are one launch: meta of the result, row, total, grain, the kernel's sizes.
        self._plans: dict[tuple[Meta, tuple[int, ...], bool], tuple[Meta, int, int, int, tuple[int, ...]]] = {}

    def all(self, x: Tensor, shape: Size = SCALAR) -> Tensor:
        """Over all elements, in a tensor of one element: without dimensions, or of the given shape."""
        meta = x._meta
        if not meta.contiguous:
            x = contiguous(x)
        n, kind = meta.numel, meta.dtype
        out = empty(shape, kind)
        if n == 0:
            return fill(out, self._empty)
        while n > RUN_BLOCK:
            blocks = -(-n // RUN_BLOCK)
            parts = empty(Size((blocks,)), kind)
            core.run(self._runs[kind], blocks, 2, parts._address, x._address, n, RUN_BLOCK)
            x, n = parts, blocks
        core.run(self._runs[kind], 1, 1, out._address, x._address, n, n)
        return out

    def dims(self, x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
        """Over the given dimensions (not negative, each once)."""
        meta = x._meta
        plan = self._plans.get((meta, dims, keepdim))
        if plan is not None:
            made, row, total, grain, sizes = plan
            out = new(made)
            core.run(row, total, grain, out._address, x._address, *sizes)
            return out
        shape = x.shape
        result = reduced(shape, dims, keepdim)
        if len(dims) == len(shape):
            return _shaped(self.all(x), result)
        x = contiguous(x)
        if x._numel == 0:
            return fill(empty(result, x.dtype, result.numel()), self._empty)
        runs = _runs(dims)  # neighbours are one long dimension
        if len(runs) == 1 and meta.contiguous:
            self._remember(meta, dims, keepdim, result)
        for first, last in reversed(runs):
            x = self._middle(x, first, last)
        return _shaped(x, result)

    def _remember(self, meta: Meta, dims: tuple[int, ...], keepdim: bool, result: Size) -> None:
        shape, kind = meta.shape, meta.dtype
        n, inner = prod(shape[dims[0] : dims[-1] + 1]), prod(shape[dims[-1] + 1 :])
        outer = meta.numel // (n * inner)
        if len(self._plans) > 10_000:
            self._plans.clear()
        made = _meta.contiguous(result, kind)
        if inner == 1:
            self._plans[meta, dims, keepdim] = made, self._runs[kind], outer, max(1, GRAIN // n), (outer * n, n)
        elif n <= ROW_BLOCK:
            grain = max(1, GRAIN // (n * inner))
            self._plans[meta, dims, keepdim] = made, self._columns[kind], outer, grain, (n, inner, ROW_BLOCK)

    def _middle(self, x: Tensor, first: int, last: int) -> Tensor:
        """Over dimensions first..last of a contiguous tensor; they are left with size 1."""
        shape = x.shape
        outer, n, inner = prod(shape[:first]), prod(shape[first : last + 1]), prod(shape[last + 1 :])
        result = Size((*shape[:first], *(1,) * (last - first + 1), *shape[last + 1 :]))
        kind = x.dtype
        if inner == 1:
            out = empty(result, kind, outer)
            core.run(self._runs[kind], outer, max(1, GRAIN // n), out._address, x._address, outer * n, n)
            return out
        while True:
            blocks = -(-n // ROW_BLOCK)
            out = empty(result if blocks == 1 else Size((outer, blocks, inner)), kind, outer * blocks * inner)
            grain = max(1, GRAIN // (min(n, ROW_BLOCK) * inner))
            core.run(self._columns[kind], outer * blocks, grain, out._address, x._address, n, inner, ROW_BLOCK)
            if blocks == 1:
                return out
            n, x = blocks, out


_sum, product, maximum, minimum = Fold("sum", 0), Fold("prod", 1), Fold("max", 0), Fold("min", 0)
sum_dims = _sum.dims


@has_native("SUM", SCALAR, _sum._runs)
def sum_all(x: Tensor) -> Tensor:
    """The sum of all elements, without dimensions."""
    return _sum.all(x, SCALAR)


@has_native("SUM", ONE, _sum._runs)
def sum_to_one(x: Tensor) -> Tensor:
    """The sum of all elements, with one dimension."""
    return _sum.all(x, ONE)


def reduced(shape: Size, dims: tuple[int, ...], keepdim: bool) -> Size:
    """What is left of a shape when these dimensions are reduced."""
    if keepdim:
        return Size([1 if d in dims else size for d, size in enumerate(shape)])
    return Size([size for d, size in enumerate(shape) if d not in dims])


def _runs(dims: tuple[int, ...]) -> list[tuple[int, int]]:
    """Dimensions as runs of neighbours (first, last)."""
    runs: list[tuple[int, int]] = []
    for d in sorted(dims):
        if runs and runs[-1][1] == d - 1:
            runs[-1] = (runs[-1][0], d)
        else:
            runs.append((d, d))
    return runs


def _shaped(x: Tensor, shape: Size) -> Tensor:
    if x.shape == shape:
        return x
    from .._geometry import contiguous_strides

    made = view(x, shape, contiguous_strides(shape))
    made._base = None  # nobody else has the memory
    return made


def _extreme(rows: Rows, x: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    shape = x.shape
    x = contiguous(x)
    outer, n, inner = prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])
    result = Size((*shape[:dim], 1, *shape[dim + 1 :]) if keepdim else (*shape[:dim], *shape[dim + 1 :]))
    values = empty(result, x.dtype, outer * inner)
    places = empty(result, _dtype.int64, outer * inner)
    grain = max(1, GRAIN // max(1, n * inner))
    core.run(rows[x.dtype], outer, grain, values._address, places._address, x._address, n, inner)
    return values, places


def max_index(x: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """The largest along a dimension that is not empty, and the first place it stands at; NaN is larger than all."""
    return _extreme(_max_index, x, dim, keepdim)


def min_index(x: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """The smallest along a dimension that is not empty, and the first place it stands at; NaN is smaller than all."""
    return _extreme(_min_index, x, dim, keepdim)
