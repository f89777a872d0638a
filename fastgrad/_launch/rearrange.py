"""Copies in another order, which NumPy serves."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._recording import host
from .._tensor import Tensor
from . import arrays


@host
def flip(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """The elements in reverse order along dimensions."""
    return arrays.new(np.flip(x._array(), dims))


@host
def roll(x: Tensor, shifts: tuple[int, ...], dims: tuple[int, ...] | None) -> Tensor:
    """The elements moved along dimensions, those that fall off coming in at the other end."""
    return arrays.new(np.roll(x._array(), shifts if dims else shifts[0], dims))


@host
def triangle(x: Tensor, diagonal: int, lower: bool) -> Tensor:
    """Matrices with zeros above (or below) a diagonal."""
    return arrays.new((np.tril if lower else np.triu)(x._array(), diagonal))


@host
def order(x: Tensor, dim: int, descending: bool) -> Tensor:
    """The places of the elements in ascending or descending order along a dimension, equal ones as they stand; NaN is the
    largest."""
    a = x._array()
    if not descending:
        return arrays.new(np.argsort(a, dim, kind="stable"))
    places = np.argsort(np.flip(a, dim), dim, kind="stable")
    return arrays.new(a.shape[dim] - 1 - np.flip(places, dim))


@host
def best(x: Tensor, k: int, dim: int, largest: bool) -> Tensor:
    """The places of the k largest or smallest along a dimension, best first; NaN is the largest."""
    a = np.moveaxis(x._array(), dim, -1)
    n = a.shape[-1]
    if 0 < k < n and n > 64:
        part = np.argpartition(a, n - k if largest else k - 1, -1)
        places = np.sort(part[..., n - k :] if largest else part[..., :k], -1)
    else:
        places = np.broadcast_to(np.arange(n), a.shape)
    values = np.take_along_axis(a, places, -1)
    if largest:
        inner = values.shape[-1] - 1 - np.flip(np.argsort(np.flip(values, -1), -1, kind="stable"), -1)
    else:
        inner = np.argsort(values, -1, kind="stable")
    return arrays.new(np.moveaxis(np.take_along_axis(places, inner[..., :k], -1), -1, dim))


@host
def put(x: Tensor, places: tuple[Any, ...], value: Tensor) -> Tensor:
    """A copy with values written at places."""
    out = np.array(x._array())
    out[places] = value._array()
    return arrays.new(out)


def grid(shape: tuple[int, ...], dim: int, index: Any) -> tuple[Any, ...]:
    """NumPy's index for: along `dim` at `index`, elsewhere where the index itself stands."""
    where: list[Any] = list(np.ogrid[tuple(slice(n) for n in shape)])
    where[dim] = index
    return tuple(where)


@host
def scatter(x: Tensor, dim: int, index: Tensor, src: Tensor | float, how: str) -> Tensor:
    """A copy of x with the elements of src (or a number) put to, added to or multiplied with the places `index` along
    `dim`."""
    out, places = np.array(x._array()), index._array()
    if places.size:
        where = grid(places.shape, dim, places)
        value: Any = src
        if isinstance(src, Tensor):
            value = src._array()[tuple(slice(n) for n in places.shape)]
        if how == "put":
            out[where] = value
        else:
            _AT[how](out, where, value)
    return arrays.new(out)


_AT: dict[str, Any] = {
    "add": np.add.at, "multiply": np.multiply.at, "maximum": np.maximum.at, "minimum": np.minimum.at,
}  # fmt: skip


@host
def add_at(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of x with slices of src added to the places `index` along `dim`."""
    out = np.array(x._array())
    np.add.at(out, (*(slice(None),) * dim, index._array()), src._array())
    return arrays.new(out)
