"""Normalisation of rows: layer, group and RMS norm, forward and backward in one pass each.

x (rows, n): a row holds n / inner channels of `inner` numbers each. Rows come in `groups`: row r has the channels
(r % groups) * n / inner and following of the scale w and the shift b. So layer norm has one group and inner 1.
"""

from __future__ import annotations

from ..jit import at, kernel
from ..lanes import dot_lanes, spread_lanes, sum_lanes, weighted_dot_lanes
from ..math import lit, sqrt
from ..pointers import load, store
from .softmax import helper

PLAIN, SCALED, SHIFTED, SLOPE, SCALE_SLOPE = 1, 2, 4, 8, 16  # PLAIN: without a mean, which is RMS norm


@kernel("F* out, F* mean, F* rstd, F* x, F* w, F* b, int n, int inner, int groups, int flags, F eps")
def forward(out, mean, rstd, x, w, b, n, inner, groups, flags, eps, lo, hi):
    """out = (x - mean) rstd w + b, with rstd = 1 / sqrt(variance + eps); tasks are rows. Ba et al. (2016)."""
    channels, share = n // inner, lit(1.0, x) / lit(n, x)
    for row in range(lo, hi):
        given, made = at(x, row * n), at(out, row * n)
        centre = lit(0.0, x) if flags & PLAIN else sum_lanes(given, n) * share
        factor = lit(1.0, x) / sqrt(spread_lanes(given, n, centre) * share + eps)
        mean[row] = centre
        rstd[row] = factor
        scale, shift = at(w, row % groups * channels), at(b, row % groups * channels)
        if inner > 1:
            for c in range(channels):
                times = factor * scale[c] if flags & SCALED else factor
                plus = shift[c] if flags & SHIFTED else lit(0.0, x)
                for j in range(c * inner, (c + 1) * inner):
                    store(made, j, (load(given, j) - centre) * times + plus)
        elif not flags & SCALED:
            for j in range(n):
                store(made, j, (load(given, j) - centre) * factor)
            if flags & SHIFTED:
                for j in range(n):
                    store(made, j, made[j] + load(shift, j))
        elif flags & SHIFTED:
            for j in range(n):
                store(made, j, (load(given, j) - centre) * factor * load(scale, j) + load(shift, j))
        else:
            for j in range(n):
                store(made, j, (load(given, j) - centre) * factor * load(scale, j))


@helper
def add_slopes(gw, gb, x, gy, centre, factor, channels, inner):
    """gw += gy xhat and gb += gy, summed over each channel."""
    if inner == 1:
        for j in range(channels):
            store(gw, j, gw[j] + load(gy, j) * ((load(x, j) - centre) * factor))
        for j in range(channels):
            store(gb, j, gb[j] + load(gy, j))
        return
    for c in range(channels):
        gw[c] += dot_lanes(at(gy, c * inner), at(x, c * inner), inner, centre) * factor
        gb[c] += sum_lanes(at(gy, c * inner), inner)


@helper
def row_slopes(gx, x, gy, w, n, inner, centre, factor, flags):
    """gx of one row."""
    plain, along, share = lit(0.0, x), lit(0.0, x), lit(1.0, x) / lit(n, x)
    if not flags & SCALED:
        plain, along = sum_lanes(gy, n), dot_lanes(gy, x, n, centre)
    elif inner == 1:
        plain, along = dot_lanes(gy, w, n, lit(0.0, x)), weighted_dot_lanes(gy, w, x, n, centre)
    else:
        for c in range(n // inner):
            plain += sum_lanes(at(gy, c * inner), inner) * w[c]
            along += dot_lanes(at(gy, c * inner), at(x, c * inner), inner, centre) * w[c]
    flat = lit(0.0, x) if flags & PLAIN else plain * share
    steep = along * (factor * factor * share)
    if not flags & SCALED:
        for j in range(n):
            store(gx, j, (load(gy, j) - flat - (load(x, j) - centre) * steep) * factor)
    elif inner == 1:
        for j in range(n):
            store(gx, j, (load(gy, j) * load(w, j) - flat - (load(x, j) - centre) * steep) * factor)
    else:
        for c in range(n // inner):
            times = w[c]
            for j in range(c * inner, (c + 1) * inner):
                store(gx, j, (load(gy, j) * times - flat - (load(x, j) - centre) * steep) * factor)


@kernel(
    "F* gx, F* gw, F* gb, F* x, F* gy, F* mean, F* rstd, F* w, int rows, int n, int inner, int groups, int block, int flags"
)
def backward(gx, gw, gb, x, gy, mean, rstd, w, rows, n, inner, groups, block, flags, lo, hi):
    """gx = rstd (gy w - mean(gy w) - xhat mean(gy w xhat)); gw, gb are sums over the rows of a block: tasks are blocks."""
    channels = n // inner
    for task in range(lo, hi):
        own_w, own_b = at(gw, task * groups * channels), at(gb, task * groups * channels)
        if flags & SCALE_SLOPE:
            for c in range(groups * channels):
                own_w[c] = lit(0.0, x)
                own_b[c] = lit(0.0, x)
        for row in range(task * block, min((task + 1) * block, rows)):
            given, slope, base = at(x, row * n), at(gy, row * n), row % groups * channels
            if flags & SCALE_SLOPE:
                add_slopes(at(own_w, base), at(own_b, base), given, slope, mean[row], rstd[row], channels, inner)
            if flags & SLOPE:
                row_slopes(at(gx, row * n), given, slope, at(w, base), n, inner, mean[row], rstd[row], flags)
