"""Dimensions moved, cut apart and joined: movedim, unflatten, split, chunk, unbind, hstack, vstack, meshgrid."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from .._geometry import Size, broadcast, wrap_dim
from .._tensor import Tensor
from .gather import narrow, select
from .join import cat
from .order import permute
from .out import with_out
from .pointwise import as_tensor
from .shape import clone, reshape, unsqueeze
from .stretch import expand

# --- dimensions moved -----------------------------------------------------------------------------------------------------


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """A view with dimensions moved to other places; the others keep their order.

    >>> import fastgrad as torch
    >>> torch.movedim(torch.zeros(2, 3, 4), 0, 2).shape
    torch.Size([3, 4, 2])
    """
    origin = [source] if isinstance(source, int) else list(source)
    target = [destination] if isinstance(destination, int) else list(destination)
    if len(origin) != len(target):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({origin} dims) should contain the same number of dims as "
            f"destination ({target} dims)"
        )
    origin, target = [wrap_dim(d, input.ndim) for d in origin], [wrap_dim(d, input.ndim) for d in target]
    for name, dims in (("source", origin), ("destination", target)):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({dims})")
    order = [d for d in range(input.ndim) if d not in origin]
    for place, d in sorted(zip(target, origin, strict=True)):
        order.insert(place, d)
    return permute(input, *order) if order else input


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One dimension as several, of which one size may be -1.

    >>> import fastgrad as torch
    >>> torch.unflatten(torch.zeros(2, 6), 1, (2, -1)).shape
    torch.Size([2, 2, 3])
    """
    dim = wrap_dim(dim, input.ndim)
    known = 1
    for n in sizes:
        known *= n if n != -1 else 1
    whole = input.shape[dim]
    if (-1 in sizes and (known == 0 or whole % known)) or (-1 not in sizes and known != whole):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({whole}) in the "
            f"input tensor"
        )
    return reshape(input, *input.shape[:dim], *[whole // known if n == -1 else n for n in sizes], *input.shape[dim + 1 :])


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension.

    >>> import fastgrad as torch
    >>> torch.ravel(torch.zeros(2, 3)).shape
    torch.Size([6])
    """
    return reshape(input, -1) if input._contiguous else reshape(clone(input), -1)


moveaxis = movedim

# --- cut apart ------------------------------------------------------------------------------------------------------------


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of pieces along a dimension: all of one size but the last, or of the given sizes.

    >>> import fastgrad as torch
    >>> torch.split(torch.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    if not as_tensor(tensor, "split").shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, tensor.ndim)
    n, given = tensor.shape[dim], split_size_or_sections
    if isinstance(given, int):
        if given < 0:
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={given}")
        if given == 0 and n:
            raise RuntimeError(
                f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}"
            )
        sizes = [min(given, n - first) for first in range(0, n, given)] if n else [0]
    else:
        sizes = list(given)
        if sum(sizes) != n or any(size < 0 for size in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension "
                f"{dim}), but got "
                f"split_sizes={sizes}"
            )
    parts, first = [], 0
    for size in sizes:
        parts.append(narrow(tensor, dim, first, size))
        first += size
    return tuple(parts)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most `chunks` pieces along a dimension, all of one size but the last.

    >>> import fastgrad as torch
    >>> torch.chunk(torch.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if not as_tensor(input, "chunk").shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = input.shape[wrap_dim(dim, input.ndim)]
    if n == 0:
        return split(input, [0] * chunks, dim)
    return split(input, -(-n // chunks), dim)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of pieces as even as possible, or of those between the given places.

    >>> import fastgrad as torch
    >>> torch.tensor_split(torch.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    dim = wrap_dim(dim, input.ndim)
    n, given = input.shape[dim], indices_or_sections
    if isinstance(given, int):
        if given <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {given}")
        return split(input, [n // given + (k < n % given) for k in range(given)], dim)
    ends = [min(max(k + n if k < 0 else k, 0), n) for k in given]
    starts = [0, *ends]
    return tuple([narrow(input, dim, a, max(b - a, 0)) for a, b in zip(starts, [*ends, n], strict=True)])


def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` of the columns; the number of pieces must divide them.

    >>> import fastgrad as torch
    >>> [x.shape[1] for x in torch.hsplit(torch.zeros(2, 4), 2)]
    [2, 2]
    """
    return _even_split("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1)


def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` of the rows; the number of pieces must divide them.

    >>> import fastgrad as torch
    >>> len(torch.vsplit(torch.zeros(4, 2), 2))
    2
    """
    return _even_split("vsplit", input, indices_or_sections, 0)


def _even_split(name: str, x: Tensor, given: Any, dim: int) -> tuple[Tensor, ...]:
    if x.ndim < 1 + (name == "vsplit"):
        raise RuntimeError(f"torch.{name} requires a tensor with at least {1 + (name == 'vsplit')} dimension")
    if isinstance(given, int) and x.shape[dim] % given:
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {x.shape[dim]} is not "
            f"divisible by the split_size {given}!"
        )
    return tensor_split(x, given, dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of every place along a dimension, which goes away.

    >>> import fastgrad as torch
    >>> torch.unbind(torch.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    if not input.shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = wrap_dim(dim, input.ndim)
    return tuple([select(input, dim, k) for k in range(input.shape[dim])])


# --- joined ---------------------------------------------------------------------------------------------------------------


def _several(tensors: Any) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def atleast_1d(*tensors: Any) -> Any:
    """Tensors with at least one dimension."""
    return _each(tensors, lambda x: reshape(x, 1) if x.ndim == 0 else x)


def atleast_2d(*tensors: Any) -> Any:
    """Tensors with at least two dimensions; a vector becomes a row."""
    return _each(tensors, lambda x: reshape(x, 1, 1) if x.ndim == 0 else unsqueeze(x, 0) if x.ndim == 1 else x)


def atleast_3d(*tensors: Any) -> Any:
    """Tensors with at least three dimensions."""

    def grown(x: Tensor) -> Tensor:
        if x.ndim == 0:
            return reshape(x, 1, 1, 1)
        if x.ndim == 1:
            return unsqueeze(unsqueeze(x, 0), -1)
        return unsqueeze(x, -1) if x.ndim == 2 else x

    return _each(tensors, grown)


def _each(tensors: tuple[Any, ...], change: Any) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return change(tensors[0])
    given = tensors[0] if len(tensors) == 1 else tensors
    return tuple([change(x) for x in given])


@with_out
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors side by side: vectors along their only dimension, others along the second.

    >>> import fastgrad as torch
    >>> torch.hstack([torch.tensor([1]), torch.tensor([2, 3])])
    tensor([1, 2, 3])
    """
    given = [atleast_1d(x) for x in _several(tensors)]
    if not given:
        raise RuntimeError("hstack expects a non-empty TensorList")
    return cat(given, 0 if given[0].ndim == 1 else 1)


@with_out
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors below one another; vectors are rows.

    >>> import fastgrad as torch
    >>> torch.vstack([torch.tensor([1, 2]), torch.tensor([3, 4])]).tolist()
    [[1, 2], [3, 4]]
    """
    given = [atleast_2d(x) for x in _several(tensors)]
    if not given:
        raise RuntimeError("vstack expects a non-empty TensorList")
    return cat(given, 0)


row_stack = vstack


@with_out
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors behind one another, along the third dimension.

    >>> import fastgrad as torch
    >>> torch.dstack([torch.tensor([1, 2]), torch.tensor([3, 4])]).shape
    torch.Size([1, 2, 2])
    """
    return cat([atleast_3d(x) for x in _several(tensors)], 2)


@with_out
def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors side by side; vectors are columns.

    >>> import fastgrad as torch
    >>> torch.column_stack([torch.tensor([1, 2]), torch.tensor([3, 4])]).tolist()
    [[1, 3], [2, 4]]
    """
    given = [reshape(x, max(x._numel, 1), 1) if x.ndim <= 1 else x for x in _several(tensors)]
    return hstack(given)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of a grid as views: `indexing` "ij" has a dimension for each vector in order, "xy" exchanges the first
    two.

    >>> import fastgrad as torch
    >>> a, b = torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")
    >>> a.shape
    torch.Size([2, 3])
    """
    given = list(tensors[0]) if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else list(tensors)
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning,
            stacklevel=2,
        )
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for x in given:
        if x.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x.ndim}")
        if x.dtype is not given[0].dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    swapped = indexing == "xy" and len(given) >= 2
    if swapped:
        given[:2] = given[1::-1]
    sizes = [max(x._numel, 1) if x.ndim == 0 else x.shape[0] for x in given]
    made = [
        expand(reshape(x, *[n if d == k else 1 for d, n in enumerate(sizes)]), *sizes) for k, x in enumerate(given)
    ]
    if swapped:
        made[:2] = made[1::-1]
    return tuple(made)


def broadcast_shapes(*shapes: Any) -> Size:
    """The common shape of shapes.

    >>> import fastgrad as torch
    >>> torch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    made = Size(())
    for shape in shapes:
        made = broadcast(made, Size((shape,) if isinstance(shape, int) else shape))
    return made


__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "chunk", "column_stack", "dstack", "hsplit", "hstack",
    "meshgrid", "moveaxis", "movedim", "ravel", "row_stack", "split", "tensor_split", "unbind", "unflatten", "vsplit",
    "vstack",
]  # fmt: skip
