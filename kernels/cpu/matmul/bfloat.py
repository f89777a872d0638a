"""bfloat16 pairs: the LLVM type that llvmlite lacks, the instructions, and whether the processor has them.

A pair is two neighbours along k in the four bytes of a float32 lane, the first of the two in the upper half. The
instruction (AVX512-BF16's vdpbf16ps) multiplies the upper halves and adds, then the lower halves, each a fused multiply-add
rounded to nearest even: so that a chain of pairs is a chain of fused multiply-adds in k order, with the bits that float32
gives on rounded operands. Only denormals differ: the instructions take one for zero and give zero instead of one.
"""

from __future__ import annotations

import functools
from typing import Any

from llvmlite import ir

from ... import jit
from .blocks import BFLOAT16, processor, target
from .vector import Item, declare


@functools.cache
def available() -> bool:
    """Whether products of bfloat16 pairs are compiled for this processor."""
    name, listed = processor()
    features = listed.split(",") if listed else ["+avx512bf16"] if name in BFLOAT16 else []
    return not jit.interpreted() and target() == "avx512" and "+avx512bf16" in features


class _BFloat(ir.Type):
    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


def _halves(item: Item) -> ir.VectorType:
    return ir.VectorType(_BFloat(), 2 * item.lanes)


def dot(builder: ir.IRBuilder, item: Item, down: Any, across: Any, sums: Any) -> Any:
    """sums + the products of the pairs in each lane."""
    halves, vector = _halves(item), item.vector
    multiply_add = declare(builder.module, "llvm.x86.avx512bf16.dpbf16ps.512", vector, [vector, halves, halves])
    return builder.call(multiply_add, [sums, builder.bitcast(down, halves), builder.bitcast(across, halves)])


def rounded(builder: ir.IRBuilder, item: Item, first: Any, second: Any) -> Any:
    """Two vectors of float32 as one of 16-bit words: those of `first`, then those of `second`.

    Rounded to nearest even, beyond the largest to infinity; a NaN stays one, denormals become zero of their sign.
    """
    halves, vector = _halves(item), item.vector
    convert = declare(builder.module, "llvm.x86.avx512bf16.cvtne2ps2bf16.512", halves, [vector, vector])
    return builder.bitcast(builder.call(convert, [second, first]), ir.VectorType(ir.IntType(16), 2 * item.lanes))


def rearranged(builder: ir.IRBuilder, item: Item, words: Any, order: list[int]) -> Any:
    """16-bit words in another order, as a vector of pairs."""
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order)
    return builder.bitcast(builder.shuffle_vector(words, words, mask), item.vector)
