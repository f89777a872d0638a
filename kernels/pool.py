"""The thread pool: how many threads work, and the two C entries by which compiled code uses them.

    parallel(row, args, total, grain)   run row(args, lo, hi) once for each chunk of the tasks [0, total),
                                        which is cut every `grain` tasks
    walk(table, count, way)             such calls one after the other, with a barrier between them;
                                        the table has four numbers for each: row, args, total, grain;
                                        row 0 is a check: where the byte at args is not 0, the walk ends;
                                        gives how many were done

All numbers are int64, `row` and `table` are addresses. Both return when everything is done, and may be called
from any thread, with or without the interpreter lock. Work is cut by shape only: the number of threads never
changes a bit of a result. When another thread uses the pool, or a row calls in again, the chunks run on the
caller, in order. Workers start with the first region, sleep when idle, and die with the process; a forked
child starts its own. How it works is told in `regions.py`.
"""

from __future__ import annotations

import math
import operator
import os
from pathlib import Path

from . import pages, regions, store, workers

# How often a thread looks for work, or for the others to finish, before it parks: 0.3 ms on Zen 5, where a
# look is 30 ns. Measured there on two cores: with a worker that is up, a region costs 0.15 us (0.33 from
# Python); one that must be woken costs the caller 8 us more, and arrives after 50. In a training step regions
# are 2 to 100 us apart, between steps up to 300: a region of 100 us of work, 100 us after the last, takes 51
# us so, and 83 when the worker looks for 30 us only. A longer look would only keep cores from other
# processes.
SPIN = 10_000

_STACK = 1 << 16  # more than rows need

_lock = store.lock
_threads = 0  # as set; 0: not known yet
_compiled: regions.Compiled | None = None  # from the first use of an address on


def parallel_address() -> int:
    """The machine address of `void parallel(int64 row, int64 args, int64 total, int64 grain)`."""
    return _made().parallel


def walk_address() -> int:
    """The machine address of `int64 walk(int64 table, int64 count, int64 way)`."""
    return _made().walk


def get_num_threads() -> int:
    """How many threads share the work of one region, the caller included."""
    global _threads
    if not _threads:
        _threads = _default()
    return _threads


def set_num_threads(count: int, /) -> None:
    """Let `count` threads share the work of each region from now on, the caller included.

    May be called at any time, from any thread. Raises RuntimeError below 1, TypeError for what is no integer.
    """
    global _threads
    try:
        if isinstance(count, bool):
            raise TypeError
        count = operator.index(count)
    except TypeError:
        raise TypeError(f"set_num_threads expects an int, but got {type(count).__name__}") from None
    if count < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    with _lock:
        _threads = count
        if _compiled is not None:
            _apply(_compiled)


def prepare() -> list[int]:
    """Start the workers now, and give the beginnings of their stacks their pages; an address in each of these stacks.

    A worker that first comes up in the ten-thousandth region would take its memory then. On Linux its name (pthread_t) is an
    address behind the beginning of its stack, which grows down; elsewhere it is a number that leads to nothing.
    """
    names = [name for name in _made().start(get_num_threads()) if name > _STACK]
    for name in names:
        pages.make_present(name - _STACK, _STACK)
    return [name - _STACK // 4 for name in names]


def available_cores() -> int:
    """How many cores this process may use: its affinity mask, and its control groups' quota rounded up."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # no masks on this platform
        cores = os.cpu_count() or 1
    return max(1, min([cores, *_quotas()]))


def _default() -> int:
    if not workers.possible():
        return 1
    # As OpenMP reads it, and PyTorch with it: a list has one number for each level of nesting.
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(asked) if asked.isdecimal() and int(asked) > 0 else available_cores()


def _quotas(membership: str = "/proc/self/cgroup", mount: str = "/sys/fs/cgroup") -> list[int]:
    """The quotas, in cores, of the control groups of this process; groups above bind as well."""
    found = []
    for line in _text(Path(membership)).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        # Version 1 has a tree for each controller, version 2 (no controllers in the line) one for all.
        root = Path(mount, "cpu") if controllers else Path(mount)
        group = root / path.lstrip("/")
        # In a container the path may be the host's and not exist here; the root is then the container's
        # group.
        for folder in (group, *group.parents):
            if controllers:
                words = [_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")]
            else:
                words = _text(folder / "cpu.max").split()
            if len(words) == 2 and all(word.isdecimal() for word in words):  # no "max", no "-1"
                found.append(math.ceil(int(words[0]) / int(words[1])))
            if folder == root:
                break
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _made() -> regions.Compiled:
    global _compiled
    if _compiled is None:
        with _lock:
            if _compiled is None:
                made = regions.Compiled()
                _apply(made)
                _compiled = made
    return _compiled


def _apply(made: regions.Compiled) -> None:
    threads = get_num_threads()
    # With more threads than cores, a spinning thread keeps a working one from its core: park at once. (8
    # threads on two cores: 800 us of work take 500, on 2 threads 410; but 14 us take 90.)
    made.resize(threads, SPIN if threads <= available_cores() else 0)


def _start_anew() -> None:
    """In a forked child: workers stayed with the parent."""
    if _compiled is not None:
        _compiled.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
