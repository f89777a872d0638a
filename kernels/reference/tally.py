"""Counts, questions, totals and extremes in NumPy: what each kernel of `cpu/tally.py` computes."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def _runs(fold: Any) -> Any:
    def kernel(out: Array, x: Array, n: int, block: int) -> None:
        out[...] = [fold(x[first : first + block], axis=0) for first in range(0, n, block)]

    return kernel


def _columns(fold: Any) -> Any:
    def kernel(out: Array, x: Array, n: int, inner: int, block: int) -> None:
        for o, b in np.ndindex(*out.shape[:2]):
            out[o, b] = fold(x[o, b * block : (b + 1) * block], axis=0)

    return kernel


def _sum(x: Array, axis: int) -> Array:
    return x.astype(np.int64).sum(axis)


sum_runs, sum_columns = _runs(_sum), _columns(_sum)
count_runs, count_columns = _runs(np.count_nonzero), _columns(np.count_nonzero)
any_runs, any_columns = _runs(np.any), _columns(np.any)
all_runs, all_columns = _runs(np.all), _columns(np.all)
max_runs, max_columns = _runs(np.max), _columns(np.max)
min_runs, min_columns = _runs(np.min), _columns(np.min)


def max_index(out: Array, index: Array, x: Array, n: int, inner: int) -> None:
    index[...] = np.argmax(x, axis=1)
    out[...] = x.max(1)


def min_index(out: Array, index: Array, x: Array, n: int, inner: int) -> None:
    index[...] = np.argmin(x, axis=1)
    out[...] = x.min(1)


def differ(out: Array, a: Array, b: Array, n: int, block: int) -> None:
    out[0] |= (a[:n] != b[:n]).any()
