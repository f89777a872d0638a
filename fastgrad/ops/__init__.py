"""Operations: each with its forward and its derivative, one file for each family."""

from .. import _launch as launch
from ..autograd.arithmetic import Arithmetic
from . import convert, create, elementwise, index, inplace, join, linear, op, pointwise, reduce, shape


def _add_into(total, gradient):  # type: ignore[no-untyped-def]
    launch.add(total, gradient, out=total)
    total._bump()


Arithmetic.add = elementwise._add
Arithmetic.add_into = _add_into
Arithmetic.copy = shape.clone
Arithmetic.ones_like = lambda x: launch.fill(launch.empty(x.shape, x.dtype, x._numel), 1)
Arithmetic.zeros_like = lambda x: launch.fill(launch.empty(x.shape, x.dtype, x._numel), 0)
Arithmetic.stack = join.stack
Arithmetic.sum_to = reduce.sum_to
Arithmetic.has_nan = lambda x: bool((x._array() != x._array()).any())
