"""Running totals in NumPy, on arrays shaped (outer, n, inner)."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def cumsum(out: Array, totals: Array, x: Array, n: int, inner: int) -> None:
    out[...] = np.cumsum(x, 1, np.float64)


def cumprod(out: Array, totals: Array, x: Array, n: int, inner: int) -> None:
    out[...] = np.cumprod(x, 1, np.float64)


def logcumsumexp(out: Array, totals: Array, x: Array, n: int, inner: int) -> None:
    out[...] = np.logaddexp.accumulate(x.astype(np.float64), 1)
