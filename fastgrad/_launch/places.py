"""Elements by place: reading and writing at indices, which NumPy serves. An index is a tuple of slices and index tensors, as
NumPy reads it. Checks raise where a number is out of range; a compiled step makes them again at each replay."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype, _recording
from .._recording import host
from .._tensor import Tensor
from . import arrays, rows
from .embedding import look_outside
from .rearrange import grid


def _plain(places: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([part._array() if isinstance(part, Tensor) else part for part in places])


def within(index: Tensor, low: int, high: int, error: type[Exception], text: str) -> None:
    """Raise `error(text)`, with the offender for `{bad}`, unless all numbers are in [low, high)."""
    if _recording.active is None and index._meta.dtype is _dtype.int64 and index._meta.contiguous and high < 2**63:
        notes, _ = look_outside(index, low, high)
        if not notes[0]:
            return
    _within(index, low, high, error, text)


@host
def _within(index: Tensor, low: int, high: int, error: type[Exception], text: str) -> None:
    places = index._array()
    if places.size:
        least, most = places.min(), places.max()
        if least < low or most >= high:
            raise error(text.format(bad=least if least < low else most))


@host
def check_probabilities(p: Tensor, text: str) -> None:
    """RuntimeError where something is not in [0, 1]."""
    array = p._array()
    if not ((array >= 0) & (array <= 1)).all():
        raise RuntimeError(text)


@host
def check_probable(loss: Tensor, input: Tensor, target: Tensor) -> None:
    """RuntimeError where input or target is no probability. One loss over all of them that is no NaN says that they are."""
    value = loss._array()
    if value.ndim or value != value:
        check_probabilities(input, "all elements of input should be between 0 and 1")
        check_probabilities(target, "all elements of target should be between 0 and 1")


@host
def no_zero(divisor: Tensor) -> None:
    """RuntimeError where integers would be divided by 0."""
    if (divisor._array() == 0).any():
        raise RuntimeError("ZeroDivisionError")


@host
def _take(x: Tensor, places: tuple[Any, ...]) -> Tensor:
    return arrays.new(x._array()[_plain(places)])


def take(x: Tensor, places: tuple[Any, ...]) -> Tensor:
    """A copy of the elements at places. Where these are a mask, the size depends on values, and no plan can have it."""
    if any(isinstance(part, Tensor) and part.dtype is _dtype.bool_ for part in places):
        return arrays.new(x._array()[_plain(places)])
    if len(places) == 1 and is_rows(x, places[0]):
        return rows.take(x, places[0])
    return _take(x, places)


def is_rows(x: Tensor, index: Any) -> bool:
    """Whether an index names rows of x that the kernel can take."""
    if not isinstance(index, Tensor) or not x._meta.contiguous or not x._meta.numel:
        return False
    return bool(index._meta.dtype is _dtype.int64 and index._meta.contiguous)


@host
def write(out: Tensor, places: tuple[Any, ...], value: Tensor) -> None:
    """Write a value, broadcast, at places."""
    out._array()[_plain(places)] = value._array()


@host
def add(out: Tensor, places: tuple[Any, ...], value: Tensor) -> None:
    """Add at places; equal places add up."""
    np.add.at(out._array(), _plain(places), value._array())


@host
def add_along(out: Tensor, dim: int, index: Tensor, value: Tensor) -> None:
    """Add at the places `index` along a dimension; equal places add up."""
    places = index._array()
    np.add.at(out._array(), grid(places.shape, dim, places), value._array())
