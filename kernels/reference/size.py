"""Sums of sizes in NumPy, on arrays shaped (outer, n, inner)."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
_CHANGES: Any = {0: lambda x: x != 0, 1: np.abs, 2: np.square, 3: lambda x: x == 0}


def _rooted(total: Any, root: int) -> Any:
    return np.sqrt(total) if root else total


def runs(out: Array, x: Array, n: int, block: int, kind: int, root: int) -> None:
    out[...] = [_rooted(_CHANGES[kind](x[first : first + block]).sum(), root) for first in range(0, n, block)]


def columns(out: Array, x: Array, n: int, inner: int, block: int, kind: int, root: int) -> None:
    for o, b in np.ndindex(*out.shape[:2]):
        out[o, b] = _rooted(_CHANGES[kind](x[o, b * block : (b + 1) * block]).sum(0), root)


def gaps(out: Array, x: Array, y: Array, n: int, block: int, kind: int, root: int) -> None:
    runs(out, x - y, n, block, kind, root)


def variance(out: Array, mean: Array, x: Array, pieces: int, kept: int, n: int, degrees: float) -> None:
    mean[...] = x.mean((0, 2))
    out[...] = np.square(x - mean[:, None]).sum((0, 2)) / degrees
