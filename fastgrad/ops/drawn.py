"""Tensors filled with numbers of other distributions in place: exponential, geometric, Cauchy, log-normal."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._launch import copy_into
from .._launch import random as launch
from .._tensor import Tensor, empty
from .refill import _DRAWN, _drawn, _filled, refuse_integers, stream

for _name in ("Exponential", "Geometric", "Cauchy", "LogNormal"):
    _DRAWN[_name] = _drawn(_name)


def _uniform(out: Tensor, source: Any) -> Any:
    """Uniform float64 numbers in [0, 1) of the shape of `out`, which PyTorch draws for every dtype here."""
    made = empty(out.shape, _dtype.float64)
    launch.uniform(made, 0.0, 1.0, source)
    return made


def _fill(out: Tensor, numbers: Any) -> None:
    from .._launch import arrays

    copy_into(out, arrays.new(numbers))


def exponential_(x: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with numbers of the exponential distribution of rate `lambd`."""
    refuse_integers(x.dtype, "exponential_")
    if lambd <= 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    source = stream(generator, "exponential_")
    return _filled(x, "Exponential", lambda out: _fill(out, -np.log1p(-_uniform(out, source)._array()) / lambd))


def geometric_(x: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """Fill with the number of tries until the first success, of probability p."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    source = stream(generator, "geometric_")
    return _filled(x, "Geometric", lambda out: _fill(out, np.ceil(np.log(_uniform(out, source)._array()) / np.log1p(-p))))


def cauchy_(x: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with numbers of the Cauchy distribution."""
    refuse_integers(x.dtype, "cauchy")
    source = stream(generator, "cauchy_")

    def draw(out: Tensor) -> None:
        _fill(out, median + sigma * np.tan(np.pi * (_uniform(out, source)._array() - 0.5)))

    return _filled(x, "Cauchy", draw)


def log_normal_(x: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Tensor:
    """Fill with e to the power of normal numbers."""
    refuse_integers(x.dtype, "log_normal_")
    if std <= 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    source = stream(generator, "log_normal_")

    def draw(out: Tensor) -> None:
        parts = []
        for first in range(0, out._numel, 8):  # few at a time are drawn one by one, as PyTorch draws all of these
            part = empty((min(8, out._numel - first),), _dtype.float64)
            launch.normal(part, float(mean), float(std), source)
            parts.append(part._array().copy())
        numbers = np.concatenate(parts) if parts else np.empty(0)
        _fill(out, np.exp(numbers).reshape(out.shape))

    return _filled(x, "LogNormal", draw)
