"""Counts, questions and totals of a contiguous array seen as (outer, n, inner), over n: of integers and bools, and, where
only zero or not counts, of floats too. Bools are bytes.

`_runs`: (n,) -> one result for each block of `block` numbers (the last may be shorter): tasks are blocks. With block = n of
a contiguous (outer, n) array of total size, each run is a block. `_columns`: (outer, n, inner) -> (outer, blocks, inner),
over blocks of `block` rows: tasks are blocks.
"""

from __future__ import annotations

from ..jit import at, helper, kernel
from ..math import formula, lit, select
from ..pointers import load

STRIP = 2048  # numbers that are looked at between two looks whether the answer is known


@formula
def itself(x):
    return x


@formula
def is_true(x):
    return x != 0


@formula
def is_false(x):
    return x == 0


@formula
def larger(a, b):
    return select(a > b, a, b)


@formula
def smaller(a, b):
    return select(a < b, a, b)


@helper
def add_runs(change, out, x, n, block, lo, hi):
    for b in range(lo, hi):
        run, total = at(x, b * block), lit(0, out)
        for i in range(min(block, n - b * block)):
            total += change(load(run, i))
        out[b] = total


@helper
def add_columns(change, out, x, n, inner, block, lo, hi):
    blocks = (n + block - 1) // block
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * block
        row, made = at(x, (outer * n + first) * inner), at(out, task * inner)
        for c in range(inner):
            made[c] = 0 + change(load(row, c))
        for _row in range(1, min(block, n - first)):
            row = at(row, inner)
            for c in range(inner):
                made[c] += change(load(row, c))


@kernel("i64* out, F* x, int n, int block")
def sum_runs(out, x, n, block, lo, hi):
    add_runs(itself, out, x, n, block, lo, hi)


@kernel("i64* out, F* x, int n, int inner, int block")
def sum_columns(out, x, n, inner, block, lo, hi):
    add_columns(itself, out, x, n, inner, block, lo, hi)


@kernel("i64* out, F* x, int n, int block")
def count_runs(out, x, n, block, lo, hi):
    """How many are not zero; NaN is not."""
    add_runs(is_true, out, x, n, block, lo, hi)


@kernel("i64* out, F* x, int n, int inner, int block")
def count_columns(out, x, n, inner, block, lo, hi):
    add_columns(is_true, out, x, n, inner, block, lo, hi)


@helper
def find_in_runs(wanted, found, otherwise, out, x, n, block, lo, hi):
    """Whether one is wanted: looked for strip by strip until there is one."""
    for b in range(lo, hi):
        first, last, seen = b * block, min((b + 1) * block, n), 0
        while first < last and seen == 0:
            strip = at(x, first)
            for i in range(min(STRIP, last - first)):
                seen |= wanted(load(strip, i))
            first += STRIP
        out[b] = found if seen else otherwise


@kernel("u8* out, F* x, int n, int block")
def any_runs(out, x, n, block, lo, hi):
    find_in_runs(is_true, 1, 0, out, x, n, block, lo, hi)


@kernel("u8* out, F* x, int n, int block")
def all_runs(out, x, n, block, lo, hi):
    find_in_runs(is_false, 0, 1, out, x, n, block, lo, hi)


@kernel("u8* out, F* x, int n, int inner, int block")
def any_columns(out, x, n, inner, block, lo, hi):
    blocks = (n + block - 1) // block
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * block
        row, made = at(x, (outer * n + first) * inner), at(out, task * inner)
        for c in range(inner):
            made[c] = is_true(load(row, c))
        for _row in range(1, min(block, n - first)):
            row = at(row, inner)
            for c in range(inner):
                made[c] |= is_true(load(row, c))


@kernel("u8* out, F* x, int n, int inner, int block")
def all_columns(out, x, n, inner, block, lo, hi):
    blocks = (n + block - 1) // block
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * block
        row, made = at(x, (outer * n + first) * inner), at(out, task * inner)
        for c in range(inner):
            made[c] = is_true(load(row, c))
        for _row in range(1, min(block, n - first)):
            row = at(row, inner)
            for c in range(inner):
                made[c] &= is_true(load(row, c))


@helper
def choose_in_runs(better, out, x, n, block, lo, hi):
    for b in range(lo, hi):
        run = at(x, b * block)
        best = run[0]
        for i in range(min(block, n - b * block)):
            best = better(best, load(run, i))
        out[b] = best


@helper
def choose_in_columns(better, out, x, n, inner, block, lo, hi):
    blocks = (n + block - 1) // block
    for task in range(lo, hi):
        outer = task // blocks
        first = (task - outer * blocks) * block
        row, made = at(x, (outer * n + first) * inner), at(out, task * inner)
        for c in range(inner):
            made[c] = row[c]
        for _row in range(1, min(block, n - first)):
            row = at(row, inner)
            for c in range(inner):
                made[c] = better(made[c], load(row, c))


@kernel("F* out, F* x, int n, int block")
def max_runs(out, x, n, block, lo, hi):
    choose_in_runs(larger, out, x, n, block, lo, hi)


@kernel("F* out, F* x, int n, int block")
def min_runs(out, x, n, block, lo, hi):
    choose_in_runs(smaller, out, x, n, block, lo, hi)


@kernel("F* out, F* x, int n, int inner, int block")
def max_columns(out, x, n, inner, block, lo, hi):
    choose_in_columns(larger, out, x, n, inner, block, lo, hi)


@kernel("F* out, F* x, int n, int inner, int block")
def min_columns(out, x, n, inner, block, lo, hi):
    choose_in_columns(smaller, out, x, n, inner, block, lo, hi)


@helper
def first_best(better, out, index, x, n, inner, lo, hi):
    for outer in range(lo, hi):
        column, values, places = at(x, outer * n * inner), at(out, outer * inner), at(index, outer * inner)
        if inner == 1:
            best, place = column[0], 0
            for i in range(n):
                best = better(best, load(column, i))
            while column[place] != best:
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
                best = better(values[c], row[c])
                if best != values[c]:
                    values[c] = best
                    places[c] = r


@kernel("F* out, i64* index, F* x, int n, int inner")
def max_index(out, index, x, n, inner, lo, hi):
    """(outer, n, inner) -> the largest number along n and its first place: tasks are outer."""
    first_best(larger, out, index, x, n, inner, lo, hi)


@kernel("F* out, i64* index, F* x, int n, int inner")
def min_index(out, index, x, n, inner, lo, hi):
    """(outer, n, inner) -> the smallest number along n and its first place: tasks are outer."""
    first_best(smaller, out, index, x, n, inner, lo, hi)


@kernel("u8* out, F* a, F* b, int n, int block")
def differ(out, a, b, n, block, lo, hi):
    """out[0] = 1 where two runs of n numbers differ somewhere; left as it is elsewhere: tasks are blocks, which give up once
    a difference is known."""
    for task in range(lo, hi):
        first, last = task * block, min((task + 1) * block, n)
        while first < last and out[0] == 0:
            left, right, seen = at(a, first), at(b, first), 0
            for i in range(min(STRIP, last - first)):
                seen |= load(left, i) != load(right, i)
            if seen:
                out[0] = 1
            first += STRIP
