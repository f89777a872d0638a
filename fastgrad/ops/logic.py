"""Questions to tensors: logic, bits, NaN and infinity, closeness. Nothing here has a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _dtype
from .._launch import arrays
from .._tensor import Tensor
from .elementwise import _number, _same
from .pointwise import as_tensor
from .reduce import dims_of

# --- truth values and bits --------------------------------------------------------------------------------------------


def logical_not(input: Tensor) -> Tensor:
    """True where zero.

    >>> import fastgrad as torch
    >>> torch.logical_not(torch.tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    return arrays.apply(np.logical_not, as_tensor(input, "logical_not"))


def _logical(name: str, function: Any) -> Callable[[Tensor, Tensor], Tensor]:
    def logical(input: Tensor, other: Tensor) -> Tensor:
        return arrays.apply(function, as_tensor(input, name), as_tensor(other, name))

    logical.__name__ = logical.__qualname__ = name
    logical.__doc__ = f"`{name.partition('_')[2]}` of truth values, elementwise; anything but zero counts as true."
    return logical


logical_and = _logical("logical_and", np.logical_and)
logical_or = _logical("logical_or", np.logical_or)
logical_xor = _logical("logical_xor", np.logical_xor)


def bitwise_not(input: Tensor) -> Tensor:
    """Every bit turned over; of booleans, the logical not.

    >>> import fastgrad as torch
    >>> ~torch.tensor([True, False])
    tensor([False,  True])
    """
    if as_tensor(input, "bitwise_not").dtype.category == 2:
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return arrays.apply(np.invert, input)


def _bitwise(name: str, function: Any) -> Callable[[Any, Any], Any]:
    def bitwise(input: Any, other: Any) -> Any:
        if not isinstance(other, Tensor):
            if not _number(other):
                return NotImplemented
            kind = _dtype.result_with_scalar(input.dtype, other)
            other = arrays.new(_dtype.wrapped(other, kind))
        a, b, kind = _same(input, other)
        if kind.category == 2:
            raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{kind.scalar_name}'")
        return arrays.apply(function, a, b)

    bitwise.__name__ = bitwise.__qualname__ = name
    bitwise.__doc__ = f"Bitwise `{name.partition('_')[2]}` of integers or booleans."
    return bitwise


bitwise_and = _bitwise("bitwise_and", np.bitwise_and)
bitwise_or = _bitwise("bitwise_or", np.bitwise_or)
bitwise_xor = _bitwise("bitwise_xor", np.bitwise_xor)


def _reduction(name: str, function: Any) -> Callable[..., Tensor]:
    def reduce(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Tensor:
        dims = dims_of(axis if dim is None else dim, as_tensor(input, name).ndim)
        kind = _dtype.uint8 if input.dtype is _dtype.uint8 else _dtype.bool_  # uint8 was PyTorch's bool once
        return arrays.apply(lambda x: function(x, axis=dims, keepdims=keepdim), input, dtype=kind)

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = f"Whether {name} of the elements are true (not zero): of the whole tensor, or along dimensions."
    return reduce


all = _reduction("all", np.all)
any = _reduction("any", np.any)

# --- NaN and infinity -------------------------------------------------------------------------------------------------


def _question(name: str, function: Any, text: str) -> Callable[[Tensor], Tensor]:
    def ask(input: Tensor) -> Tensor:
        return arrays.apply(function, as_tensor(input, name))

    ask.__name__ = ask.__qualname__ = name
    ask.__doc__ = f"True where an element is {text}."
    return ask


isnan = _question("isnan", np.isnan, "NaN")
isinf = _question("isinf", np.isinf, "infinite")
isfinite = _question("isfinite", np.isfinite, "neither infinite nor NaN")

# --- closeness --------------------------------------------------------------------------------------------------------


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """True where |input - other| <= atol + rtol |other|, and for equal infinities; NaN is close to NaN if `equal_nan`.

    RuntimeError for two dtypes.

    >>> import fastgrad as torch
    >>> torch.isclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    if as_tensor(input, "isclose").dtype is not as_tensor(other, "isclose").dtype:
        raise RuntimeError(f"{_name(input)} did not match {_name(other)}")

    def close(a: Any, b: Any) -> Any:
        if a.dtype.kind != "f":
            a, b = a.astype(np.float64), b.astype(np.float64)
        near = np.isfinite(b) & np.isfinite(a) & (np.abs(a - b) <= atol + np.abs(rtol * b))
        return near | (a == b) | (equal_nan & np.isnan(a) & np.isnan(b))

    return arrays.apply(close, input, other)


def _name(x: Tensor) -> str:
    return x.dtype.scalar_name


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close; see `isclose`.

    >>> import fastgrad as torch
    >>> torch.allclose(torch.ones(2), torch.ones(2) + 1e-7)
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan)._array().all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape and the same elements.

    >>> import fastgrad as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    if as_tensor(input, "equal").shape != as_tensor(other, "equal").shape:
        return False
    return bool((input._array() == other._array()).all())


def contains(x: Tensor, value: Any) -> bool:
    """`value in x`: whether some element equals it."""
    if not isinstance(value, Tensor) and not _number(value):
        raise RuntimeError(
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a " + str(type(value)) + "."
        )
    return bool((x == value)._array().any())


__all__ = [
    "all", "allclose", "any", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "equal", "isclose", "isfinite",
    "isinf", "isnan", "logical_and", "logical_not", "logical_or", "logical_xor",
]  # fmt: skip
