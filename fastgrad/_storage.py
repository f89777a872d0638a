"""Memory: 64-byte aligned blocks that come from a pool and go back to it, and small ones straight from Python's allocator.

A fresh large block costs a page fault for every 4 KB (three temporaries of 512 KB: 212 microseconds fresh, 7 reused), so
a block is kept for reuse when its Storage dies. Whoever looks at the memory from outside (`.numpy()`, DLPack) holds the
Storage itself, so a block never goes back while somebody can still see it.

A tensor of at most SMALL bytes lives inside a `bytes` object: Python's allocator makes and frees one in 0.05 microseconds,
where a pooled Storage takes 0.25, most of it for calling `__del__`. Nobody but the tensor sees the object, so writing into
it breaks nobody's trust in bytes; it is 16-byte aligned, which at this size costs nothing.
"""

from __future__ import annotations

import _thread
import ctypes
import os
from array import array
from typing import Any

import numpy as np

ALIGNMENT = 64  # one cache line, one AVX-512 register
# The most bytes kept for reuse, in all: enough for the temporaries of a step with 4096-wide layers.
KEEP_BYTES = 512 << 20
# How many bytes wait at most: what waited when they were last counted, and all that came back since. And what that may be.
waiting = array("q", [0, KEEP_BYTES])
# Under FASTGRAD_DEBUG_MEMORY=nan every new tensor starts with all bits set: NaN in floats, -1 in signed integers.
FILL_WITH_NAN = os.environ.get("FASTGRAD_DEBUG_MEMORY") == "nan"

# A block in the pool: (array that owns the memory, address of its first aligned byte, where that lies in the array, the
# list it goes back to, its bytes).
Block = tuple[Any, int, int, "list[Any] | None", int]
_lists: dict[int, list[Block]] = {}  # by size class
_list_of: dict[int, tuple[list[Block], int]] = {}  # by number of bytes asked for: the list, and the size class


class Storage:
    """A block of bytes that goes back to the pool when the last tensor or array on it dies."""

    __slots__ = ("block",)
    device = "cpu"
    block: Block

    @property
    def pooled(self) -> bool:
        """Whether the memory is the pool's; else it belongs to an array of somebody else's."""
        return self.block[3] is not None

    def __del__(self) -> None:
        try:
            block = self.block
            free = block[3]
            if free is not None:
                waiting[0] += block[4]
                if waiting[0] <= KEEP_BYTES or _has_room(block[4]):
                    free.append(block)
        except KeyboardInterrupt:  # Python drops what is raised here: ask for it once more
            _thread.interrupt_main()


def _has_room(size: int) -> bool:
    """Count what waits. Where it is much, all of it goes: a step that is run again finds its own blocks waiting soon, and
    those of sizes that nobody asks for any more do not come back."""
    held = pooled_bytes()
    if held + size > 3 * KEEP_BYTES // 4:
        release_pool()
        held = 0
    fits = held + size <= KEEP_BYTES
    waiting[0] = held + size * fits
    return fits


SMALL = 512  # the largest request that Python's small-object allocator serves
_HEADER = bytes.__basicsize__ - 1  # where the contents of a bytes object begin
Memory = Storage | bytes


def small(nbytes: int) -> bytes:
    """Memory of 16 to SMALL bytes, of its own."""
    return bytes(nbytes)


def address_of(memory: Memory) -> int:
    """The address of the first byte."""
    return id(memory) + _HEADER if memory.__class__ is bytes else memory.block[1]  # type: ignore[union-attr]


def is_writable(memory: Memory) -> bool:
    """Whether the memory may be written: all but that of a read-only array somebody brought."""
    return not isinstance(memory, Storage) or memory.pooled or bool(memory.block[0].flags.writeable)


def fill_with_nan(address: int, nbytes: int) -> None:
    """Set all bits: NaN in every floating-point type, -1 in signed integers."""
    ctypes.memset(address, 255, nbytes)


def free_list(nbytes: int) -> tuple[list[Block], int]:
    """The list of blocks that serve requests of this size, and the blocks' real size.

    Sizes go in steps of a power of two up to 64 KB, then eight steps to a doubling: at most 12% is wasted.
    """
    found = _list_of.get(nbytes)
    if found is None:
        if len(_list_of) > 10_000:
            _list_of.clear()
        bits = max(8, (nbytes - 1).bit_length())
        step = 1 << (bits if bits <= 16 else bits - 4)
        size = max(1, -(-nbytes // step)) * step
        found = _list_of[nbytes] = (_lists.setdefault(size, []), size)
    return found


def fresh(nbytes: int) -> Block:
    """A new block from the system; RuntimeError where it has none left."""
    free, size = free_list(nbytes)
    try:
        memory = _memory(size + ALIGNMENT)
    except (MemoryError, ValueError):
        raise RuntimeError(
            f"DefaultCPUAllocator: can't allocate memory: you tried to allocate {nbytes} bytes."
        ) from None
    base: int = memory.__array_interface__["data"][0]
    start = -base % ALIGNMENT
    return memory, base + start, start, free, size


def _memory(nbytes: int) -> Any:
    try:
        return np.empty(nbytes, np.uint8)
    except MemoryError:
        release_pool()
        return np.empty(nbytes, np.uint8)


def borrow(array: Any) -> Storage:
    """A storage over a NumPy array's memory, which stays the array's."""
    storage = Storage()
    storage.block = (array, array.__array_interface__["data"][0], 0, None, 0)
    return storage


class Window:
    """What NumPy sees of a storage: keeps it alive as long as the array made of this lives."""

    __slots__ = ("storage", "__array_interface__")

    def __init__(self, storage: Memory, address: int, shape: Any, strides: Any, typestr: str, readonly: bool) -> None:
        self.storage = storage
        self.__array_interface__ = {
            "data": (address, readonly), "shape": tuple(shape), "strides": strides, "typestr": typestr, "version": 3,
        }  # fmt: skip


def pooled_bytes() -> int:
    """Bytes that wait for reuse."""
    return sum([size * len(kept) for size, kept in list(_lists.items())])


def release_pool() -> None:
    """Give every waiting block back to the system."""
    for kept in list(_lists.values()):
        kept.clear()
    waiting[0] = 0
