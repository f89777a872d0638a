"""A few numbers of a kernel's own, on the stack: `buffer(x, 64)` has 64 places of the type of `x`, with any contents.

A kernel writes what it needs twice, or what no output has room for, into such a buffer, which lies in the first-level cache.
"""

from __future__ import annotations

import ctypes
from typing import Any

from llvmlite import ir
from numba.core import cgutils, config
from numba.extending import intrinsic

from .pointers import Pointer

ALIGNMENT = 64  # one cache line, one AVX-512 register


class _Buffer(Pointer):
    """The interpreter's buffer: a pointer that keeps its memory alive."""

    __slots__ = ("memory",)

    def __init__(self, like: Pointer, size: int) -> None:
        self.memory = ctypes.create_string_buffer(size * like.dtype.itemsize)
        super().__init__(ctypes.addressof(self.memory), like.dtype)


if config.DISABLE_JIT:

    def buffer(like: Any, size: int) -> Any:
        return _Buffer(like, size)

else:

    @intrinsic(prefer_literal=True)
    def buffer(typing_context, like, size):
        """A pointer to `size` (a literal) numbers of the type that `like` points to."""
        places = getattr(size, "literal_value", 0)

        def generate(context, builder, signature, arguments):
            kind = context.get_value_type(like.dtype)
            made = cgutils.alloca_once(builder, kind, size=ir.Constant(ir.IntType(64), places))
            made.align = ALIGNMENT
            return made

        return like(like, size), generate


__all__ = ["buffer"]
