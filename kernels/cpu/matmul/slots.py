"""What the driver adds to Python: slots of scratch, words on the stack, calls by address."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...jit import helper
from .scratch import FLAG_BYTES, HEAD_BYTES, SLOT_BYTES, SLOTS

_WORD = ir.IntType(64)


@intrinsic
def exchange(typing_context, address, value):
    """Atomically puts `value` at `address` and returns what was there."""

    def generate(context, builder, signature, arguments):
        place = builder.inttoptr(arguments[0], _WORD.as_pointer())
        return builder.atomic_rmw("xchg", place, arguments[1], "acq_rel")

    return types.int64(types.int64, types.int64), generate


@intrinsic(prefer_literal=True)
def stack_words(typing_context, count):
    """The address of `count` (a literal) int64 on the caller's stack."""

    def generate(context, builder, signature, arguments):
        with builder.goto_entry_block():
            place = builder.alloca(_WORD, size=ir.Constant(_WORD, count.literal_value))
        return builder.ptrtoint(place, _WORD)

    return types.int64(count), generate


@intrinsic
def call(typing_context, address, words):
    """Calls the function at `address` with a tuple of int64."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.VoidType(), [_WORD] * words.count)
        values = [builder.extract_value(arguments[1], k) for k in range(words.count)]
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), values)
        return context.get_dummy_value()

    return types.void(types.int64, words), generate


@intrinsic
def fetch(typing_context, address):
    """Calls the cache line at `address` into the second-level cache; any address will do."""

    def generate(context, builder, signature, arguments):
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [ir.PointerType(), word, word, word])
        called = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        place = builder.inttoptr(arguments[0], ir.PointerType())
        builder.call(called, [place, *[ir.Constant(word, how) for how in (0, 2, 1)]])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@helper
def take(scratch):
    """The number of a free slot, now taken."""
    k = (stack_words(1) >> 20) % SLOTS  # stacks of threads are megabytes apart
    while exchange(scratch + k * FLAG_BYTES, 1) != 0:
        k = (k + 1) % SLOTS
    return k


@helper
def give(scratch, k):
    """Slot k is free again."""
    exchange(scratch + k * FLAG_BYTES, 0)


@helper
def memory(scratch, k):
    """The address of slot k's memory."""
    return scratch + HEAD_BYTES + k * SLOT_BYTES
