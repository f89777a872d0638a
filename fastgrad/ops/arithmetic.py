"""Arithmetic as public functions, which take `out=`; methods and operators go to `elementwise.py` directly."""

from __future__ import annotations

from .. import _dtype
from .._tensor import Tensor
from . import elementwise
from .out import with_out

add = with_out(elementwise.add)
sub = subtract = with_out(elementwise.sub)
mul = multiply = with_out(elementwise.mul)
div = divide = true_divide = with_out(elementwise.div)
neg = negative = with_out(elementwise.neg)


def positive(input: Tensor) -> Tensor:
    """`input` itself; RuntimeError for booleans."""
    if input.dtype is _dtype.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


__all__ = ["add", "div", "divide", "mul", "multiply", "neg", "negative", "positive", "sub", "subtract", "true_divide"]
