"""Elements by mask, of the flattened tensor, and those that are not zero: masked_fill, take, nonzero, one_hot."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._geometry import broadcast, wrap_dim
from .._launch import arrays, copy
from .._launch import mathematics as maths
from .._launch import places as at
from .._tensor import Tensor
from .gather import gather
from .index import _put, getitem
from .op import op
from .out import with_out
from .places import _filler
from .pointwise import as_tensor
from .reduce import sum_to
from .shape import reshape
from .stretch import expand


@op(name="MaskedFill0")
def _masked_fill(ctx: Any, x: Tensor, *, mask: Tensor, value: float) -> Tensor:
    ctx.save(mask)
    ctx.extra = x.shape
    return maths.masked_fill(mask, x, value)


@_masked_fill.derivative
def masked_fill_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return sum_to(_masked_fill(gy, mask=ctx.saved[0], value=0.0), ctx.extra)


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy of `input` with one number where the mask (a bool tensor) holds.

    >>> import fastgrad as torch
    >>> torch.masked_fill(torch.ones(2), torch.tensor([True, False]), 0)
    tensor([0., 1.])
    """
    if as_tensor(mask, "masked_fill").dtype is not _dtype.bool_:
        raise RuntimeError("masked_fill_ only supports boolean masks, but got mask with dtype " + _c_name(mask.dtype))
    if isinstance(value, Tensor):
        from .choose import _where

        made: Tensor = _where(mask, _filler(value, input), input)
        return made
    broadcast(input.shape, mask.shape)
    number = _dtype.checked(value, input.dtype)
    if input.dtype.category == 2:
        made = _masked_fill(input, mask=mask, value=float(number))
        return made
    return arrays.apply(lambda m, x: np.where(m, x.dtype.type(number), x), mask, input, dtype=input.dtype)


def _c_name(kind: _dtype.dtype) -> str:
    return {"float32": "float", "float64": "double", "int64": "long int", "int32": "int"}.get(kind.name, kind.name)


@with_out
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask (a bool tensor) holds, in one dimension; the two are broadcast.

    >>> import fastgrad as torch
    >>> torch.masked_select(torch.tensor([1, 2, 3]), torch.tensor([True, False, True]))
    tensor([1, 3])
    """
    if mask.dtype is not _dtype.bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = broadcast(as_tensor(input, "masked_select").shape, mask.shape)
    return getitem(expand(input, *shape), expand(mask, *shape)) if shape else getitem(reshape(input, 1), reshape(mask, 1))


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy of `input` with the elements of source, in order, where the mask (a bool tensor) holds.

    >>> import fastgrad as torch
    >>> torch.masked_scatter(torch.zeros(3), torch.tensor([True, False, True]), torch.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    if mask.dtype is not _dtype.bool_:
        raise RuntimeError("masked_scatter_ only supports boolean masks, but got mask with dtype " + _c_name(mask.dtype))
    if source.dtype is not input.dtype:
        raise RuntimeError("masked_scatter: expected self and source to have same dtypes but got " + _c_name(input.dtype))
    whole = expand(mask, *input.shape)
    count = int(arrays.apply(np.count_nonzero, whole).item())
    if source._numel < count:
        raise RuntimeError(
            f"Number of elements of source < number of ones in mask ({source._numel} < {count})"
        )
    made: Tensor = _put(input, reshape(source, -1)[:count], places=(copy(whole.detach()),))
    return made


# --- flattened, and found -------------------------------------------------------------------------------------------------


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at places of the flattened tensor, in the shape of `index`.

    >>> import fastgrad as torch
    >>> torch.take(torch.tensor([[1, 2], [3, 4]]), torch.tensor([3, 0]))
    tensor([4, 1])
    """
    if index.dtype is not _dtype.int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {index.dtype.scalar_name}")
    flat = reshape(as_tensor(input, "take"), -1)
    n = flat.shape[0]
    at.within(index, -n, n, IndexError, "out of range: tried to access index out of range")
    return getitem(flat, index) if index.shape else reshape(getitem(flat, reshape(index, 1)), ())


@with_out
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Along a dimension, the entry that `indices` names at each place; other sizes are broadcast. Without `dim`, of the
    flattened tensor.

    >>> import fastgrad as torch
    >>> torch.take_along_dim(torch.tensor([[3, 1], [2, 5]]), torch.tensor([[0], [1]]), 1)
    tensor([[3],
            [5]])
    """
    if indices.dtype is not _dtype.int64:
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype.scalar_name}"
        )
    if dim is None:
        return gather(reshape(input, -1), 0, reshape(indices, -1))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    dim = wrap_dim(dim, input.ndim)
    common = [max(a, b) if 0 not in (a, b) else 0 for a, b in zip(input.shape, indices.shape, strict=True)]
    wide = [n if d == dim else c for d, (n, c) in enumerate(zip(input.shape, common, strict=True))]
    named = [n if d == dim else c for d, (n, c) in enumerate(zip(indices.shape, common, strict=True))]
    size = input.shape[dim]
    places = arrays.apply(lambda p: np.where(p < 0, p + size, p), indices)
    return gather(expand(input, *wide), dim, expand(places, *named))


@with_out
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The places of all elements that are not zero, one row each; with `as_tuple` a vector for each dimension.

    >>> import fastgrad as torch
    >>> torch.nonzero(torch.tensor([0, 3, 0, 4]))
    tensor([[1],
            [3]])
    """
    array = as_tensor(input, "nonzero")._array()
    if as_tuple:
        return tuple([arrays.new(part) for part in np.nonzero(np.atleast_1d(array))])
    if not array.ndim:
        return arrays.new(np.zeros((int(bool(array)), 0), np.int64))
    return arrays.new(np.argwhere(array).astype(np.int64).T.copy()).t()


argwhere = nonzero

def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A row of zeros and a single one for each class number (int64); as many classes as the largest number asks for, unless
    given.

    >>> import fastgrad as torch
    >>> torch.nn.functional.one_hot(torch.tensor([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    if as_tensor(tensor, "one_hot").dtype is not _dtype.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor. Got: {tensor.dtype.scalar_name}Tensor"
        )
    if not tensor._numel and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    at.within(tensor, 0, 2**63, RuntimeError, "Class values must be non-negative.")
    count = int(tensor._array().max()) + 1 if num_classes == -1 else num_classes
    if num_classes != -1 and num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    at.within(tensor, 0, count, RuntimeError, "Class values must be smaller than num_classes.")
    return arrays.apply(lambda n: (n[..., None] == np.arange(count)).astype(np.int64), tensor)


__all__ = ["masked_fill", "masked_scatter", "masked_select", "nonzero", "take", "take_along_dim"]
