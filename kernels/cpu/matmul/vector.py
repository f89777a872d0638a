"""Writing LLVM instructions: vectors of a float type at the processor's width, memory, masks and loops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from llvmlite import ir

from .blocks import blocks

WORD = ir.IntType(64)
BYTE = ir.IntType(8)
POINTER = ir.PointerType()
_INDEX = ir.IntType(32)


class Item(NamedTuple):
    """A float type: its LLVM type, bytes, elements in a vector register, and LLVM's name for it."""

    type: ir.Type
    size: int
    lanes: int
    name: str

    @property
    def vector(self) -> ir.VectorType:
        return ir.VectorType(self.type, self.lanes)


def item(dtype: str) -> Item:
    """float32 or float64; for "bfloat16", float32, in whose lanes pairs of it lie."""
    if dtype == "float64":
        return Item(ir.DoubleType(), 8, blocks().bytes // 8, "f64")
    return Item(ir.FloatType(), 4, blocks().bytes // 4, "f32")


def integer(value: int) -> ir.Constant:
    return ir.Constant(WORD, value)


def moved(builder: ir.IRBuilder, pointer: Any, offset: Any) -> Any:
    """The pointer moved by `offset` bytes."""
    return builder.gep(pointer, [integer(offset) if isinstance(offset, int) else offset], source_etype=BYTE)


def splat(builder: ir.IRBuilder, value: Any, vector: ir.VectorType) -> Any:
    """A vector with `value` in every lane."""
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(_INDEX, 0))
    zeros = ir.Constant(ir.VectorType(_INDEX, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, zeros)


def lane_mask(builder: ir.IRBuilder, columns: Any, lanes: int) -> Any:
    """A mask of the lanes below `columns`."""
    vector = ir.VectorType(WORD, lanes)
    return builder.icmp_signed("<", ir.Constant(vector, list(range(lanes))), splat(builder, columns, vector))


def declare(module: ir.Module, name: str, result: Any, arguments: list[Any]) -> ir.Function:
    """An LLVM intrinsic, declared once a module."""
    if name in module.globals:
        return module.globals[name]
    return ir.Function(module, ir.FunctionType(result, arguments), name)


def prefetcher(builder: ir.IRBuilder) -> Any:
    """prefetch(pointer, write): calls a cache line in, to be read or to be written."""
    word = ir.IntType(32)
    intrinsic = declare(builder.module, "llvm.prefetch.p0", ir.VoidType(), [POINTER, word, word, word])

    def prefetch(pointer: Any, write: bool) -> None:
        builder.call(intrinsic, [pointer, ir.Constant(word, int(write)), ir.Constant(word, 3), ir.Constant(word, 1)])

    return prefetch


class VectorMemory:
    """Loads and stores of vectors, whole or masked, at any alignment."""

    def __init__(self, builder: ir.IRBuilder, item: Item) -> None:
        self.builder, self.item, self.vector = builder, item, item.vector
        self.zeros, self.minus_zeros = (ir.Constant(item.vector, [zero] * item.lanes) for zero in (0.0, -0.0))
        self.align = ir.Constant(_INDEX, item.size)
        mask = ir.VectorType(ir.IntType(1), item.lanes)
        suffix, module = f"v{item.lanes}{item.name}.p0", builder.module
        arguments = [POINTER, _INDEX, mask, item.vector]
        self.masked_load = declare(module, f"llvm.masked.load.{suffix}", item.vector, arguments)
        arguments = [item.vector, POINTER, _INDEX, mask]
        self.masked_store = declare(module, f"llvm.masked.store.{suffix}", ir.VoidType(), arguments)

    def load(self, pointer: Any, mask: Any = None) -> Any:
        """A vector; lanes outside the mask are zero and their memory is not touched."""
        if mask is None:
            return self.builder.load(pointer, align=self.item.size, typ=self.vector)
        return self.builder.call(self.masked_load, [pointer, self.align, mask, self.zeros])

    def store(self, value: Any, pointer: Any, mask: Any = None) -> None:
        if mask is None:
            self.builder.store(value, pointer, align=self.item.size)
        else:
            self.builder.call(self.masked_store, [value, pointer, self.align, mask])


@contextmanager
def loop(builder: ir.IRBuilder, start: Any, stop: Any, step: int = 1) -> Iterator[Any]:
    """for i in range(start, stop, step): what is written inside."""
    entry = builder.block
    body = builder.append_basic_block("body")
    after = builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed("<", start, stop), body, after)
    builder.position_at_end(body)
    i = builder.phi(WORD)
    i.add_incoming(start, entry)
    yield i
    following = builder.add(i, integer(step))
    i.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, stop), body, after)
    builder.position_at_end(after)


def function(module: ir.Module, name: str, arguments: int) -> tuple[ir.IRBuilder, Any]:
    """A new function of `arguments` words, returning nothing: the builder of its body, and its arguments."""
    made = ir.Function(module, ir.FunctionType(ir.VoidType(), [WORD] * arguments), name)
    return ir.IRBuilder(made.append_basic_block("entry")), made.args
