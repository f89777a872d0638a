"""Batch norm of x (rows, channels, inner): statistics of each channel over rows and inner. Ioffe and Szegedy (2015).

What is summed over the batch is cut into blocks of `block` rows, fixed by shape: blocks are summed in lanes or row by row,
and joined in float64 in their order. A small batch is one block, and one call does everything (`forward`, `backward`).
"""

from __future__ import annotations

import math

from ..jit import at, kernel
from ..lanes import dot_lanes, spread_lanes, sum_lanes
from ..math import lit
from ..pointers import load, store
from .softmax import helper

SCALED, SHIFTED, TRAINING, TRACKED, COUNTED, SLOPE, SCALE_SLOPE = 1, 2, 4, 8, 16, 32, 64


@helper
def rows_from(x, r, channels):
    """Four rows."""
    return at(x, r * channels), at(x, (r + 1) * channels), at(x, (r + 2) * channels), at(x, (r + 3) * channels)


@helper
def moments_of(mean, spread, x, count, channels, inner):
    """The mean of each channel over `count` rows, and the sum of squared distances from it."""
    share = lit(1.0, x) / lit(count * inner, x)
    for c in range(channels):
        mean[c] = lit(0.0, x)
        spread[c] = lit(0.0, x)
    if inner > 1:
        for r in range(count):
            for c in range(channels):
                mean[c] += sum_lanes(at(x, (r * channels + c) * inner), inner)
        for c in range(channels):
            mean[c] *= share
        for r in range(count):
            for c in range(channels):
                spread[c] += spread_lanes(at(x, (r * channels + c) * inner), inner, mean[c])
        return
    whole = count - count % 4  # four rows a pass: a quarter of the reading and writing of the sums
    for r in range(0, whole, 4):
        p, q, s, t = rows_from(x, r, channels)
        for c in range(channels):
            store(mean, c, mean[c] + ((load(p, c) + load(q, c)) + (load(s, c) + load(t, c))))
    for r in range(whole, count):
        row = at(x, r * channels)
        for c in range(channels):
            store(mean, c, mean[c] + load(row, c))
    for c in range(channels):
        mean[c] *= share
    for r in range(0, whole, 4):
        p, q, s, t = rows_from(x, r, channels)
        for c in range(channels):
            centre = load(mean, c)
            d, e, f, g = load(p, c) - centre, load(q, c) - centre, load(s, c) - centre, load(t, c) - centre
            store(spread, c, spread[c] + ((d * d + e * e) + (f * f + g * g)))
    for r in range(whole, count):
        row = at(x, r * channels)
        for c in range(channels):
            d = load(row, c) - load(mean, c)
            store(spread, c, spread[c] + d * d)


@helper
def join(mean, rstd, means, spreads, running, variance, batches, rows, channels, inner, block, eps, momentum, flags):
    """The statistics of all blocks, and the running ones: `momentum` is the new batch's share in them; below 0 they are the
    mean over all batches, which `batches` counts. Chan et al. (1979) for joining."""
    share = momentum
    if flags & COUNTED:
        batches[0] += 1
        if momentum < 0.0:
            share = 1.0 / lit(batches[0], eps)
    for c in range(channels):
        if not flags & TRAINING:
            mean[c] = running[c]
            rstd[c] = lit(1.0 / math.sqrt(lit(variance[c], eps) + eps), mean)
            continue
        centre, total, count = lit(0.0, eps), lit(0.0, eps), lit(0.0, eps)
        for k in range((rows + block - 1) // block):
            own = lit((min(rows, (k + 1) * block) - k * block) * inner, eps)
            distance = lit(means[k * channels + c], eps) - centre
            before = count
            count += own
            centre += distance * (own / count)
            total += lit(spreads[k * channels + c], eps) + distance * distance * (own * before / count)
        mean[c] = lit(centre, mean)
        rstd[c] = lit(1.0 / math.sqrt(total / count + eps), mean)
        if flags & TRACKED:
            running[c] = lit(share * centre + (1.0 - share) * lit(running[c], eps), mean)
            variance[c] = lit(share * (total / (count - 1.0)) + (1.0 - share) * lit(variance[c], eps), mean)


@helper
def applied(out, x, mean, rstd, w, b, count, channels, inner, flags):
    """out = (x - mean) rstd w + b, over `count` rows."""
    if inner == 1:
        for r in range(count):
            row, made = at(x, r * channels), at(out, r * channels)
            if flags & SCALED and flags & SHIFTED:
                for c in range(channels):
                    value = (load(row, c) - load(mean, c)) * (load(rstd, c) * load(w, c)) + load(b, c)
                    store(made, c, value)
                continue
            for c in range(channels):
                store(made, c, (load(row, c) - load(mean, c)) * load(rstd, c))
            if flags & SCALED:
                for c in range(channels):
                    store(made, c, made[c] * load(w, c))
            if flags & SHIFTED:
                for c in range(channels):
                    store(made, c, made[c] + load(b, c))
        return
    for r in range(count):
        for c in range(channels):
            run, made = at(x, (r * channels + c) * inner), at(out, (r * channels + c) * inner)
            centre = mean[c]
            factor = rstd[c] * w[c] if flags & SCALED else rstd[c]
            plus = b[c] if flags & SHIFTED else lit(0.0, x)
            for j in range(inner):
                store(made, j, (load(run, j) - centre) * factor + plus)


STATISTICS = (
    "F* mean, F* rstd, F* means, F* spreads, F* running, F* variance, i64* batches, int rows, int channels, int inner, "
    "int block, int flags, float eps, float momentum"
)


@kernel("F* means, F* spreads, F* x, int rows, int channels, int inner, int block")
def moments(means, spreads, x, rows, channels, inner, block, lo, hi):
    """(blocks, channels) means and sums of squared distances: tasks are blocks."""
    for k in range(lo, hi):
        first = k * block
        moments_of(
            at(means, k * channels), at(spreads, k * channels), at(x, first * channels * inner), min(block, rows - first),
            channels, inner,
        )  # fmt: skip


@kernel(STATISTICS)
def statistics(
    mean, rstd, means, spreads, running, variance, batches, rows, channels, inner, block, flags, eps, momentum, lo, hi
):
    """`join` as a task of its own: mean and rstd (channels,)."""
    join(mean, rstd, means, spreads, running, variance, batches, rows, channels, inner, block, eps, momentum, flags)


@kernel("F* out, F* x, F* mean, F* rstd, F* w, F* b, int channels, int inner, int flags")
def apply(out, x, mean, rstd, w, b, channels, inner, flags, lo, hi):
    """out = (x - mean) rstd w + b: tasks are rows."""
    size = channels * inner
    applied(at(out, lo * size), at(x, lo * size), mean, rstd, w, b, hi - lo, channels, inner, flags)


@kernel("F* out, F* x, F* w, F* b, " + STATISTICS)
def forward(
    out, x, w, b, mean, rstd, means, spreads, running, variance, batches, rows, channels, inner, block, flags, eps, momentum,
    lo, hi,
):  # fmt: skip
    """All of a batch that is one block: a single task."""
    if flags & TRAINING:
        moments_of(means, spreads, x, rows, channels, inner)
    join(mean, rstd, means, spreads, running, variance, batches, rows, channels, inner, block, eps, momentum, flags)
    applied(out, x, mean, rstd, w, b, rows, channels, inner, flags)


# --- backward -----------------------------------------------------------------------------------------------------------


@helper
def slopes_of(gw, gb, x, gy, mean, rstd, count, channels, inner):
    """gw = sum(gy xhat) and gb = sum(gy) of each channel, over `count` rows."""
    for c in range(channels):
        gw[c] = lit(0.0, x)
        gb[c] = lit(0.0, x)
    if inner > 1:
        for r in range(count):
            for c in range(channels):
                run, along = at(x, (r * channels + c) * inner), at(gy, (r * channels + c) * inner)
                gw[c] += dot_lanes(along, run, inner, mean[c])
                gb[c] += sum_lanes(along, inner)
    whole = count - count % 4 if inner == 1 else 0
    for r in range(0, whole, 4):
        p, q, s, t = rows_from(x, r, channels)
        i, j, k, n = rows_from(gy, r, channels)
        for c in range(channels):
            centre = load(mean, c)
            first = load(i, c) * (load(p, c) - centre) + load(j, c) * (load(q, c) - centre)
            store(gw, c, gw[c] + (first + (load(k, c) * (load(s, c) - centre) + load(n, c) * (load(t, c) - centre))))
        for c in range(channels):
            store(gb, c, gb[c] + ((load(i, c) + load(j, c)) + (load(k, c) + load(n, c))))
    for r in range(whole, count if inner == 1 else 0):
        row, slope = at(x, r * channels), at(gy, r * channels)
        for c in range(channels):
            store(gw, c, gw[c] + load(slope, c) * (load(row, c) - load(mean, c)))
        for c in range(channels):
            store(gb, c, gb[c] + load(slope, c))
    for c in range(channels):
        gw[c] *= rstd[c]


@helper
def spread_slopes(gx, x, gy, mean, rstd, w, gw, gb, rows, count, channels, inner, flags):
    """gx of `count` rows: (gy - (gb + xhat gw) / (all numbers of a channel)) rstd w; without training gy rstd w."""
    share = lit(1.0, x) / lit(rows * inner, x)
    for r in range(count):
        row, slope, made = at(x, r * channels * inner), at(gy, r * channels * inner), at(gx, r * channels * inner)
        if inner == 1:
            if flags & TRAINING:
                for c in range(channels):
                    along = (load(row, c) - load(mean, c)) * load(rstd, c) * load(gw, c)
                    store(made, c, (load(slope, c) - (load(gb, c) + along) * share) * load(rstd, c))
            else:
                for c in range(channels):
                    store(made, c, load(slope, c) * load(rstd, c))
            if flags & SCALED:
                for c in range(channels):
                    store(made, c, made[c] * load(w, c))
            continue
        for c in range(channels):
            run, along, out = at(row, c * inner), at(slope, c * inner), at(made, c * inner)
            factor = rstd[c] * w[c] if flags & SCALED else rstd[c]
            if flags & TRAINING:
                centre, flat, steep = mean[c], gb[c] * share, rstd[c] * gw[c] * share
                for j in range(inner):
                    store(out, j, (load(along, j) - flat - (load(run, j) - centre) * steep) * factor)
            else:
                for j in range(inner):
                    store(out, j, load(along, j) * factor)


@kernel("F* gw, F* gb, F* x, F* gy, F* mean, F* rstd, int rows, int channels, int inner, int block")
def slopes(gw, gb, x, gy, mean, rstd, rows, channels, inner, block, lo, hi):
    """(blocks, channels): the sums of each block, which is a task."""
    for k in range(lo, hi):
        first = k * block
        place = first * channels * inner
        slopes_of(
            at(gw, k * channels), at(gb, k * channels), at(x, place), at(gy, place), mean, rstd, min(block, rows - first),
            channels, inner,
        )  # fmt: skip


@kernel("F* gx, F* x, F* gy, F* mean, F* rstd, F* w, F* gw, F* gb, int rows, int channels, int inner, int flags")
def apply_backward(gx, x, gy, mean, rstd, w, gw, gb, rows, channels, inner, flags, lo, hi):
    """gx, once gw and gb are summed: tasks are rows."""
    place = lo * channels * inner
    spread_slopes(
        at(gx, place), at(x, place), at(gy, place), mean, rstd, w, gw, gb, rows, hi - lo, channels, inner, flags
    )


@kernel("F* gx, F* gw, F* gb, F* x, F* gy, F* mean, F* rstd, F* w, int rows, int channels, int inner, int flags")
def backward(gx, gw, gb, x, gy, mean, rstd, w, rows, channels, inner, flags, lo, hi):
    """All of a batch that is one block: a single task."""
    if flags & (TRAINING | SCALE_SLOPE):
        slopes_of(gw, gb, x, gy, mean, rstd, rows, channels, inner)
    if flags & SLOPE:
        spread_slopes(gx, x, gy, mean, rstd, w, gw, gb, rows, rows, channels, inner, flags)
