"""The memory that a plan works on is present when it is made: no replay makes the process larger."""

from __future__ import annotations

import ctypes
from typing import Any

from .._storage import FILL_WITH_NAN
from ..kernels import pages, pool
from ..kernels.cpu.matmul import scratch


def make_present(plan: Any) -> None:
    """Give the arena, the results, and what the threads work on their pages."""
    if not FILL_WITH_NAN:  # which has written to all of it
        ctypes.memset(plan.arena._address, 0, plan.arena_bytes)
    for visible in plan.visible.values():
        pages.make_present(visible.address, visible.buffer.nbytes)
    stacks = pool.prepare()
    if any("matmul." in step.name for step in plan.steps):
        scratch.prepare(stacks)
