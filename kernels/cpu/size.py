"""Sums of sizes, squares and gaps, counts of zeros: what norms and distances are made of; and variances over two stretches.

As in `reduce.py`, an array is seen as (outer, n, inner) and long sums are cut into blocks. `kind` is 2 for squares, 1 for
sizes, 0 for a count of what is not 0, 3 for a count of zeros; `root` says that the sums are whole, and their square roots
are wanted.
"""

from __future__ import annotations

from ..jit import at, helper, kernel
from ..lanes import dot_lanes, equal_lanes, spread_lanes, sum_lanes
from ..math import formula, lit, select, sqrt
from ..pointers import load
from ..stack import buffer


@helper
def sum_of_sizes(x, n, kind, own):
    """The sum of one run; `own` has 1024 places."""
    none = lit(0.0, x)
    if kind == 2:
        return dot_lanes(x, x, n, none)
    if kind == 0:
        return lit(n, x) - equal_lanes(x, n, none)
    if kind == 3:
        return equal_lanes(x, n, none)
    total = none
    for first in range(0, n, 1024):
        part, size = at(x, first), min(1024, n - first)
        for i in range(size):
            own[i] = abs(load(part, i))
        total += sum_lanes(own, size)
    return total


@kernel("F* out, F* x, int n, int block, int kind, int root")
def runs(out, x, n, block, kind, root, lo, hi):
    """(n,) -> one sum for each block of `block` numbers (the last may be shorter): tasks are blocks."""
    own = buffer(x, 1024)
    for b in range(lo, hi):
        first = b * block
        total = sum_of_sizes(at(x, first), min(block, n - first), kind, own)
        out[b] = sqrt(total) if root else total


@formula
def square(x):
    return x * x


@formula
def size(x):
    return abs(x)


@formula
def something(x):
    return select(x == 0.0, lit(0.0, x), lit(1.0, x))


@formula
def nothing(x):
    return select(x == 0.0, lit(1.0, x), lit(0.0, x))


@helper
def fold(change, row, sums, rows, inner):
    for c in range(inner):
        sums[c] = change(row[c])
    for _row in range(1, rows):
        row = at(row, inner)
        for c in range(inner):
            sums[c] += change(row[c])


@kernel("F* out, F* x, int n, int inner, int block, int kind, int root")
def columns(out, x, n, inner, block, kind, root, lo, hi):
    """(outer, n, inner) -> (outer, blocks, inner), rows added in order within blocks: tasks are blocks."""
    blocks = (n + block - 1) // block
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * block
        rows, row, sums = min(block, n - first), at(x, (outer * n + first) * inner), at(out, task * inner)
        if kind == 2:
            fold(square, row, sums, rows, inner)
        elif kind == 1:
            fold(size, row, sums, rows, inner)
        elif kind == 0:
            fold(something, row, sums, rows, inner)
        else:
            fold(nothing, row, sums, rows, inner)
        if root:
            for c in range(inner):
                sums[c] = sqrt(sums[c])


@kernel("F* out, F* x, F* y, int n, int block, int kind, int root")
def gaps(out, x, y, n, block, kind, root, lo, hi):
    """As `runs`, of x - y; `kind` is 1 or 2."""
    own, more = buffer(x, 1024), buffer(x, 1024)
    for b in range(lo, hi):
        total = lit(0.0, x)
        for first in range(b * block, min((b + 1) * block, n), 1024):
            p, q, count = at(x, first), at(y, first), min(1024, min((b + 1) * block, n) - first)
            for i in range(count):
                own[i] = load(p, i) - load(q, i)
            total += sum_of_sizes(own, count, kind, more)
        out[b] = sqrt(total) if root else total


@kernel("F* out, F* mean, F* x, int pieces, int kept, int n, F degrees")
def variance(out, mean, x, pieces, kept, n, degrees, lo, hi):
    """(pieces, kept, n) -> mean and variance over pieces and n, (kept,) each: tasks are those kept."""
    for k in range(lo, hi):
        total = lit(0.0, x)
        for piece in range(pieces):
            total += sum_lanes(at(x, (piece * kept + k) * n), n)
        middle = total / lit(pieces * n, x)
        total = lit(0.0, x)
        for piece in range(pieces):
            total += spread_lanes(at(x, (piece * kept + k) * n), n, middle)
        mean[k] = middle
        out[k] = total / degrees
