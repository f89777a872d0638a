"""Copies and new tensors that lie in memory as another tensor does."""

from __future__ import annotations

from typing import Any

from .. import _launch as launch
from .._device import contiguous_format
from .._geometry import Size
from .._tensor import Tensor
from .op import op
from .shape import clone as _contiguous_clone


def dense_order(x: Tensor) -> list[int] | None:
    """The dimensions in the order in which they lie, the longest stride first, where the elements fill their memory without
    gaps and not in row-major order; None otherwise."""
    meta = x._meta
    if meta.contiguous or not meta.numel:
        return None
    order = sorted(range(len(meta.shape)), key=lambda d: (-meta.strides[d], d))
    step = 1
    for d in reversed(order):
        if meta.shape[d] != 1:
            if meta.strides[d] != step:
                return None
            step *= meta.shape[d]
    return order


def like(x: Tensor, made: Tensor) -> Tensor:
    """Fresh contiguous memory of the shape of `x`, looked at with the strides of `x` where those are dense."""
    return made if dense_order(x) is None else _strided_as(x, made)


def _strided_as(x: Tensor, made: Tensor) -> Tensor:
    out = launch.view(made, x.shape, x._strides)
    out._base = None  # nobody else has the memory
    return out


@op(name="Clone")
def _clone_dense(ctx: Any, x: Tensor, *, order: tuple[int, ...]) -> Tensor:
    laid = launch.view(x, Size([x.shape[d] for d in order]), tuple([x._strides[d] for d in order]))
    return _strided_as(x, launch.copy(laid))


@_clone_dense.derivative
def clone_dense_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return gy


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy in new memory, which lies as `input` does where that has no gaps; gradients flow through it.

    >>> import fastgrad as torch
    >>> x = torch.zeros(2)
    >>> x.clone().fill_(1), x
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    if input._meta.contiguous or memory_format is contiguous_format:
        return _contiguous_clone(input)
    order = dense_order(input)
    if order is None:
        return _contiguous_clone(input)
    made: Tensor = _clone_dense(input, order=tuple(order))
    return made


__all__ = ["clone"]
