"""Sums, products and extremes of a contiguous array seen as (outer, n, inner), reduced over n.

A sum's order of addition is fixed by its shape alone, whatever the threads do: runs of numbers are summed in lanes (see
`kernels/lanes.py`), columns row by row; what is long is cut into blocks whose partial sums are summed the same way again.
"""

from __future__ import annotations

from ..jit import at, kernel
from ..lanes import sum_lanes


@kernel("F* out, F* x, int n, int block")
def sum_runs(out, x, n, block, lo, hi):
    """(n,) -> one sum for each block of `block` numbers (the last may be shorter): tasks are blocks.

    With block = n of a contiguous (outer, n) array of total size, each run is a block.
    """
    for b in range(lo, hi):
        first = b * block
        out[b] = sum_lanes(at(x, first), min(block, n - first))


@kernel("F* out, F* x, int n, int inner, int block")
def sum_columns(out, x, n, inner, block, lo, hi):
    """(outer, n, inner) -> (outer, blocks, inner), rows added in order within blocks of `block` rows: tasks are blocks."""
    blocks = (n + block - 1) // block
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * block
        last = min(first + block, n)
        row = at(x, (outer * n + first) * inner)
        sums = at(out, task * inner)
        for c in range(inner):
            sums[c] = row[c]
        for _row in range(1, last - first):
            row = at(row, inner)
            for c in range(inner):
                sums[c] += row[c]


@kernel("F* out, i64* index, F* x, int n, int inner")
def max_index(out, index, x, n, inner, lo, hi):
    """(outer, n, inner) -> the largest number along n and its first place; NaN is larger than all: tasks are outer."""
    for outer in range(lo, hi):
        for c in range(inner):
            column = at(x, outer * n * inner + c)
            best, place = column[0], 0
            for r in range(1, n):
                v = column[r * inner]
                if v > best or (v != v and best == best):
                    best, place = v, r
            out[outer * inner + c] = best
            index[outer * inner + c] = place


@kernel("F* out, i64* index, F* x, int n, int inner")
def min_index(out, index, x, n, inner, lo, hi):
    """(outer, n, inner) -> the smallest number along n and its first place; NaN is smaller than all: tasks are outer."""
    for outer in range(lo, hi):
        for c in range(inner):
            column = at(x, outer * n * inner + c)
            best, place = column[0], 0
            for r in range(1, n):
                v = column[r * inner]
                if v < best or (v != v and best == best):
                    best, place = v, r
            out[outer * inner + c] = best
            index[outer * inner + c] = place
