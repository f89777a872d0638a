"""MT19937, the generator behind every random number: a block of 624 words, made anew all at once.

M. Matsumoto and T. Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform pseudorandom
number generator", ACM TOMACS 8 (1998). The words are those of `numpy.random.RandomState(seed)` and of
PyTorch's CPU generator.

A state is a block of uint32: one spare place, the 624 words, and how many of them are used. A stream that
has not begun holds its seed in the first word and says FRESH. Kernels ask for a run of words (or of
pairs) and temper each as they read it, so that making, tempering and converting are all vector loops.
"""

import numpy as np

from ..jit import at, helper

SIZE = 624
DISTANCE = 397
CARRY, WORDS, POSITION = 0, 1, 1 + SIZE  # places in the block
FRESH = SIZE + 1


@helper
def twisted(word, following, far):
    """The word that takes the place of `word` in the next block."""
    mixed = (np.int64(word) & 0x80000000) | (np.int64(following) & 0x7FFFFFFF)
    return np.uint32(np.int64(far) ^ (mixed >> 1) ^ ((mixed & 1) * 0x9908B0DF))


@helper
def begin(words):
    """Spread the seed, which is the first word, over all of them."""
    word = np.int64(words[0])
    for i in range(1, SIZE):
        word = (1812433253 * (word ^ (word >> 30)) + i) & 0xFFFFFFFF
        words[i] = np.uint32(word)


@helper
def renew(state):
    """Replace the 624 words by the next 624. A word depends on the one 397 further, modulo 624."""
    words = at(state, WORDS)
    if state[POSITION] == FRESH:
        begin(words)
    near = SIZE - DISTANCE
    for i in range(near):
        words[i] = twisted(words[i], words[i + 1], words[i + DISTANCE])
    for i in range(near, SIZE - 1):
        words[i] = twisted(words[i], words[i + 1], words[i - near])
    words[SIZE - 1] = twisted(words[SIZE - 1], words[0], words[DISTANCE - 1])


@helper
def temper(word):
    """A word as it is given out, as int64 (0 to 2^32 - 1)."""
    y = np.int64(word)
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C5680
    y ^= (y << 15) & 0xEFC60000
    return y ^ (y >> 18)


@helper
def take(state, wanted):
    """Use up to `wanted` words: where they are (not yet tempered), and how many."""
    position = np.int64(state[POSITION])
    if position >= SIZE:
        renew(state)
        position = np.int64(0)
    count = min(wanted, SIZE - position)
    state[POSITION] = np.uint32(position + count)
    return at(state, WORDS + position), count


@helper
def take_pairs(state, wanted):
    """Use up to `wanted` pairs of words: where they are, and how many pairs.

    A word left over at a block's end moves to the place before the next block, so that a pair lies together.
    """
    position = np.int64(state[POSITION])
    if position >= SIZE - 1:
        state[CARRY] = state[WORDS + SIZE - 1]
        renew(state)
        position = np.int64(-1 if position == SIZE - 1 else 0)
    count = min(wanted, (SIZE - position) // 2)
    state[POSITION] = np.uint32(position + 2 * count)
    return at(state, WORDS + position), count


@helper
def bits53(words, i):
    """Pair `i` as a number of 53 bits: the first word holds the high ones."""
    return ((temper(words[2 * i]) & 0x1FFFFF) << 32) | temper(words[2 * i + 1])
