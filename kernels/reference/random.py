"""Random numbers, as specification: NumPy's own MT19937 gives the words, the formulas stand in a line each.

`state` is the generator's block of uint32: a spare place, the 624 words, how many of them are used (625:
none yet, and the first word is the seed). Normal numbers are within a few units in the last place of the
CPU's, everything else is equal.
"""

from __future__ import annotations

import math

import numpy as np

SIZE, BLOCK, LARGE = 624, 16, (2**32 - 1) // 20


def words(state, n):
    """The next n words, as int64."""
    if n == 0:
        return np.empty(0, np.int64)
    source = np.random.RandomState(int(state[1]))
    if state[1 + SIZE] <= SIZE:
        source.set_state(("MT19937", state[1 : 1 + SIZE], int(state[1 + SIZE])))
    drawn = source.randint(0, 2**32, n, np.uint32).astype(np.int64)  # each is one word as it comes
    _, state[1 : 1 + SIZE], state[1 + SIZE], *_ = source.get_state()
    return drawn


def bits64(state, n):
    """n numbers of 64 bits: the first word of a pair is the high half."""
    pairs = words(state, 2 * n).astype(np.uint64).reshape(n, 2)
    return pairs[:, 0] << np.uint64(32) | pairs[:, 1]


def unit(state, n, dtype):
    """n numbers in [0, 1), of 24 bits for float32 and 53 bits for float64."""
    if dtype == np.float32:
        return (words(state, n) & 0xFFFFFF) / 2.0**24
    return (bits64(state, n) & np.uint64(2**53 - 1)) / 2.0**53


def uniform(out, state, low, high):
    low, high = out.dtype.type(low), out.dtype.type(high)
    wide = np.float64 if out.dtype == np.float32 else np.longdouble  # the product is not rounded by itself
    out[...] = wide(high - low) * unit(state, out.size, out.dtype) + wide(low)
    out[out == high] = low


def normal(out, state, mean, std):
    n = out.size
    drawn = unit(state, n, out.dtype)
    starts = range(0, n - BLOCK + 1, BLOCK)
    for start in starts:
        out[start : start + BLOCK] = box_muller(drawn[start : start + BLOCK], mean, std)
    if n % BLOCK:
        out[-BLOCK:] = box_muller(unit(state, BLOCK, out.dtype), mean, std)


def box_muller(u, mean, std):
    """16 uniform numbers made normal: 8 radii, 8 angles."""
    radius, angle = np.sqrt(-2.0 * np.log(1.0 - u[:8])), 2 * math.pi * u[8:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)]) * std + mean


def normal_one_by_one(out, state, spare, mean, std):
    for i in range(out.size):
        if not spare[0]:
            v, u = unit(state, 2, np.float64)
            radius = math.sqrt(-2.0 * math.log1p(-u))
            spare[:] = 1.0, radius * math.sin(2 * math.pi * v)
            out[i] = radius * math.cos(2 * math.pi * v) * std + mean
        else:
            spare[0] = 0.0
            out[i] = spare[1] * std + mean


def integers(out, state, low, span, words_each):
    if words_each == 1:
        out[...] = low + words(state, out.size) % span
    else:
        drawn = bits64(state, out.size)
        out[...] = low + (drawn % np.uint64(span % 2**64) if span else drawn).astype(np.int64)


def permutation(out, state, n):
    if n >= LARGE:
        for i, word in enumerate(bits64(state, n)):
            chosen = int(word) % (i + 1)
            out[i], out[chosen] = out[chosen], i
        return
    out[...] = np.arange(n)
    for i, word in enumerate(words(state, max(n - 1, 0))):
        chosen = i + word % (n - i)
        out[i], out[chosen] = out[chosen], out[i]


def bernoulli(out, state, p):
    out[...] = unit(state, out.size, np.float64) < p


def bernoulli_each(out, p, state):
    out[...] = unit(state, out.size, p.dtype) < p


def dropout(out, kept, x, state, p):
    bernoulli(kept, state, p)
    scale = x.dtype.type(1) / x.dtype.type(p)
    np.multiply(x, np.where(kept, scale, x.dtype.type(0)), out=out)
