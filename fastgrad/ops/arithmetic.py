"""Arithmetic as public functions, which take `out=`; methods and operators go to `elementwise.py` directly."""

from __future__ import annotations

from .. import _dtype
from .._tensor import Tensor
from . import activation, elementwise
from .out import with_out
from .pointwise import as_tensor

add = with_out(elementwise.add)
sub = subtract = with_out(elementwise.sub)
mul = multiply = with_out(elementwise.mul)
div = divide = true_divide = with_out(elementwise.div)
neg = negative = with_out(elementwise.neg)


@with_out
def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent.

    >>> import fastgrad as torch
    >>> torch.tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    made: Tensor = activation.tanh(as_tensor(input, "tanh"))
    return made


@with_out
def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e**-input).

    >>> import fastgrad as torch
    >>> torch.sigmoid(torch.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """
    made: Tensor = activation.sigmoid(as_tensor(input, "sigmoid"))
    return made



def positive(input: Tensor) -> Tensor:
    """`input` itself; RuntimeError for booleans."""
    if input.dtype is _dtype.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


__all__ = [
    "add", "div", "divide", "mul", "multiply", "neg", "negative", "positive", "sigmoid", "sub", "subtract",
    "tanh", "true_divide",
]  # fmt: skip
