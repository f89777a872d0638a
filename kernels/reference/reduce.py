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


def _runs(function: Any) -> Any:
    def kernel(out: Array, x: Array, n: int, block: int) -> None:
        out[...] = [function(x[first : first + block]) for first in range(0, n, block)]

    return kernel


def _columns(function: Any) -> Any:
    def kernel(out: Array, x: Array, n: int, inner: int, block: int) -> None:
        for o, b in np.ndindex(*out.shape[:2]):
            out[o, b] = function(x[o, b * block : (b + 1) * block], 0)

    return kernel


prod_runs, max_runs, min_runs = _runs(np.prod), _runs(np.max), _runs(np.min)
prod_columns, max_columns, min_columns = _columns(np.prod), _columns(np.max), _columns(np.min)


def _changed_runs(change: Any) -> Any:
    def kernel(out: Array, x: Array, centre: Array, n: int, block: int, runs: int) -> None:
        out[...] = [change(x[b * block : (b + 1) * block] - centre[b // runs]).sum() for b in range(len(out))]

    return kernel


squared_distance_runs, same_runs = _changed_runs(np.square), _changed_runs(lambda gap: (gap == 0) | (gap != gap))


def squared_distance_columns(out: Array, x: Array, centre: Array, n: int, inner: int, block: int) -> None:
    sum_columns(out, np.square(x - centre[:, None]), n, inner, block)


def same_columns(out: Array, x: Array, centre: Array, n: int, inner: int, block: int) -> None:
    gap = x - centre[:, None]
    sum_columns(out, ((gap == 0) | (gap != gap)).astype(x.dtype), n, inner, block)


def logsumexp_rows(out: Array, x: Array, n: int) -> None:
    out[...] = np.logaddexp.reduce(x, -1)


def logsumexp_columns(out: Array, x: Array, n: int, inner: int) -> None:
    out[...] = np.logaddexp.reduce(x, 1)


def variance_rows(out: Array, mean: Array, x: Array, n: int, degrees: float) -> None:
    mean[...] = x.mean(-1)
    out[...] = np.square(x - mean[:, None]).sum(-1) / degrees


def variance_columns(out: Array, mean: Array, x: Array, n: int, inner: int, degrees: float) -> None:
    mean[...] = x.mean(1)
    out[...] = np.square(x - mean[:, None]).sum(1) / degrees
