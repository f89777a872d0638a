"""Memory: 64-byte aligned blocks that come from a pool and go back to it.

A fresh large block costs a page fault for every 4 KB (three temporaries of 512 KB: 212 microseconds fresh, 7 reused), so
a block is kept for reuse when its Storage dies. Whoever looks at the memory from outside (`.numpy()`, DLPack) holds the
Storage itself, so a block never goes back while somebody can still see it.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

ALIGNMENT = 64  # one cache line, one AVX-512 register
# The most bytes of one size class kept for reuse: enough for the temporaries of a step with 4096-wide layers.
KEEP_BYTES = 256 << 20
FILL_WITH_NAN = os.environ.get("FASTGRAD_DEBUG_MEMORY") == "nan"

_free: dict[int, list[tuple[Any, int, int]]] = {}
_class_of: dict[int, int] = {}


class Storage:
    """A block of bytes: the NumPy array that owns it, and the address of its first aligned byte."""

    __slots__ = ("block", "address", "start", "size", "device")

    def __init__(self, block: Any, address: int, start: int, size: int) -> None:
        self.block = block
        self.address = address
        self.start = start  # where `address` lies in the block, in bytes
        self.size = size  # size class of a pooled block; 0 when the memory is somebody else's
        self.device = "cpu"

    def __del__(self, free: Any = _free) -> None:
        size = self.size
        if size:
            kept = free[size]
            if len(kept) * size < KEEP_BYTES:
                kept.append((self.block, self.address, self.start))


def allocate(nbytes: int) -> Storage:
    """A block of at least `nbytes`, with any contents (NaN under FASTGRAD_DEBUG_MEMORY=nan)."""
    size = _class_of.get(nbytes)
    if size is None:
        size = _remember_class(nbytes)
    try:
        block, address, start = _free[size].pop()
    except IndexError:
        block, address, start = _fresh(size)
    if FILL_WITH_NAN:
        block.fill(255)  # all bits set: NaN in every floating-point type, -1 in signed integers
    return Storage(block, address, start, size)


def _remember_class(nbytes: int) -> int:
    """Sizes in steps of a power of two up to 64 KB, then eight steps to a doubling: at most 12% is wasted."""
    if len(_class_of) > 10_000:
        _class_of.clear()
    bits = max(8, (nbytes - 1).bit_length())
    step = 1 << (bits if bits <= 16 else bits - 4)
    size = _class_of[nbytes] = max(1, -(-nbytes // step)) * step
    _free.setdefault(size, [])
    return size


def _fresh(size: int) -> tuple[Any, int, int]:
    block = np.empty(size + ALIGNMENT, np.uint8)
    base: int = block.__array_interface__["data"][0]
    start = -base % ALIGNMENT
    return block, base + start, start


def borrow(array: Any) -> Storage:
    """A storage over a NumPy array's memory, which stays the array's."""
    return Storage(array, array.__array_interface__["data"][0], 0, 0)


class Window:
    """What NumPy sees of a storage: keeps it alive as long as the array made of this lives."""

    __slots__ = ("storage", "__array_interface__")

    def __init__(self, storage: Storage, address: int, shape: Any, strides: Any, typestr: str, readonly: bool) -> None:
        self.storage = storage
        self.__array_interface__ = {
            "data": (address, readonly), "shape": tuple(shape), "strides": strides, "typestr": typestr, "version": 3,
        }  # fmt: skip


def pooled_bytes() -> int:
    """Bytes that wait for reuse."""
    return sum(size * len(kept) for size, kept in _free.items())


def release_pool() -> None:
    """Give every waiting block back to the system."""
    for kept in _free.values():
        kept.clear()
