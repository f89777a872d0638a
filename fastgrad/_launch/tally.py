"""Counts, questions and totals whose results have a dtype of their own; the kernels stand in `kernels/cpu/tally.py`."""

from __future__ import annotations

from .. import _dtype, _meta, _recording
from .._geometry import SCALAR
from .._storage import address_of
from .._tensor import Tensor
from . import core
from .core import Rows
from .native import has_native
from .reduce import Fold

BLOCK = 32768  # numbers that a thread compares at a time


class Tally(Fold):
    """A fold of any dtype to int64 or bool."""

    def __init__(self, name: str, empty: int, made: _dtype.dtype, again: Tally | None = None) -> None:
        super().__init__(name, empty)
        self._made, self._again = made, again or self

    @staticmethod
    def _rows(name: str, part: str, integers: str | None) -> Rows:
        return Rows(f"tally.{name}_{part}", "")


total = Tally("sum", 0, _dtype.int64)  # of integers and bools
count = Tally("count", 0, _dtype.int64, total)  # of what is not zero
some = Tally("any", 0, _dtype.bool_)
every = Tally("all", 1, _dtype.bool_)
_BOOL, _INT64 = _meta.contiguous(SCALAR, _dtype.bool_), _meta.contiguous(SCALAR, _dtype.int64)
_differ = Rows("tally.differ", "")


@has_native("SUM", _INT64, total._runs)
def total_of_all(x: Tensor) -> Tensor:
    """The sum of all elements of a tensor of integers or bools."""
    return total.all(x)


@has_native("SUM", _INT64, count._runs)
def count_of_all(x: Tensor) -> Tensor:
    """How many elements are not zero."""
    return count.all(x)


@has_native("SUM", _BOOL, some._runs)
def any_of_all(x: Tensor) -> Tensor:
    """Whether an element is not zero."""
    return some.all(x)


@has_native("SUM", _BOOL, every._runs)
def all_of_all(x: Tensor) -> Tensor:
    """Whether no element is zero."""
    return every.all(x)


@has_native("SAME", 0, _differ)
def same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of one shape and dtype have the same elements; NaN is like nothing."""
    _recording.refuse("Python compares two tensors as a whole")
    a, b = core.contiguous(a), core.contiguous(b)
    n, row, notes = a._meta.numel, _differ[a._meta.dtype], bytes(16)
    address = address_of(notes)
    core.run(row, 1, 1, address, a._address, b._address, min(n, 1024), BLOCK)  # most that differ do so at once
    if not notes[0] and n > 1024:
        core.run(row, -(-n // BLOCK), 1, address, a._address, b._address, n, BLOCK)
    return not notes[0]
