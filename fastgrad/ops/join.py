"""Joining tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _dtype
from .. import _launch as launch
from .._geometry import wrap_dim
from .._tensor import Tensor
from .convert import to_dtype
from .gather import narrow, select
from .op import op
from .out import with_out


@op(name="Cat")
def _cat(ctx: Any, *tensors: Tensor, dim: int) -> Tensor:
    ctx.extra = dim, [x.shape[dim] for x in tensors]
    return launch.cat(tensors, dim, tensors[0].dtype)


@_cat.derivative
def cat_derivative(ctx: Any, gy: Tensor) -> tuple[Any, ...]:
    dim, sizes = ctx.extra
    parts, start = [], 0
    for size, need in zip(sizes, ctx.needs, strict=True):
        parts.append(narrow(gy, dim, start, size) if need else None)
        start += size
    return tuple(parts)


@with_out
def cat(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors one behind the other along a dimension; the other sizes must agree. Dtypes are promoted.

    Raises RuntimeError where sizes do not fit, ValueError for no tensors at all.

    >>> import fastgrad as torch
    >>> torch.cat([torch.zeros(2), torch.ones(1)])
    tensor([0., 0., 1.])
    """
    dim = dim if axis is None else axis
    given = _several(tensors, "cat")
    for k, x in enumerate(given):
        if not x.shape:
            raise RuntimeError(f"zero-dimensional tensor (at position {k}) cannot be concatenated")
    kind = given[0].dtype
    for x in given[1:]:
        kind = _dtype.promote_types(kind, x.dtype)
    # An empty vector fits anything, as it always did in PyTorch.
    solid = [to_dtype(x, kind) for x in given if x.shape != (0,)] or [to_dtype(given[0], kind)]
    first = solid[0]
    dim = wrap_dim(dim, first.ndim)
    for k, x in enumerate(solid):
        if x.ndim != first.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {x.ndim}")
        for d in range(first.ndim):
            if d != dim and x.shape[d] != first.shape[d]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {first.shape[d]} but got size "
                    f"{x.shape[d]} for tensor number {k} in the list."
                )
    return _cat(*solid, dim=dim)


concat = concatenate = cat


def _several(tensors: Any, name: str) -> list[Tensor]:
    if isinstance(tensors, Tensor):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
    given = list(tensors)
    if not given:
        if name == "cat":
            raise ValueError("torch.cat(): expected a non-empty list of Tensors")
        raise RuntimeError("stack expects a non-empty TensorList")
    for k, x in enumerate(given):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {k} in argument 0, but got {type(x).__name__}")
    return given


@op(name="Stack")
def _stack(ctx: Any, *tensors: Tensor, dim: int) -> Tensor:
    ctx.extra = dim
    return launch.cat([launch.unsqueeze(x, dim) for x in tensors], dim, tensors[0].dtype)


@_stack.derivative
def stack_derivative(ctx: Any, gy: Tensor) -> tuple[Any, ...]:
    dim = ctx.extra
    return tuple([select(gy, dim, k) if need else None for k, need in enumerate(ctx.needs)])


@with_out
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape, side by side along a new dimension. RuntimeError where their shapes differ.

    >>> import fastgrad as torch
    >>> torch.stack([torch.zeros(2), torch.ones(2)], dim=1)
    tensor([[0., 1.],
            [0., 1.]])
    """
    given = _several(tensors, "stack")
    kind = given[0].dtype
    for k, x in enumerate(given):
        if x.shape != given[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(given[0].shape)} at entry 0 and "
                f"{list(x.shape)} at entry {k}"
            )
        kind = _dtype.promote_types(kind, x.dtype)
    return _stack(*[to_dtype(x, kind) for x in given], dim=wrap_dim(dim, given[0].ndim + 1))


__all__ = ["cat", "concat", "concatenate", "stack"]
