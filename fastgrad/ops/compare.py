"""Comparison: bool tensors, with PyTorch's dtype promotion and broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._launch import arrays
from .._tensor import Tensor
from .convert import to_dtype
from .create import scalar
from .elementwise import _number, _same, scalar_of
from .out import with_out


def _comparison(name: str, launched: Any) -> Callable[[Any, Any], Any]:
    def compare(input: Any, other: Any) -> Any:
        if isinstance(other, Tensor):
            if input.dtype is not other.dtype:
                input, other, _ = _same(input.detach(), other.detach())
        elif isinstance(other, np.ndarray):
            return compare(input, arrays.new(other))
        elif not _number(other):
            return NotImplemented
        else:
            other = other if isinstance(other, (int, float)) else other.item()
            kind = _dtype.result_with_scalar(input.dtype, other)
            other = scalar(other, kind) if kind.category == 2 else scalar_of(other, kind)
            return launched(to_dtype(input.detach(), kind), other)
        return launched(input, other)

    compare.__name__ = compare.__qualname__ = name
    compare.__doc__ = f"Elementwise comparison `{name}`, a bool tensor."
    return compare


OPERATORS = {
    "eq": _comparison("eq", launch.eq),
    "ne": _comparison("ne", launch.ne),
    "lt": _comparison("lt", launch.lt),
    "le": _comparison("le", launch.le),
    "gt": _comparison("gt", launch.gt),
    "ge": _comparison("ge", launch.ge),
}


def _public(name: str, text: str, shown: list[bool]) -> Callable[..., Tensor]:
    operator, launched = OPERATORS[name], getattr(launch, name)

    def compare(input: Tensor, other: Any) -> Tensor:
        if input.__class__ is other.__class__ is Tensor and input._meta.dtype is other._meta.dtype:
            return launched(input, other)
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        made: Tensor = operator(input, other)
        if made is NotImplemented:
            raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor or Number, not {type(other).__name__}")
        return made

    compare.__name__ = compare.__qualname__ = name
    compare.__doc__ = f"""Whether input {text} other, elementwise: a bool tensor.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([1, 2, 3]), 2).tolist()
    {shown}
    """
    return with_out(compare)


eq = _public("eq", "==", [False, True, False])
ne = not_equal = _public("ne", "!=", [True, False, True])
lt = less = _public("lt", "<", [True, False, False])
le = less_equal = _public("le", "<=", [True, True, False])
gt = greater = _public("gt", ">", [False, False, True])
ge = greater_equal = _public("ge", ">=", [False, True, True])

__all__ = ["eq", "ge", "greater", "greater_equal", "gt", "le", "less", "less_equal", "lt", "ne", "not_equal"]
