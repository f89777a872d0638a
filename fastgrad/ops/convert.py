"""From one dtype to another."""

from __future__ import annotations

from typing import Any

from .. import _dtype, _meta
from .. import _launch as launch
from .._geometry import Size, contiguous_strides
from .._tensor import Tensor, device
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


def to(x: Tensor, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, **_: Any) -> Tensor:
    """`x` in another dtype and on another device, given in any order or as a tensor that has them; `x` itself where
    nothing changes and `copy` is false."""
    for given in args:
        if isinstance(given, _dtype.dtype):
            dtype = given
        elif isinstance(given, Tensor):
            dtype = given.dtype
        elif isinstance(given, str) or type(given).__name__ == "device":
            device = given
        elif not isinstance(given, bool):
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(given).__name__})")
    if device is not None:
        check_device(device)
    made = x if dtype is None else to_dtype(x, dtype)
    if made is x and copy:
        from .shape import clone

        return clone(x)
    return made


def check_device(where: Any) -> None:
    """RuntimeError for a device that is not there."""
    if device(where).type != "cpu":
        raise RuntimeError(f"fastgrad has no tensors on device '{where}' yet: leave out device= or use 'cpu'")


def float_(x: Tensor) -> Tensor:
    """As float32."""
    return to_dtype(x, _dtype.float32)


def double(x: Tensor) -> Tensor:
    """As float64."""
    return to_dtype(x, _dtype.float64)


def long(x: Tensor) -> Tensor:
    """As int64, cut towards zero."""
    return to_dtype(x, _dtype.int64)


def int_(x: Tensor) -> Tensor:
    """As int32, cut towards zero."""
    return to_dtype(x, _dtype.int32)


def bool_(x: Tensor) -> Tensor:
    """True where not zero."""
    return to_dtype(x, _dtype.bool_)


def cpu(x: Tensor) -> Tensor:
    """`x` on the CPU."""
    return x


def type_(x: Tensor, dtype: Any = None) -> Any:
    """The name of the tensor's type; with a dtype, the tensor converted to it."""
    if dtype is None:
        return f"torch.{x.dtype.scalar_name}Tensor"
    if isinstance(dtype, str):
        names = {f"torch.{d.scalar_name}Tensor": d for d in _dtype.ALL}
        if dtype not in names:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = names[dtype]
    return to_dtype(x, dtype)


def type_as(x: Tensor, other: Tensor) -> Tensor:
    """`x` in the dtype of `other`."""
    return to_dtype(x, other.dtype)


def view_as_dtype(x: Tensor, dtype: _dtype.dtype) -> Tensor:
    """The same bytes read as another dtype of the same size."""
    if dtype.itemsize != x.dtype.itemsize:
        raise RuntimeError(f"view(dtype): {x.dtype} and {dtype} differ in size; use .to({dtype}) to convert the values")
    made = launch.view(x.detach(), Size(x.shape), x._strides or contiguous_strides(x.shape), x._offset, x._numel)
    made._meta = _meta.strided(x.shape, x._strides, dtype)
    return made
