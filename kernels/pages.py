"""Pages of memory, which the system gives out when they are first written."""

from __future__ import annotations

import ctypes
import mmap
import sys

_POPULATE_WRITE = 23  # of madvise, on Linux from 5.14 on


def make_present(address: int, nbytes: int) -> None:
    """Give memory its pages now, as writing to it would; what it holds stays. Where the system cannot do that, nothing
    happens."""
    if sys.platform != "linux" or nbytes <= 0:
        return
    start = address // mmap.PAGESIZE * mmap.PAGESIZE
    length = -(-(address + nbytes - start) // mmap.PAGESIZE) * mmap.PAGESIZE
    ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), _POPULATE_WRITE)
