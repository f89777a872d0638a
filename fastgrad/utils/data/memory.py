"""Data sets that lie in memory as tensors: their batches are gathered whole, without looking at single samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad._launch.rows import take_rows
from fastgrad._tensor import Tensor
from fastgrad.utils.data.collate import default_collate
from fastgrad.utils.data.dataset import Subset, TensorDataset

__all__ = ["in_memory", "taken"]

Found = tuple[tuple[Tensor, ...], Callable[[Any], Any]]


def in_memory(dataset: Any, collate: Any = default_collate) -> Found | None:
    """The tensors that a data set lies in, and the function from its indices (an array) to their rows.

    None for a data set that lies elsewhere, whose class reads samples in a way of its own, or whose samples are not
    simply stacked.
    """
    if collate is not default_collate:
        return None
    kind = type(dataset)
    if isinstance(dataset, TensorDataset):
        if kind.__getitem__ is not TensorDataset.__getitem__ or hasattr(kind, "__getitems__"):
            return None
        if any(tensor.requires_grad for tensor in dataset.tensors):
            return None
        rows = len(dataset)
        return tuple([tensor.contiguous() for tensor in dataset.tensors]), lambda indices: _rows(
            indices, rows
        )
    if isinstance(dataset, Subset):
        whole = in_memory(dataset.dataset)
        plain = kind.__getitem__ is Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__
        if whole is not None and plain:
            tensors, rows_of = whole
            chosen = rows_of(np.array(dataset.indices, np.int64))
            return tensors, lambda indices: chosen[_rows(indices, len(chosen))]
    return None


def taken(tensors: tuple[Tensor, ...], rows: Any) -> list[Tensor]:
    """A batch in memory of its own: these rows (an int64 array) of every tensor."""
    rows = np.ascontiguousarray(rows)
    return [take_rows(tensor, rows.ctypes.data, len(rows)) for tensor in tensors]


def _rows(indices: Any, rows: int) -> Any:
    """Row numbers for indices, of which negative ones count from the end; IndexError with PyTorch's text."""
    # A negative index is a huge number when read as unsigned: one pass over an order that has none.
    if indices.size and indices.view(np.uint64).max() >= rows:
        for index in indices.tolist():
            if not -rows <= index < rows:
                raise IndexError(f"index {index} is out of bounds for dimension 0 with size {rows}")
        return indices % rows
    return indices
