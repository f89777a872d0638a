"""From one dtype to another."""

from __future__ import annotations

from typing import Any

from .. import _dtype, _meta
from .. import _launch as launch
from .._tensor import Tensor
from .._tensor import device as Device
from .op import op


@op(name="ToCopy")
def _cast(ctx: Any, x: Tensor, *, dtype: _dtype.dtype) -> Tensor:
    ctx.extra = x.dtype
    return launch.cast(x, dtype)


@_cast.derivative
def cast_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return to_dtype(gy, ctx.extra)


def to_dtype(x: Tensor, dtype: _dtype.dtype) -> Tensor:
    """`x` itself if it has this dtype already, else a converted copy."""
    if x.dtype is dtype:
        return x
    if dtype.category != 2:
        x = x.detach()
    return _cast(x, dtype=dtype)


def to(
    x: Tensor, *given: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, copy: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """`x` in another dtype and on another device, given in any order or as a tensor that has them; `x` itself where
    nothing changes and `copy` is false. TypeError for anything else, AssertionError for a device that is not there.

    >>> import fastgrad as torch
    >>> torch.tensor([1.7, -1.7]).to(torch.int64)
    tensor([ 1, -1])
    """
    for item in given:
        if isinstance(item, Tensor):
            dtype = item.dtype
        elif isinstance(item, _dtype.dtype) or item in (float, int, bool):
            dtype = item
        elif isinstance(item, (str, Device)):
            device = item
        elif not isinstance(item, bool):
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(item).__name__})")
    if device is not None:
        check_device(device)
    wanted = x.dtype if dtype is None else _dtype.wanted(dtype)
    return _cast(x, dtype=wanted) if copy and wanted is x.dtype else to_dtype(x, wanted)


def check_device(where: Any) -> None:
    """AssertionError, as PyTorch's without CUDA, for a device that is not there."""
    if Device(where).type != "cpu":
        raise AssertionError(
            f"Torch not compiled with CUDA enabled: fastgrad has no tensors on device '{where}' yet: leave it out, or use "
            "'cpu'"
        )


def cuda(x: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    """AssertionError: there is no such device."""
    check_device("cuda" if device is None else device)
    return x


def _conversion(dtype: _dtype.dtype, name: str, text: str) -> Any:
    def convert(x: Tensor, *, memory_format: Any = None) -> Tensor:
        return to_dtype(x, dtype)

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"`x` as {dtype.name}{text}; itself where it is that already."
    return convert


float_ = _conversion(_dtype.float32, "float", "")
double = _conversion(_dtype.float64, "double", "")
long = _conversion(_dtype.int64, "long", ", cut towards zero")
int_ = _conversion(_dtype.int32, "int", ", cut towards zero")
short = _conversion(_dtype.int16, "short", ", cut towards zero")
char = _conversion(_dtype.int8, "char", ", cut towards zero")
byte = _conversion(_dtype.uint8, "byte", ", cut towards zero")
bool_ = _conversion(_dtype.bool_, "bool", ", true where not zero")


def cpu(x: Tensor, *, memory_format: Any = None) -> Tensor:
    """`x` on the CPU."""
    return x


def type_(x: Tensor, dtype: Any = None) -> Any:
    """The name of the tensor's type; with a dtype or such a name, the tensor converted to it. ValueError for another name.

    >>> import fastgrad as torch
    >>> torch.zeros(2).type()
    'torch.FloatTensor'
    """
    if dtype is None:
        return f"torch.{x.dtype.scalar_name}Tensor"
    if isinstance(dtype, str):
        names = {f"torch.{d.scalar_name}Tensor": d for d in _dtype.ALL}
        if dtype not in names:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = names[dtype]
    return to_dtype(x, _dtype.wanted(dtype))


def type_as(x: Tensor, other: Tensor) -> Tensor:
    """`x` in the dtype of `other`."""
    return to_dtype(x, other.dtype)


def result_type(tensor1: Any, tensor2: Any) -> _dtype.dtype:
    """The dtype that arithmetic on two tensors, or a tensor and a number, gives.

    >>> import fastgrad as torch
    >>> torch.result_type(torch.tensor([1, 2]), 1.0)
    torch.float32
    """
    a, b = tensor1, tensor2
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return _dtype.result(a.dtype, not a.shape, b.dtype, not b.shape)
    if isinstance(a, Tensor):
        return _dtype.result_with_scalar(a.dtype, b)
    if isinstance(b, Tensor):
        return _dtype.result_with_scalar(b.dtype, a)
    return _dtype.promote_types(_dtype.of_scalar(a), _dtype.of_scalar(b))


def view_as_dtype(x: Tensor, dtype: _dtype.dtype) -> Tensor:
    """The same bytes read as another dtype of the same size."""
    if dtype.itemsize != x.dtype.itemsize:
        raise RuntimeError(
            f"view(dtype): {x.dtype} and {dtype} differ in size; use .to({dtype}) to convert the values"
        )
    made = launch.view(x.detach(), x.shape, x._strides)
    made._meta = _meta.strided(x.shape, x._strides, dtype)
    return made
