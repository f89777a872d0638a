"""The number at a rank in NumPy, on arrays shaped (outer, n, inner), and its place in a stable sort."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def _ranked(out: Array, place: Array, part: Array, x: Array, mode: int, k: int, q: float) -> None:
    n, numbers = x.shape[1], np.count_nonzero(x == x, axis=1)
    kind, skip, rank = mode & 7, bool(mode & 8), np.full(numbers.shape, k)
    if kind == 1:
        rank = np.where(numbers == n, (n - 1) // 2, numbers)
    elif kind == 2:
        rank = np.maximum(numbers - 1, 0) // 2
    elif kind:
        last = np.maximum(numbers, 1) - 1 if skip else np.full(numbers.shape, n - 1)
        exact = x.dtype.type(q) * last.astype(x.dtype)
        low = np.floor(exact)
        bad = numbers < n if not skip else np.zeros(numbers.shape, bool)
        if kind == 3:
            part[...] = np.where(bad, 0, exact - low)
        rank = np.where(bad, n - 1, (low, np.ceil(exact), np.rint(exact))[kind - 3]).astype(np.int64)
    place[...] = np.take_along_axis(np.argsort(x, 1, kind="stable"), rank[:, None], 1)[:, 0]
    out[...] = np.take_along_axis(x, place[:, None], 1)[:, 0]


def strips(
    out: Array, place: Array, part: Array, x: Array, n: int, inner: int, rows: int, mode: int, k: int, q: float
) -> None:
    _ranked(out, place, part, x, mode, k, q)


def columns(
    out: Array, place: Array, part: Array, own: Array, x: Array, n: int, inner: int, mode: int, k: int, q: float
) -> None:
    _ranked(out, place, part, x, mode, k, q)
