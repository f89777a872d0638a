"""Dropout. Same seed, same elements dropped as in PyTorch on the CPU."""

from __future__ import annotations

from typing import Any

from .. import _generator as generators
from .._launch import random as launch
from .._tensor import Tensor
from .op import op


@op(name="Mul")
def _dropout(ctx: Any, x: Tensor, *, keep: float) -> Tensor:
    y, ctx.extra = launch.dropout(x, keep, generators.default_generator)
    ctx.save()  # a second backward fails, as PyTorch's does
    return y


@_dropout.derivative
def dropout_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _dropout_backward(gy, drawn=ctx.extra)


@op(name="Mul")
def _dropout_backward(ctx: Any, gy: Tensor, *, drawn: Any) -> Tensor:
    ctx.extra = drawn
    ctx.save()
    return launch.dropout_backward(gy, drawn)


_dropout_backward.derivative(dropout_derivative)


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """While training, an element is kept with probability 1 - p and then divided by it, else multiplied by 0.

    >>> import fastgrad as torch
    >>> torch.dropout(torch.ones(3), 1.0, True)
    tensor([0., 0., 0.])
    """
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    if not train or p == 0.0 or input._meta.numel == 0:
        return input
    if input.dtype.category != 2:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {input.dtype.scalar_name}")
    if p == 1.0:
        return input * 0.0
    return _dropout(input, keep=1.0 - p)
