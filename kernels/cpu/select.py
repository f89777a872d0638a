"""The number at a rank along the middle of (outer, n, inner), and its place: medians, quantiles, the k-th smallest.

Nothing is sorted: a range of values that holds the wanted one is halved until no other is in it. The place is that of a
stable sort, in which NaN is the largest and -0 equals 0.
"""

from __future__ import annotations

import numpy as np

from ..formula import bits, dtype
from ..jit import at, helper, kernel
from ..lanes import at_most_lanes, equal_lanes, largest_lanes, smallest_lanes
from ..math import INFINITY, floor, formula, lit, rint, select
from ..stack import buffer

STRIP = 64  # columns that are halved side by side
SHORT = 256  # the longest of these
FEW = 4096  # numbers that are counted again and again
SAMPLE = 1024  # of more, these say where the wanted one must be
MARGIN = 48  # how many of the sample lie between the rank wanted and either bound: three times its deviation

# Which rank: the k-th, the lower middle (NaN where one is), the lower middle of what is no NaN, or q (n - 1) rounded.
KTH, MIDDLE, MIDDLE_NUMBER, LOWER, UPPER, NEAREST, SKIP_NAN = 0, 1, 2, 3, 4, 5, 8


@formula
def above(x):
    """The next larger float; that of either zero is the first above both."""
    return flipped(flipped(bits(x + 0.0)) + 1, x)


def flipped(word, like=None):
    """The bits of a float as an integer that is ordered as floats are, and back (where `like` is given)."""
    size = 31 if dtype(word) is np.int32 else 63
    word = word ^ ((word >> size) & ((1 << size) - 1))
    return word if like is None else bits(word)


@formula
def halfway(low, high):
    """A float between two that are not equal, below the second: as many lie below it as above it."""
    a, b = flipped(bits(low)), flipped(bits(high))
    return flipped((a & b) + ((a ^ b) >> 1), low)


@formula
def mean(low, high):
    """The number between two, where that is finite."""
    middle = low + (high - low) * 0.5
    return select(abs(high - low) < INFINITY, middle, halfway(low, high))


@formula
def number(x):
    """Infinity for NaN, which stands behind all numbers."""
    return select(x == x, x, INFINITY)


@formula
def one_if(condition, like):
    return select(condition, lit(1.0, like), lit(0.0, like))


@helper
def rank_of(mode, k, q, n, numbers):
    """The rank wanted among n of which some are numbers, and how far behind it a quantile lies."""
    kind, part = mode & 7, q - q
    if kind == KTH:
        return k, part
    if kind == MIDDLE:
        return (n - 1) // 2 if numbers == n else numbers, part
    if kind == MIDDLE_NUMBER:
        return max(numbers - 1, 0) // 2, part
    if numbers < n and not mode & SKIP_NAN:
        return n - 1, part
    last = max(numbers, 1) - 1 if mode & SKIP_NAN else n - 1
    place = q * lit(last, q)
    low = floor(place)
    if kind == LOWER:
        return int(low), place - low
    if kind == NEAREST:
        return int(rint(place)), part
    return int(low) + (1 if place > low else 0), part


@helper
def place_of(x, step, n, value, which, with_nan):
    """Where a value stands for the `which`-th time (from 0), or a NaN if that is wanted."""
    for j in range(n):
        v = x[j * step]
        if v != v if with_nan else v == value:
            if which == 0:
                return j
            which -= 1
    return 0


@kernel("F* out, i64* place, F* part, F* x, int n, int inner, int rows, int mode, int k, F q")
def strips(out, place, part, x, n, inner, rows, mode, k, q, lo, hi):
    """n is short: strips of 64 columns (or rows, where inner is 1) are halved side by side: tasks are strips of an outer."""
    v, low, high = buffer(x, 16384), buffer(x, 64), buffer(x, 64)
    middle, count, rank = buffer(x, 64), buffer(x, 64), buffer(x, 64)
    below, most, found = buffer(x, 64), buffer(x, 64), buffer(x, 64)
    none, one = lit(0.0, x), lit(1.0, x)
    across, along = (n, 1) if inner == 1 else (1, inner)
    blocks = (inner + 63) // 64
    for task in range(lo, hi):
        if inner == 1:
            made, start, width = task * 64, at(x, task * 64 * n), min(64, rows - task * 64)
        else:
            outer = task // blocks
            first = (task - outer * blocks) * 64
            made, start, width = outer * inner + first, at(x, outer * n * inner + first), min(64, inner - first)
        for j in range(n):
            row = at(v, j * 64)
            for c in range(width, 64):
                row[c] = none
        if inner == 1:
            for c in range(width):
                row = at(start, c * n)
                for j in range(n):
                    v[j * 64 + c] = row[j]
        else:
            for j in range(n):
                row, to = at(start, j * inner), at(v, j * 64)
                for c in range(width):
                    to[c] = row[c]
        for c in range(64):
            low[c] = lit(INFINITY, x)
            high[c] = -lit(INFINITY, x)
            count[c] = none
        for j in range(n):
            row = at(v, j * 64)
            for c in range(64):
                count[c] += one_if(row[c] == row[c], x)
                row[c] = number(row[c])
                low[c] = select(row[c] < low[c], row[c], low[c])
                high[c] = select(row[c] > high[c], row[c], high[c])
        for c in range(64):
            wanted, behind = rank_of(mode, k, q, n, int(count[c]))
            rank[c] = lit(wanted, x)
            if mode & 7 == LOWER and c < width:
                part[made + c] = behind
            below[c] = none
            most[c] = lit(n, x)
        for turn in range(100):
            open_lanes = 0
            for c in range(64):
                if low[c] < high[c] and most[c] - below[c] > one:
                    open_lanes += 1
            if open_lanes == 0:
                break
            for c in range(64):
                middle[c] = mean(low[c], high[c]) if turn < 12 else halfway(low[c], high[c])
                count[c] = none
            for j in range(n):
                row = at(v, j * 64)
                for c in range(64):
                    count[c] += one_if(row[c] <= middle[c], x)
            for c in range(64):
                right = count[c] > rank[c]
                high[c] = select(right, middle[c], high[c])
                most[c] = select(right, count[c], most[c])
                low[c] = select(right, low[c], above(middle[c]))
                below[c] = select(right, below[c], count[c])
        for c in range(64):
            middle[c] = lit(INFINITY, x)
            count[c] = rank[c]
            found[c] = none
        for j in range(n):
            row = at(v, j * 64)
            for c in range(64):
                middle[c] = select(row[c] >= low[c], select(row[c] < middle[c], row[c], middle[c]), middle[c])
        for j in range(n):
            row = at(v, j * 64)
            for c in range(64):
                count[c] -= one_if(row[c] < middle[c], x)
        for c in range(64):
            most[c] = count[c]
        for j in range(n):
            row, here = at(v, j * 64), lit(j, x)
            for c in range(64):
                found[c] = select(row[c] == middle[c], select(count[c] == none, here, found[c]), found[c])
                count[c] -= one_if(row[c] == middle[c], x)
        for c in range(width):
            column, there = at(start, c * across), int(found[c])
            if middle[c] == lit(INFINITY, x):  # there may be NaN among these
                numbers = 0
                for j in range(n):
                    numbers += 1 if column[j * along] == column[j * along] else 0
                wanted = int(rank[c])
                if wanted >= numbers:
                    there = place_of(column, along, n, none, wanted - numbers, True)
                else:
                    there = place_of(column, along, n, middle[c], int(most[c]), False)
            place[made + c] = there
            out[made + c] = column[there * along]


@helper
def nth(v, m, rank):
    """The number at a rank among a few."""
    low, high, below, most = smallest_lanes(v, m), largest_lanes(v, m), 0, m
    turn = 0
    while low < high and most - below > 1:
        middle = mean(low, high) if turn < 24 else halfway(low, high)
        count = int(at_most_lanes(v, m, middle))
        if count > rank:
            high, most = middle, count
        else:
            low, below = above(middle), count
        turn += 1
    value = lit(INFINITY, v)
    for j in range(m):
        value = select(v[j] >= low, select(v[j] < value, v[j], value), value)
    return value


@helper
def count_within(v, m, low, high):
    """How many of v are below the first, and how many below the second or equal to it."""
    below, most = 0, 0
    for first in range(0, m, FEW):
        part, size = at(v, first), min(FEW, m - first)
        below += int(at_most_lanes(part, size, low)) - int(equal_lanes(part, size, low))
        most += int(at_most_lanes(part, size, high))
    return below, most


@helper
def keep_within(v, m, low, high):
    """Move those of v that lie within bounds to the front."""
    kept = 0
    for i in range(m):
        value = v[i]
        v[kept] = value
        kept += 1 if low <= value and value <= high else 0
    return kept


@kernel("F* out, i64* place, F* part, F* own, F* x, int n, int inner, int mode, int k, F q")
def columns(out, place, part, own, x, n, inner, mode, k, q, lo, hi):
    """n is long: `own` has n places for each column where n > FEW. Tasks are columns."""
    few, sample = buffer(x, 4096), buffer(x, 1024)
    for task in range(lo, hi):
        outer = task // inner
        column = at(x, outer * n * inner + task - outer * inner)
        v, numbers = few, 0
        if n > FEW:
            v = at(own, task * n)
        for j in range(n):
            value = column[j * inner]
            numbers += 1 if value == value else 0
            v[j] = number(value)
        rank, behind = rank_of(mode, k, q, n, numbers)
        if mode & 7 == LOWER:
            part[task] = behind
        if rank >= numbers:
            there = place_of(column, inner, n, column[0], rank - numbers, True)
            place[task] = there
            out[task] = column[there * inner]
            continue
        m, wanted, value, done = n, rank, column[0], False
        while m > FEW and not done:
            for i in range(SAMPLE):
                sample[i] = v[i * m // SAMPLE]
            near = wanted * SAMPLE // m
            low, high = nth(sample, SAMPLE, max(near - MARGIN, 0)), nth(sample, SAMPLE, min(near + MARGIN, SAMPLE - 1))
            below, most = count_within(v, m, low, high)
            if wanted < below:
                m = keep_within(v, m, -lit(INFINITY, x), -above(-low))
            elif wanted >= most:
                m = keep_within(v, m, above(high), lit(INFINITY, x))
                wanted -= most
            elif low == high:
                value, done = low, True
            elif most - below == m:  # all lie between two values that many have
                _, most = count_within(v, m, low, low)
                if wanted < most:
                    value, done = low, True
                else:
                    m = keep_within(v, m, above(low), high)
                    wanted -= most
            else:
                m = keep_within(v, m, low, high)
                wanted -= below
        if not done:
            value = nth(v, m, wanted)
        which, there = rank, 0
        for start in range(0, n, SAMPLE):
            size = min(SAMPLE, n - start)
            part_of = of_column(column, inner, start, size, sample)
            which -= int(at_most_lanes(part_of, size, value)) - int(equal_lanes(part_of, size, value))
        for start in range(0, n, SAMPLE):
            size = min(SAMPLE, n - start)
            part_of = of_column(column, inner, start, size, sample)
            count = int(equal_lanes(part_of, size, value))
            if which < count:
                there = start + place_of(part_of, 1, size, value, which, False)
                break
            which -= count
        place[task] = there
        out[task] = column[there * inner]


@helper
def of_column(column, inner, start, size, sample):
    """Neighbours in a column, side by side."""
    if inner == 1:
        return at(column, start)
    for j in range(size):
        sample[j] = column[(start + j) * inner]
    return sample
