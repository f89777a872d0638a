"""Rows of a table by number, as bytes: one kernel for every dtype."""

import numpy as np
from fastgrad.kernels.jit import address_of, at, helper, kernel, pointer
from fastgrad.kernels.pointers import load, store


@helper
def place_of(places, i, rows):
    place = places[i]
    return place + rows if place < 0 else place


@kernel("u8* out, u8* x, i64* places, int size, int rows")
def take_rows(out, x, places, size, rows, lo, hi):
    """(n, size) bytes from (rows, size): row i of `out` is row places[i] of `x`. Negative places count from the end."""
    if size % 8 == 0:  # in words: a label is one, and longer rows are copied faster
        words = size // 8
        to, source = pointer(address_of(out), np.int64), pointer(address_of(x), np.int64)
        for i in range(lo, hi):
            row, taken = at(to, i * words), at(source, place_of(places, i, rows) * words)
            for k in range(words):
                store(row, k, load(taken, k))
        return
    for i in range(lo, hi):
        target, wanted = at(out, i * size), at(x, place_of(places, i, rows) * size)
        for k in range(size):
            store(target, k, load(wanted, k))
