"""Rounding float32 operands to bfloat16 pairs, in the order in which the micro-kernel reads them.

    pairs_across(to, topanel, tostep, source, line, steps, panels, columns)
        a line for each step of k, cut into panels of so many columns, one after the other: two lines are interleaved
    pairs_along(to, toline, source, line, lines, steps)
        lines along k stay lines
    pairs_turned(to, tostep, source, line, lines, steps)
        lines along k (up to a vector of them) become columns: squares of pairs are turned in registers
    pairs_gathered(to, toline, tostep, source, line, step, lines, steps)
        elements at any strides
    scatter_lines, add_lines (of `pack.py`)

All strides are in bytes. The pair of an odd last step has a zero for its other half. The two that turn or keep lines write
whole vectors: up to a vector of pairs beyond the last step (zeros), and what is beyond the last line is never used.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .bfloat import rearranged, rounded
from .pack import add_lines, scatter_lines, transposed
from .vector import POINTER, Item, VectorMemory, function, integer, lane_mask, loop, moved

__all__ = ["NAMES", "add_lines", "pairs_across", "pairs_along", "pairs_gathered", "pairs_turned", "scatter_lines"]

# What `pack.py` has too stands at the same place.
NAMES = ("pairs_across", "pairs_turned", "pairs_gathered", "scatter_lines", "add_lines", "pairs_along")


def _swapped(item: Item) -> list[int]:
    """Neighbours exchanged: the first of a pair comes to its upper half."""
    return [k ^ 1 for k in range(2 * item.lanes)]


def pairs_across(module: ir.Module, item: Item, name: str) -> None:
    builder, (to, topanel, tostep, source, line, steps, panels, columns) = function(module, name, 8)
    memory, width = VectorMemory(builder, item), item.lanes * item.size
    to, source = builder.inttoptr(to, POINTER), builder.inttoptr(source, POINTER)
    whole = builder.and_(columns, integer(-item.lanes))
    mask = lane_mask(builder, builder.sub(columns, whole), item.lanes)
    some = builder.icmp_signed("!=", whole, columns)
    bytes_, panel = builder.mul(whole, integer(item.size)), builder.mul(columns, integer(item.size))
    order = [k // 2 + (0 if k % 2 else item.lanes) for k in range(2 * item.lanes)]

    def lines(first: Any, second: Any, there: Any) -> None:
        """Interleaves two lines; `second` is None for a line of zeros."""

        def vector(here: Any, offset: Any, lanes: Any) -> Any:
            return memory.zeros if here is None else memory.load(moved(builder, here, offset), lanes)

        with loop(builder, integer(0), panels) as p:
            offset, place = builder.mul(p, panel), moved(builder, there, builder.mul(p, topanel))

            def pairs(j: Any, lanes: Any) -> None:
                at = builder.add(offset, j)
                words = rounded(builder, item, vector(first, at, lanes), vector(second, at, lanes))
                memory.store(rearranged(builder, item, words, order), moved(builder, place, j), lanes)

            with loop(builder, integer(0), bytes_, width) as j:
                pairs(j, None)
            with builder.if_then(some):
                pairs(bytes_, mask)

    with loop(builder, integer(0), builder.and_(steps, integer(-2)), 2) as t:
        first = moved(builder, source, builder.mul(t, line))
        lines(first, moved(builder, first, line), moved(builder, to, builder.mul(builder.ashr(t, integer(1)), tostep)))
    with builder.if_then(builder.trunc(steps, ir.IntType(1))):
        t = builder.sub(steps, integer(1))
        there = moved(builder, to, builder.mul(builder.ashr(t, integer(1)), tostep))
        lines(moved(builder, source, builder.mul(t, line)), None, there)
    builder.ret_void()


class _Runs:
    """Steps of k that lie side by side, taken two vectors at a time; the last ones by masks."""

    def __init__(self, builder: ir.IRBuilder, item: Item, steps: Any) -> None:
        self.builder, self.item, self.memory = builder, item, VectorMemory(builder, item)
        self.whole = builder.and_(steps, integer(-2 * item.lanes))
        rest = builder.sub(steps, self.whole)
        self.some = builder.icmp_signed("!=", rest, integer(0))
        self.masks = [lane_mask(builder, builder.sub(rest, integer(k * item.lanes)), item.lanes) for k in (0, 1)]

    def pairs(self, here: Any, masks: Any) -> Any:
        """A vector of pairs from two vectors of steps."""
        second = moved(self.builder, here, self.item.lanes * self.item.size)
        vectors = [self.memory.load(place, mask) for place, mask in zip((here, second), masks, strict=True)]
        return rearranged(self.builder, self.item, rounded(self.builder, self.item, *vectors), _swapped(self.item))

    def each(self, body: Any) -> None:
        """body(t, masks) for every run."""
        with loop(self.builder, integer(0), self.whole, 2 * self.item.lanes) as t:
            body(t, (None, None))
        with self.builder.if_then(self.some):
            body(self.whole, self.masks)


def pairs_along(module: ir.Module, item: Item, name: str) -> None:
    builder, (to, toline, source, line, lines, steps) = function(module, name, 6)
    to, source = builder.inttoptr(to, POINTER), builder.inttoptr(source, POINTER)
    runs = _Runs(builder, item, steps)
    with loop(builder, integer(0), lines) as i:
        there, here = moved(builder, to, builder.mul(i, toline)), moved(builder, source, builder.mul(i, line))

        def run(t: Any, masks: Any) -> None:
            value = runs.pairs(moved(builder, here, builder.mul(t, integer(item.size))), masks)
            runs.memory.store(value, moved(builder, there, builder.mul(t, integer(item.size // 2))))

        runs.each(run)
    builder.ret_void()


def pairs_turned(module: ir.Module, item: Item, name: str) -> None:
    builder, (to, tostep, source, line, lines, steps) = function(module, name, 6)
    to, source = builder.inttoptr(to, POINTER), builder.inttoptr(source, POINTER)
    runs = _Runs(builder, item, steps)
    offsets = []  # of the lines; those beyond `lines` are the first again, so that nothing outside is read
    for i in range(item.lanes):
        inside = builder.icmp_signed("<", integer(i), lines)
        offsets.append(builder.select(inside, builder.mul(line, integer(i)), integer(0)))

    def run(t: Any, masks: Any) -> None:
        here = moved(builder, source, builder.mul(t, integer(item.size)))
        there = moved(builder, to, builder.mul(builder.ashr(t, integer(1)), tostep))
        for vector in transposed(builder, [runs.pairs(moved(builder, here, offset), masks) for offset in offsets]):
            runs.memory.store(vector, there)
            there = moved(builder, there, tostep)

    runs.each(run)
    builder.ret_void()


def pairs_gathered(module: ir.Module, item: Item, name: str) -> None:
    builder, (to, toline, tostep, source, line, step, lines, steps) = function(module, name, 8)
    memory, index = VectorMemory(builder, item), ir.IntType(32)
    to, source = builder.inttoptr(to, POINTER), builder.inttoptr(source, POINTER)
    last = builder.sub(steps, integer(1))
    with loop(builder, integer(0), lines) as i:
        there, here = moved(builder, to, builder.mul(i, toline)), moved(builder, source, builder.mul(i, line))
        with loop(builder, integer(0), steps, 2) as t:
            place = moved(builder, here, builder.mul(t, step))
            alone = builder.icmp_signed("==", t, last)
            first = builder.load(place, align=item.size, typ=item.type)
            # Alone, the last step stands for its neighbour too, so that nothing outside is read.
            offset = builder.select(alone, integer(0), step)
            second = builder.load(moved(builder, place, offset), align=item.size, typ=item.type)
            second = builder.select(alone, ir.Constant(item.type, 0.0), second)
            both = builder.insert_element(memory.zeros, second, ir.Constant(index, 0))
            both = builder.insert_element(both, first, ir.Constant(index, 1))
            words = builder.bitcast(rounded(builder, item, both, memory.zeros), ir.VectorType(index, item.lanes))
            pair = builder.extract_element(words, ir.Constant(index, 0))
            builder.store(pair, moved(builder, there, builder.mul(builder.ashr(t, integer(1)), tostep)), align=item.size)
    builder.ret_void()
