"""Making tensors from sizes and ranges; from data, see `data.py`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._device import contiguous_format
from .._geometry import SCALAR, Size
from .._tensor import Tensor
from .convert import check_device
from .out import with_out


def finish(x: Tensor, device: Any, requires_grad: bool) -> Tensor:
    """What the keyword arguments of every creating function ask for."""
    if device is not None:
        check_device(device)
    if requires_grad:
        if not x.dtype.is_floating_point:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        x.requires_grad_()
    return x


def scalar(value: Any, dtype: _dtype.dtype) -> Tensor:
    """A tensor without dimensions."""
    return launch.fill(launch.empty(SCALAR, dtype), value)


def scalar_tensor_like(value: Any) -> Tensor:
    """A Python number as PyTorch makes a tensor of it."""
    return scalar(value, _dtype.of_scalar(value))


def size_of(given: tuple[Any, ...], name: str) -> Size:
    """The size that a function was called with, `f(2, 3)` or `f((2, 3))`; PyTorch's errors for what is none."""
    if not given:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    inner = len(given) == 1 and isinstance(given[0], (tuple, list))
    sizes = given[0] if inner else given
    for place, n in enumerate(sizes):
        if not hasattr(n, "__index__"):
            kind = type(n).__name__
            raise TypeError(
                f"{name}(): argument 'size' failed to unpack the object at pos {place + 1} with error \"type must be "
                f'tuple of ints,but got {kind}"'
                if inner or place
                else f"{name}(): argument 'size' (position 1) must be tuple of ints, not {kind}"
            )
    made = Size([n.__index__() for n in sizes])
    for n in made:
        if n < 0:
            raise RuntimeError(
                f"{name}: Dimension size must be non-negative."
                if name in ("zeros", "ones")
                else f"Trying to create tensor with negative dimension {n}: {list(made)}"
            )
    return made


def _new(given: tuple[Any, ...], size: Any, dtype: Any, name: str) -> Tensor:
    kind = _dtype.get_default_dtype() if dtype is None else _dtype.wanted(dtype)
    return launch.empty(size_of(given if size is None else (size,), name), kind)


# --- one number everywhere --------------------------------------------------------------------------------------------


@with_out
def empty(*given: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with any contents; sizes as arguments or as one tuple.

    >>> import fastgrad as torch
    >>> torch.empty(2, 3).shape
    torch.Size([2, 3])
    """
    return finish(_new(given, size, dtype, "empty"), device, requires_grad)


@with_out
def zeros(*given: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros; sizes as arguments or as one tuple.

    >>> import fastgrad as torch
    >>> torch.zeros(2)
    tensor([0., 0.])
    """
    return finish(launch.fill(_new(given, size, dtype, "zeros"), 0), device, requires_grad)


@with_out
def ones(*given: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones; sizes as arguments or as one tuple.

    >>> import fastgrad as torch
    >>> torch.ones(2, dtype=torch.int64)
    tensor([1, 1])
    """
    return finish(launch.fill(_new(given, size, dtype, "ones"), 1), device, requires_grad)


@with_out
def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """One number everywhere; the dtype is the number's unless given. RuntimeError where the dtype cannot hold it.

    >>> import fastgrad as torch
    >>> torch.full((2,), 7)
    tensor([7, 7])
    """
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    if isinstance(fill_value, Tensor):
        dtype, fill_value = dtype or fill_value.dtype, fill_value.item()
    if not isinstance(fill_value, (int, float, np.number, np.bool_)):
        kind = type(fill_value).__name__
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not {kind}")
    made = _new((), size, dtype or _dtype.of_scalar(fill_value), "full")
    return finish(launch.fill(made, _dtype.checked(fill_value, made.dtype)), device, requires_grad)


def _laid_as(x: Tensor, made: Tensor, memory_format: Any) -> Tensor:
    """New memory, looked at as `x` is, unless it shall be row-major."""
    if x._meta.contiguous or memory_format is contiguous_format:
        return made
    from .layout import like

    return like(x, made)


def empty_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Tensor:
    """Any contents, in the shape and dtype of `input`.

    >>> import fastgrad as torch
    >>> torch.empty_like(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    made = empty(size=input.shape, dtype=dtype or input.dtype, device=device)
    return finish(_laid_as(input, made, memory_format), None, requires_grad)


def zeros_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Tensor:
    """Zeros in the shape and dtype of `input`.

    >>> import fastgrad as torch
    >>> torch.zeros_like(torch.tensor([1, 2]))
    tensor([0, 0])
    """
    made = zeros(size=input.shape, dtype=dtype or input.dtype, device=device)
    return finish(_laid_as(input, made, memory_format), None, requires_grad)


def ones_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Tensor:
    """Ones in the shape and dtype of `input`.

    >>> import fastgrad as torch
    >>> torch.ones_like(torch.tensor([1, 2]))
    tensor([1, 1])
    """
    made = ones(size=input.shape, dtype=dtype or input.dtype, device=device)
    return finish(_laid_as(input, made, memory_format), None, requires_grad)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """One number everywhere, in the shape and dtype of `input`.

    >>> import fastgrad as torch
    >>> torch.full_like(torch.tensor([1.0, 2.0]), 7)
    tensor([7., 7.])
    """
    made = full(input.shape, fill_value, dtype=dtype or input.dtype, device=device)
    return finish(_laid_as(input, made, memory_format), None, requires_grad)


# --- ranges -----------------------------------------------------------------------------------------------------------


@with_out
def arange(
    *bounds: Any, start: Any = 0, end: Any = None, step: Any = 1, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`arange(end)`, `arange(start, end)`, `arange(start, end, step)`: numbers from start on, before end.

    Integers unless one of the numbers is a float. RuntimeError for a step of 0, or one that leads away from the end.

    >>> import fastgrad as torch
    >>> torch.arange(1, 7, 2)
    tensor([1, 3, 5])
    """
    if len(bounds) == 1:
        (end,) = bounds
    elif len(bounds) == 2:
        start, end = bounds
    elif bounds:
        start, end, step = bounds
    for name, value in (("start", start), ("end", end), ("step", step)):
        if not isinstance(value, (int, float, np.number, Tensor)):
            place = " (position 1)" if name == "end" and len(bounds) == 1 else ""
            raise TypeError(f"arange(): argument '{name}'{place} must be Number, not {type(value).__name__}")
    floating = [not isinstance(b, int) and np.asarray(b).dtype.kind == "f" for b in (start, end, step)]
    start, end, step = [b.item() if isinstance(b, (Tensor, np.number)) else b for b in (start, end, step)]
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    own = _dtype.get_default_dtype() if any(floating) else _dtype.int64
    count = math.ceil((end - start) / step)
    made = launch.empty(Size((count,)), own if dtype is None else _dtype.wanted(dtype))
    made._array()[...] = start + step * np.arange(count)
    return finish(made, device, requires_grad)


@with_out
def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` numbers from start to end, both included; in the second half they are counted from the end.

    >>> import fastgrad as torch
    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    made = launch.empty(Size((steps,)), _dtype.get_default_dtype() if dtype is None else _dtype.wanted(dtype))
    number = made.dtype.numpy.type if made.dtype.category == 2 else np.float64
    if steps == 1:
        made._array()[...] = start
    elif steps:
        step = number((number(end) - number(start)) / number(steps - 1))
        k = np.arange(steps)
        made._array()[...] = np.where(
            k < steps // 2, number(start) + step * k.astype(number), number(end) - step * (steps - k - 1).astype(number)
        )
    return finish(made, device, requires_grad)


@with_out
def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones on the diagonal, zeros elsewhere: (n, m), or (n, n).

    >>> import fastgrad as torch
    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    kind = _dtype.get_default_dtype() if dtype is None else _dtype.wanted(dtype)
    made = launch.empty(Size((n, n if m is None else m)), kind)
    made._array()[...] = np.eye(*made.shape)
    return finish(made, device, requires_grad)


# --- like a tensor, but of another size -------------------------------------------------------------------------------


def new_empty(x: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Any contents, of the given size, in the dtype of `x`."""
    return empty(*size, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def new_zeros(x: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the given size, in the dtype of `x`."""
    return zeros(*size, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def new_ones(x: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the given size, in the dtype of `x`."""
    return ones(*size, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


def new_full(
    x: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One number everywhere, of the given size, in the dtype of `x`."""
    return full(size, fill_value, dtype=dtype or x.dtype, device=device, requires_grad=requires_grad)


__all__ = [
    "arange", "empty", "empty_like", "eye", "full", "full_like", "linspace", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip
