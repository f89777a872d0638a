"""Samples into batches: the default rules of `DataLoader`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from fastgrad import _dtype
from fastgrad._tensor import Tensor
from fastgrad.ops.data import as_tensor, tensor
from fastgrad.ops.join import stack

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Join samples along a new first dimension: tensors and arrays are stacked, numbers become one tensor.

    Strings stay a list; dictionaries, tuples and lists are joined part by part (tuples give a list).

    >>> import fastgrad as torch
    >>> torch.utils.data.default_collate([(1, 0.5), (2, 1.5)])
    [tensor([1, 2]), tensor([0.5000, 1.5000], dtype=torch.float64)]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "SUO":
            raise TypeError(_unknown(first.dtype))
        return stack([as_tensor(array) for array in batch])
    if isinstance(first, np.generic):
        return as_tensor(np.array(batch))
    if isinstance(first, float):
        return tensor(list(batch), dtype=_dtype.float64)
    if isinstance(first, int):
        return tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _like_mapping(
            first, {key: default_collate([sample[key] for sample in batch]) for key in first}
        )
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        parts = [default_collate(samples) for samples in zip(*batch)]
        return (
            parts
            if isinstance(first, tuple) and not hasattr(first, "_fields")
            else _like_sequence(first, parts)
        )
    raise TypeError(_unknown(type(first)))


def default_convert(data: Any) -> Any:
    """Arrays into tensors, inside containers too; everything else stays. For loaders without batches.

    >>> import fastgrad as torch
    >>> torch.utils.data.default_convert((1, "a"))
    [1, 'a']
    """
    if (isinstance(data, np.ndarray) and data.dtype.kind not in "SUO") or isinstance(data, np.generic):
        return as_tensor(np.asarray(data))
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and not hasattr(data, "_fields"):
        return [default_convert(part) for part in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(part) for part in data])
    return data


def _like_mapping(model: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    """A mapping of the model's type; a dictionary where that cannot be made."""
    try:
        if isinstance(model, MutableMapping):
            made = copy.copy(model)  # keeps what the type has besides its entries
            made.update(values)
            return made
        return type(model)(values)  # type: ignore[call-arg]
    except TypeError:
        return values


def _like_sequence(model: Sequence[Any], parts: list[Any]) -> Any:
    """A sequence of the model's type; a list where that cannot be made."""
    if hasattr(model, "_fields"):
        return type(model)(*parts)
    try:
        if isinstance(model, MutableSequence):
            made = copy.copy(model)
            for i, part in enumerate(parts):
                made[i] = part
            return made
        return type(model)(parts)  # type: ignore[call-arg]
    except TypeError:
        return parts


def _unknown(kind: Any) -> str:
    return f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {kind}"
