"""Sums and extremes in NumPy, on arrays shaped (outer, n, inner)."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def sum_runs(out: Array, x: Array, n: int, block: int) -> None:
    out[...] = [x[first : first + block].sum() for first in range(0, n, block)]


def sum_columns(out: Array, x: Array, n: int, inner: int, block: int) -> None:
    for o, b in np.ndindex(*out.shape[:2]):
        out[o, b] = x[o, b * block : (b + 1) * block].sum(0)


def max_index(out: Array, index: Array, x: Array, n: int, inner: int) -> None:
    index[...] = np.argmax(x, axis=1)
    out[...] = np.take_along_axis(x, index[:, None], 1)[:, 0]


def min_index(out: Array, index: Array, x: Array, n: int, inner: int) -> None:
    index[...] = np.argmin(x, axis=1)
    out[...] = np.take_along_axis(x, index[:, None], 1)[:, 0]
