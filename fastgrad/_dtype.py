"""Element types and PyTorch's rules for mixing them."""

from __future__ import annotations

from typing import Any

import numpy as np


class dtype:
    """An element type. Compare with `is`; the printed form is PyTorch's."""

    __slots__ = ("name", "itemsize", "numpy", "is_floating_point", "is_signed", "category", "rank", "scalar_name")

    def __init__(self, name: str, scalar_name: str, category: int, rank: int) -> None:
        self.name = name
        self.scalar_name = scalar_name  # how PyTorch's error texts call it
        self.numpy = np.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"
        self.is_signed = self.numpy.kind in "fi"
        self.category = category  # 0 bool, 1 integer, 2 floating point
        self.rank = rank

    def __repr__(self) -> str:
        return f"torch.{self.name}"  # a program reads `import fastgrad as torch`

    def __reduce__(self) -> str:
        return f"{self.name}_" if self.name == "bool" else self.name


bool_ = dtype("bool", "Bool", 0, 0)
uint8 = dtype("uint8", "Byte", 1, 1)
int8 = dtype("int8", "Char", 1, 2)
int16 = dtype("int16", "Short", 1, 3)
int32 = dtype("int32", "Int", 1, 4)
int64 = dtype("int64", "Long", 1, 5)
float32 = dtype("float32", "Float", 2, 6)
float64 = dtype("float64", "Double", 2, 7)

ALL = (bool_, uint8, int8, int16, int32, int64, float32, float64)
FLOATING = (float32, float64)
_BY_NUMPY = {d.numpy: d for d in ALL}
_default = float32


def get_default_dtype() -> dtype:
    """The dtype of new floating-point tensors: `torch.float32` unless `set_default_dtype` changed it."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Make `d` (`float32` or `float64`) the dtype of tensors created from Python floats.

    Raises TypeError for any other dtype.
    """
    global _default
    if d not in FLOATING:
        raise TypeError(f"only floating-point types are supported as the default type, but got {d}")
    _default = d


def from_numpy(d: Any) -> dtype:
    """The dtype that stands for a NumPy dtype; TypeError with PyTorch's text where there is none."""
    try:
        return _BY_NUMPY[np.dtype(d)]
    except KeyError:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{np.dtype(d).name}. The only supported types are: "
            "float64, float32, int64, int32, int16, int8, uint8, and bool."
        ) from None


def of_scalar(value: Any) -> dtype:
    """The dtype a Python number has when it becomes a tensor."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return _default
    raise TypeError(f"a number is expected, not {type(value).__name__}")


def _higher(a: dtype, b: dtype) -> dtype:
    if {a, b} == {uint8, int8}:
        return int16
    return a if a.rank >= b.rank else b


PROMOTED: dict[tuple[dtype, dtype], dtype] = {(a, b): _higher(a, b) for a in ALL for b in ALL}


def promote_types(a: dtype, b: dtype) -> dtype:
    """The smallest dtype that holds both; `uint8` with `int8` gives `int16`.

    >>> promote_types(int64, float32)
    torch.float32
    """
    return PROMOTED[a, b]


def result(a: dtype, a_is_number: bool, b: dtype, b_is_number: bool) -> dtype:
    """The dtype of an operation on two operands; one without dimensions counts only by a higher category."""
    if a is b:
        return a
    if a_is_number != b_is_number:
        number, tensor = (a, b) if a_is_number else (b, a)
        if number.category <= tensor.category:
            return tensor
        return number
    return PROMOTED[a, b]


def result_with_scalar(d: dtype, value: Any) -> dtype:
    """The dtype of an operation between a tensor of dtype `d` and a Python number."""
    if isinstance(value, float):
        return d if d.category == 2 else _default
    if isinstance(value, bool) or d.category >= 1:
        return d
    return int64
