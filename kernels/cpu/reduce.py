"""Sums, products and extremes of a contiguous array seen as (outer, n, inner), reduced over n.

A sum's order of addition is fixed by its shape alone, whatever the threads do: runs of numbers are summed in lanes (see
`kernels/lanes.py`), columns row by row; what is long is cut into blocks whose partial sums are summed the same way again.
"""

from __future__ import annotations

from ..jit import at, helper, kernel
from ..lanes import largest_lanes, product_lanes, smallest_lanes, spread_lanes, sum_lanes
from ..math import INFINITY, exp, formula, lit, log, maximum, minimum, select
from ..pointers import load
from ..stack import buffer

STRIP = 1024  # numbers of a run that are changed before they are summed: they stay in the first-level cache


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


@helper
def fold_columns(combine, out, x, n, inner, block, lo, hi):
    """(outer, n, inner) -> (outer, blocks, inner), rows combined in order within blocks."""
    blocks = (n + block - 1) // block
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * block
        last = min(first + block, n)
        row = at(x, (outer * n + first) * inner)
        made = at(out, task * inner)
        for c in range(inner):
            made[c] = row[c]
        for _row in range(1, last - first):
            row = at(row, inner)
            for c in range(inner):
                made[c] = combine(made[c], row[c])


@formula
def times(a, b):
    return a * b


@kernel("F* out, F* x, int n, int block")
def prod_runs(out, x, n, block, lo, hi):
    """As `sum_runs`: products."""
    for b in range(lo, hi):
        first = b * block
        out[b] = product_lanes(at(x, first), min(block, n - first))


@kernel("F* out, F* x, int n, int block")
def max_runs(out, x, n, block, lo, hi):
    """As `sum_runs`: the largest numbers, NaN where one is NaN."""
    for b in range(lo, hi):
        first = b * block
        out[b] = largest_lanes(at(x, first), min(block, n - first))


@kernel("F* out, F* x, int n, int block")
def min_runs(out, x, n, block, lo, hi):
    """As `sum_runs`: the smallest numbers, NaN where one is NaN."""
    for b in range(lo, hi):
        first = b * block
        out[b] = smallest_lanes(at(x, first), min(block, n - first))


@kernel("F* out, F* x, int n, int inner, int block")
def prod_columns(out, x, n, inner, block, lo, hi):
    """As `sum_columns`: products."""
    fold_columns(times, out, x, n, inner, block, lo, hi)


@kernel("F* out, F* x, int n, int inner, int block")
def max_columns(out, x, n, inner, block, lo, hi):
    """As `sum_columns`: the largest numbers, NaN where one is NaN."""
    fold_columns(maximum, out, x, n, inner, block, lo, hi)


@kernel("F* out, F* x, int n, int inner, int block")
def min_columns(out, x, n, inner, block, lo, hi):
    """As `sum_columns`: the smallest numbers, NaN where one is NaN."""
    fold_columns(minimum, out, x, n, inner, block, lo, hi)


# --- sums of changed numbers ------------------------------------------------------------------------------------------


@helper
def sum_of(change, out, x, centre, n, block, runs, lo, hi):
    """One sum of change(x, centre) for each block; `runs` blocks in a row share a centre."""
    values = buffer(x, 1024)
    for b in range(lo, hi):
        middle, total = centre[b // runs], lit(0.0, x)
        last = min((b + 1) * block, n)
        for first in range(b * block, last, STRIP):
            strip, size = at(x, first), min(STRIP, last - first)
            for i in range(size):
                values[i] = change(load(strip, i), middle)
            total += sum_lanes(values, size)
        out[b] = total


@formula
def squared_distance(x, centre):
    return (x - centre) * (x - centre)


@kernel("F* out, F* x, F* centre, int n, int block, int runs")
def squared_distance_runs(out, x, centre, n, block, runs, lo, hi):
    """(n,) -> the sum of (x - centre)**2 for each block; `runs` blocks in a row share a centre: tasks are blocks."""
    sum_of(squared_distance, out, x, centre, n, block, runs, lo, hi)


@formula
def same(x, centre):
    return select((x == centre) | ((x != x) & (centre != centre)), lit(1.0, x), lit(0.0, x))


@kernel("F* out, F* x, F* centre, int n, int block, int runs")
def same_runs(out, x, centre, n, block, runs, lo, hi):
    """(n,) -> how many numbers of each block are the centre; NaN is the same as NaN: tasks are blocks."""
    sum_of(same, out, x, centre, n, block, runs, lo, hi)


@helper
def sum_columns_of(change, out, x, centre, n, inner, block, lo, hi):
    blocks = (n + block - 1) // block
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * block
        row, sums, middle = at(x, (outer * n + first) * inner), at(out, task * inner), at(centre, outer * inner)
        for c in range(inner):
            sums[c] = change(row[c], middle[c])
        for _row in range(1, min(first + block, n) - first):
            row = at(row, inner)
            for c in range(inner):
                sums[c] += change(row[c], middle[c])


@kernel("F* out, F* x, F* centre, int n, int inner, int block")
def squared_distance_columns(out, x, centre, n, inner, block, lo, hi):
    """(outer, n, inner) -> (outer, blocks, inner), sums of (x - centre)**2, with a centre (outer, inner)."""
    sum_columns_of(squared_distance, out, x, centre, n, inner, block, lo, hi)


@kernel("F* out, F* x, F* centre, int n, int inner, int block")
def same_columns(out, x, centre, n, inner, block, lo, hi):
    """(outer, n, inner) -> (outer, blocks, inner), how many are the centre (outer, inner)."""
    sum_columns_of(same, out, x, centre, n, inner, block, lo, hi)


@kernel("F* out, F* mean, F* x, int n, F degrees")
def variance_rows(out, mean, x, n, degrees, lo, hi):
    """(rows, n) -> the mean of each row, and the sum of squared distances from it over `degrees`: tasks are rows."""
    for r in range(lo, hi):
        row = at(x, r * n)
        middle = sum_lanes(row, n) / lit(n, x)
        mean[r] = middle
        out[r] = spread_lanes(row, n, middle) / degrees


@kernel("F* out, F* mean, F* x, int n, int inner, F degrees")
def variance_columns(out, mean, x, n, inner, degrees, lo, hi):
    """(outer, n, inner) -> mean and variance over n, (outer, inner) each: tasks are outer."""
    for outer in range(lo, hi):
        given, sums, middle = at(x, outer * n * inner), at(out, outer * inner), at(mean, outer * inner)
        for c in range(inner):
            middle[c] = given[c]
        for j in range(1, n):
            row = at(given, j * inner)
            for c in range(inner):
                middle[c] += row[c]
        for c in range(inner):
            middle[c] = middle[c] / lit(n, x)
            sums[c] = lit(0.0, x)
        for j in range(n):
            row = at(given, j * inner)
            for c in range(inner):
                sums[c] += squared_distance(row[c], middle[c])
        for c in range(inner):
            sums[c] = sums[c] / degrees


@formula
def unless_infinite(x):
    return select(abs(x) == INFINITY, 0.0, x)


@kernel("F* out, F* x, int n")
def logsumexp_rows(out, x, n, lo, hi):
    """(rows, n) -> log(sum(e**x)) of each row, without overflow (Blanchard, Higham and Higham 2021): tasks are rows."""
    powers = buffer(x, 1024)
    for r in range(lo, hi):
        row = at(x, r * n)
        most = largest_lanes(row, n)
        shift = unless_infinite(most)
        total = lit(0.0, x)
        for first in range(0, n, STRIP):
            strip, size = at(row, first), min(STRIP, n - first)
            for i in range(size):
                powers[i] = exp(load(strip, i) - shift)
            total += sum_lanes(powers, size)
        out[r] = log(total) + shift


@kernel("F* out, F* x, int n, int inner")
def logsumexp_columns(out, x, n, inner, lo, hi):
    """(outer, n, inner) -> log(sum(e**x)) over n, (outer, inner): tasks are blocks of 64 columns of an outer."""
    largest, total = buffer(x, 64), buffer(x, 64)
    blocks = (inner + 63) // 64
    for task in range(lo, hi):
        outer = task // blocks
        start = (task - outer * blocks) * 64
        width = min(64, inner - start)
        given, made = at(x, outer * n * inner + start), at(out, outer * inner + start)
        for c in range(width):
            largest[c] = given[c]
            total[c] = lit(0.0, x)
        for j in range(1, n):
            row = at(given, j * inner)
            for c in range(width):
                largest[c] = maximum(largest[c], row[c])
        for c in range(width):
            largest[c] = unless_infinite(largest[c])
        for j in range(n):
            row = at(given, j * inner)
            for c in range(width):
                total[c] += exp(load(row, c) - largest[c])
        for c in range(width):
            made[c] = log(total[c]) + largest[c]


# --- extremes and their places ----------------------------------------------------------------------------------------


@kernel("F* out, i64* index, F* x, int n, int inner")
def max_index(out, index, x, n, inner, lo, hi):
    """(outer, n, inner) -> the largest number along n and its first place; NaN is larger than all: tasks are outer."""
    for outer in range(lo, hi):
        column, values, places = at(x, outer * n * inner), at(out, outer * inner), at(index, outer * inner)
        if inner == 1:
            best, place = largest_lanes(column, n), 0
            if best == best:
                while column[place] != best:
                    place += 1
            else:
                while column[place] == column[place]:
                    place += 1
            values[0] = best
            places[0] = place
            continue
        for c in range(inner):
            values[c] = column[c]
            places[c] = 0
        for r in range(1, n):
            row = at(column, r * inner)
            for c in range(inner):
                v, best = row[c], values[c]
                if v > best or (v != v and best == best):
                    values[c] = v
                    places[c] = r


@kernel("F* out, i64* index, F* x, int n, int inner")
def min_index(out, index, x, n, inner, lo, hi):
    """(outer, n, inner) -> the smallest number along n and its first place; NaN is smaller than all: tasks are outer."""
    for outer in range(lo, hi):
        column, values, places = at(x, outer * n * inner), at(out, outer * inner), at(index, outer * inner)
        if inner == 1:
            best, place = smallest_lanes(column, n), 0
            if best == best:
                while column[place] != best:
                    place += 1
            else:
                while column[place] == column[place]:
                    place += 1
            values[0] = best
            places[0] = place
            continue
        for c in range(inner):
            values[c] = column[c]
            places[c] = 0
        for r in range(1, n):
            row = at(column, r * inner)
            for c in range(inner):
                v, best = row[c], values[c]
                if v < best or (v != v and best == best):
                    values[c] = v
                    places[c] = r
