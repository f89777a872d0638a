"""Tensors filled with numbers of other distributions in place: exponential, geometric, Cauchy, log-normal."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._geometry import Size
from .._launch import copy_into
from .._launch import random as launch
from .._meta import contiguous
from .._tensor import Tensor, empty, window
from .refill import _DRAWN, _drawn, _filled, refuse_integers, stream

for _name in ("Exponential", "Geometric", "Cauchy", "LogNormal"):
    _DRAWN[_name] = _drawn(_name)


def _uniform(out: Tensor, source: Any) -> Any:
    """Uniform float64 numbers in [0, 1) of the shape of `out`, which PyTorch draws for every dtype here."""
    made = empty(out.shape, _dtype.float64)
    launch.uniform(made, 0.0, 1.0, source)
    return made


def _fill(out: Tensor, formula: Any, numbers: Tensor) -> None:
    from .._launch import arrays

    copy_into(out, arrays.apply(formula, numbers))


def exponential_(x: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with numbers of the exponential distribution of rate `lambd`."""
    refuse_integers(x.dtype, "exponential_")
    if lambd <= 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    source = stream(generator, "exponential_")
    return _filled(x, "Exponential", lambda out: _fill(out, lambda u: -np.log1p(-u) / lambd, _uniform(out, source)))


def geometric_(x: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """Fill with the number of tries until the first success, of probability p."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    source = stream(generator, "geometric_")

    def tries(u: Any) -> Any:
        return np.ceil(np.log(u) / np.log1p(-p))

    return _filled(x, "Geometric", lambda out: _fill(out, tries, _uniform(out, source)))


def cauchy_(x: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with numbers of the Cauchy distribution."""
    refuse_integers(x.dtype, "cauchy")
    source = stream(generator, "cauchy_")

    def draw(out: Tensor) -> None:
        _fill(out, lambda u: median + sigma * np.tan(np.pi * (u - 0.5)), _uniform(out, source))

    return _filled(x, "Cauchy", draw)


def log_normal_(x: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Tensor:
    """Fill with e to the power of normal numbers."""
    refuse_integers(x.dtype, "log_normal_")
    if std <= 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    source = stream(generator, "log_normal_")

    def draw(out: Tensor) -> None:
        n, shape = out._numel, out.shape
        numbers = empty(Size((n,)), _dtype.float64)
        for first in range(0, n, 8):  # few at a time are drawn one by one, as PyTorch draws all of these
            part = window(numbers, contiguous((min(8, n - first),), _dtype.float64), 8 * first)
            launch.normal(part, float(mean), float(std), source)
        _fill(out, lambda x: np.exp(x).reshape(shape), numbers)

    return _filled(x, "LogNormal", draw)
