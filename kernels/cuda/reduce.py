"""Sums of a contiguous array seen as (outer, n, inner), over n; the order of addition is fixed by the shape."""

from __future__ import annotations

from ._target import at, cuda, smaller
from .declare import THREADS, kernel
from .lanes import sum_lanes


@kernel("F* out, F* x, int n, int block, type F", per="block")
def sum_runs(out, x, n, block, F, lo, hi, step):
    """(n,) -> one sum for each run of `block` numbers (the last may be shorter): tasks are runs.

    A thread adds every THREADS-th number of a run; the threads' sums are added in a tree.
    """
    room = cuda.shared.array(THREADS, F)
    for b in range(lo, hi, step):
        total = F(0.0)
        for i in range(b * block + cuda.threadIdx.x, smaller((b + 1) * block, n), THREADS):
            total += x[i]
        total = sum_lanes(room, total, THREADS)
        if cuda.threadIdx.x == 0:
            out[b] = total


@kernel("F* out, F* x, int n, int inner, int block", times="inner")
def sum_columns(out, x, n, inner, block, lo, hi, step):
    """(outer, n, inner) -> (outer, blocks, inner), rows added in order within blocks of `block` rows.

    Tasks are (outer, block) as on the CPU; here a thread takes one column of one of them.
    """
    blocks = (n + block - 1) // block
    for i in range(lo, hi, step):
        task, column = i // inner, i % inner
        outer = task // blocks
        first = (task - outer * blocks) * block
        values = at(x, (outer * n + first) * inner + column)
        total = values[0]
        for r in range(1, smaller(block, n - first)):
            total += values[r * inner]
        out[i] = total
