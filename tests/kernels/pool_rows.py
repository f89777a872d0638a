"""What the tests of the thread pool share: its two entries as ctypes functions, rows to run, their checks."""

import ctypes
import functools
import time

import numpy as np
from fastgrad.kernels import pool
from fastgrad.kernels.pointers import pointer
from numba import int64


@functools.cache
def entries():
    """`parallel` and `walk`."""
    word = ctypes.c_int64
    parallel = ctypes.CFUNCTYPE(None, word, word, word, word)(pool.parallel_address())
    walk = ctypes.CFUNCTYPE(word, word, word, word)(pool.walk_address())
    return parallel, lambda table, count, alone=0: walk(table, count, alone)


@functools.cache
def compiled(function):
    import numba

    return numba.cfunc("void(CPointer(int64), int64, int64)")(function)


def row(function):
    """The C address of one of the rows below; its args are an array of int64."""
    return compiled(function).address


def visit(cells, lo, hi):
    """A chunk counts its visits at 2 * lo, and notes its end beside it."""
    cells[2 * lo] += 1
    cells[2 * lo + 1] = hi


def rotate(cells, lo, hi):
    """cells: n, target, source, and two buffers of n. A task reads what another wrote in the row before."""
    n = cells[0]
    for i in range(lo, hi):
        cells[3 + cells[1] * n + i] = cells[3 + cells[2] * n + (7 * i + 3) % n] + 1


def swap(cells, lo, hi):
    """Exchanges target and source of `rotate`."""
    cells[1], cells[2] = cells[2], cells[1]


usleep = ctypes.CDLL(None).usleep
usleep.argtypes, usleep.restype = [ctypes.c_uint], ctypes.c_int
pthread_self = ctypes.CDLL(None).pthread_self
pthread_self.argtypes, pthread_self.restype = [], ctypes.c_int64


def sleep(cells, lo, hi):
    """cells: microseconds, and then room for each task to say which thread ran it."""
    for i in range(lo, hi):
        usleep(cells[0])
        cells[1 + i] = pthread_self()


def wait(words, lo, hi):
    """A row for the launcher, whose one argument is an array: it says in cells[0] that it is there, and ends when cells[1]
    is not 0, or after as many milliseconds as cells[2] says."""
    cells = pointer(words[0], int64)
    cells[0] = 1
    while cells[1] == 0 and cells[2] > 0:
        usleep(1000)
        cells[2] -= 1


@functools.cache
def nested():
    parallel, _ = entries()

    def nested(cells, lo, hi):
        """cells: an inner row, its total and grain, and then the args of the region that each task runs."""
        for i in range(lo, hi):
            parallel(cells[0], cells[3 + i], cells[1], cells[2])

    return nested


def visits_of(total, grain):
    """Run one region, and say whether it visited every chunk once."""
    cells = np.zeros(2 * max(total, 1), np.int64)
    entries()[0](row(visit), cells.ctypes.data, total, grain)
    return visited(cells, total, grain)


def visited(cells, total, grain, times=1):
    """Whether every chunk of [0, total) was visited so many times, and nothing else was written."""
    expected = np.zeros_like(cells)
    starts = np.arange(0, total, grain)
    expected[2 * starts] = times
    expected[2 * starts + 1] = np.minimum(starts + grain, total)
    return np.array_equal(cells, expected)


def walk_of(rows, tasks=64, alone=0):
    """`rows` times: rotate one buffer into the other in chunks of 3, then swap them on the caller alone.

    The last buffer: `rows` everywhere, if each row came after all of the row before.
    """
    cells = np.zeros(3 + 2 * tasks, np.int64)
    cells[:3] = tasks, 1, 0
    step = [[row(rotate), cells.ctypes.data, tasks, 3], [row(swap), cells.ctypes.data, 1, 1]]
    table = np.tile(np.array(step, np.int64), (rows, 1))
    assert entries()[1](table.ctypes.data, len(table), alone) == len(table)
    return cells[3 + cells[2] * tasks :][:tasks]


def sleeping(tasks, microseconds):
    """Run `tasks` chunks that sleep; the ids of the threads that ran them."""
    cells = np.zeros(1 + tasks, np.int64)
    cells[0] = microseconds
    entries()[0](row(sleep), cells.ctypes.data, tasks, 1)
    assert cells[1:].all()
    return set(cells[1:].tolist())


def threads_at_work(expected):
    """How many threads take part: as soon as `expected` were seen, or those seen in two minutes."""
    seen, limit = set(), time.monotonic() + 120
    while len(seen) < expected and time.monotonic() < limit:
        seen |= sleeping(4 * expected, 2000)
    return len(seen | sleeping(4 * expected, 2000))
