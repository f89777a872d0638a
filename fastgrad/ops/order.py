"""The order of dimensions: transposed and permuted views."""

from __future__ import annotations

import warnings
from typing import Any

from .. import _meta
from .._geometry import wrap_dim
from .._tensor import Tensor, window
from .op import op
from .shape import reshape_view, sizes_of


@op(name="Transpose", view=True)
def _transpose(ctx: Any, x: Tensor, *, first: int, second: int) -> Tensor:
    ctx.extra = first, second
    dims = list(range(x.ndim))
    dims[first], dims[second] = second, first
    return window(x, _meta.permuted(x._meta, tuple(dims)))


@_transpose.derivative
def transpose_derivative(ctx: Any, gy: Tensor) -> Tensor:
    first, second = ctx.extra
    return _transpose(gy, first=first, second=second)


@op(name="T", view=True)
def _t(ctx: Any, x: Tensor) -> Tensor:
    return window(x, _meta.permuted(x._meta, (1, 0)))


@_t.derivative
def t_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _t(gy)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A view with two dimensions exchanged.

    >>> import fastgrad as torch
    >>> torch.transpose(torch.zeros(2, 3), 0, 1).shape
    torch.Size([3, 2])
    """
    first, second = wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim)
    if not input.shape:
        return reshape_view(input, input._meta)
    return _transpose(input, first=first, second=second)


def t(input: Tensor) -> Tensor:
    """A matrix's transpose, as a view; vectors and scalars as they are.

    >>> import fastgrad as torch
    >>> torch.zeros(2, 3).t().shape
    torch.Size([3, 2])
    """
    if len(input.shape) == 2:
        return _t(input)
    if len(input.shape) > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return reshape_view(input, input._meta)


@op(name="Permute", view=True)
def _permute(ctx: Any, x: Tensor, *, dims: tuple[int, ...]) -> Tensor:
    ctx.extra = dims
    return window(x, _meta.permuted(x._meta, dims))


@_permute.derivative
def permute_derivative(ctx: Any, gy: Tensor) -> Tensor:
    back = [0] * len(ctx.extra)
    for place, d in enumerate(ctx.extra):
        back[d] = place
    return _permute(gy, dims=tuple(back))


def permute(input: Tensor, *dims: Any) -> Tensor:
    """A view with the dimensions in the given order.

    >>> import fastgrad as torch
    >>> torch.permute(torch.zeros(2, 3, 4), (2, 0, 1)).shape
    torch.Size([4, 2, 3])
    """
    order = tuple([wrap_dim(d, input.ndim) for d in sizes_of(dims)])
    if len(order) != input.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(order)}"
        )
    if len(set(order)) != len(order):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, dims=order)


def T(x: Tensor) -> Tensor:
    """All dimensions reversed."""
    if x.ndim not in (1, 2):
        warnings.warn(_T_WARNING if x.ndim else _T_WARNING_0D, UserWarning, stacklevel=2)
    return _permute(x, dims=tuple(range(x.ndim - 1, -1, -1)))


_T_WARNING = (
    "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an error "
    "in a future release. Consider `x.mT` to transpose batches of matrices or "
    "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor."
)
_T_WARNING_0D = (
    "Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases."
)


def mT(x: Tensor) -> Tensor:
    """The last two dimensions exchanged."""
    if x.ndim < 2:
        raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {x.ndim}-D tensor.")
    return _transpose(x, first=x.ndim - 2, second=x.ndim - 1)

__all__ = ["T", "mT", "permute", "t", "transpose"]
