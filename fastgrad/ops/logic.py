"""Questions to tensors: logic, bits, NaN and infinity, closeness. Nothing here has a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _dtype
from .._launch import arrays, tally
from .._launch import elementwise as launched
from .._launch import mathematics as launch
from .._tensor import Tensor
from .convert import to_dtype
from .elementwise import _number, _same, scalar_of
from .out import numpy_names, with_out
from .pointwise import as_tensor
from .reduce import dims_of

# --- truth values and bits --------------------------------------------------------------------------------------------


@with_out
def logical_not(input: Tensor) -> Tensor:
    """True where zero.

    >>> import fastgrad as torch
    >>> torch.logical_not(torch.tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    return launch.logical_not(as_tensor(input, "logical_not"))


def _logical(name: str, launched: Any) -> Callable[[Tensor, Tensor], Tensor]:
    def logical(input: Tensor, other: Tensor) -> Tensor:
        if not isinstance(other, Tensor):
            raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
        if as_tensor(input, name)._meta.dtype is not other._meta.dtype:
            input, other = to_dtype(input, _dtype.bool_), to_dtype(other, _dtype.bool_)
        made: Tensor = launched(input, other)
        return made

    logical.__name__ = logical.__qualname__ = name
    logical.__doc__ = f"`{name.partition('_')[2]}` of truth values, elementwise; anything but zero counts as true."
    return with_out(logical)


logical_and = _logical("logical_and", launch.logical_and)
logical_or = _logical("logical_or", launch.logical_or)
logical_xor = _logical("logical_xor", launch.logical_xor)


def invert(x: Tensor) -> Tensor:
    """`~x`."""
    if x.dtype.category == 2:
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return launched.bitwise_not(x)


@with_out
def bitwise_not(input: Tensor) -> Tensor:
    """Every bit turned over; of booleans, the logical not.

    >>> import fastgrad as torch
    >>> torch.bitwise_not(torch.tensor([True, False]))
    tensor([False,  True])
    """
    if as_tensor(input, "bitwise_not").dtype.category == 2:
        raise NotImplementedError(f"\"bitwise_not_cpu\" not implemented for '{input.dtype.scalar_name}'")
    return launched.bitwise_not(input)


def _bitwise(name: str, kernel: str, launched: Any, least: int = 0) -> tuple[Any, Any]:
    """The operator and the public function; `least` is the lowest category of dtypes that has it."""

    def operator(input: Any, other: Any) -> Any:
        if not isinstance(input, Tensor):
            input, other = other, input
            return NotImplemented if not _number(other) else operate(_as_tensor(other, input), input)
        if not isinstance(other, Tensor):
            return NotImplemented if not _number(other) else operate(input, _as_tensor(other, input))
        return operate(input, other)

    def operate(a: Tensor, b: Tensor) -> Tensor:
        a, b, kind = _same(a, b)
        if not least <= kind.category < 2:
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.scalar_name}'")
        made: Tensor = launched(a, b)
        return made

    def public(input: Any, other: Any) -> Tensor:
        made: Tensor = operator(input, other)
        if made is NotImplemented:
            raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
        return made

    public.__name__ = public.__qualname__ = operator.__name__ = operator.__qualname__ = name
    public.__doc__ = f"Bitwise {' '.join(name.split('_')[1:])} of integers{' or booleans' if least == 0 else ''}."
    return operator, with_out(public)


def _as_tensor(number: Any, other: Tensor) -> Tensor:
    return scalar_of(number, _dtype.result_with_scalar(other.dtype, number))


_and, bitwise_and = _bitwise("bitwise_and", "bitwise_and_cpu", launched.bitwise_and)
_or, bitwise_or = _bitwise("bitwise_or", "bitwise_or_cpu", launched.bitwise_or)
_xor, bitwise_xor = _bitwise("bitwise_xor", "bitwise_xor_cpu", launched.bitwise_xor)
_left, bitwise_left_shift = _bitwise("bitwise_left_shift", "lshift_cpu", launched.left_shift, least=1)
_right, bitwise_right_shift = _bitwise("bitwise_right_shift", "rshift_cpu", launched.right_shift, least=1)
OPERATORS: dict[str, Any] = {
    "__and__": _and, "__rand__": _and, "__or__": _or, "__ror__": _or, "__xor__": _xor, "__rxor__": _xor,
    "__lshift__": _left, "__rlshift__": lambda x, other: _left(other, x),
    "__rshift__": _right, "__rrshift__": lambda x, other: _right(other, x),
}  # fmt: skip


def _reduction(name: str, fold: Any, whole: Any) -> Callable[..., Tensor]:
    def reduce(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        if dim is None and not keepdim and input.__class__ is Tensor and input._meta.dtype is not _dtype.uint8:
            made: Tensor = whole(input)
            return made
        dims = dims_of(dim, as_tensor(input, name).ndim)
        made = fold.dims(input, dims, keepdim)
        return to_dtype(made, _dtype.uint8) if input.dtype is _dtype.uint8 else made  # uint8 was PyTorch's bool once

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = f"Whether {name} of the elements are true (not zero): of the whole tensor, or along dimensions."
    return with_out(numpy_names(reduce))


all = _reduction("all", tally.every, tally.all_of_all)
any = _reduction("any", tally.some, tally.any_of_all)

# --- NaN and infinity -------------------------------------------------------------------------------------------------


def _question(name: str, launched: Any, function: Any, text: str) -> Callable[[Tensor], Tensor]:
    def ask(input: Tensor) -> Tensor:
        if as_tensor(input, name).dtype.category == 2:
            made: Tensor = launched(input)
            return made
        return arrays.apply(function, input)

    ask.__name__ = ask.__qualname__ = name
    ask.__doc__ = f"True where an element is {text}."
    return ask


isnan = _question("isnan", launch.isnan, np.isnan, "NaN")
isinf = _question("isinf", launch.isinf, np.isinf, "infinite")
isfinite = _question("isfinite", launch.isfinite, np.isfinite, "neither infinite nor NaN")

isposinf = with_out(_question("isposinf", launch.isposinf, lambda x: x == np.inf, "positive infinity"))
isneginf = with_out(_question("isneginf", launch.isneginf, lambda x: x == -np.inf, "negative infinity"))

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

    if input._meta.dtype.category == 2:
        return launch.isclose(input, other, float(rtol), float(atol), float(equal_nan))

    def close(a: Any, b: Any) -> Any:
        a, b = a.astype(np.float64), b.astype(np.float64)
        return (np.abs(a - b) <= atol + np.abs(rtol * b)) | (a == b)

    return arrays.apply(close, input, other)


def _name(x: Tensor) -> str:
    return x.dtype.scalar_name


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close; see `isclose`.

    >>> import fastgrad as torch
    >>> torch.allclose(torch.ones(2), torch.ones(2) + 1e-7)
    True
    """
    return bool(tally.all_of_all(isclose(input, other, rtol, atol, equal_nan)).item())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape and the same elements.

    >>> import fastgrad as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    if as_tensor(input, "equal").shape != as_tensor(other, "equal").shape:
        return False
    if input._meta.dtype is not other._meta.dtype:
        input, other, _ = _same(input.detach(), other.detach())
    return tally.same(input, other)


def contains(x: Tensor, value: Any) -> bool:
    """`value in x`: whether some element equals it."""
    if not isinstance(value, Tensor) and not _number(value):
        raise RuntimeError(
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a " + str(type(value)) + "."
        )
    return bool((x == value)._array().any())


__all__ = [
    "all", "allclose", "any", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "equal", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "logical_and", "logical_not",
    "logical_or", "logical_xor",
]  # fmt: skip
