"""Operations: each with its forward and its derivative, one file for each family."""

from .. import _launch as launch
from .._differentiable import Differentiable
from .._launch.native import has_native
from ..autograd.arithmetic import Arithmetic
from . import (
    activation,
    choose,
    compare,
    convert,
    create,
    data,
    elementwise,
    extreme,
    gather,
    index,
    inplace,
    join,
    linear,
    logic,
    op,
    order,
    pointwise,
    power,
    product,
    quotient,
    reduce,
    shape,
    stretch,
    subscript,
)  # fmt: skip


def _add_into(total, gradient):
    launch.add(total, gradient, out=total)
    total._bump()


Arithmetic.add = elementwise._add
Arithmetic.add_into = _add_into
Arithmetic.copy = shape.clone
Arithmetic.ones_like = lambda x: launch.fill(launch.empty(x.shape, x.dtype), 1.0)
Arithmetic.zeros = lambda shape, dtype: launch.fill(launch.empty(shape, dtype), 0.0)
Arithmetic.from_list = lambda values, sizes, dtype: shape.reshape(data.copied(values, dtype), sizes)
Arithmetic.rebase = inplace.adopt
Arithmetic.stack = join.stack
Arithmetic.sum_to = reduce.sum_to
Arithmetic.has_nan = lambda x: bool((x._array() != x._array()).any())
has_native("BACKWARD", launch.add)(Differentiable.backward)
