"""Layers that draw random numbers as they go: rrelu, alpha dropout. Called once for a tensor, as those of `random.py` are.
"""

from __future__ import annotations

from ..jit import kernel
from ..pointers import load, store
from .mersenne import bits53, take_pairs
from .random import threshold


@kernel("F* out, F* slope, F* x, u32* state, float lower, float upper, type F")
def rrelu(out, slope, x, state, lower, upper, F, lo, hi):
    """(n,): x times a slope, which is drawn from [lower, upper) where x <= 0, and is 1 elsewhere."""
    for i in range(lo, hi):
        factor = F(1)
        if x[i] <= F(0):
            words, _ = take_pairs(state, 1)
            factor = F(bits53(words, 0) * 2.0**-53 * (upper - lower) + lower)
        slope[i] = factor
        out[i] = x[i] * factor


@kernel("F* out, u8* kept, F* x, u32* state, float p, F scale, F shift, F drop, type F")
def alpha_dropout(out, kept, x, state, p, scale, shift, drop, F, lo, hi):
    """(n,): scale x + shift where an element is kept, which has probability p, else shift - drop; kept (n,) 1 or 0."""
    limit = threshold(p)
    done = lo
    while done < hi:
        words, count = take_pairs(state, hi - done)
        for i in range(count):
            keep = bits53(words, i) < limit
            kept[done + i] = keep
            out[done + i] = x[done + i] * (scale if keep else F(0)) + (shift if keep else shift - drop)
        done += count


@kernel("F* gx, F* gy, u8* kept, F scale, type F")
def scale_kept(gx, gy, kept, scale, F, lo, hi):
    """scale gy where an element was kept (1), else gy * 0."""
    for i in range(lo, hi):
        store(gx, i, load(gy, i) * (scale * F(kept[i])))
