"""Elements in another order: flip, roll, triangles, diagonals, repetition, sliding windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._geometry import Size, wrap_dim
from .._launch import rearrange as launch
from .._tensor import Tensor
from .op import op
from .out import with_out
from .pointwise import as_tensor
from .reduce import dims_of
from .shape import add_window, as_strided, clone, reshape, sizes_of
from .stretch import expand


@op(name="Flip")
def _flip(ctx: Any, x: Tensor, *, dims: tuple[int, ...]) -> Tensor:
    ctx.extra = dims
    return launch.flip(x, dims)


@_flip.derivative
def flip_derivative(ctx: Any, gy: Tensor) -> Tensor:
    made: Tensor = _flip(gy, dims=ctx.extra)
    return made


def flip(input: Tensor, *dims: Any) -> Tensor:
    """The elements in reverse order along dimensions.

    >>> import fastgrad as torch
    >>> torch.flip(torch.tensor([1, 2, 3]), (0,))
    tensor([3, 2, 1])
    """
    given = sizes_of(dims)
    made: Tensor = _flip(as_tensor(input, "flip"), dims=dims_of(given, input.ndim) if given else ())
    return made


def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order.

    >>> import fastgrad as torch
    >>> torch.fliplr(torch.tensor([[1, 2]]))
    tensor([[2, 1]])
    """
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order.

    >>> import fastgrad as torch
    >>> torch.flipud(torch.tensor([1, 2]))
    tensor([2, 1])
    """
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@op(name="Roll")
def _roll(ctx: Any, x: Tensor, *, shifts: tuple[int, ...], dims: tuple[int, ...] | None) -> Tensor:
    ctx.extra = shifts, dims
    return launch.roll(x, shifts, dims)


@_roll.derivative
def roll_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shifts, dims = ctx.extra
    made: Tensor = _roll(gy, shifts=tuple([-s for s in shifts]), dims=dims)
    return made


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """The elements moved along dimensions (or of the flattened tensor); what falls off comes in at the other end.

    >>> import fastgrad as torch
    >>> torch.roll(torch.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    moved = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    along = None if dims is None or dims == () else (dims,) if isinstance(dims, int) else tuple(dims)
    if not moved:
        raise RuntimeError("`shifts` required")
    if (along is None and len(moved) != 1) or (along is not None and len(along) != len(moved)):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(moved)}, dims:{0 if along is None else len(along)}"
        )
    wrapped = None if along is None else tuple([wrap_dim(d, input.ndim) for d in along])
    made: Tensor = _roll(as_tensor(input, "roll"), shifts=moved, dims=wrapped)
    return made


# --- triangles and diagonals --------------------------------------------------------------------------------------------


def _triangle(name: str, lower: bool, shown: str) -> Any:
    @op(name=name.capitalize())
    def triangle(ctx: Any, x: Tensor, *, diagonal: int) -> Tensor:
        ctx.extra = diagonal
        return launch.triangle(x, diagonal, lower)

    @triangle.derivative
    def triangle_derivative(ctx: Any, gy: Tensor) -> Tensor:
        made: Tensor = triangle(gy, diagonal=ctx.extra)
        return made

    def public(input: Tensor, diagonal: int = 0) -> Tensor:
        if as_tensor(input, name).ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        made: Tensor = triangle(input, diagonal=diagonal)
        return made

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"""Matrices with zeros {"above" if lower else "below"} a diagonal.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.ones(2, 2)).tolist()
    {shown}
    """
    return with_out(public)


tril = _triangle("tril", True, "[[1.0, 0.0], [1.0, 1.0]]")
triu = _triangle("triu", False, "[[1.0, 1.0], [0.0, 1.0]]")


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of the diagonals of matrices that lie in two dimensions; they become the last dimension.

    >>> import fastgrad as torch
    >>> torch.diagonal(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    first, second = wrap_dim(dim1, input.ndim), wrap_dim(dim2, input.ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    shape, strides = input.shape, input._strides
    if offset >= 0:
        length = max(min(shape[first], shape[second] - offset), 0)
        start = offset * strides[second]
    else:
        length = max(min(shape[first] + offset, shape[second]), 0)
        start = -offset * strides[first]
    kept = [d for d in range(input.ndim) if d not in (first, second)]
    sizes = Size([*[shape[d] for d in kept], length])
    steps = (*[strides[d] for d in kept], strides[first] + strides[second])
    made: Tensor = as_strided(input, shape=sizes, strides=steps, offset=input._offset + (start if length else 0))
    return made


_diagonal = diagonal


@with_out
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector.

    >>> import fastgrad as torch
    >>> torch.diag(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if as_tensor(input, "diag").ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return clone(_diagonal(input, diagonal))


def diag_embed(input: Tensor, offset: int = 0) -> Tensor:
    """The last dimension as the diagonals of matrices, which stand in two new last dimensions.

    >>> import fastgrad as torch
    >>> torch.diag_embed(torch.tensor([[1, 2]])).shape
    torch.Size([1, 2, 2])
    """
    n = input.shape[-1] + abs(offset)
    shape = Size((*input.shape[:-1], n, n))
    strides: list[int] = []
    step = n * n
    for size in reversed(input.shape[:-1]):
        strides.insert(0, step)
        step *= size
    start = offset if offset >= 0 else -offset * n
    made: Tensor = add_window(input, shape=shape, strides=(*strides, n + 1), offset=start)
    return made


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """All elements as the diagonal of a matrix.

    >>> import fastgrad as torch
    >>> torch.diagflat(torch.tensor([1, 2])).shape
    torch.Size([2, 2])
    """
    return diag_embed(reshape(input, -1), offset)


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal.

    >>> import fastgrad as torch
    >>> torch.trace(torch.eye(3))
    tensor(3.)
    """
    if input.ndim != 2:
        raise RuntimeError("trace: expected a matrix")
    return diagonal(input).sum()


# --- repetition and windows -----------------------------------------------------------------------------------------------


def repeat(x: Tensor, *sizes: Any) -> Tensor:
    """The tensor repeated along each dimension; new dimensions stand in front.

    >>> import fastgrad as torch
    >>> torch.tensor([1, 2]).repeat(2)
    tensor([1, 2, 1, 2])
    """
    times = sizes_of(sizes)
    lead = len(times) - x.ndim
    if lead < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    if any(n < 0 for n in times):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(times)}: {list(times)}")
    own = [*(1,) * lead, *x.shape]
    pairs = [size for n in own for size in (1, n)]
    wide = [size for n, k in zip(own, times, strict=True) for size in (k, n)]
    made = clone(expand(reshape(x, pairs), wide)) if wide else clone(x)
    return reshape(made, [n * k for n, k in zip(own, times, strict=True)])


def tile(input: Tensor, *dims: Any) -> Tensor:
    """As `Tensor.repeat`; dimensions that are missing in front of `dims` are repeated once.

    >>> import fastgrad as torch
    >>> torch.tile(torch.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """
    times = list(sizes_of(dims))
    return repeat(input, *(1,) * (input.ndim - len(times)), *times)


def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: Any = None) -> Tensor:
    """Each element (or slice along `dim`) repeated, the same number of times or as often as `repeats` says for each.

    >>> import fastgrad as torch
    >>> torch.repeat_interleave(torch.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    from .create import arange
    from .gather import index_select

    if repeats is None:
        input, repeats = arange(input.shape[0]), input
    x = as_tensor(input, "repeat_interleave")
    if dim is None:
        x, dim = reshape(x, -1), 0
    dim = wrap_dim(dim, x.ndim)
    counts = repeats._array() if isinstance(repeats, Tensor) else np.asarray(repeats)
    if counts.dtype.kind not in "iu":
        raise RuntimeError("repeats must be int64 or int32 tensor")
    if (counts < 0).any():
        raise RuntimeError("repeats can not be negative")
    if counts.size not in (1, x.shape[dim]):
        raise RuntimeError("repeats must have the same size as input along dim")
    from .._launch import arrays

    places = np.repeat(np.arange(x.shape[dim]), counts.reshape(-1) if counts.size != 1 else int(counts.reshape(-1)[0]))
    return index_select(x, dim, arrays.new(places))


def unfold(x: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A view of all windows of `size` neighbours along a dimension, `step` apart; the windows are the last dimension.

    >>> import fastgrad as torch
    >>> torch.arange(4).unfold(0, 2, 1).tolist()
    [[0, 1], [1, 2], [2, 3]]
    """
    if not x.shape:
        return unfold(x.reshape(1), dimension, size, step)[0]
    dim = wrap_dim(dimension, x.ndim)
    length = x.shape[dim]
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    shape, strides = list(x.shape), list(x._strides)
    shape[dim] = (length - size) // step + 1
    made: Tensor = as_strided(
        x, shape=Size([*shape, size]), strides=(*strides[:dim], strides[dim] * step, *strides[dim + 1 :], x._strides[dim]),
        offset=x._offset,
    )  # fmt: skip
    return made


def as_strided_(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """A view of the memory of `input` with any sizes, strides and offset."""
    offset = input._offset if storage_offset is None else storage_offset
    made: Tensor = as_strided(input, shape=Size(size), strides=tuple(stride), offset=offset)
    return made


as_strided_.__name__ = as_strided_.__qualname__ = "as_strided"

__all__ = [
    "diag", "diag_embed", "diagflat", "diagonal", "flip", "fliplr", "flipud", "repeat_interleave", "roll", "tile", "trace",
    "tril", "triu",
]  # fmt: skip
