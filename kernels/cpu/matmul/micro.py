"""The micro-kernel: one register tile of a product, written in LLVM vector instructions.

    tile(a, row, step, b, bstep, k, part, prow, out, orow, bias, columns, mode, ahead, apart, second)

computes some rows by up to `vectors` vectors of columns over k steps. Of step t it reads single elements of
A, at a + i*row + t*step, and vectors of B, at b + t*bstep; all strides are in bytes, so that packed and
unpacked operands are the same to it. The rows * vectors sums stay in registers. Then, on the way out, each
optional: + part (the sum of the panels before), + bias (one value a column, or one a row), + what `out` held; 0 where
that is negative, or where `part` (then a relu's result) is not positive.

Beside each step, the cache lines at ahead + t*apart and at `second` bytes beyond it are called for: what a
later tile reads. `mode` is a sum of ADD_PART or RELU_BACKWARD, BIAS_COLUMNS, BIAS_ROWS, ADD_OUT, RELU. Columns
beyond `columns` are neither read nor written.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .blocks import blocks
from .vector import POINTER, WORD, Item, VectorMemory, declare, function, integer, lane_mask, moved, prefetcher, splat

ADD_PART, BIAS_COLUMNS, BIAS_ROWS, ADD_OUT, RELU, RELU_BACKWARD = 1, 2, 4, 8, 16, 32
FETCH_FROM = 64  # steps of k from which on the output is called for
BEYOND = 8


# Rows of A as x86 addresses them in a load: a register, plus another times 1, 2, 4 or 8. With these four and the row
# stride, 5 registers reach 14 rows; more would put something else of the loop on the stack.
_BASES, _SCALES = (0, 3, 5, 8), (0, 1, 2, 4, 8)


class _Rows:
    """Addresses of the rows of A at one step: each is a base's and a multiple of the row stride."""

    def __init__(self, builder: ir.IRBuilder, rows: int, row: Any) -> None:
        self.row = row
        self.places = [next((k, i - base) for k, base in enumerate(_BASES) if i - base in _SCALES) for i in range(rows)]
        self.bases = _BASES[: 1 + max(k for k, _ in self.places)]
        self.offsets = {1: row} | {scale: builder.shl(row, integer(scale.bit_length() - 1)) for scale in _SCALES[2:]}

    def start(self, builder: ir.IRBuilder, a: Any) -> list[Any]:
        return [moved(builder, a, builder.mul(self.row, integer(base))) for base in self.bases]

    def address(self, builder: ir.IRBuilder, bases: list[Any], i: int) -> Any:
        k, scale = self.places[i]
        return bases[k] if scale == 0 else moved(builder, bases[k], self.offsets[scale])


_ARGUMENTS = "a row step b bstep k part prow out orow bias columns mode ahead apart second".split()


def multiply_add(builder: ir.IRBuilder, item: Item, down: Any, across: Any, sums: Any) -> Any:
    """sums + down * across: fused, where the processor can."""
    if not blocks().fused:
        return builder.fadd(sums, builder.fmul(down, across))
    fused = declare(builder.module, f"llvm.fma.v{item.lanes}{item.name}", item.vector, [item.vector] * 3)
    return builder.call(fused, [down, across, sums])


def build(module: ir.Module, item: Item, rows: int, vectors: int, name: str, step: Any = multiply_add) -> None:
    """Adds the function of one tile shape to the module; `step` writes what is done to one vector of sums.

    A tile wider than `blocks().vectors` calls for its own B, BEYOND steps ahead, and for nothing else: with so few rows, it
    is B that it waits for.
    """
    wide = vectors > blocks().vectors
    vector, width = item.vector, item.lanes * item.size
    builder, arguments = function(module, name, len(_ARGUMENTS))
    given = dict(zip(_ARGUMENTS, arguments, strict=True))
    again, done = builder.append_basic_block("again"), builder.append_basic_block("done")
    memory = VectorMemory(builder, item)
    masks = [None] * (vectors - 1)
    masks.append(lane_mask(builder, builder.sub(given["columns"], integer(item.lanes * (vectors - 1))), item.lanes))
    tile_rows = _Rows(builder, rows, given["row"])
    starts = tile_rows.start(builder, builder.inttoptr(given["a"], POINTER))
    b_start = builder.inttoptr(given["b"], POINTER)
    prefetch = prefetcher(builder)
    ahead_start = builder.inttoptr(given["ahead"], POINTER)
    # What the sums will be added to, or written over, comes from far away: its rows are called for one by one, each before
    # a stretch of the steps. All at once they held up B's lines, 300 cycles a tile.
    stretch = builder.add(builder.udiv(given["k"], integer(rows)), integer(1))
    stretch = builder.select(builder.icmp_signed(">", given["k"], integer(FETCH_FROM)), stretch, given["k"])
    out = builder.inttoptr(given["out"], POINTER)
    # Of no steps the sum is 0; but where a finished sum is added to it, -0, which changes none, not even -0.
    has_part = builder.icmp_unsigned("!=", builder.and_(given["mode"], integer(ADD_PART)), integer(0))
    nothing = builder.select(has_part, memory.minus_zeros, memory.zeros)
    entry, stretches = builder.block, builder.append_basic_block("stretches")
    builder.cbranch(builder.icmp_signed(">", given["k"], integer(0)), stretches, done)

    builder.position_at_end(stretches)
    rest, line = builder.phi(WORD), builder.phi(POINTER)
    kinds = [POINTER] * (2 + len(starts)) + [vector] * (rows * vectors)
    outside = [builder.phi(kind) for kind in kinds]
    if not wide:
        for offset in range(0, vectors * width, 64):
            prefetch(moved(builder, line, offset), write=True)
    now = builder.select(builder.icmp_signed("<", rest, stretch), rest, stretch)
    builder.branch(again)

    builder.position_at_end(again)
    left = builder.phi(WORD)
    inside = [builder.phi(kind) for kind in kinds]
    b, ahead, bases = inside[0], inside[1], inside[2 : 2 + len(starts)]
    sums = [inside[2 + len(starts) + i * vectors :][:vectors] for i in range(rows)]
    # Laundered, or LLVM would keep a pointer for every row, on the stack, or walk one through all rows.
    launder = declare(module, "llvm.launder.invariant.group.p0", POINTER, [POINTER])
    here = [builder.call(launder, [base]) for base in bases]
    # Without masked loads B is given in whole vectors (packed, or of a width that has no rest).
    inner = masks if blocks().masks else [None] * vectors
    across = [memory.load(moved(builder, b, v * width), inner[v]) for v in range(vectors)]
    if wide:
        beyond = moved(builder, b, builder.mul(given["bstep"], integer(BEYOND)))
        for offset in range(0, vectors * width, 64):
            prefetch(moved(builder, beyond, offset), write=False)
    else:
        prefetch(ahead, write=False)
        prefetch(moved(builder, ahead, given["second"]), write=False)
    new: list[Any] = []
    for i in range(rows):
        element = builder.load(tile_rows.address(builder, here, i), align=item.size, typ=item.type)
        down = splat(builder, element, vector)
        new += [step(builder, item, down, across[v], sums[i][v]) for v in range(vectors)]
    next_left = builder.sub(left, integer(1))
    onward = [moved(builder, b, given["bstep"]), moved(builder, ahead, given["apart"])]
    onward += [moved(builder, base, given["step"]) for base in here]
    between = builder.append_basic_block("between")
    for phi, first, following in ((left, now, next_left), *zip(inside, outside, [*onward, *new], strict=True)):
        phi.add_incoming(first, stretches)
        phi.add_incoming(following, again)
    builder.cbranch(builder.icmp_signed(">", next_left, integer(0)), again, between)

    builder.position_at_end(between)
    next_rest = builder.sub(rest, now)
    begin = [b_start, ahead_start, *starts] + [memory.zeros] * (rows * vectors)
    steps = [
        (rest, given["k"], next_rest),
        (line, out, moved(builder, line, given["orow"])),
    ]
    for phi, first, following in (*steps, *zip(outside, begin, [*onward, *new], strict=True)):
        phi.add_incoming(first, entry)
        phi.add_incoming(following, between)
    builder.cbranch(builder.icmp_signed(">", next_rest, integer(0)), stretches, done)

    builder.position_at_end(done)
    result: list[list[Any]] = [[builder.phi(vector) for _ in range(vectors)] for _ in range(rows)]
    for i in range(rows):
        for v in range(vectors):
            result[i][v].add_incoming(nothing, entry)
            result[i][v].add_incoming(new[i * vectors + v], between)
    _finish(builder, memory, given, result, masks)


def _finish(builder: ir.IRBuilder, memory: VectorMemory, given: dict[str, Any], result: Any, masks: list[Any]) -> None:
    """What happens to the sums: + part, + bias, + out, relu, each where `mode` asks for it; then the store."""
    rows, vectors, item = len(result), len(result[0]), memory.item
    width = item.lanes * item.size

    def matrix(base: str, row: str) -> list[list[Any]]:
        """Pointers to the tile's vectors in a matrix."""
        line, places = builder.inttoptr(given[base], POINTER), []
        for _ in range(rows):
            places.append([moved(builder, line, v * width) for v in range(vectors)])
            line = moved(builder, line, given[row])
        return places

    def held(base: str, row: str) -> list[list[Any]]:
        return [[memory.load(place, mask) for place, mask in zip(line, masks)] for line in matrix(base, row)]

    def bias_across() -> list[list[Any]]:
        start = builder.inttoptr(given["bias"], POINTER)
        return [[memory.load(moved(builder, start, v * width), masks[v]) for v in range(vectors)]] * rows

    def bias_down() -> list[list[Any]]:
        start = builder.inttoptr(given["bias"], POINTER)
        elements = [builder.load(moved(builder, start, i * item.size), align=item.size, typ=item.type) for i in range(rows)]
        return [[splat(builder, element, item.vector)] * vectors for element in elements]

    def plus(term: Any) -> Any:
        def added() -> Any:
            more = term()
            return [[builder.fadd(more[i][v], result[i][v]) for v in range(vectors)] for i in range(rows)]

        return added

    def zero_where(relation: str, signs: Any) -> Any:
        """0 in place of a sum whose sign is so. A NaN has none: `math/activations.py` has the formulas."""

        def chosen() -> Any:
            known, zeros = signs(), memory.zeros
            zero = [[builder.fcmp_ordered(relation, known[i][v], zeros) for v in range(vectors)] for i in range(rows)]
            return [[builder.select(zero[i][v], zeros, result[i][v]) for v in range(vectors)] for i in range(rows)]

        return chosen

    ends = (
        (ADD_PART, plus(lambda: held("part", "prow"))),
        (BIAS_COLUMNS, plus(bias_across)),
        (BIAS_ROWS, plus(bias_down)),
        (ADD_OUT, plus(lambda: held("out", "orow"))),
        (RELU, zero_where("<", lambda: result)),
        (RELU_BACKWARD, zero_where("<=", lambda: held("part", "prow"))),
    )
    for flag, end in ends:
        before = builder.block
        there, after = builder.append_basic_block("there"), builder.append_basic_block("after")
        wanted = builder.and_(given["mode"], integer(flag))
        builder.cbranch(builder.icmp_unsigned("!=", wanted, integer(0)), there, after)
        builder.position_at_end(there)
        changed = end()
        builder.branch(after)
        builder.position_at_end(after)
        merged = [[builder.phi(item.vector) for _ in range(vectors)] for _ in range(rows)]
        for i in range(rows):
            for v in range(vectors):
                merged[i][v].add_incoming(result[i][v], before)
                merged[i][v].add_incoming(changed[i][v], there)
        result = merged
    for i, line in enumerate(matrix("out", "orow")):
        for v, place in enumerate(line):
            memory.store(result[i][v], place, masks[v])
    builder.ret_void()
