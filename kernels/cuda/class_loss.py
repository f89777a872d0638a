"""Losses over classes, loss and gradient in one pass: scores x (rows, n), and for each row a class.

A task is a block of rows, done by one block of threads: LINES rows at a time, LANES threads to a row. Flags and outputs are
those of `kernels/cpu/class_loss.py`.
"""

from __future__ import annotations

import numpy as np

from ..cpu.class_loss import CLASSES, EACH, GRADIENT, MEAN, WEIGHTED
from ..math import exp, fma, lit, log, select
from ._target import at, cuda, helper, simulated, smaller
from .declare import kernel
from .lanes import max_lanes, sum_lanes

LANES = 32  # a warp
LINES = 2 if simulated else 8
THREADS = LANES * LINES


@helper
def weight_of(t, weight, flags, n, ignored):
    """The weight of class t; 0 for a row that is not counted."""
    if t == ignored or t < 0 or t >= n:
        return lit(0.0, weight)
    return weight[t] if flags & WEIGHTED else lit(1.0, weight)


@helper
def count_rows(room, total, wrong, target, weight, rows, n, flags, ignored):
    """total[0] = the sum of all rows' weights; wrong[0] = 1 where a target is neither a class nor `ignored`.

    All threads of a block do it together."""
    mine, outside = 0.0, 0.0
    for r in range(cuda.threadIdx.x, rows, THREADS):
        t = target[r]
        mine += lit(weight_of(t, weight, flags, n, ignored), total)
        if t != ignored and (t < 0 or t >= n):
            outside += 1.0
    mine = sum_lanes(room, mine, THREADS)
    outside = sum_lanes(room, outside, THREADS)
    if cuda.threadIdx.x == 0:
        total[0] = mine
        wrong[0] = 1 if outside > 0.0 else 0
    cuda.syncthreads()


@kernel(
    "f64* total, u8* wrong, i64* target, F* weight, int rows, int n, int flags, int ignored",
    per="block", threads=THREADS, blocks=1,
)  # fmt: skip
def target_weight(total, wrong, target, weight, rows, n, flags, ignored, lo, hi, step):
    """`count_rows` as a task of its own, before the blocks of a loss that has several."""
    count_rows(cuda.shared.array(THREADS, np.float64), total, wrong, target, weight, rows, n, flags, ignored)


@kernel(CLASSES + ", type F", per="block", threads=THREADS)
def cross_entropy(out, gradient, x, target, weight, total, wrong, rows, n, block, flags, ignored, F, lo, hi, step):
    """w (log(sum(e**x)) - x[target]), w the weight of the target's class; a row with NaN, or infinity, is NaN."""
    room = cuda.shared.array(THREADS, F)
    if rows <= block:
        count_rows(cuda.shared.array(THREADS, np.float64), total, wrong, target, weight, rows, n, flags, ignored)
    lane, line = cuda.threadIdx.x % LANES, cuda.threadIdx.x // LANES
    share = lit(1.0, x)
    if flags & MEAN:  # where no row counts, the mean is NaN and its gradient 0
        share = lit(1.0 / total[0] if total[0] != 0.0 else 0.0, x)
    for task in range(lo, hi, step):
        result = lit(0.0, x)
        last = smaller((task + 1) * block, rows)
        for first in range(task * block, last, LINES):
            r = first + line
            size = n if r < last else 0  # a line without a row keeps step with the others
            given, made = at(x, r * n), at(gradient, r * n)
            most = lit(-np.inf, x)
            for c in range(lane, size, LANES):
                most = select(given[c] > most, given[c], most)
            most = max_lanes(room, most, LANES)
            powers = lit(0.0, x)
            for c in range(lane, size, LANES):
                power = exp(given[c] - most)
                powers += power
                if flags & GRADIENT:
                    made[c] = power
            powers = sum_lanes(room, powers, LANES)
            if size == 0:
                continue
            t = target[r]
            w = weight_of(t, weight, flags, n, ignored)
            if flags & GRADIENT:
                own = w * share
                factor = own / powers
                for c in range(lane, n, LANES):
                    made[c] = fma(made[c], factor, select(c == t, -own, lit(0.0, x)))
            if lane == 0:
                loss = log(powers) - (given[t] - most) if w != 0.0 else w
                if flags & EACH:
                    out[r] = w * loss
                else:
                    result = fma(w, loss, result)
        if not flags & EACH:
            result = sum_lanes(room, result, THREADS)
            if cuda.threadIdx.x == 0:
                out[task] = lit(lit(result, total) / total[0], x) if flags & MEAN else result
