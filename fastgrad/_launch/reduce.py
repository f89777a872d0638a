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
_max_index = Rows("reduce.max_index", "tally.max_index")
_min_index = Rows("reduce.min_index", "tally.min_index")


class Fold:
    """A sum, product or extreme: of runs of numbers, and of columns row by row; blocks of either are folded again."""

    def __init__(self, name: str, empty: float, integers: str | None = None) -> None:
        self._runs, self._columns = self._rows(name, "runs", integers), self._rows(name, "columns", integers)
        self._empty = empty  # the result for no numbers
        self._made: _dtype.dtype | None = None  # the dtype of results, where it is not that of what is folded
        self._again = self  # what folds the results of blocks
        # The launches over dimensions: meta of the result, row, total, grain, the kernel's sizes.
        self._plans: dict[tuple[Meta, tuple[int, ...], bool], list[Step]] = {}

    @staticmethod
    def _rows(name: str, part: str, integers: str | None) -> Rows:
        return Rows(f"reduce.{name}_{part}", None if integers is None else f"{integers}_{part}")

    def all(self, x: Tensor, shape: Size = SCALAR) -> Tensor:
        """Over all elements, in a tensor of one element: without dimensions, or of the given shape."""
        meta = x._meta
        if not meta.contiguous:
            x = contiguous(x)
        n, kind, rows = meta.numel, meta.dtype, self._runs
        made = self._made or kind
        out = empty(shape, made)
        if n == 0:
            return fill(out, self._empty)
        while n > RUN_BLOCK:
            blocks = -(-n // RUN_BLOCK)
            parts = empty(Size((blocks,)), made)
            core.run(rows[kind], blocks, 2, parts._address, x._address, n, RUN_BLOCK)
            x, n, kind, rows = parts, blocks, made, self._again._runs
        core.run(rows[kind], 1, 1, out._address, x._address, n, n)
        return out

    def dims(self, x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
        """Over the given dimensions (not negative, each once)."""
        plan = self._plans.get((x._meta, dims, keepdim))
        if plan is None:
            x = contiguous(x)
            if x._numel == 0:
                result = reduced(x.shape, dims, keepdim)
                return fill(empty(result, self._made or x.dtype, result.numel()), self._empty)
            if len(self._plans) > 10_000:
                self._plans.clear()
            plan = self._plans[x._meta, dims, keepdim] = self._planned(x._meta, dims, keepdim)
        for made, row, total, grain, sizes in plan:
            out = new(made)
            core.run(row, total, grain, out._address, x._address, *sizes)
            x = out
        return x

    def _planned(self, meta: Meta, dims: tuple[int, ...], keepdim: bool) -> list[Step]:
        shape, kind, fold = list(meta.shape), meta.dtype, self
        result = self._made or kind
        steps: list[Step] = []
        for first, last in reversed(_runs(dims) if dims or shape else [(0, -1)]):  # neighbours are one long dimension
            outer, n, inner = prod(shape[:first]), prod(shape[first : last + 1]), prod(shape[last + 1 :])
            shape[first : last + 1] = [1] * (last + 1 - first)
            while n > 0:
                if inner > 1:
                    block, row = ROW_BLOCK, fold._columns[kind]
                else:  # a whole sum is cut into runs, that of each row is one
                    block, row = RUN_BLOCK if len(dims) == len(shape) else n, fold._runs[kind]
                blocks = -(-n // block)
                made = _meta.contiguous(Size((outer, blocks, inner)), result)
                work = min(n, block) * inner
                sizes = (n, inner, block) if inner > 1 else (outer * n, min(n, block))
                steps.append((made, row, outer * blocks, max(1, GRAIN // work), sizes))
                n, kind, fold = blocks if blocks > 1 else 0, result, self._again
        if steps:
            steps[-1] = (_meta.contiguous(reduced(meta.shape, dims, keepdim), result), *steps[-1][1:])
        return steps


Step = tuple[Meta, int, int, int, tuple[int, ...]]
_sum, product = Fold("sum", 0), Fold("prod", 1)
maximum, minimum = Fold("max", 0, "tally.max"), Fold("min", 0, "tally.min")
sum_dims = _sum.dims


@has_native("SUM", SCALAR, _sum._runs)
def sum_all(x: Tensor) -> Tensor:
    """The sum of all elements, without dimensions."""
    return _sum.all(x, SCALAR)


@has_native("SUM", ONE, _sum._runs)
def sum_to_one(x: Tensor) -> Tensor:
    """The sum of all elements, with one dimension."""
    return _sum.all(x, ONE)


# The compiled step makes a result of a float type, so it is told of those rows only.
_max_floats, _min_floats = Rows("reduce.max_runs"), Rows("reduce.min_runs")


@has_native("SUM", SCALAR, product._runs)
def prod_all(x: Tensor) -> Tensor:
    """The product of all elements, without dimensions."""
    return product.all(x)


@has_native("SUM", SCALAR, _max_floats)
def max_all(x: Tensor) -> Tensor:
    """The largest of all elements, of which there is one, without dimensions; NaN is larger than all."""
    if x._meta.dtype.category == 2:
        _max_floats[x._meta.dtype]  # so that compiled code knows it
    return maximum.all(x)


@has_native("SUM", SCALAR, _min_floats)
def min_all(x: Tensor) -> Tensor:
    """The smallest of all elements, of which there is one, without dimensions; NaN is smaller than all."""
    if x._meta.dtype.category == 2:
        _min_floats[x._meta.dtype]  # so that compiled code knows it
    return minimum.all(x)


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


# By row, meta, dimension and keepdim: the metas of values and places, the tasks, the grain, the kernel's sizes.
_extremes: dict[tuple[int, Meta, int, bool], tuple[Meta, Meta, int, int, int, int]] = {}


def _extreme(rows: Rows, x: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    x = contiguous(x)
    meta = x._meta
    row = rows[meta.dtype]
    plan = _extremes.get((row, meta, dim, keepdim))
    if plan is None:
        if len(_extremes) > 10_000:
            _extremes.clear()
        shape, result = meta.shape, reduced(meta.shape, (dim,), keepdim)
        outer, n, inner = prod(shape[:dim]), shape[dim], prod(shape[dim + 1 :])
        made = _meta.contiguous(result, meta.dtype), _meta.contiguous(result, _dtype.int64)
        plan = _extremes[row, meta, dim, keepdim] = (*made, outer, max(1, GRAIN // max(1, n * inner)), n, inner)
    of_values, of_places, outer, grain, n, inner = plan
    values, places = new(of_values), new(of_places)
    core.run(row, outer, grain, values._address, places._address, x._address, n, inner)
    return values, places


def _place(rows: Rows, x: Tensor) -> Tensor:
    x = contiguous(x)
    kind, n = x._meta.dtype, x._meta.numel
    value, place = empty(SCALAR, kind), empty(SCALAR, _dtype.int64)
    core.run(rows[kind], 1, 1, value._address, place._address, x._address, n, 1)
    return place


def max_place(x: Tensor) -> Tensor:
    """The first place of the largest of all elements, of which there is one; NaN is larger than all."""
    return _place(_max_index, x)


def min_place(x: Tensor) -> Tensor:
    """The first place of the smallest of all elements, of which there is one; NaN is smaller than all."""
    return _place(_min_index, x)


def max_index(x: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """The largest along a dimension that is not empty, and the first place it stands at; NaN is larger than all."""
    return _extreme(_max_index, x, dim, keepdim)


def min_index(x: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """The smallest along a dimension that is not empty, and the first place it stands at; NaN is smaller than all."""
    return _extreme(_min_index, x, dim, keepdim)
