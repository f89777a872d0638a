"""Softmax and log-softmax of the rows of (rows, n), and their derivatives. A task is a row.

Rows are handled in blocks, so that every loop is a vector loop: long rows lie one behind the other in `out`, and e**x runs
over all of them at once; rows shorter than NARROW are turned, (n, BLOCK), and the loops run across rows. The order of
each sum depends on n alone.
"""

from __future__ import annotations

from ..jit import at, helper, kernel
from ..lanes import max_lanes, sum_lanes
from ..math import exp, lit, log, select
from ..pointers import load, store
from ..stack import buffer

BLOCK = 64  # rows handled together
NARROW = 16
TURNED = BLOCK * NARROW
STRIP = 2048  # numbers of long rows handled together: `x` and `out` stay in the first-level cache


@helper
def block_of(n):
    """How many rows of n numbers make a block."""
    return BLOCK if n < NARROW else min(BLOCK, max(1, STRIP // n))


@helper
def exponentials(out, turned, largest, total, x, n, rows):
    """e**(x - largest) of a block, the largest number of each row, and the sum of each row's exponentials.

    The exponentials of short rows go to `turned`, (n, BLOCK), those of others to `out`, (rows, n). NaN, or an infinite
    largest number, makes the whole row NaN.
    """
    if n < NARROW:
        for j in range(n):
            column = at(turned, j * BLOCK)
            for r in range(rows):
                column[r] = load(x, r * n + j)
        for r in range(BLOCK):
            largest[r] = turned[r]
            total[r] = lit(0.0, x)
        for j in range(1, n):
            column = at(turned, j * BLOCK)
            for r in range(BLOCK):
                largest[r] = select(column[r] > largest[r], column[r], largest[r])
        for j in range(n):
            column = at(turned, j * BLOCK)
            for r in range(BLOCK):
                power = exp(column[r] - largest[r])
                column[r] = power
                total[r] += power
        return
    for r in range(rows):
        row, powers = at(x, r * n), at(out, r * n)
        most = max_lanes(row, n)
        largest[r] = most
        for j in range(n):
            store(powers, j, load(row, j) - most)
    for i in range(rows * n):
        out[i] = exp(out[i])
    for r in range(rows):
        total[r] = sum_lanes(at(out, r * n), n)


@helper
def scale_rows(out, turned, factor, n, rows):
    """The exponentials of a block times a factor for each row, into `out`."""
    if n < NARROW:
        for j in range(n):
            column = at(turned, j * BLOCK)
            for r in range(rows):
                store(out, r * n + j, column[r] * factor[r])
        return
    for r in range(rows):
        row, by = at(out, r * n), factor[r]
        for j in range(n):
            row[j] *= by


@kernel("F* out, F* x, int n")
def softmax(out, x, n, lo, hi):
    """out = e**x / sum(e**x)"""
    turned, largest, total = buffer(x, 1024), buffer(x, 64), buffer(x, 64)
    step = block_of(n)
    for first in range(lo, hi, step):
        rows = min(step, hi - first)
        y = at(out, first * n)
        exponentials(y, turned, largest, total, at(x, first * n), n, rows)
        for r in range(BLOCK):
            total[r] = lit(1.0, x) / total[r]
        scale_rows(y, turned, total, n, rows)


@kernel("F* out, F* x, int n")
def log_softmax(out, x, n, lo, hi):
    """out = x - log(sum(e**x))"""
    turned, largest, total = buffer(x, 1024), buffer(x, 64), buffer(x, 64)
    step = block_of(n)
    for first in range(lo, hi, step):
        rows = min(step, hi - first)
        y, given = at(out, first * n), at(x, first * n)
        exponentials(y, turned, largest, total, given, n, rows)
        for r in range(BLOCK):
            total[r] = log(total[r])
        for r in range(rows):
            row, made, most, rest = at(given, r * n), at(y, r * n), largest[r], total[r]
            for j in range(n):
                store(made, j, load(row, j) - most - rest)


@kernel("F* gx, F* y, F* gy, int n")
def softmax_backward(gx, y, gy, n, lo, hi):
    """gx = y (gy - sum(y gy)), with y = softmax(x)"""
    step = block_of(n)
    for first in range(lo, hi, step):
        rows = min(step, hi - first)
        made, result, given = at(gx, first * n), at(y, first * n), at(gy, first * n)
        for i in range(rows * n):
            store(made, i, load(result, i) * load(given, i))
        for r in range(rows):
            row, powers, slope = at(made, r * n), at(result, r * n), at(given, r * n)
            mean = sum_lanes(row, n)
            for j in range(n):
                store(row, j, load(powers, j) * (load(slope, j) - mean))


@kernel("F* gx, F* y, F* gy, int n")
def log_softmax_backward(gx, y, gy, n, lo, hi):
    """gx = gy - e**y sum(gy), with y = log_softmax(x)"""
    step = block_of(n)
    for first in range(lo, hi, step):
        rows = min(step, hi - first)
        made, result, given = at(gx, first * n), at(y, first * n), at(gy, first * n)
        for i in range(rows * n):
            store(made, i, exp(load(result, i)))
        for r in range(rows):
            row, slope = at(made, r * n), at(given, r * n)
            total = sum_lanes(slope, n)
            for j in range(n):
                row[j] = load(slope, j) - row[j] * total


# --- over a dimension that is not the last: (outer, n, inner), tasks are blocks of COLUMNS columns ---------------------

COLUMNS = 64


@helper
def blocks_of(inner):
    return (inner + COLUMNS - 1) // COLUMNS


@helper
def largest_of_columns(largest, x, n, inner, width):
    for c in range(width):
        largest[c] = x[c]
    for j in range(1, n):
        row = at(x, j * inner)
        for c in range(width):
            largest[c] = select(row[c] > largest[c], row[c], largest[c])


@kernel("F* out, F* x, int n, int inner")
def softmax_columns(out, x, n, inner, lo, hi):
    largest, total = buffer(x, 64), buffer(x, 64)
    for task in range(lo, hi):
        outer = task // blocks_of(inner)
        start = (task - outer * blocks_of(inner)) * COLUMNS
        width = min(COLUMNS, inner - start)
        given, made = at(x, outer * n * inner + start), at(out, outer * n * inner + start)
        largest_of_columns(largest, given, n, inner, width)
        for c in range(width):
            total[c] = lit(0.0, x)
        for j in range(n):
            row, powers = at(given, j * inner), at(made, j * inner)
            for c in range(width):
                power = exp(load(row, c) - largest[c])
                store(powers, c, power)
                total[c] += power
        for c in range(width):
            total[c] = lit(1.0, x) / total[c]
        for j in range(n):
            powers = at(made, j * inner)
            for c in range(width):
                powers[c] *= total[c]


@kernel("F* out, F* x, int n, int inner")
def log_softmax_columns(out, x, n, inner, lo, hi):
    largest, total = buffer(x, 64), buffer(x, 64)
    for task in range(lo, hi):
        outer = task // blocks_of(inner)
        start = (task - outer * blocks_of(inner)) * COLUMNS
        width = min(COLUMNS, inner - start)
        given, made = at(x, outer * n * inner + start), at(out, outer * n * inner + start)
        largest_of_columns(largest, given, n, inner, width)
        for c in range(width):
            total[c] = lit(0.0, x)
        for j in range(n):
            row = at(given, j * inner)
            for c in range(width):
                total[c] += exp(load(row, c) - largest[c])
        for c in range(width):
            total[c] = log(total[c])
        for j in range(n):
            row, result = at(given, j * inner), at(made, j * inner)
            for c in range(width):
                store(result, c, load(row, c) - largest[c] - total[c])


@kernel("F* gx, F* y, F* gy, int n, int inner")
def softmax_backward_columns(gx, y, gy, n, inner, lo, hi):
    total = buffer(gx, 64)
    for task in range(lo, hi):
        outer = task // blocks_of(inner)
        start = (task - outer * blocks_of(inner)) * COLUMNS
        width, place = min(COLUMNS, inner - start), outer * n * inner + start
        for c in range(width):
            total[c] = lit(0.0, gx)
        for j in range(n):
            powers, slope = at(y, place + j * inner), at(gy, place + j * inner)
            for c in range(width):
                total[c] += load(powers, c) * load(slope, c)
        for j in range(n):
            powers, slope, made = at(y, place + j * inner), at(gy, place + j * inner), at(gx, place + j * inner)
            for c in range(width):
                store(made, c, load(powers, c) * (load(slope, c) - total[c]))


@kernel("F* gx, F* y, F* gy, int n, int inner")
def log_softmax_backward_columns(gx, y, gy, n, inner, lo, hi):
    total = buffer(gx, 64)
    for task in range(lo, hi):
        outer = task // blocks_of(inner)
        start = (task - outer * blocks_of(inner)) * COLUMNS
        width, place = min(COLUMNS, inner - start), outer * n * inner + start
        for c in range(width):
            total[c] = lit(0.0, gx)
        for j in range(n):
            slope = at(gy, place + j * inner)
            for c in range(width):
                total[c] += load(slope, c)
        for j in range(n):
            result, slope, made = at(y, place + j * inner), at(gy, place + j * inner), at(gx, place + j * inner)
            for c in range(width):
                store(made, c, load(slope, c) - exp(load(result, c)) * total[c])
