"""Losses over classes, loss and gradient in one pass: scores x (rows, n), and for each row a class or n probabilities.

A task is a block of rows. With EACH, out (rows,) is the loss of each row; else out[task] is the sum over the block's rows,
divided by the total weight with MEAN. With GRADIENT, the gradient of the sum or mean (or of each row's loss) is made.
A row whose target is `ignored` has weight 0. A target that is no class is never used as an index: it sets `wrong`.
"""

from __future__ import annotations

from ..jit import at, kernel
from ..lanes import sum_lanes
from ..math import lit, log
from ..pointers import load
from ..stack import buffer
from .softmax import BLOCK, NARROW, block_of, exponentials, helper, scale_rows

WEIGHTED, MEAN, EACH, GRADIENT = 1, 2, 4, 8
CLASSES = (
    "F* out, F* gradient, F* x, i64* target, F* weight, f64* total, u8* wrong, int rows, int n, int block, int flags, "
    "int ignored"
)


@helper
def weight_of(t, weight, flags, n, ignored, like):
    """The weight of class t; 0 for a row that is not counted."""
    if t == ignored or t < 0 or t >= n:
        return lit(0.0, like)
    return weight[t] if flags & WEIGHTED else lit(1.0, like)


@helper
def share_of(total, flags, like):
    """What a row of weight 1 has in the result; where no row counts, the mean is NaN and its gradient 0."""
    if flags & MEAN:
        return lit(1.0 / total if total != 0.0 else 0.0, like)
    return lit(1.0, like)


@helper
def count_rows(total, wrong, target, weight, rows, n, flags, ignored):
    """total[0] = the sum of all rows' weights; wrong[0] = 1 where a target is neither a class nor `ignored`."""
    counted, outside = 0, 0
    for r in range(rows):
        t = target[r]
        used = t != ignored
        inside = (t >= 0) & (t < n)
        counted += used & inside
        outside += used & (not inside)
    wrong[0] = 1 if outside else 0
    total[0] = lit(counted, total)
    if flags & WEIGHTED:
        total[0] = 0.0
        for r in range(rows):
            total[0] += lit(weight_of(target[r], weight, flags, n, ignored, weight), total)


@kernel("f64* total, u8* wrong, i64* target, F* weight, int rows, int n, int flags, int ignored")
def target_weight(total, wrong, target, weight, rows, n, flags, ignored, lo, hi):
    """`count_rows` as a task of its own, before the blocks of a loss that has several."""
    count_rows(total, wrong, target, weight, rows, n, flags, ignored)


@kernel(CLASSES)
def cross_entropy(out, gradient, x, target, weight, total, wrong, rows, n, block, flags, ignored, lo, hi):
    """w (log(sum(e**x)) - x[target]), w the weight of the target's class. `gradient` (rows, n) is also working memory."""
    if rows <= block:
        count_rows(total, wrong, target, weight, rows, n, flags, ignored)
    turned, largest, sums = buffer(x, 1024), buffer(x, 64), buffer(x, 64)
    losses, own = buffer(x, 64), buffer(x, 64)
    share = share_of(total[0], flags, x)
    step = block_of(n)
    for task in range(lo, hi):
        result = lit(0.0, x)
        last = min((task + 1) * block, rows)
        for first in range(task * block, last, step):
            count = min(step, last - first)
            given, made, classes = at(x, first * n), at(gradient, first * n), at(target, first)
            exponentials(made, turned, largest, sums, given, n, count)
            for r in range(BLOCK):
                losses[r] = log(sums[r])
            for r in range(count):
                t = classes[r]
                w = weight_of(t, weight, flags, n, ignored, x)
                own[r] = w * share
                if w == 0.0:
                    losses[r] = w
                    continue
                losses[r] = w * (losses[r] - (given[r * n + t] - largest[r]))
                if n < NARROW:  # e**x - sum, which is to become softmax - 1
                    turned[t * BLOCK + r] -= sums[r]
                else:
                    made[r * n + t] -= sums[r]
            if flags & EACH:
                for r in range(count):
                    out[first + r] = losses[r]
            else:
                result += sum_lanes(losses, count)
            if flags & GRADIENT:
                for r in range(BLOCK):
                    own[r] /= sums[r]
                scale_rows(made, turned, own, n, count)
        if not flags & EACH:
            out[task] = lit(lit(result, total) / total[0], x) if flags & MEAN else result


@kernel(
    "F* out, F* gradient, F* x, i64* target, F* weight, F* spread, f64* total, u8* wrong, int rows, int n, int block, "
    "int flags, int ignored, float own_part"
)
def smooth_cross_entropy(
    out, gradient, x, target, weight, spread, total, wrong, rows, n, block, flags, ignored, own_part, lo, hi
):  # fmt: skip
    """-sum(q log_softmax(x)), q = spread (n,), and for the target's class own_part w more, w its weight. `gradient`
    (rows, n) is also working memory."""
    if rows <= block:
        count_rows(total, wrong, target, weight, rows, n, flags, ignored)
    turned, largest, sums = buffer(x, 1024), buffer(x, 64), buffer(x, 64)
    losses, own, products = buffer(x, 64), buffer(x, 64), buffer(x, 256)
    share, all_spread = share_of(total[0], flags, x), sum_lanes(spread, n)
    step = block_of(n)
    for task in range(lo, hi):
        result = lit(0.0, x)
        last = min((task + 1) * block, rows)
        for first in range(task * block, last, step):
            count = min(step, last - first)
            given, made, classes = at(x, first * n), at(gradient, first * n), at(target, first)
            exponentials(made, turned, largest, sums, given, n, count)
            for r in range(BLOCK):
                losses[r] = log(sums[r])
            for r in range(count):
                t = classes[r]
                if t == ignored or t < 0 or t >= n:
                    losses[r] = own[r] = lit(0.0, x)
                    continue
                w = lit(own_part, x) * weight_of(t, weight, flags, n, ignored, x)
                logs = largest[r] + losses[r]
                inner = w * (given[r * n + t] - logs)
                for c in range(0, n, 256):
                    size = min(256, n - c)
                    for j in range(size):
                        products[j] = spread[c + j] * (given[r * n + c + j] - logs)
                    inner += sum_lanes(products, size)
                losses[r] = -inner
                own[r] = (w + all_spread) * share
            if flags & EACH:
                for r in range(count):
                    out[first + r] = losses[r]
            else:
                result += sum_lanes(losses, count)
            if flags & GRADIENT:
                for r in range(BLOCK):
                    sums[r] = own[r] / sums[r]
                scale_rows(made, turned, sums, n, count)
                for r in range(count):
                    t = classes[r]
                    if t == ignored or t < 0 or t >= n:
                        continue
                    made[r * n + t] -= lit(own_part, x) * weight_of(t, weight, flags, n, ignored, x) * share
                    for c in range(n):
                        made[r * n + c] -= spread[c] * share
        if not flags & EACH:
            out[task] = lit(lit(result, total) / total[0], x) if flags & MEAN else result


@kernel("F* out, F* gradient, F* x, F* target, int rows, int n, int block, int flags, float total")
def soft_cross_entropy(out, gradient, x, target, rows, n, block, flags, total, lo, hi):
    """-sum(target log_softmax(x)), target (rows, n) any weights. `gradient` (rows, n) is also working memory."""
    turned, largest, sums = buffer(x, 1024), buffer(x, 64), buffer(x, 64)
    losses, own, products = buffer(x, 64), buffer(x, 64), buffer(x, 256)
    share = share_of(total, flags, x)
    step = block_of(n)
    for task in range(lo, hi):
        result = lit(0.0, x)
        last = min((task + 1) * block, rows)
        for first in range(task * block, last, step):
            count = min(step, last - first)
            given, made, parts = at(x, first * n), at(gradient, first * n), at(target, first * n)
            exponentials(made, turned, largest, sums, given, n, count)
            for r in range(BLOCK):
                losses[r] = log(sums[r])
            for r in range(count):
                inner = lit(0.0, x)
                for c in range(r * n, (r + 1) * n, 256):
                    size = min(256, (r + 1) * n - c)
                    for j in range(size):
                        products[j] = parts[c + j] * (given[c + j] - largest[r] - losses[r])
                    inner += sum_lanes(products, size)
                losses[r] = -inner
                own[r] = sum_lanes(at(parts, r * n), n) * share
            if flags & EACH:
                for r in range(count):
                    out[first + r] = losses[r]
            else:
                result += sum_lanes(losses, count)
            if flags & GRADIENT:
                for r in range(BLOCK):
                    sums[r] = own[r] / sums[r]
                scale_rows(made, turned, sums, n, count)
                for i in range(count * n):
                    made[i] -= load(parts, i) * share
        if not flags & EACH:
            out[task] = lit(lit(result, total) / total, x) if flags & MEAN else result


@kernel(CLASSES)
def nll_loss(out, gradient, x, target, weight, total, wrong, rows, n, block, flags, ignored, lo, hi):
    """-w x[target], w the weight of the target's class."""
    if rows <= block:
        count_rows(total, wrong, target, weight, rows, n, flags, ignored)
    losses = buffer(x, 64)
    share = share_of(total[0], flags, x)
    for task in range(lo, hi):
        result = lit(0.0, x)
        last = min((task + 1) * block, rows)
        for first in range(task * block, last, BLOCK):
            count = min(BLOCK, last - first)
            given, made, classes = at(x, first * n), at(gradient, first * n), at(target, first)
            if flags & GRADIENT:
                for i in range(count * n):
                    made[i] = lit(0.0, x)
            for r in range(count):
                t = classes[r]
                w = weight_of(t, weight, flags, n, ignored, x)
                losses[r] = w
                if w != 0.0:
                    losses[r] = -w * given[r * n + t]
                    if flags & GRADIENT:
                        made[r * n + t] = -w * share
            if flags & EACH:
                for r in range(count):
                    out[first + r] = losses[r]
            else:
                result += sum_lanes(losses, count)
        if not flags & EACH:
            out[task] = lit(lit(result, total) / total[0], x) if flags & MEAN else result
