"""More ways to make tensors: logspace, indices of triangles, other programs' memory (DLPack)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _dtype
from .._launch import arrays
from .._tensor import Tensor, from_array
from .convert import to_dtype
from .create import arange, finish, linspace, scalar
from .data import as_tensor, copied
from .out import with_out


@with_out
def logspace(
    start: float, end: float, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`base` to the powers of `linspace(start, end, steps)`.

    >>> import fastgrad as torch
    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    kind = _dtype.get_default_dtype() if dtype is None else _dtype.wanted(dtype)
    powers = linspace(start, end, steps, dtype=_dtype.float64)
    made = arrays.apply(lambda p: np.power(float(base), p).astype(kind.numpy), powers, dtype=kind)
    return finish(made, device, requires_grad)


def range_(start: float = 0, end: float | None = None, step: float = 1, *, dtype: Any = None, **named: Any) -> Tensor:
    """`arange` with the end included; PyTorch deprecates it."""
    if end is None:
        start, end = 0, start
    count = math.floor((end - start) / step) + 1
    kind = _dtype.get_default_dtype() if dtype is None else dtype
    return arange(start, start + step * (count - 0.5), step, dtype=kind, **named)


range_.__name__ = range_.__qualname__ = "range"


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A number as a tensor without dimensions, in the default dtype.

    >>> import fastgrad as torch
    >>> torch.scalar_tensor(2)
    tensor(2.)
    """
    kind = _dtype.get_default_dtype() if dtype is None else _dtype.wanted(dtype)
    return finish(scalar(s, kind), device, requires_grad)


def _triangle_indices(name: str, function: Any) -> Any:
    def indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
        if row < 0 or col < 0:
            raise RuntimeError(f"{'row' if row < 0 else 'col'} must be non-negative, got {min(row, col)}")
        made = arrays.new(np.stack(function(row, offset, col)).astype(np.int64))
        return finish(made if dtype is None else to_dtype(made, _dtype.wanted(dtype)), device, False)

    indices.__name__ = indices.__qualname__ = name
    indices.__doc__ = f"""The rows and columns of the {"lower" if name[3] == "l" else "upper"} triangle of a matrix, (2, n).

    >>> import fastgrad as torch
    >>> torch.{name}(2, 2).tolist()
    {"[[0, 1, 1], [0, 0, 1]]" if name[3] == "l" else "[[0, 0, 1], [0, 1, 1]]"}
    """
    return indices


tril_indices = _triangle_indices("tril_indices", np.tril_indices)
triu_indices = _triangle_indices("triu_indices", np.triu_indices)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """`obj` as a tensor, sharing memory where that is possible unless `copy`.

    >>> import fastgrad as torch
    >>> torch.asarray([1, 2])
    tensor([1, 2])
    """
    kind = None if dtype is None else _dtype.wanted(dtype)
    made = copied(obj, kind) if copy else as_tensor(obj, kind)
    return finish(made.detach() if isinstance(obj, Tensor) else made, device, requires_grad)


# --- other programs' memory -----------------------------------------------------------------------------------------------


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor on the memory of another library's array, which knows DLPack.

    >>> import numpy as np
    >>> import fastgrad as torch
    >>> torch.from_dlpack(np.arange(3.0))
    tensor([0., 1., 2.], dtype=torch.float64)
    """
    if isinstance(ext_tensor, Tensor):
        return ext_tensor.detach()
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    return from_array(np.from_dlpack(ext_tensor))


class _Capsule:
    """A bare DLPack capsule, as what gives it."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def to_dlpack(x: Tensor, *, stream: Any = None, **named: Any) -> Any:
    """A DLPack capsule of this tensor's memory. BufferError for a tensor that requires grad."""
    if x.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    array = x._view_array()
    if not array.flags.writeable:
        array = array.copy()
    return array.__dlpack__(**named)


def dlpack_device(x: Tensor) -> tuple[int, int]:
    """DLPack's name of the CPU."""
    return 1, 0


__all__ = ["asarray", "from_dlpack", "logspace", "scalar_tensor", "tril_indices", "triu_indices"]
