"""Tensors filled with random numbers in place."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .. import _dtype
from .. import _generator as generators
from .._generator import Generator
from .._launch import copy_into
from .._launch import places as at
from .._launch import random as launch
from .._tensor import Tensor, empty
from . import inplace
from .op import op
from .pointwise import zeros


def stream(generator: Any, name: str) -> Generator:
    """The generator to draw from: the one given, or the default one."""
    if generator is None:
        return generators.default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{name}(): argument 'generator' must be torch.Generator, not {type(generator).__name__}")
    return generator


def refuse_integers(kind: _dtype.dtype, kernel: str) -> None:
    """NotImplementedError with PyTorch's text for a dtype that is no float type."""
    if kind.category != 2:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.scalar_name}'")


def check_probabilities(p: Tensor) -> None:
    """RuntimeError with PyTorch's text where something is no probability."""
    at.check_probabilities(
        p,
        "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, "
        "please report an enhancement request to PyTorch.)",
    )


def _filled(x: Tensor, name: str, draw: Callable[[Tensor], None]) -> Tensor:
    """Draw over `x`. What it held before gets the gradient 0."""
    inplace.check(x)
    if inplace.recorded(x):
        return inplace.replace(x, lambda old: _DRAWN[name](old, draw=draw))
    draw(x)
    x._bump()
    return x


def _drawn(name: str) -> Any:
    @op(name=name)
    def drawn(ctx: Any, x: Tensor, *, draw: Callable[[Tensor], None]) -> Tensor:
        made = empty(x.shape, x.dtype)
        draw(made)
        return made

    drawn.derivative(lambda ctx, gy: zeros(gy))
    return drawn


_DRAWN = {name: _drawn(name) for name in ("Uniform", "Normal", "Bernoulli2", "Random")}


def uniform_(x: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Any = None, **named: float) -> Tensor:
    """Fill with uniform numbers in [from, to). RuntimeError where from > to."""
    from_ = _from(named, from_, "uniform_")
    refuse_integers(x.dtype, "check_uniform_bounds")
    if from_ > to:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={from_:g} > to={to:g}")
    source = stream(generator, "uniform_")
    return _filled(x, "Uniform", lambda out: launch.uniform(out, float(from_), float(to), source))


def normal_(x: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal numbers. RuntimeError for a negative standard deviation."""
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    refuse_integers(x.dtype, "normal_kernel_cpu")
    source = stream(generator, "normal_")
    return _filled(x, "Normal", lambda out: launch.normal(out, float(mean), float(std), source))


def bernoulli_(x: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with 1, with probability `p` (a number, or a tensor that is broadcast), and 0."""
    source = stream(generator, "bernoulli_")
    if isinstance(p, Tensor):
        check_probabilities(p)
        each = p.detach().expand(x.shape)
        return _filled(x, "Bernoulli2", lambda out: copy_into(out, launch.bernoulli_each(each, source)))
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    return _filled(x, "Bernoulli2", lambda out: launch.bernoulli(out, float(p), source))


_C_NAMES = {
    "uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int", "int64": "int64_t", "bool": "bool",
}  # fmt: skip
_DIGITS = {"float32": 24, "float64": 53, "bool": 1}  # the dtype has a place for every integer up to 2**digits
_NOT_GIVEN: Any = object()


def random_(
    x: Tensor, from_: int | None = _NOT_GIVEN, to: int | None = _NOT_GIVEN, *, generator: Any = None, **named: int
) -> Tensor:
    """`random_()`, `random_(to)`, `random_(from, to)`: fill with integers in [from, to).

    Without bounds: all that are not negative and have a place in the dtype; with None for `to`, all from `from` on.
    RuntimeError for an empty range, and for bounds that the dtype cannot hold.
    """
    from_ = _from(named, from_, "random_")
    source, kind = stream(generator, "random_"), x.dtype
    digits = _DIGITS.get(kind.name) or 8 * kind.itemsize - kind.is_signed
    end = 2**digits + (kind.category == 2)
    if from_ is _NOT_GIVEN and to is _NOT_GIVEN:
        return _filled(x, "Random", lambda out: launch.integers(out, 0, end, 2 if digits > 32 else 1, source))
    low, high = (0, from_) if to is _NOT_GIVEN else (from_, end if to is None else to)
    assert isinstance(low, int)
    assert isinstance(high, int)
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    _check_bounds(low, high, kind, digits)
    if kind.category == 2:
        low, high = _held(low, high, kind, digits)
    span = high - low
    return _filled(x, "Random", lambda out: launch.integers(out, low, span, 1 if span < 2**28 else 2, source))


def _held(low: int, high: int, kind: _dtype.dtype, digits: int) -> tuple[int, int]:
    """The range, made smaller by a step of the dtype at an end where rounding would lead out of it."""
    first, last = int(kind.numpy.type(low + 1)), int(kind.numpy.type(high - 1))
    if first < low:
        low = first + 2 ** (abs(low + 1).bit_length() - digits)
    if last >= high:
        high = last - 2 ** (abs(high - 1).bit_length() - digits)
    return low, high


def _check_bounds(low: int, high: int, kind: _dtype.dtype, digits: int) -> None:
    least = -(2**digits) if kind.is_signed else 0
    most = 2**digits - (kind.category != 2)
    for name, value in (("from", low), ("to - 1", high - 1)):
        if least <= value <= most:
            continue
        if kind.category != 2:
            raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[kind.name]}")
        warnings.warn(
            f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {kind.scalar_name.lower()} "
            "can support discrete uniform distribution only within this range. This warning will become an error in version "
            "1.7 release, please fix the code in advance",
            stacklevel=4,
        )


def _from(named: dict[str, Any], given: Any, function: str) -> Any:
    """`from` is no name that Python allows for a parameter, but callers may use it."""
    found = named.pop("from", given)
    if named:
        raise TypeError(f"{function}() got an unexpected keyword argument '{next(iter(named))}'")
    return found
