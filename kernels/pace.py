"""Whether a plan is walked quicker by all threads or by one: it is tried, now and then.

A second thread halves a walk of milliseconds, and is of no use to one of microseconds while its core belongs to somebody
else: at each barrier the caller then waits for a thread that does not run. No estimate can know that, but a clock can. As
results do not depend on who computes them, either way may be taken at any time. The functions here stand between Python
and `pool.walk`; their language is that of `words.py`.
"""

# ruff: noqa: F821 -- `invoke` and `room` belong to the language
# mypy: ignore-errors

from __future__ import annotations

import ctypes
from array import array

from . import pool, words, workers

# What is known of a plan: addresses of `pool.walk` and `clock_gettime` (0: nothing is tried); the way that is taken now
# (0: shared, 1: alone); turns since the last trial began, and those from one to the next; nanoseconds that a walk takes, a
# sliding mean, shared and alone.
WALK, CLOCK, WAY, TURN, PERIOD, MEANS, WORDS = 0, 1, 2, 3, 4, 5, 7
# A trial is so many walks the other way. The first ones after a change of ways do not count: threads that were not needed
# sleep, and have to be called.
TRIAL, UNCOUNTED = 12, 4
# Walks from a trial to the next at least; the next comes when the way that is taken has become slower than the other was.
EARLY = 100
# At most: where the ways are within a quarter of each other, and where they are not. With 12 walks in
# 1,000 up to 1.25 times as long, trials cost 0.3 %; with 12 in 8,000, twice as long, 0.15 %.
SOON, LATE = 1000, 8000
# Of a longer walk (nanoseconds) a thread that is away does not take its part, and the others do: nothing is to be learned.
LONG = 2_000_000


def now(known):
    """Nanoseconds."""
    time = room(2)
    invoke(known[CLOCK], 1, time)  # CLOCK_MONOTONIC
    return time[0] * 1000000000 + time[1]


def learn(known, way, turn, took):
    """Take in how long a walk lasted."""
    since = turn if turn < TRIAL else turn - TRIAL
    if since < UNCOUNTED:
        return 0
    mean = known[MEANS + way]
    if mean == 0:
        mean = took
    elif took > 2 * mean:  # one that was interrupted says little
        took = 2 * mean
    known[MEANS + way] = mean + ((took - mean) >> 2)
    return 0


def is_slower(known):
    """Whether the way that is taken is slower than the other was when it was last tried, by a thirtieth."""
    return 30 * known[MEANS + known[WAY]] > 31 * known[MEANS + 1 - known[WAY]]


def decide(known):
    """After a trial: go on as before, or the other way if that was quicker."""
    shared, alone = known[MEANS], known[MEANS + 1]
    if is_slower(known):
        known[WAY] = 1 - known[WAY]
    known[PERIOD] = SOON if 4 * shared < 5 * alone and 4 * alone < 5 * shared else LATE
    return 0


def walk(table, count, known):
    """A walk (see `pool.py`), the way that has been the quicker."""
    if known[CLOCK] == 0:
        return invoke(known[WALK], table, count, known[WAY])
    turn, way = known[TURN], known[WAY]
    if turn < TRIAL:
        way = 1 - way
    begun = now(known)
    done = invoke(known[WALK], table, count, way)
    learn(known, way, turn, now(known) - begun)
    turn += 1
    if turn == TRIAL:
        decide(known)
    elif turn >= known[PERIOD] or (turn > EARLY and is_slower(known)):
        turn = TRIAL if known[MEANS + known[WAY]] > LONG else 0
    known[TURN] = turn
    return done


def address() -> int:
    """The machine address of `int64 walk(int64 table, int64 count, int64 known)`."""
    return words.address("pace.walk", [now, learn, is_slower, decide, walk])


def unknown(is_shared: bool) -> array[int]:
    """What is known of a plan that was never walked; with `is_shared` there is something for several threads in it."""
    clock = workers.address_of("clock_gettime") if is_shared and ctypes.sizeof(ctypes.c_long) == 8 else None
    return array("q", [pool.walk_address(), clock or 0, 0, TRIAL, TRIAL + 50, 0, 0])
