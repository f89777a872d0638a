"""Norms of float tensors and of differences, and the gradients of reductions: `kernels/cpu/size.py` and `slopes.py`."""

from __future__ import annotations

from .. import _meta
from .._geometry import SCALAR, Size
from .._tensor import Tensor, new
from . import core
from .core import Rows, contiguous, fill, ternary, unary
from .reduce import RUN_BLOCK, Fold, _sum, reduced

COUNT, PLAIN, SQUARES, ZEROS = 0, 1, 2, 3  # kinds of the kernels

_sqrt = unary("elementwise.sqrt")
tied = ternary("slopes.tied")
tied_number = ternary("slopes.tied_number")
length = ternary("slopes.length")
spread = ternary("slopes.spread")


class Sizes(Fold):
    """A sum of sizes, of squares, or a count, of which the first step changes the numbers; over dimensions."""

    def __init__(self) -> None:
        super().__init__("sum", 0)
        self._runs, self._columns, self._again = Rows("size.runs"), Rows("size.columns"), _sum

    def of(self, x: Tensor, dims: tuple[int, ...], keepdim: bool, kind: int) -> Tensor:
        """The norm (SQUARES: the root of their sum), or the count, over dimensions (not negative, each once)."""
        plan = self._plans.get((x._meta, dims, keepdim))
        if plan is None:
            x = contiguous(x)
            if x._numel == 0:
                result = reduced(x.shape, dims, keepdim)
                return fill(new(_meta.contiguous(result, x.dtype)), 0)
            if len(self._plans) > 10_000:
                self._plans.clear()
            plan = self._plans[x._meta, dims, keepdim] = self._planned(x._meta, dims, keepdim)
        made, row, total, grain, sizes = plan[0]
        root, single = kind == SQUARES, len(plan) == 1
        out = new(made)
        core.run(row, total, grain, out._address, x._address, *sizes, kind, 1 if root and single else 0)
        if single:
            return out
        for made, row, total, grain, sizes in plan[1:]:
            part, out = out, new(made)
            core.run(row, total, grain, out._address, part._address, *sizes)
        return _sqrt(out, out=out) if root else out


sizes = Sizes()
_gaps = Rows("size.gaps")


def has_zero(x: Tensor) -> bool:
    """Whether some element is 0."""
    return bool(sizes.of(x, tuple(range(len(x.shape))), False, ZEROS).item())


def gap(a: Tensor, b: Tensor, kind: int) -> Tensor:
    """The norm (PLAIN or SQUARES) of a - b: contiguous tensors of one meta that is not empty."""
    meta = a._meta
    blocks = -(-meta.numel // RUN_BLOCK)
    out, root = new(_meta.contiguous(SCALAR if blocks == 1 else Size((blocks,)), meta.dtype)), kind == SQUARES
    whole = int(root and blocks == 1)
    row = _gaps[meta.dtype]
    core.run(row, blocks, 2, out._address, a._address, b._address, meta.numel, RUN_BLOCK, kind, whole)
    if blocks == 1:
        return out
    out = _sum.all(out)
    return _sqrt(out, out=out) if root else out
