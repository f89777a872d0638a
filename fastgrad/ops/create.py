"""Making tensors from data, sizes and ranges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import SCALAR, Size
from .._launch import arrays
from .._tensor import Tensor, empty as _empty, from_array
from .convert import check_device, to_dtype


def _finish(x: Tensor, device: Any, requires_grad: bool) -> Tensor:
    if device is not None:
        check_device(device)
    return x.requires_grad_() if requires_grad else x


def scalar(value: Any, dtype: _dtype.dtype) -> Tensor:
    """A tensor without dimensions."""
    return launch.fill(_empty(SCALAR, dtype, 1), value)


def scalar_tensor_like(value: Any) -> Tensor:
    """A Python number as PyTorch makes a tensor of it."""
    return scalar(value, _dtype.of_scalar(value))


def _from_data(data: Any, dtype: Any) -> Tensor:
    """A new tensor with a copy of the data: a number, nested sequences, an array, or tensors in sequences."""
    if isinstance(data, Tensor):
        copied = launch.copy(data)
        return copied if dtype is None else to_dtype(copied, dtype)
    if isinstance(data, np.generic):
        kind = dtype or _dtype.from_numpy(data.dtype)
        return scalar(data, kind)
    if isinstance(data, (list, tuple)):
        data = _plain(data)
    if not isinstance(data, np.ndarray):
        array = _sequence(data)
        if dtype is None and array.dtype == np.float64:
            dtype = _dtype.get_default_dtype()
    else:
        array = data
    kind = dtype or _dtype.from_numpy(array.dtype)
    out = _empty(Size(array.shape), kind, array.size)
    with np.errstate(invalid="ignore", over="ignore"):
        out._array()[...] = array
    return out


def _plain(data: Any) -> Any:
    """Nested sequences with tensors replaced by their values."""
    if isinstance(data, Tensor):
        return data.tolist()
    if isinstance(data, (list, tuple)):
        if any(isinstance(item, (list, tuple, Tensor)) for item in data):
            return [_plain(item) for item in data]
        if data and all(isinstance(item, np.ndarray) for item in data):
            return np.array(data)
    return data


def _sequence(data: Any) -> Any:
    if isinstance(data, str):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    try:
        array = np.array(data)
    except ValueError:
        raise ValueError(_ragged(data)) from None
    if array.dtype == object or array.dtype.kind not in "bif":
        if array.dtype.kind == "u":
            return array.astype(np.int64)
        item = data
        while isinstance(item, (list, tuple)) and item:
            item = item[0]
        if array.dtype.kind in "OU" and isinstance(item, int):
            raise RuntimeError("Overflow when unpacking long long")
        raise RuntimeError(f"Could not infer dtype of {type(item).__name__}")
    return array.astype(np.float32) if array.size == 0 and array.dtype == np.float64 and not hasattr(data, "dtype") else array


def _ragged(data: Any) -> str:
    """PyTorch's text for sequences of unequal length."""
    depth, level = 0, data
    while isinstance(level, (list, tuple)) and level:
        lengths = [len(item) if isinstance(item, (list, tuple)) else -1 for item in level]
        if len(set(lengths)) > 1:
            odd = next(n for n in lengths if n != lengths[0])
            return f"expected sequence of length {lengths[0]} at dim {depth + 1} (got {odd})"
        depth, level = depth + 1, level[0]
    return "expected sequences of equal lengths"


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """A leaf tensor with a copy of `data` (a number, nested sequences, an array); Python floats give the default dtype.

    >>> import fastgrad as torch
    >>> torch.tensor([[1, 2], [3, 4]]).shape
    torch.Size([2, 2])
    """
    if isinstance(data, Tensor):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    return _finish(_from_data(data, dtype), device, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, without a copy where it is a tensor or array of the right dtype."""
    if device is not None:
        check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else to_dtype(data, dtype)
    if isinstance(data, np.ndarray):
        made = from_numpy(data)
        return made if dtype is None else to_dtype(made, dtype)
    return _from_data(data, dtype)


def from_numpy(array: Any) -> Tensor:
    """A tensor on the array's own memory: what changes in one changes in the other."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    if any(step < 0 for step in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
            "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    if not array.flags.writeable:
        import warnings

        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing "
            "to this tensor will result in undefined behavior. You may want to copy the array to protect its data or make "
            "it writable before converting it to a tensor. This type of warning will be suppressed for the rest of this "
            "program.",
            UserWarning,
            stacklevel=2,
        )
    return from_array(array)


def legacy(*data: Any) -> Tensor:
    """`Tensor(2, 3)` (sizes) or `Tensor([1, 2])` (data), in the default dtype."""
    kind = _dtype.get_default_dtype()
    if len(data) == 1 and not isinstance(data[0], int):
        return data[0].detach() if isinstance(data[0], Tensor) and data[0].dtype is kind else _from_data(data[0], kind)
    return empty(*(data or (0,)))


def _size(size: tuple[Any, ...], name: str = "empty") -> Size:
    given = size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    try:
        made = Size([n.__index__() for n in given])
    except (AttributeError, TypeError):
        bad = next(n for n in given if not hasattr(n, "__index__"))
        raise TypeError(f"{name}(): argument 'size' must be tuple of ints, but found element of type {type(bad).__name__}") from None
    for n in made:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(made)}")
    return made


def _new(size: Size, dtype: Any) -> Tensor:
    return _empty(size, dtype or _dtype.get_default_dtype(), size.numel())


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """A tensor with any contents."""
    return _finish(_new(_size(size), dtype), device, requires_grad)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """Zeros. Sizes as arguments or as one tuple.

    >>> import fastgrad as torch
    >>> torch.zeros(2)
    tensor([0., 0.])
    """
    return _finish(launch.fill(_new(_size(size, "zeros"), dtype), 0), device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """Ones."""
    return _finish(launch.fill(_new(_size(size, "ones"), dtype), 1), device, requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """One number everywhere; the dtype is the number's unless given."""
    kind = dtype or _dtype.of_scalar(fill_value)
    return _finish(launch.fill(_new(_size((size,), "full"), kind), fill_value), device, requires_grad)


def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """Any contents, in the shape and dtype of `input`."""
    return empty(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """Zeros in the shape and dtype of `input`."""
    return zeros(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """Ones in the shape and dtype of `input`."""
    return ones(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """One number everywhere, in the shape and dtype of `input`."""
    return full(input.shape, fill_value, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def arange(*bounds: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`arange(end)`, `arange(start, end)`, `arange(start, end, step)`: numbers from start, below end."""
    start, end, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    numbers = [b.item() if isinstance(b, Tensor) else b for b in (start, end, step)]
    start, end, step = numbers
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    kind = dtype or (_dtype.get_default_dtype() if any(isinstance(b, float) for b in numbers) else _dtype.int64)
    count = math.ceil((end - start) / step)
    made = _empty(Size((count,)), kind, count)
    made._array()[...] = start + step * np.arange(count)
    return _finish(made, device, requires_grad)


def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`steps` numbers from start to end, both included; from the middle on counted from the end, as PyTorch does."""
    kind = dtype or _dtype.get_default_dtype()
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    made = _empty(Size((steps,)), kind, steps)
    number = kind.numpy.type if kind.category == 2 else np.float64
    if steps == 1:
        made._array()[...] = start
    elif steps:
        step = number((number(end) - number(start)) / number(steps - 1))
        k = np.arange(steps)
        made._array()[...] = np.where(
            k < steps // 2, number(start) + step * k.astype(number), number(end) - step * (steps - k - 1).astype(number)
        )
    return _finish(made, device, requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal, zeros elsewhere."""
    made = arrays.new(np.eye(n, m, dtype=(dtype or _dtype.get_default_dtype()).numpy))
    return _finish(made, device, requires_grad)
