"""The few things that this layer does to gradients. The package of operations, which lies above, fills them in."""

from __future__ import annotations

from typing import Any


class Arithmetic:
    """Functions on tensors; those that are said to be recorded are, when recording is on."""

    add: Any = None  # add(a, b) -> new tensor, recorded
    add_into: Any = None  # add_into(a, b): a += b, never recorded
    copy: Any = None  # copy(a) -> contiguous new tensor, recorded
    ones_like: Any = None
    zeros: Any = None  # zeros(shape, dtype)
    from_list: Any = None  # from_list(values, shape, dtype): a new tensor of the values, in order
    rebase: Any = None  # rebase(x, made): x was changed in place, and stands where `made` stands in the graph from now on
    stack: Any = None  # stack(tensors) -> along a new first dimension, recorded
    sum_to: Any = None  # sum_to(a, shape) -> a, summed over the dimensions along which `shape` was stretched, recorded
    has_nan: Any = None  # has_nan(a) -> bool
