"""Rows of a table by number, as bytes: one kernel for every dtype."""

import numpy as np
from fastgrad.kernels.jit import address_of, at, kernel, pointer
from fastgrad.kernels.pointers import load, store


@kernel("u8* out, u8* x, i64* places, int size")
def take_rows(out, x, places, size, lo, hi):
    """(n, size) bytes from (rows, size): row i of `out` is row places[i] of `x`. Places are in range."""
    if size % 8 == 0:  # in words: a label is one, and longer rows are copied faster
        words = size // 8
        to, source = pointer(address_of(out), np.int64), pointer(address_of(x), np.int64)
        for i in range(lo, hi):
            row, taken = at(to, i * words), at(source, places[i] * words)
            for k in range(words):
                store(row, k, load(taken, k))
        return
    for i in range(lo, hi):
        target, wanted = at(out, i * size), at(x, places[i] * size)
        for k in range(size):
            store(target, k, load(wanted, k))
