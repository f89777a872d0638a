"""A fork copies locks in whatever state they are, and only the thread that forks: one that another thread holds would never
open in the child. So a fork waits for them: for gradients that are being added, then for kernels that are being compiled.

`logging`, which numba's compiler calls, does the same with its lock. It has to be imported first: the last to register is
the first to wait, and whoever compiles must not wait for logging.
"""

from __future__ import annotations

import logging  # noqa: F401
import os

from ..autograd import engine
from ..kernels import store

_LOCKS = (engine._adding, store.lock)  # in the order in which a thread takes both


def _before() -> None:
    for lock in _LOCKS:
        lock.acquire()


def _after() -> None:
    for lock in reversed(_LOCKS):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
