"""Sums and extremes over neighbouring threads, in shared memory, in a fixed tree.

Every thread of a block calls these at the same time. `room` is shared memory with a place for each thread; `width`, a power
of two, is how many neighbours make a group. All threads of a group get its result.
"""

from __future__ import annotations

from ..math import select
from ._target import cuda, helper


@helper
def sum_lanes(room, value, width):
    """The sum of the group's values."""
    thread = cuda.threadIdx.x
    lane = thread % width
    room[thread] = value
    half = width // 2
    cuda.syncthreads()
    while half > 0:
        if lane < half:
            room[thread] += room[thread + half]
        half = half // 2
        cuda.syncthreads()
    total = room[thread - lane]
    cuda.syncthreads()  # before anybody writes into `room` again
    return total


@helper
def max_lanes(room, value, width):
    """The largest of the group's values. No value may be NaN."""
    thread = cuda.threadIdx.x
    lane = thread % width
    room[thread] = value
    half = width // 2
    cuda.syncthreads()
    while half > 0:
        if lane < half:
            room[thread] = select(room[thread + half] > room[thread], room[thread + half], room[thread])
        half = half // 2
        cuda.syncthreads()
    largest = room[thread - lane]
    cuda.syncthreads()
    return largest
