"""Normalisation of rows in NumPy: what the kernels of the same names compute."""

import numpy as np

PLAIN, SCALED, SHIFTED, SLOPE, SCALE_SLOPE = 1, 2, 4, 8, 16


def _per_number(w, rows, n, inner, groups):
    """The channels' numbers w (groups * n / inner,), one for each place of (rows, n)."""
    return np.repeat(w.reshape(groups, n // inner), inner, axis=1)[np.arange(rows) % groups]


def forward(out, mean, rstd, x, w, b, n, inner, groups, flags, eps):
    mean[...] = 0 if flags & PLAIN else x.mean(1)
    d = x - mean[:, None]
    rstd[...] = 1 / np.sqrt((d * d).mean(1) + eps)
    y = d * rstd[:, None]
    if flags & SCALED:
        y = y * _per_number(w, len(x), n, inner, groups)
    if flags & SHIFTED:
        y = y + _per_number(b, len(x), n, inner, groups)
    out[...] = y


def backward(gx, gw, gb, x, gy, mean, rstd, w, rows, n, inner, groups, block, flags):
    xhat = (x - mean[:, None]) * rstd[:, None]
    g = gy * _per_number(w, rows, n, inner, groups) if flags & SCALED else gy
    if flags & SLOPE:
        plain = 0 if flags & PLAIN else g.mean(1, keepdims=True)
        gx[...] = rstd[:, None] * (g - plain - xhat * (g * xhat).mean(1, keepdims=True))
    if flags & SCALE_SLOPE:
        for made, values in ((gw, gy * xhat), (gb, gy)):
            by_channel = values.reshape(rows, n // inner, inner).sum(2)
            made[...] = 0
            for r in range(rows):
                made.reshape(-1, groups, n // inner)[r // block, r % groups] += by_channel[r]
