"""Counts: count_nonzero, bincount, histc."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _dtype
from .._launch import arrays, tally
from .._tensor import Tensor
from .out import numpy_names, with_out
from .pointwise import as_tensor
from .reduce import dims_of


@numpy_names
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements are not zero, of all or over dimensions.

    >>> import fastgrad as torch
    >>> torch.count_nonzero(torch.tensor([0, 3, 4]))
    tensor(2)
    """
    if dim is None:
        return tally.count_of_all(as_tensor(input, "count_nonzero"))
    return tally.count.dims(input, dims_of(dim, as_tensor(input, "count_nonzero").ndim), False)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 on occurs in a vector of integers, or the sum of their weights.

    >>> import fastgrad as torch
    >>> torch.bincount(torch.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    if input.dtype.category != 1:
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{input.dtype.scalar_name}'")
    array = input._array()
    if array.ndim != 1 or (array.size and array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if weights is None:
        return arrays.new(np.bincount(array, minlength=minlength).astype(np.int64))
    if weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    kind = np.float32 if weights.dtype is _dtype.float32 else np.float64
    return arrays.new(np.bincount(array, weights.detach()._array(), minlength).astype(kind))


@with_out
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal intervals between min and max (of the elements unless given).

    >>> import fastgrad as torch
    >>> torch.histc(torch.tensor([1.0, 2.0, 2.5]), bins=2, min=1, max=3)
    tensor([1., 2.])
    """
    if as_tensor(input, "histc").dtype.category != 2:
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{input.dtype.scalar_name}'")
    if bins <= 0:
        raise RuntimeError("bins must be > 0")
    array = input.detach()._array().reshape(-1)
    low, high = float(min), float(max)
    if low == high and array.size:
        low, high = float(array.min()), float(array.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError("max must be larger than min")
    inside = array[(array >= low) & (array <= high)].astype(np.float64)
    places = np.minimum(((inside - low) / (high - low) * bins).astype(np.int64), bins - 1)
    return arrays.new(np.bincount(places, minlength=bins).astype(array.dtype))


__all__ = ["bincount", "count_nonzero", "histc"]
