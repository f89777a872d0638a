"""Rows of a table in NumPy: what the kernels of the same names compute."""

import numpy as np


def outside(wrong, index, least, most, n):
    wrong[0] = ((index < least) | (index >= most)).any()


def forward(out, table, index, wrong, rows, size):
    inside = (index >= 0) & (index < rows)
    wrong[0] |= not inside.all()
    out[inside] = table[index[inside]]


def backward(gradient, gy, index, counts, rows, n, size, ignored, scaled):
    used = index != ignored
    gradient[...] = 0
    np.add.at(gradient, index[used], gy[used] / (counts[index[used]][:, None] if scaled else 1))
