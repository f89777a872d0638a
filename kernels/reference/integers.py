"""Elementwise arithmetic on integers in NumPy: what each kernel of `cpu/integers.py` computes."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def _make(function: Any) -> Any:
    def kernel(out: Array, *inputs: Any) -> None:
        with np.errstate(all="ignore"):
            out[...] = function(*inputs)

    return kernel


def _is_place(b: Array) -> Array:
    return (b >= 0) & (b < 8 * b.dtype.itemsize)


def _left(a: Array, b: Array) -> Array:
    return np.where(_is_place(b), np.left_shift(a, np.where(_is_place(b), b, 0)), 0)


def _right(a: Array, b: Array) -> Array:
    return np.where(_is_place(b), np.right_shift(a, np.where(_is_place(b), b, 0)), np.where(a < 0, -1, 0))


fill = _make(lambda value: value)
absolute = _make(np.abs)
sign = _make(np.sign)
maximum = _make(np.maximum)
minimum = _make(np.minimum)
bitwise_not = _make(np.invert)
bitwise_and = _make(np.bitwise_and)
bitwise_or = _make(np.bitwise_or)
bitwise_xor = _make(np.bitwise_xor)
left_shift = _make(_left)
right_shift = _make(_right)
