"""Losses with a margin. Those of pairs are formulas, of which three kernels are made as in `loss.py`; p is the margin.

Those over classes take scores x (rows, n) as in `class_loss.py`: a task is a block of rows; with EACH, out (rows,) is the
loss of each row, else out[task] is the block's sum, divided by the number of rows with MEAN. With GRADIENT the gradient of
the sum or mean (or of each row's loss) is made. A target that is no class is never used as an index: it sets `wrong`.
"""

from __future__ import annotations

from ..jit import at, elementwise, kernel
from ..lanes import sum_lanes
from ..math import formula, lit, log_sigmoid, select, sigmoid
from ..stack import buffer
from .class_loss import EACH, GRADIENT, MEAN, WEIGHTED
from .loss import SUM, sum_of
from .softmax import helper


@formula
def hinge_value(x, t, p):
    """x where t is 1, max(0, p - x) where t is -1, and the sum of both elsewhere."""
    beyond = p - x
    return select(t == -1.0, 0.0, x) + select(t == 1.0, 0.0, select(beyond < 0.0, 0.0, beyond))


@formula
def hinge_slope(x, t, p):
    return select(t == -1.0, lit(0.0, x), 1.0) - select(t == 1.0, lit(0.0, x), select(p - x >= 0.0, lit(1.0, x), 0.0))


@kernel(SUM)
def hinge_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(hinge_value, hinge_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def hinge(x, t, *, p):
    return hinge_value(x, t, p)


@elementwise
def hinge_backward(x, t, gy, *, p):
    return hinge_slope(x, t, p) * gy


@formula
def soft_value(x, t, p):
    """log(1 + e**(-t x)), finite wherever t x is."""
    return -log_sigmoid(t * x)


@formula
def soft_slope(x, t, p):
    return -t * sigmoid(-t * x)


@kernel(SUM)
def soft_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(soft_value, soft_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def soft(x, t, *, p):
    return soft_value(x, t, p)


@elementwise
def soft_backward(x, t, gy, *, p):
    return soft_slope(x, t, p) * gy


@formula
def ranking_value(x, t, p):
    """max(0, p - t x), x being the difference of two scores."""
    beyond = p - t * x
    return select(beyond < 0.0, 0.0, beyond)


@formula
def ranking_slope(x, t, p):
    return select(p - t * x >= 0.0, -t, 0.0)


@kernel(SUM)
def ranking_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(ranking_value, ranking_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def ranking(x, t, *, p):
    return ranking_value(x, t, p)


@elementwise
def ranking_backward(x, t, gy, *, p):
    return ranking_slope(x, t, p) * gy


@formula
def match_value(x, t, p):
    """Of a cosine: 1 - x where t is 1, max(0, x - p) where t is -1, else 0."""
    beyond = x - p
    return select(t == 1.0, 1.0 - x, select(t == -1.0, select(beyond < 0.0, 0.0, beyond), 0.0))


@formula
def match_slope(x, t, p):
    return select(t == 1.0, lit(-1.0, x), select((t == -1.0) & (x >= p), lit(1.0, x), 0.0))


@kernel(SUM)
def match_sum(out, gradient, x, t, n, block, wanted, count, p, lo, hi):
    sum_of(match_value, match_slope, out, gradient, x, t, n, block, wanted, count, p, lo, hi)


@elementwise
def match(x, t, *, p):
    return match_value(x, t, p)


@elementwise
def match_backward(x, t, gy, *, p):
    return match_slope(x, t, p) * gy


# --- over classes -------------------------------------------------------------------------------------------------------


@helper
def finish(out, losses, first, count, result, flags):
    """Write the losses of `count` rows, or add them up."""
    if flags & EACH:
        for r in range(count):
            out[first + r] = losses[r]
        return result
    return result + sum_lanes(losses, count)


@kernel(
    "F* out, F* gradient, F* x, i64* target, F* weight, u8* wrong, int rows, int n, int block, int flags, int square, "
    "F margin"
)
def multi(out, gradient, x, target, weight, wrong, rows, n, block, flags, square, margin, lo, hi):
    """Sum over the classes j but the target's t of w[t] max(0, margin - x[t] + x[j]) / n, squared before or not."""
    losses = buffer(x, 64)
    share = lit(1.0, x) / lit(rows, x) if flags & MEAN else lit(1.0, x)
    for task in range(lo, hi):
        result = lit(0.0, x)
        last = min((task + 1) * block, rows)
        for first in range(task * block, last, 64):
            count = min(64, last - first)
            for r in range(count):
                row, slope, t = at(x, (first + r) * n), at(gradient, (first + r) * n), target[first + r]
                if t < 0 or t >= n:
                    wrong[0] = 1
                    t = 0
                scale = (weight[t] if flags & WEIGHTED else lit(1.0, x)) / lit(n, x)
                limit = margin - row[t]
                for j in range(n):
                    beyond = limit + row[j]
                    slope[j] = select(beyond > lit(0.0, x), beyond, lit(0.0, x))
                slope[t] = lit(0.0, x)
                if square:
                    for j in range(n):
                        slope[j] *= slope[j]
                losses[r] = sum_lanes(slope, n) * scale
                if flags & GRADIENT:
                    each = scale * share
                    for j in range(n):
                        beyond = limit + row[j]
                        steep = beyond * (each + each) if square else each
                        slope[j] = select(beyond > lit(0.0, x), steep, lit(0.0, x))
                    slope[t] = lit(0.0, x)
                    slope[t] = -sum_lanes(slope, n)
            result = finish(out, losses, first, count, result, flags)
        if not flags & EACH:
            out[task] = result * share


@kernel("F* out, F* gradient, u8* chosen, F* x, i64* target, u8* wrong, int rows, int n, int block, int flags")
def multilabel(out, gradient, chosen, x, target, wrong, rows, n, block, flags, lo, hi):
    """Sum over a row's targets t (those before the first -1) and the classes j that are none of max(0, 1 - x[t] + x[j]) / n.
    `chosen` (rows, n) is working memory."""
    losses, terms = buffer(x, 64), buffer(x, 256)
    share = lit(1.0, x) / lit(rows, x) if flags & MEAN else lit(1.0, x)
    for task in range(lo, hi):
        result = lit(0.0, x)
        last = min((task + 1) * block, rows)
        for first in range(task * block, last, 64):
            count = min(64, last - first)
            for r in range(count):
                place = (first + r) * n
                row, slope, targets, own = at(x, place), at(gradient, place), at(target, place), at(chosen, place)
                for j in range(n):
                    slope[j] = lit(0.0, x)
                    own[j] = 0
                size = 0
                for k in range(n):
                    t = targets[k]
                    if t < -1 or t >= n:
                        wrong[0] = 1
                    elif t >= 0 and size == k:
                        own[t] = 1
                        size = k + 1
                each, total = share / lit(n, x), lit(0.0, x)
                for k in range(size):
                    t = targets[k]
                    limit, steep = lit(1.0, x) - row[t], lit(0.0, x)
                    for c in range(0, n, 256):
                        width = min(256, n - c)
                        for j in range(width):
                            beyond = limit + row[c + j]
                            used = (beyond > lit(0.0, x)) & (own[c + j] == 0)
                            terms[j] = select(used, beyond, lit(0.0, x))
                        total += sum_lanes(terms, width)
                        for j in range(width):
                            one = select(terms[j] > lit(0.0, x), each, lit(0.0, x))
                            terms[j] = one
                            slope[c + j] += one
                        steep += sum_lanes(terms, width)
                    slope[t] -= steep
                losses[r] = total / lit(n, x)
            result = finish(out, losses, first, count, result, flags)
        if not flags & EACH:
            out[task] = result * share
