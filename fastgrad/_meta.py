"""The geometry of a tensor, interned: tensors of equal shape, strides and dtype share one Meta.

So `a._meta is b._meta` says in one comparison that two tensors match in everything but their memory, and what a launch
needs (number of elements, free list of the pool) was worked out when the shape was first seen.
"""

from __future__ import annotations

from math import prod
from struct import Struct

from . import _dtype
from ._geometry import Size, contiguous_strides, expand_strides, is_contiguous
from ._storage import SMALL, Block, free_list


class Meta:
    """Shape, strides (in elements) and dtype, and what follows from them."""

    __slots__ = ("shape", "strides", "dtype", "numel", "contiguous", "nbytes", "small", "free", "facts")

    def __init__(self, shape: Size, strides: tuple[int, ...], dtype: _dtype.dtype) -> None:
        self.shape = shape
        self.strides = strides
        self.dtype = dtype
        self.numel = prod(shape)
        self.contiguous = is_contiguous(shape, strides)
        # At least 16: Python shares the bytes objects of length 0 and 1 (see `_storage.py`).
        self.nbytes = max(self.numel * dtype.itemsize, 16)
        if self.nbytes > _MOST_BYTES:
            if self.contiguous or self.numel > _MOST_BYTES:
                raise RuntimeError(f"Storage size calculation overflowed with sizes={list(shape)}")
            self.nbytes = _MOST_BYTES  # a stretched view
        self.small = self.nbytes <= SMALL
        self.free: list[Block] = free_list(self.nbytes)[0]  # where a new contiguous tensor of this kind gets its memory
        last = shape[-1] if shape else 1
        self.facts = _FACTS(  # see `kernels/objects.py`
            _KINDS[dtype], self.contiguous, self.numel, self.nbytes, self.small, len(shape), last,
            self.numel // last if last else 0,
        )  # fmt: skip


_MOST_BYTES = 2**63 - 1
_FACTS = Struct("8q").pack
_KINDS = {kind: place for place, kind in enumerate((*_dtype.FLOATING, *_dtype.ALL[:-2]))}
_MOST = 20_000  # metas kept; a program that keeps inventing shapes starts over
_contiguous: dict[tuple[tuple[int, ...], _dtype.dtype], Meta] = {}
_strided: dict[tuple[tuple[int, ...], tuple[int, ...], _dtype.dtype], Meta] = {}
_expanded: dict[tuple[Meta, tuple[int, ...]], Meta] = {}
_permuted: dict[tuple[Meta, tuple[int, ...]], Meta] = {}


def contiguous(shape: tuple[int, ...], dtype: _dtype.dtype) -> Meta:
    """The meta of a row-major tensor."""
    found = _contiguous.get((shape, dtype))
    if found is None:
        if len(_contiguous) > _MOST:
            _forget()
        made = shape if shape.__class__ is Size else Size(shape)
        found = _contiguous[made, dtype] = strided(made, contiguous_strides(made), dtype)
    return found


def strided(shape: Size, strides: tuple[int, ...], dtype: _dtype.dtype) -> Meta:
    """The meta of a tensor with any strides."""
    key = (shape, strides, dtype)
    found = _strided.get(key)
    if found is None:
        if len(_strided) > _MOST:
            _forget()
        found = _strided[key] = Meta(shape, strides, dtype)
    return found


def expanded(meta: Meta, shape: Size) -> Meta:
    """The meta of a view with dimensions of size 1 (or missing in front) stretched to `shape`, which must fit."""
    found = _expanded.get((meta, shape))
    if found is None:
        strides = expand_strides(meta.shape, meta.strides, shape)
        found = _expanded[meta, shape] = strided(shape, strides, meta.dtype)
    return found


def permuted(meta: Meta, dims: tuple[int, ...]) -> Meta:
    """The meta of a view with the dimensions in another order."""
    found = _permuted.get((meta, dims))
    if found is None:
        shape, strides = Size([meta.shape[d] for d in dims]), tuple([meta.strides[d] for d in dims])
        found = _permuted[meta, dims] = strided(shape, strides, meta.dtype)
    return found


def _forget() -> None:
    for table in (_contiguous, _strided, _expanded, _permuted):
        table.clear()
