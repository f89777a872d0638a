"""What a kernel may do with raw memory: index a pointer, move it, make one from an address.

A pointer `p` is read and written as `p[i]`, with no bounds check and no wraparound of negative indexes (the check that
would stop a loop from vectorising). In the interpreter (`NUMBA_DISABLE_JIT=1`) the same source runs on `Pointer` objects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

_WORD = ir.IntType(64)


class Pointer:
    """The interpreter's pointer: an address and a NumPy scalar type."""

    __slots__ = ("address", "dtype", "cell")

    def __init__(self, address: int, dtype: Any) -> None:
        self.address, self.dtype = int(address), np.dtype(dtype)
        self.cell = np.ctypeslib.as_ctypes_type(self.dtype)

    def __getitem__(self, index: int) -> Any:
        return self.dtype.type(self.cell.from_address(self.address + int(index) * self.dtype.itemsize).value)

    def __setitem__(self, index: int, value: Any) -> None:
        value = self.dtype.type(value).item()
        self.cell.from_address(self.address + int(index) * self.dtype.itemsize).value = value


if config.DISABLE_JIT:

    def pointer(address: int, dtype: Any) -> Any:
        return Pointer(address, dtype)

    def at(p: Any, k: int) -> Any:
        return Pointer(p.address + int(k) * p.dtype.itemsize, p.dtype)

    def address_of(p: Any) -> int:
        return int(p.address)

    def load(p: Any, i: int) -> Any:
        return p[i]

    def store(p: Any, i: int, value: Any) -> None:
        p[i] = value

else:

    @intrinsic
    def pointer(typing_context, address, dtype):
        """A pointer to `dtype` from an integer address."""
        result = types.CPointer(dtype.dtype)

        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(result))

        return result(types.int64, dtype), generate

    @intrinsic
    def at(typing_context, p, k):
        """The pointer `p` moved by `k` elements."""

        def generate(context, builder, signature, arguments):
            return builder.gep(arguments[0], [arguments[1]])

        return p(p, types.int64), generate

    @intrinsic
    def address_of(typing_context, p):
        """The integer address of `p[0]`."""

        def generate(context, builder, signature, arguments):
            return builder.ptrtoint(arguments[0], _WORD)

        return types.int64(p), generate

    # An elementwise loop may write over one of its inputs, but only exactly (out[i] from x[i]); partly overlapping memory
    # is refused before a kernel is called. LLVM cannot know that, and its overlap check would send every in-place
    # operation to the scalar loop. These two say so: no store of this loop changes what a load of it has yet to read.
    def _scope(builder: Any) -> Any:
        module = builder.module
        domain = module.add_metadata(["fastgrad elementwise"])
        return module.add_metadata([module.add_metadata(["fastgrad inputs", domain])])

    @intrinsic
    def load(typing_context, p, i):
        """`p[i]`, an input of an elementwise loop."""

        def generate(context, builder, signature, arguments):
            value = builder.load(builder.gep(arguments[0], [arguments[1]]))
            value.set_metadata("alias.scope", _scope(builder))
            return context.data_model_manager[p.dtype].from_data(builder, value)

        return p.dtype(p, types.int64), generate

    @intrinsic
    def store(typing_context, p, i, value):
        """`p[i] = value`, the output of an elementwise loop."""

        def generate(context, builder, signature, arguments):
            data = context.data_model_manager[p.dtype].as_data(builder, arguments[2])
            done = builder.store(data, builder.gep(arguments[0], [arguments[1]]))
            done.set_metadata("noalias", _scope(builder))
            return context.get_dummy_value()

        return types.void(p, types.int64, p.dtype), generate


__all__ = ["Pointer", "address_of", "at", "load", "pointer", "store"]
