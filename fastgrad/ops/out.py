"""`out=` and NumPy's names `axis=` and `keepdims=`, for the functions that take them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from .. import _dtype
from .. import _launch as launch
from .._geometry import Size
from .._tensor import Tensor
from ..autograd.modes import state

F = TypeVar("F", bound=Callable[..., Any])


def with_out(function: F, same_dtype: bool = False) -> F:
    """Let a function write its results into the tensors given as `out=`, which take their shape. `Tensor`'s method of the
    name is the function without it (`.without_out`)."""

    usual = getattr(function, "__wrapped__", function)  # without a look at names, of which there are none nearly always

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        if not named:
            return usual(*args)
        out = named.pop("out", None)
        made = function(*args, **named)
        if out is None:
            return made
        if same_dtype and isinstance(out, Tensor) and out.dtype is not made.dtype:
            kind, other = c_name(made.dtype), c_name(out.dtype)
            raise RuntimeError(f"Expected out tensor to have dtype {kind}, but got {other} instead")
        return _written(function.__name__, made, (*args, *named.values()), out)

    call.without_out = function  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]


def with_same_out(function: F) -> F:
    """`with_out`, for a function whose `out` must have the result's dtype."""
    return with_out(function, same_dtype=True)


def c_name(kind: _dtype.dtype) -> str:
    """A dtype as C++ calls it."""
    names = {"Float": "float", "Double": "double", "Long": "long int", "Int": "int", "Bool": "bool"}
    return names.get(kind.scalar_name, kind.scalar_name.lower())


def _written(name: str, made: Any, given: tuple[Any, ...], out: Any) -> Any:
    if isinstance(out, Tensor) and not isinstance(made, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be tuple of Tensors, not Tensor")
    outs = (out,) if isinstance(out, Tensor) else tuple(out)
    results = (made,) if isinstance(made, Tensor) else tuple(made)
    for x in outs:
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(x).__name__}")
    inputs = [x for item in given for x in (item if isinstance(item, (tuple, list)) else (item,))]
    if state.enabled and any(isinstance(x, Tensor) and x._requires_grad for x in [*inputs, *outs]):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
            "requires grad."
        )
    for x, result in zip(outs, results, strict=True):
        write_into(x, result)
    return out if isinstance(made, Tensor) else type(made)(outs)


def write_into(out: Tensor, result: Tensor) -> Tensor:
    """Write a result over `out`, resized where it has another shape; RuntimeError where its dtype is too low."""
    if not _dtype.can_cast(result.dtype, out.dtype):
        raise RuntimeError(
            f"result type {result.dtype.scalar_name} can't be cast to the desired output type {out.dtype.scalar_name}"
        )
    if out.shape != result.shape:
        if out._numel:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape {list(out.shape)}, which does not "
                f"match the required output shape {list(result.shape)}. This behavior is deprecated, and in a future "
                "PyTorch release outputs will not be resized unless they have zero elements. You can explicitly reuse an "
                "out tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
                UserWarning,
                stacklevel=4,
            )
        resize(out, result.shape)
    launch.check_writable(out)
    launch.copy_into(out, result.detach())
    out._bump()
    return out


def resize(x: Tensor, shape: Size) -> None:
    """Give `x` new contiguous memory of another shape, with any contents."""
    fresh = launch.empty(shape, x.dtype)
    x._storage, x._address, x._meta = fresh._storage, fresh._address, fresh._meta


def numpy_names(function: F) -> F:
    """Let `axis` and `keepdims` stand for `dim` and `keepdim`."""

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        if "axis" in named:
            named["dim"] = named.pop("axis")
        if "keepdims" in named:
            named["keepdim"] = named.pop("keepdims")
        return function(*args, **named)

    return call  # type: ignore[return-value]
