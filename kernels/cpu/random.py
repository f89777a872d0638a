"""Random numbers: the stream of PyTorch's CPU generator, drawn in PyTorch's order.

A kernel reads words from the generator's state (see `mersenne`) and leaves it behind the last one it
used. So a row is called once for a tensor, over [0, n) and never in parallel, by a caller that holds the
generator's lock. float32 numbers take one word each; float64 numbers, and draws with one probability for
all, take two.
"""

import math

import numpy as np

from ..formula import fma, lit
from ..jit import at, kernel
from .box_muller import TAU, cosine, radius, sine
from .mersenne import bits53, helper, take, take_pairs, temper

BLOCK = 16  # normal numbers are made 16 at a time: 8 radii, 8 angles
STRIP = 1024  # uniform numbers that become normal ones while they lie in the first-level cache
LARGE = (2**32 - 1) // 20  # from this length on a permutation takes two words an element


@helper
def one_word(F):
    """Whether numbers of the float type F take one word; known when compiled, so that the other loop goes."""
    return F(1) + F(2.0**-30) == F(1)


@helper
def fill(out, n, state, low, high, F):
    """n uniform numbers in [low, high); one that the rounding takes to `high` becomes `low`."""
    width = high - low
    done = 0
    while done < n:
        if one_word(F):
            words, count = take(state, n - done)
            for i in range(count):
                value = fma(F(temper(words[i]) & 0xFFFFFF) * F(2.0**-24), width, low)
                out[done + i] = low if value == high else value
        else:
            words, count = take_pairs(state, n - done)
            for i in range(count):
                value = fma(F(bits53(words, i)) * F(2.0**-53), width, low)
                out[done + i] = low if value == high else value
        done += count


@helper
def box_muller(out, mean, std):
    """A block of uniform numbers, made normal in place."""
    for i in range(BLOCK // 2):
        size = radius(lit(1.0, out) - out[i])
        angle = lit(TAU, out) * out[i + BLOCK // 2]
        out[i], out[i + BLOCK // 2] = fma(size * cosine(angle), std, mean), fma(size * sine(angle), std, mean)


@kernel("F* out, u32* state, F low, F high, type F")
def uniform(out, state, low, high, F, lo, hi):
    """(n,) uniform numbers: low + (high - low) u, rounded once."""
    fill(at(out, lo), hi - lo, state, low, high, F)


@kernel("F* out, u32* state, F mean, F std, type F")
def normal(out, state, mean, std, F, lo, hi):
    """(n,) normal numbers, n at least 16. If 16 does not divide n, the last 16 are drawn anew at the end."""
    whole = hi - hi % BLOCK
    for start in range(lo, whole, STRIP):
        strip, n = at(out, start), min(STRIP, whole - start)
        fill(strip, n, state, F(0), F(1), F)
        for k in range(0, n, BLOCK):
            box_muller(at(strip, k), mean, std)
    if whole < hi:
        fill(at(out, whole), hi - whole, state, F(0), F(1), F)
        fill(at(out, hi - BLOCK), BLOCK, state, F(0), F(1), F)
        box_muller(at(out, hi - BLOCK), mean, std)


@kernel("F* out, u32* state, f64* spare, float mean, float std, type F")
def normal_one_by_one(out, state, spare, mean, std, F, lo, hi):
    """(n,) normal numbers, n below 16: made in pairs, in float64.

    The second of a pair waits in `spare`: (1.0, the number), or (0.0, anything) when none waits.
    """
    for i in range(lo, hi):
        if spare[0] != 0.0:
            spare[0] = 0.0
            value = spare[1]
        else:
            words, _ = take_pairs(state, 1)
            angle = TAU * (bits53(words, 0) * 2.0**-53)
            words, _ = take_pairs(state, 1)
            size = math.sqrt(-2.0 * math.log1p(-(bits53(words, 0) * 2.0**-53)))
            value = size * math.cos(angle)
            spare[0] = 1.0
            spare[1] = size * math.sin(angle)
        out[i] = F(fma(value, std, mean))


@kernel("i64* out, u32* state, int low, int span, int words")
def integers(out, state, low, span, words, lo, hi):
    """(n,) integers low + number % span; a number is one word or two (the first is the high half).

    One word allows spans up to 2**31. A span above 2**63 comes as its low 64 bits, and 0 means 2**64.
    """
    done = lo
    while done < hi:
        if words == 1:
            run, count = take(state, hi - done)
            for i in range(count):
                word = temper(run[i])
                # exact: a quotient of integers below 2**32 never rounds up to the next integer in float64
                out[done + i] = low + word - np.int64(word / span) * span
        else:
            run, count = take_pairs(state, hi - done)
            for i in range(count):
                word = np.uint64(temper(run[2 * i])) << np.uint64(32) | np.uint64(temper(run[2 * i + 1]))
                out[done + i] = low + np.int64(word if span == 0 else word % np.uint64(span))
        done += count


@kernel("i64* out, u32* state, int n")
def permutation(out, state, n, lo, hi):
    """(n,) the numbers 0 to n - 1 in random order, by Fisher and Yates's method."""
    if n >= LARGE:
        for i in range(lo, hi):
            words, _ = take_pairs(state, 1)
            word = np.uint64(temper(words[0])) << np.uint64(32) | np.uint64(temper(words[1]))
            chosen = np.int64(word % np.uint64(i + 1))
            out[i] = out[chosen]
            out[chosen] = i
        return
    for i in range(lo, hi):
        out[i] = i
    done = lo
    while done < hi - 1:
        words, count = take(state, hi - 1 - done)
        for k in range(count):
            i = done + k
            word = temper(words[k])
            chosen = i + word - np.int64(word / (n - i)) * (n - i)
            out[i], out[chosen] = out[chosen], out[i]
        done += count


@helper
def threshold(p):
    """The t for which a number of 53 bits over 2**53 is below p exactly when the number is below t."""
    return np.int64(math.ceil(p * 2.0**53))


@kernel("u8* out, u32* state, float p")
def bernoulli(out, state, p, lo, hi):
    """(n,) 1 with probability p, else 0."""
    limit = threshold(p)
    done = lo
    while done < hi:
        words, count = take_pairs(state, hi - done)
        for i in range(count):
            out[done + i] = bits53(words, i) < limit
        done += count


@kernel("F* out, F* p, u32* state, type F")
def bernoulli_each(out, p, state, F, lo, hi):
    """(n,), p (n,): element i is 1 with probability p[i], else 0."""
    done = lo
    while done < hi:
        if one_word(F):
            words, count = take(state, hi - done)
            for i in range(count):
                out[done + i] = F(F(temper(words[i]) & 0xFFFFFF) * F(2.0**-24) < p[done + i])
        else:
            words, count = take_pairs(state, hi - done)
            for i in range(count):
                out[done + i] = F(F(bits53(words, i)) * F(2.0**-53) < p[done + i])
        done += count


@kernel("F* out, u8* kept, F* x, u32* state, float p, type F")
def dropout(out, kept, x, state, p, F, lo, hi):
    """(n,): x / p where an element is kept, which has probability p, else x * 0; kept (n,) 1 or 0."""
    limit = threshold(p)
    scale = F(1) / F(p)
    done = lo
    while done < hi:
        words, count = take_pairs(state, hi - done)
        for i in range(count):
            keep = bits53(words, i) < limit
            kept[done + i] = keep
            out[done + i] = x[done + i] * (scale if keep else F(0))
        done += count
