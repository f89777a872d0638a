"""Layers that draw random numbers, in NumPy: what the kernels of the same names compute."""

import numpy as np

from .random import bits64, unit


def rrelu(out, slope, x, state, lower, upper):
    negative = x <= 0
    slope[...] = 1
    slope[negative] = unit(state, int(negative.sum()), np.float64) * (upper - lower) + lower
    out[...] = x * slope


def alpha_dropout(out, kept, x, state, p, scale, shift, drop):
    scale, shift, drop = (out.dtype.type(number) for number in (scale, shift, drop))
    kept[...] = (bits64(state, x.size) & np.uint64(2**53 - 1)) / 2.0**53 < p
    out[...] = np.where(kept, x * scale + shift, x * 0 + (shift - drop))


def scale_kept(gx, gy, kept, scale):
    gx[...] = gy * np.where(kept, gx.dtype.type(scale), gx.dtype.type(0))
