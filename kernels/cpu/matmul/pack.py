"""Moving parts of operands to scratch, in the order in which the micro-kernel reads them, and sums out of it.

    copy_panels(to, topanel, toline, source, line, lines, panels, columns)
        lines, cut into panels of so many columns, one after the other: vectors are copied
    transpose_lines(to, tostep, source, line, steps, lines)
        lines become columns: squares are turned in registers
    gather_lines(to, toline, source, line, column, lines, columns)
        elements at any strides become contiguous lines
    scatter_lines(to, toline, tocolumn, source, line, lines, columns, add)
        contiguous lines go to elements at any strides, added to what is there if `add`
    add_lines(to, source, line, lines, columns, fresh)
        to = (to, or 0 if `fresh`) + the first line + the second + ...

All strides are in bytes. `transpose_lines` takes up to one vector of lines, of at least one vector of steps
each, and writes whole vectors: what it leaves beyond the last line is never used.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .vector import POINTER, WORD, Item, VectorMemory, function, integer, lane_mask, loop, moved

NAMES = ("copy_panels", "transpose_lines", "gather_lines", "scatter_lines", "add_lines")


def copy_panels(module: ir.Module, item: Item, name: str) -> None:
    builder, (to, topanel, toline, source, line, lines, panels, columns) = function(module, name, 8)
    memory = VectorMemory(builder, item)
    to, source = builder.inttoptr(to, POINTER), builder.inttoptr(source, POINTER)
    whole = builder.and_(columns, integer(-item.lanes))
    mask = lane_mask(builder, builder.sub(columns, whole), item.lanes)
    some = builder.icmp_signed("!=", whole, columns)
    bytes_, panel = builder.mul(whole, integer(item.size)), builder.mul(columns, integer(item.size))
    with loop(builder, integer(0), lines) as i:
        line_to, line_from = (
            moved(builder, to, builder.mul(i, toline)),
            moved(builder, source, builder.mul(i, line)),
        )
        with loop(builder, integer(0), panels) as p:
            there, here = (
                moved(builder, line_to, builder.mul(p, topanel)),
                moved(builder, line_from, builder.mul(p, panel)),
            )
            with loop(builder, integer(0), bytes_, item.lanes * item.size) as j:
                memory.store(memory.load(moved(builder, here, j)), moved(builder, there, j))
            with builder.if_then(some):
                memory.store(memory.load(moved(builder, here, bytes_), mask), moved(builder, there, bytes_), mask)
    builder.ret_void()


def transposed(builder: ir.IRBuilder, lines: list[Any]) -> list[Any]:
    """The transpose of a square of vectors: blocks of 1, 2, 4, ... are exchanged across the diagonal."""
    lanes, index = len(lines), ir.IntType(32)
    block = 1
    while block < lanes:
        upper = [c - block + lanes if c & block else c for c in range(lanes)]
        lower = [c + lanes if c & block else c + block for c in range(lanes)]
        masks = [ir.Constant(ir.VectorType(index, lanes), order) for order in (upper, lower)]
        lines = list(lines)
        for i in range(lanes):
            if not i & block:
                pair = lines[i], lines[i | block]
                lines[i], lines[i | block] = (builder.shuffle_vector(*pair, mask) for mask in masks)
        block *= 2
    return lines


def transpose_lines(module: ir.Module, item: Item, name: str) -> None:
    builder, (to, tostep, source, line, steps, lines) = function(module, name, 6)
    memory = VectorMemory(builder, item)
    to, source = builder.inttoptr(to, POINTER), builder.inttoptr(source, POINTER)
    offsets = []  # of the lines; those beyond `lines` are the first again, so that nothing outside is read
    for i in range(item.lanes):
        inside = builder.icmp_signed("<", integer(i), lines)
        offsets.append(builder.select(inside, builder.mul(line, integer(i)), integer(0)))
    latest = builder.sub(steps, integer(item.lanes))
    with loop(builder, integer(0), steps, item.lanes) as wanted:
        # The last square is moved back to end with the lines, over steps that are already there.
        t = builder.select(builder.icmp_signed(">", wanted, latest), latest, wanted)
        here = moved(builder, source, builder.mul(t, integer(item.size)))
        there = moved(builder, to, builder.mul(t, tostep))
        for vector in transposed(builder, [memory.load(moved(builder, here, offset)) for offset in offsets]):
            memory.store(vector, there)
            there = moved(builder, there, tostep)
    builder.ret_void()


def gather_lines(module: ir.Module, item: Item, name: str) -> None:
    builder, (to, toline, source, line, column, lines, columns) = function(module, name, 7)
    to, source = builder.inttoptr(to, POINTER), builder.inttoptr(source, POINTER)
    with loop(builder, integer(0), lines) as i:
        there, here = moved(builder, to, builder.mul(i, toline)), moved(builder, source, builder.mul(i, line))
        with loop(builder, integer(0), columns) as j:
            value = builder.load(moved(builder, here, builder.mul(j, column)), align=item.size, typ=item.type)
            builder.store(value, moved(builder, there, builder.mul(j, integer(item.size))), align=item.size)
    builder.ret_void()


def scatter_lines(module: ir.Module, item: Item, name: str) -> None:
    builder, (to, toline, tocolumn, source, line, lines, columns, add) = function(module, name, 8)
    to, source = builder.inttoptr(to, POINTER), builder.inttoptr(source, POINTER)
    adding = builder.icmp_signed("!=", add, integer(0))
    with loop(builder, integer(0), lines) as i:
        there, here = moved(builder, to, builder.mul(i, toline)), moved(builder, source, builder.mul(i, line))
        with loop(builder, integer(0), columns) as j:
            value = builder.load(moved(builder, here, builder.mul(j, integer(item.size))), align=item.size, typ=item.type)
            place = moved(builder, there, builder.mul(j, tocolumn))
            with builder.if_else(adding) as (then, otherwise):
                with then:
                    held = builder.load(place, align=item.size, typ=item.type)
                    builder.store(builder.fadd(held, value), place, align=item.size)
                with otherwise:
                    builder.store(value, place, align=item.size)
    builder.ret_void()


def add_lines(module: ir.Module, item: Item, name: str) -> None:
    builder, (to, source, line, lines, columns, fresh) = function(module, name, 6)
    memory, width = VectorMemory(builder, item), item.lanes * item.size
    to, source = builder.inttoptr(to, POINTER), builder.inttoptr(source, POINTER)
    from_zero = builder.icmp_signed("!=", fresh, integer(0))
    whole = builder.and_(columns, integer(-item.lanes))
    mask = lane_mask(builder, builder.sub(columns, whole), item.lanes)

    def add(offset: Any, mask: Any) -> None:
        """One vector of columns; there is at least one line."""
        place, start = moved(builder, to, offset), moved(builder, source, offset)
        held = builder.select(from_zero, memory.zeros, memory.load(place, mask))
        entry, again, done = builder.block, builder.append_basic_block("again"), builder.append_basic_block("done")
        builder.branch(again)
        builder.position_at_end(again)
        left, here, total = builder.phi(WORD), builder.phi(POINTER), builder.phi(item.vector)
        new = builder.fadd(total, memory.load(here, mask))
        fewer = builder.sub(left, integer(1))
        for phi, first, following in (
            (left, lines, fewer), (here, start, moved(builder, here, line)), (total, held, new),
        ):  # fmt: skip
            phi.add_incoming(first, entry)
            phi.add_incoming(following, again)
        builder.cbranch(builder.icmp_signed(">", fewer, integer(0)), again, done)
        builder.position_at_end(done)
        memory.store(new, place, mask)

    with loop(builder, integer(0), builder.mul(whole, integer(item.size)), width) as j:
        add(j, None)
    with builder.if_then(builder.icmp_signed("!=", whole, columns)):
        add(builder.mul(whole, integer(item.size)), mask)
    builder.ret_void()
