"""Numbers at places along the middle dimension in NumPy, on arrays shaped (outer, n, inner)."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def take(out: Array, place: Array, x: Array, n: int, k: int, inner: int) -> None:
    out[...] = np.take_along_axis(x, place, 1)


def put(out: Array, place: Array, gy: Array, n: int, k: int, inner: int) -> None:
    out[...] = 0
    outer, _, column = np.ogrid[: out.shape[0], :1, :inner]
    np.add.at(out, (outer, place, column), gy)
