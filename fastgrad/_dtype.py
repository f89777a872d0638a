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

    is_complex = False

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
_BY_PYTHON = {bool: bool_, int: int64, float: float64}
_C_NAMES = {"uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t"}
_C_NAMES |= {"float32": "float", "float64": "double", "bool": "bool"}
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
        raise TypeError("only floating-point types are supported as the default type")
    _default = d


def wanted(d: Any) -> dtype:
    """A `dtype=` argument as a dtype: one of ours, or Python's bool, int or float. TypeError for anything else."""
    if isinstance(d, dtype):
        return d
    try:
        return _BY_PYTHON[d]
    except (KeyError, TypeError):
        raise TypeError(f"argument 'dtype' must be torch.dtype, not {type(d).__name__}") from None


def from_numpy(d: Any) -> dtype:
    """The dtype that stands for a NumPy dtype; TypeError with PyTorch's text where there is none."""
    try:
        return _BY_NUMPY[np.dtype(d)]
    except KeyError:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{np.dtype(d).type.__name__}. The only supported types are: "
            "float64, float32, int64, int32, int16, int8, uint8, and bool."
        ) from None


def of_scalar(value: Any) -> dtype:
    """The dtype that a number has when it becomes a tensor."""
    if isinstance(value, np.generic):
        return from_numpy(value.dtype)
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return _default
    raise TypeError(f"a number is expected, not {type(value).__name__}")


def checked(value: Any, d: dtype) -> Any:
    """A Python number that is to fill elements of dtype `d`; RuntimeError where it lies outside what `d` can hold.

    A negative integer may fill an unsigned dtype, where it wraps around as in C.
    """
    if value.__class__ is int and d.category == 1 and 0 <= value <= 127:
        return value  # the usual case
    kind, number = d.numpy.kind, value.item() if isinstance(value, np.generic) else value
    if kind == "f":
        fits = d is float64 or number != number or abs(number) in (0, np.inf) or abs(number) <= FLOAT32_MAX
        return number if fits else _too_large(d)
    if kind == "b":
        return bool(number)
    if number != number or abs(number) == np.inf:
        return _too_large(d)
    limits = np.iinfo(d.numpy)
    lowest = -int(limits.max) if kind == "u" and isinstance(number, int) else int(limits.min)
    return wrapped(int(number), d) if lowest <= number <= int(limits.max) else _too_large(d)


FLOAT32_MAX = float(np.finfo(np.float32).max)


def _too_large(d: dtype) -> Any:
    raise RuntimeError(f"value cannot be converted to type {_C_NAMES[d.name]} without overflow")


def wrapped(value: Any, d: dtype) -> Any:
    """A Python number as a NumPy scalar of dtype `d`; an integer is cut to the bits of an integer dtype, as in C."""
    if d.category == 1 and isinstance(value, int):
        bits = 8 * d.itemsize
        value = value & ((1 << bits) - 1)
        if d.is_signed and value >> (bits - 1):
            value -= 1 << bits
    return d.numpy.type(value)


def _higher(a: dtype, b: dtype) -> dtype:
    if {a, b} == {uint8, int8}:
        return int16
    return a if a.rank >= b.rank else b


PROMOTED: dict[tuple[dtype, dtype], dtype] = {(a, b): _higher(a, b) for a in ALL for b in ALL}


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that holds both; `uint8` with `int8` gives `int16`.

    >>> import fastgrad as torch
    >>> torch.promote_types(torch.int64, torch.float32)
    torch.float32
    """
    return PROMOTED[type1, type2]


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether an operation may write a result of dtype `from_` into a tensor of dtype `to`: not from a higher category.

    >>> import fastgrad as torch
    >>> torch.can_cast(torch.float64, torch.int64)
    False
    """
    return from_.category <= to.category


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


class finfo:
    """What a floating-point dtype can hold: `eps`, `min`, `max`, `tiny`, `smallest_normal`, `resolution`, `bits`.

    >>> import fastgrad as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: dtype | None = None) -> None:
        type = type or _default
        if type.category != 2:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        limits = np.finfo(type.numpy)
        self.bits, self.dtype = 8 * type.itemsize, type.name
        for name in ("eps", "min", "max", "tiny", "smallest_normal"):
            setattr(self, name, float(getattr(limits, name)))
        self.resolution = 10.0**-limits.precision

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{name}={getattr(self, name):g}' for name in names)}, dtype={self.dtype})"


class iinfo:
    """The range of an integer dtype: `min`, `max`, `bits`.

    >>> import fastgrad as torch
    >>> torch.iinfo(torch.int64).max
    9223372036854775807
    """

    def __init__(self, type: dtype) -> None:
        if type.category != 1:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        limits = np.iinfo(type.numpy)
        self.bits, self.dtype = 8 * type.itemsize, type.name
        self.min, self.max = int(limits.min), int(limits.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
