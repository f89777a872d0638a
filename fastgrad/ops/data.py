"""Making tensors from data: numbers, nested sequences, NumPy arrays."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import Size
from .._tensor import Tensor, from_array
from .convert import check_device, to_dtype
from .create import empty, finish, scalar

_NUMBERS = (bool, int, float)


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A leaf tensor with a copy of `data`: a number, nested sequences, or an array.

    Python floats give the default dtype, integers int64, arrays and NumPy numbers their own dtype. Raises ValueError for
    sequences of unequal lengths, TypeError or RuntimeError for what is no number.

    >>> import fastgrad as torch
    >>> torch.tensor([[1, 2], [3, 4]]).shape
    torch.Size([2, 2])
    """
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    return finish(copied(data, None if dtype is None else _dtype.wanted(dtype)), device, requires_grad)


def copied(data: Any, dtype: _dtype.dtype | None) -> Tensor:
    """A new tensor with a copy of the data, outside the graph."""
    if isinstance(data, Tensor):
        made = launch.copy(data)
        return made if dtype is None else to_dtype(made, dtype)
    if isinstance(data, _NUMBERS):
        return scalar(_fitting(data, dtype), dtype or _dtype.of_scalar(data))
    array = data if isinstance(data, (np.ndarray, np.generic)) else _from_sequence(data, dtype)
    out = launch.empty(Size(array.shape), dtype or _dtype.from_numpy(array.dtype))
    with np.errstate(invalid="ignore", over="ignore"):
        out._array()[...] = array
    return out


def _fitting(number: Any, dtype: _dtype.dtype | None) -> Any:
    """A Python number that must be one of `dtype` (its own, for None); PyTorch's errors where it is too large."""
    if isinstance(number, int) and not -(2**63) <= number < 2**63 and (dtype is None or dtype.category == 1):
        raise ValueError("Overflow when unpacking long long")
    return number if dtype is None or dtype.category == 2 else _dtype.checked(number, dtype)


# --- sequences --------------------------------------------------------------------------------------------------------


def _from_sequence(data: Any, dtype: _dtype.dtype | None) -> Any:
    """Nested sequences (or what NumPy takes for an array) as an array of the dtype that PyTorch infers."""
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    if not isinstance(data, (list, tuple)):
        array = np.asarray(data)
        if array.dtype == object:
            raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
        return array
    kinds: set[type] = set()
    _collect(data, kinds)
    if any(issubclass(kind, Tensor) for kind in kinds):
        return _from_sequence(_without_tensors(data), dtype)
    wanted = _dtype.from_numpy(np.array(data).dtype) if np.ndarray in kinds else _inferred(kinds)
    if dtype is not None and dtype.category == wanted.category == 2:
        wanted = dtype  # Python's numbers have the precision of float64: rounding through the default would lose it
    try:
        with np.errstate(over="ignore"):
            array = np.array(data, wanted.numpy)
    except ValueError:
        _explain(data)
        raise
    except OverflowError:
        if dtype is None or dtype.category == 1:
            raise ValueError("Overflow when unpacking long long") from None
        array = np.array(data, np.float64)
    if dtype is not None and dtype.category == 1 and wanted.category == 1 and array.size:
        for extreme in (array.min(), array.max()):
            if int(_dtype.wrapped(int(extreme), dtype)) != extreme and not (extreme < 0 and not dtype.is_signed):
                raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")
    return array


def _collect(data: Any, kinds: set[type]) -> None:
    """The types of all numbers in nested sequences."""
    found = set(map(type, data))
    if not found & {list, tuple}:
        kinds |= found
        return
    for item in data:
        if isinstance(item, (list, tuple)):
            _collect(item, kinds)
        else:
            kinds.add(type(item))


def _inferred(kinds: set[type]) -> _dtype.dtype:
    """The dtype of numbers of these types together."""
    made: _dtype.dtype | None = None
    for kind in kinds:
        if issubclass(kind, np.generic):
            own = _dtype.from_numpy(np.dtype(kind))
        elif issubclass(kind, _NUMBERS):
            own = _dtype.of_scalar(kind(0))
        elif kind is str:
            raise ValueError("too many dimensions 'str'")
        else:
            raise RuntimeError(f"Could not infer dtype of {kind.__name__}")
        made = own if made is None else _dtype.promote_types(made, own)
    return made or _dtype.get_default_dtype()


def _without_tensors(data: Any) -> Any:
    """Nested sequences with tensors replaced by NumPy numbers; each tensor must have one element."""
    if isinstance(data, (list, tuple)):
        return [_without_tensors(item) for item in data]
    if not isinstance(data, Tensor):
        return data
    if data._numel != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return data._array().reshape(())[()]


def _explain(data: Any) -> None:
    """Raise PyTorch's error for sequences of unequal lengths."""
    depth, level = 0, [data]
    while all(isinstance(item, (list, tuple)) for item in level):
        lengths = [len(item) for item in level]
        if len(set(lengths)) > 1:
            odd = next(n for n in lengths if n != lengths[0])
            raise ValueError(f"expected sequence of length {lengths[0]} at dim {depth} (got {odd})")
        level = [item for inner in level for item in inner]
        depth += 1
    if isinstance(level[0], (list, tuple)):
        raise TypeError("not a sequence")
    stray = next(item for item in level if isinstance(item, (list, tuple)))
    raise TypeError(f"'{type(stray).__name__}' object cannot be interpreted as an integer")


# --- NumPy ------------------------------------------------------------------------------------------------------------


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, without a copy where it is a tensor or array of the right dtype.

    >>> import fastgrad as torch
    >>> torch.as_tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    kind = None if dtype is None else _dtype.wanted(dtype)
    if device is not None:
        check_device(device)
    if not isinstance(data, (Tensor, np.ndarray)):
        return copied(data, kind)
    made = from_numpy(data) if isinstance(data, np.ndarray) else data
    return made if kind is None else to_dtype(made, kind)


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the array's own memory: what changes in one changes in the other.

    Raises TypeError for a dtype that tensors do not have, ValueError for negative strides.

    >>> import numpy as np
    >>> import fastgrad as torch
    >>> array = np.zeros(2)
    >>> torch.from_numpy(array).fill_(1)
    tensor([1., 1.], dtype=torch.float64)
    >>> array
    array([1., 1.])
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    if any(step < 0 for step in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
            "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    if not ndarray.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing "
            "to this tensor will result in undefined behavior. You may want to copy the array to protect its data or make "
            "it writable before converting it to a tensor. This type of warning will be suppressed for the rest of this "
            "program.",
            UserWarning,
            stacklevel=2,
        )
    return from_array(ndarray)


def new_tensor(
    x: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A leaf tensor with a copy of `data`, in the dtype of `x`."""
    return finish(copied(data, x.dtype if dtype is None else _dtype.wanted(dtype)), device, requires_grad)


# --- PyTorch's old constructors ---------------------------------------------------------------------------------------


def legacy(*given: Any, dtype: _dtype.dtype | None = None) -> Tensor:
    """`Tensor(2, 3)` (sizes, any contents) or `Tensor([1, 2])` (data), in the default dtype."""
    kind = dtype or _dtype.get_default_dtype()
    if len(given) != 1 or isinstance(given[0], (int, Size)):
        return empty(*(given or (0,)), dtype=kind)
    (data,) = given
    if isinstance(data, Tensor):
        return data.detach() if data.dtype is kind else to_dtype(data.detach(), kind)
    if isinstance(data, float):
        raise TypeError("new(): data must be a sequence (got float)")
    return copied(data, kind)


def _constructor(dtype: _dtype.dtype) -> Any:
    def make(*given: Any) -> Tensor:
        return legacy(*given, dtype=dtype)

    make.__name__ = make.__qualname__ = f"{dtype.scalar_name}Tensor"
    make.__doc__ = f"`Tensor(...)` in {dtype}: sizes, or data. PyTorch's old form of `tensor(..., dtype={dtype})`."
    return make


BoolTensor = _constructor(_dtype.bool_)
ByteTensor = _constructor(_dtype.uint8)
DoubleTensor = _constructor(_dtype.float64)
FloatTensor = _constructor(_dtype.float32)
CharTensor = _constructor(_dtype.int8)
IntTensor = _constructor(_dtype.int32)
ShortTensor = _constructor(_dtype.int16)
LongTensor = _constructor(_dtype.int64)

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "IntTensor", "LongTensor", "ShortTensor",
    "as_tensor", "from_numpy", "tensor",
]  # fmt: skip
