"""Rows of a table by number, differentiable in the table."""

from __future__ import annotations

from typing import Any

from .. import _dtype
from .._launch import embedding as launch
from .._tensor import Tensor
from ..autograd.modes import no_grad
from . import inplace
from .compare import ne
from .convert import to_dtype
from .op import op
from .shape import unsqueeze


@op(name="Embedding")
def _embedding(ctx: Any, table: Tensor, index: Tensor, *, padding: int, by_frequency: bool) -> Tensor:
    ctx.save(index)
    ctx.extra = table.shape[0], padding, by_frequency
    return launch.rows(table, index)


@_embedding.derivative
def embedding_derivative(ctx: Any, gy: Tensor) -> Any:
    (index,), (count, padding, by_frequency) = ctx.saved, ctx.extra
    return embedding_backward(gy, index, count=count, padding=padding, by_frequency=by_frequency), None


@op
def embedding_backward(
    ctx: Any, gy: Tensor, index: Tensor, *, count: int, padding: int, by_frequency: bool
) -> Tensor:
    counts = launch.frequencies(index, count) if by_frequency else None
    ctx.save(index)
    ctx.extra = padding, counts
    return launch.rows_backward(gy, index, counts, count, padding)


@embedding_backward.derivative
def embedding_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    (index,), (padding, counts) = ctx.saved, ctx.extra
    made = _embedding(ggx, index, padding=padding, by_frequency=False)
    if counts is not None:
        made = made / unsqueeze(to_dtype(counts[index], made.dtype), -1)
    if padding >= 0:
        made = made * unsqueeze(to_dtype(ne(index, padding), made.dtype), -1)
    return made, None


def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """(*indices, size): the rows of weight (n, size) that integers name. A row `padding_idx` gets no gradient.

    IndexError for a row that is not there; RuntimeError for floats. Gradients are dense: NotImplementedError with `sparse`.

    >>> import fastgrad as torch
    >>> torch.embedding(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1, 1, 0]))
    tensor([[3., 4.],
            [3., 4.],
            [1., 2.]])
    """
    if len(weight.shape) != 2:
        raise RuntimeError("'weight' must be 2-D")
    if indices.dtype not in (_dtype.int64, _dtype.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{indices.dtype.scalar_name}Tensor instead (while checking arguments for embedding)"
        )
    if sparse:
        raise NotImplementedError("embedding: sparse gradients are not there; leave out sparse=True")
    index = to_dtype(indices, _dtype.int64)
    made: Tensor = _embedding(weight, index, padding=padding_idx, by_frequency=scale_grad_by_freq)
    return made


def embedding_renorm_(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float = 2.0) -> Tensor:
    """Scale the named rows of `weight` down, in place and unrecorded, to a norm of at most `max_norm`."""
    with no_grad():
        inplace.check(weight)
        launch.limit_norms(weight, indices, float(max_norm), float(norm_type))
        weight._bump()
    return weight
