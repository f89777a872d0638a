"""Numbers taken from places along the middle of (outer, n, inner), and put back there."""

from __future__ import annotations

from ..jit import at, kernel
from ..math import lit

# A task is up to 512 columns of an outer.


@kernel("F* out, i64* place, F* x, int n, int k, int inner")
def take(out, place, x, n, k, inner, lo, hi):
    """out[o, j, c] = x[o, place[o, j, c], c], with j < k."""
    blocks = (inner + 511) // 512
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * 512
        given, width = at(x, outer * n * inner + first), min(512, inner - first)
        for j in range(k):
            start = (outer * k + j) * inner + first
            made, places = at(out, start), at(place, start)
            for c in range(width):
                made[c] = given[places[c] * inner + c]


@kernel("F* out, i64* place, F* gy, int n, int k, int inner")
def put(out, place, gy, n, k, inner, lo, hi):
    """out[o, place[o, j, c], c] += gy[o, j, c] on zeros, with j < k, in the order of j."""
    blocks = (inner + 511) // 512
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * 512
        made, width = at(out, outer * n * inner + first), min(512, inner - first)
        for j in range(n):
            row = at(made, j * inner)
            for c in range(width):
                row[c] = lit(0.0, gy)
        for j in range(k):
            start = (outer * k + j) * inner + first
            given, places = at(gy, start), at(place, start)
            for c in range(width):
                made[places[c] * inner + c] += given[c]
