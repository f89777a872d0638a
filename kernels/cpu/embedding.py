"""Rows of a table by number, and the gradient of the table: what the rows got, added up in the order of the numbers."""

from __future__ import annotations

from ..jit import at, kernel
from ..math import lit
from ..pointers import load, store

STRIP = 64  # columns of the table that a task of the gradient adds up: no two tasks write the same number


@kernel("u8* wrong, i64* index, int least, int most, int n")
def outside(wrong, index, least, most, n, lo, hi):
    """wrong[0] = 1 where one of n numbers is below `least` or not below `most`, else 0: a single task."""
    count = 0
    for i in range(n):
        count += (index[i] < least) | (index[i] >= most)
    wrong[0] = 1 if count else 0


@kernel("F* out, F* table, i64* index, u8* wrong, int rows, int size")
def forward(out, table, index, wrong, rows, size, lo, hi):
    """(n, size) rows of the table (rows, size): tasks are numbers. One that is no row sets `wrong` and is not used."""
    for i in range(lo, hi):
        row = index[i]
        if row < 0 or row >= rows:
            wrong[0] = 1
            continue
        given, made = at(table, row * size), at(out, i * size)
        for j in range(size):
            store(made, j, load(given, j))


@kernel("F* gradient, F* gy, i64* index, i64* counts, int rows, int n, int size, int ignored, int scaled")
def backward(gradient, gy, index, counts, rows, n, size, ignored, scaled, lo, hi):
    """(rows, size): tasks are strips of columns. `ignored` is a row without gradient; `scaled` divides by `counts`."""
    for strip in range(lo, hi):
        first = strip * STRIP
        width = min(STRIP, size - first)
        for row in range(rows):
            made = at(gradient, row * size + first)
            for j in range(width):
                made[j] = lit(0.0, gy)
        for i in range(n):
            row = index[i]
            if row == ignored:
                continue
            made, given = at(gradient, row * size + first), at(gy, i * size + first)
            share = lit(1.0, gy) / lit(counts[row], gy) if scaled else lit(1.0, gy)
            for j in range(width):
                store(made, j, made[j] + load(given, j) * share)
