"""Scratch memory for packed operands: slots that a running task takes and gives back.

A task does not know which thread runs it, and it must not wait for the allocator or for fresh pages. So there
is one block with more slots than threads that could run: a task takes a free one with an atomic exchange,
starting its search at a place that follows from its stack, so a thread gets the same slot, warm in its cache,
again and again.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import mmap
import os

from ... import pages, store

SLOTS = 64
SLOT_BYTES = 1 << 21  # a large page, and enough for a packed panel, a strip, and sums that must not go to `out` yet
HEAD_BYTES = SLOT_BYTES  # in front of the slots: their flags
FLAG_BYTES = 64  # a flag has a cache line of its own

_lock = store.lock


@functools.cache
def _memory() -> mmap.mmap:
    # Anonymous memory is zero (all slots free) and is given to the process page by page, when first written.
    size = HEAD_BYTES + (SLOTS + 1) * SLOT_BYTES
    if not hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, size)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a system without large pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    if os.environ.get("FASTGRAD_DEBUG_MEMORY") == "nan":  # as new tensors are: what is read before it is written shows
        ctypes.memset(_aligned(memory) + HEAD_BYTES, 0xFF, SLOTS * SLOT_BYTES)
    # The threads that held slots do not exist in a forked child.
    os.register_at_fork(after_in_child=lambda: ctypes.memset(address(), 0, SLOTS * FLAG_BYTES))
    return memory


def address() -> int:
    """Where the flags start: the `scratch` argument of a product. Slots follow at HEAD_BYTES."""
    with _lock:  # or two threads' first calls would map memory each, and one of them would be lost
        return _aligned(_memory())


def prepare(stacks: list[int]) -> None:
    """Give the slots of the threads that have these addresses on their stacks (`slots.take`) their pages."""
    for slot in {(stack >> 20) % SLOTS for stack in stacks}:
        pages.make_present(address() + HEAD_BYTES + slot * SLOT_BYTES, SLOT_BYTES)


def _aligned(memory: mmap.mmap) -> int:
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return -(-start // SLOT_BYTES) * SLOT_BYTES
