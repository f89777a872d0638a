"""Dimensions of size 1 stretched: views in which many elements share memory."""

from __future__ import annotations

from typing import Any

from .. import _meta
from .._geometry import Size, broadcast
from .._tensor import Tensor, window
from .op import op
from .shape import sizes_of


@op(name="Expand", scalar=True, view=True)
def _expand(ctx: Any, x: Tensor, shape: Size) -> Tensor:
    ctx.extra = x.shape
    return window(x, _meta.expanded(x._meta, shape))


@_expand.derivative
def expand_derivative(ctx: Any, gy: Tensor) -> Tensor:
    from .reduce import sum_to

    return sum_to(gy, ctx.extra)


def expand(x: Tensor, *sizes: Any) -> Tensor:
    """A view with dimensions of size 1 stretched; -1 keeps a size, new dimensions stand in front.

    Raises RuntimeError for a size that is not 1 and not the wanted one.

    >>> import fastgrad as torch
    >>> torch.tensor([1, 2]).expand(2, 2)
    tensor([[1, 2],
            [1, 2]])
    """
    wanted = list(sizes_of(sizes))
    lead = len(wanted) - x.ndim
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.{x.dtype.scalar_name}Tensor{{{list(x.shape)}}}, size={wanted}): the number of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor ({x.ndim})"
        )
    for d, size in enumerate(wanted):
        if size == -1 and d >= lead:
            wanted[d] = x.shape[d - lead]
        elif size < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({size}) isn't allowed in a leading, non-existing dimension {d}"
            )
        elif d >= lead and x.shape[d - lead] not in (1, size):
            raise RuntimeError(
                f"The expanded size of the tensor ({size}) must match the existing size ({x.shape[d - lead]}) at "
                f"non-singleton dimension {d}.  Target sizes: {wanted}.  Tensor sizes: {list(x.shape)}"
            )
    return _expand(x, Size(wanted))


def expand_as(x: Tensor, other: Tensor) -> Tensor:
    """`x` stretched to the shape of `other`."""
    return expand(x, *other.shape)


def sum_to_size(x: Tensor, *size: Any) -> Tensor:
    """`x` summed over the dimensions along which a tensor of this size would be stretched to its shape."""
    from .reduce import sum_to

    shape = Size(sizes_of(size))
    if len(shape) > x.ndim or broadcast(shape, x.shape) != x.shape:
        raise RuntimeError(f"size {{{list(shape)}}} is not expandable to size {{{list(x.shape)}}}.")
    return sum_to(x, shape)


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """`input` stretched to `size`, as a view; see `Tensor.expand`.

    >>> import fastgrad as torch
    >>> torch.broadcast_to(torch.tensor([1, 2]), (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """
    return expand(input, *size)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors stretched to their common shape, as views.

    >>> import fastgrad as torch
    >>> a, b = torch.broadcast_tensors(torch.zeros(2, 1), torch.zeros(3))
    >>> a.shape, b.shape
    (torch.Size([2, 3]), torch.Size([2, 3]))
    """
    shape = Size(())
    for x in tensors:
        shape = broadcast(shape, x.shape)
    return tuple([expand(x, *shape) for x in tensors])

__all__ = ["broadcast_tensors", "broadcast_to", "expand", "expand_as"]
