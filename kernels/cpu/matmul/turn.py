"""A vector times a matrix that lies along k: nothing is packed, each square is turned in registers and used at once.

    vector_times_lines(to, a, step, lines, line, k, panel, columns)

to[j] = the sum over t of a[t] * line j[t], in the order of every product: a chain of fused multiply-adds from zero over
each panel of k, and the panels from first to last. A vector holds one step of `lanes` lines, as in the tiles; with the
lanes along k it would be another sum. All strides are in bytes; `to` has room for whole vectors.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .blocks import blocks
from .pack import transposed
from .vector import POINTER, WORD, Item, VectorMemory, declare, function, integer, lane_mask, loop, moved, prefetcher, splat

CHAINS = 2  # squares side by side: a chain waits four cycles for each step, turning takes two
AHEAD = 512  # bytes of a line called for ahead of their use


class _Lines:
    """Emits the sums of some vectors of lines, all of k."""

    def __init__(self, module: ir.Module, item: Item, builder: ir.IRBuilder, arguments: Any) -> None:
        self.item, self.builder = item, builder
        to, a, self.step, lines, self.line, self.k, self.panel, self.columns = arguments
        self.to, self.a, self.lines = (builder.inttoptr(word, POINTER) for word in (to, a, lines))
        self.memory, self.prefetch = VectorMemory(builder, item), prefetcher(builder)
        self.fma = declare(module, f"llvm.fma.v{item.lanes}{item.name}", item.vector, [item.vector] * 3)
        room = builder.alloca(ir.ArrayType(item.vector, item.lanes))
        self.room = builder.inttoptr(builder.ptrtoint(room, WORD), POINTER)

    def multiply_add(self, t: Any, vector: Any, chain: Any) -> Any:
        """chain + a[t] * vector"""
        builder, item = self.builder, self.item
        element = builder.load(moved(builder, self.a, builder.mul(t, self.step)), align=item.size, typ=item.type)
        down = splat(builder, element, item.vector)
        if blocks().fused:
            return builder.call(self.fma, [down, vector, chain])
        return builder.fadd(chain, builder.fmul(down, vector))

    def square(self, places: list[Any], t: Any, mask: Any) -> list[Any]:
        """Steps t, t + 1, ... of the lines at `places`, a vector each."""
        at = [moved(self.builder, place, self.builder.mul(t, integer(self.item.size))) for place in places]
        if mask is None:
            for place in at:
                self.prefetch(moved(self.builder, place, AHEAD), write=False)
        return transposed(self.builder, [self.memory.load(place, mask) for place in at])

    def emit(self, j: Any, chains: int, clamped: bool) -> None:
        """Sums of `chains` vectors of lines from line j on; where `clamped`, those beyond the last are the first again."""
        builder, item, lanes = self.builder, self.item, self.item.lanes
        groups = []
        for c in range(chains):
            first = moved(builder, self.lines, builder.mul(builder.add(j, integer(c * lanes)), self.line))
            offsets = [builder.mul(self.line, integer(i)) for i in range(lanes)]
            if clamped:
                left = builder.sub(self.columns, j)
                inside = [builder.icmp_signed("<", integer(i), left) for i in range(lanes)]
                offsets = [builder.select(ok, offset, integer(0)) for ok, offset in zip(inside, offsets, strict=True)]
            groups.append([moved(builder, first, offset) for offset in offsets])
        place = moved(builder, self.to, builder.mul(j, integer(item.size)))
        places = [moved(builder, place, c * lanes * item.size) for c in range(chains)]
        for at in places:  # -0, as the first panel's sum may be -0, and is to stay so
            self.memory.store(self.memory.minus_zeros, at)
        entry, panels, squares = builder.block, builder.append_basic_block("panels"), builder.append_basic_block("squares")
        tail, done = builder.append_basic_block("tail"), builder.append_basic_block("done")
        builder.branch(panels)
        builder.position_at_end(panels)
        start = builder.phi(WORD)
        start.add_incoming(integer(0), entry)
        end = builder.add(start, self.panel)
        end = builder.select(builder.icmp_signed("<", end, self.k), end, self.k)
        whole = builder.add(start, builder.and_(builder.sub(end, start), integer(-lanes)))
        builder.cbranch(builder.icmp_signed("<", start, whole), squares, tail)

        builder.position_at_end(squares)
        t, sums = builder.phi(WORD), [builder.phi(item.vector) for _ in groups]
        new: list[Any] = []
        for group, chain in zip(groups, sums, strict=True):
            for i, vector in enumerate(self.square(group, t, None)):
                chain = self.multiply_add(builder.add(t, integer(i)), vector, chain)
            new.append(chain)
        following = builder.add(t, integer(lanes))
        for phi, first, later in ((t, start, following), *zip(sums, [self.memory.zeros] * chains, new, strict=True)):
            phi.add_incoming(first, panels)
            phi.add_incoming(later, squares)
        builder.cbranch(builder.icmp_signed("<", following, whole), squares, tail)

        builder.position_at_end(tail)
        reached = [builder.phi(item.vector) for _ in groups]
        for phi, later in zip(reached, new, strict=True):
            phi.add_incoming(self.memory.zeros, panels)
            phi.add_incoming(later, squares)
        mask = lane_mask(builder, builder.sub(end, whole), lanes)
        for group, chain, at in zip(groups, reached, places, strict=True):
            rest = self.rest(group, chain, whole, end, mask)
            self.memory.store(builder.fadd(self.memory.load(at), rest), at)
        start.add_incoming(end, builder.block)
        builder.cbranch(builder.icmp_signed("<", end, self.k), panels, done)
        builder.position_at_end(done)

    def rest(self, group: list[Any], chain: Any, whole: Any, end: Any, mask: Any) -> Any:
        """The chain over the last steps of a panel, fewer than a vector has."""
        builder, item = self.builder, self.item
        before, turn = builder.block, builder.append_basic_block("turn")
        again, after = builder.append_basic_block("again"), builder.append_basic_block("after")
        builder.cbranch(builder.icmp_signed("<", whole, end), turn, after)
        builder.position_at_end(turn)
        for i, vector in enumerate(self.square(group, whole, mask)):
            builder.store(vector, moved(builder, self.room, i * item.lanes * item.size))
        builder.branch(again)
        builder.position_at_end(again)
        t, held = builder.phi(WORD), builder.phi(item.vector)
        offset = builder.mul(builder.sub(t, whole), integer(item.lanes * item.size))
        new = self.multiply_add(t, self.memory.load(moved(builder, self.room, offset)), held)
        following = builder.add(t, integer(1))
        for phi, first, later in ((t, whole, following), (held, chain, new)):
            phi.add_incoming(first, turn)
            phi.add_incoming(later, again)
        builder.cbranch(builder.icmp_signed("<", following, end), again, after)
        builder.position_at_end(after)
        result = builder.phi(item.vector)
        result.add_incoming(chain, before)
        result.add_incoming(new, again)
        return result


def vector_times_lines(module: ir.Module, item: Item, name: str) -> None:
    builder, arguments = function(module, name, 8)
    lines = _Lines(module, item, builder, arguments)
    wide = CHAINS * item.lanes
    together = builder.mul(builder.sdiv(lines.columns, integer(wide)), integer(wide))
    # Lines a multiple of a page apart share one set of the first-level cache: the fewer at a time, the better.
    crowded = builder.icmp_signed("==", builder.and_(lines.line, integer(4095)), integer(0))
    together = builder.select(crowded, integer(0), together)
    with loop(builder, integer(0), together, wide) as j:
        lines.emit(j, CHAINS, clamped=False)
    with loop(builder, together, lines.columns, item.lanes) as j:
        lines.emit(j, 1, clamped=True)
    builder.ret_void()
