"""The driver of a product: out = A B + bias, or out += A B + bias, then the epilogue; cut into blocks that are tasks.

A task's block is computed panel after panel of k. Of each panel, B's columns are packed into micro-panels
(unless they lie right and are few), then strips of A's rows, each as many as a register tile has, meet every
micro-panel. A needs no packing, as the tile reads single elements of it, at any strides.

Every element is  sum over panels of (one fused chain in k order, from zero),  then + bias,
then out + it where it accumulates, then the epilogue. That depends on k alone: not on m, n, strides, blocks, or threads.
"""

from __future__ import annotations

from numba import int64

from ...jit import helper, kernel, pointer
from ..update import PARAMETER, STATE, WIDTH
from .blocks import PANEL, blocks
from .library import LANES, MASKS, PACK, ROWS, SIZE, STEPS, TILES, VECTORS, WIDEST
from .micro import ADD_OUT, ADD_PART, BIAS_COLUMNS, BIAS_ROWS
from .micro import RELU as TILE_RELU
from .micro import RELU_BACKWARD as TILE_RELU_BACKWARD
from .plain import ARGUMENTS, FIRST, RELU, RELU_BACKWARD, RESULT, UPDATE
from .slots import call, fetch, give, memory, stack_words, take

COPY, TRANSPOSE, GATHER, SCATTER, ADD_LINES = PACK, PACK + 1, PACK + 2, PACK + 3, PACK + 4
# Where things stand in a slot of scratch (bytes); sums that must not go to `out` yet come last.
STRIP_AT = max(PANEL.values()) * blocks().columns + 8192
PART_AT = STRIP_AT + 65536
PART_BYTES = 262144
SUMS_AT = PART_AT + PART_BYTES
# How many steps of k ahead A is fetched, where its steps lie far apart.
AHEAD = 32
# Rows of A that lie a multiple of this many bytes apart share few sets of a cache. Their strips are copied to rows
# that are PAD bytes more apart than they are long; or, where a single tile reads them, are no higher than a
# first-level cache has ways.
COPY_AT_STRIDE = 1024
PAD = 64
UNCROWDED_ROWS = 10
# B is read where it lies, if its columns are contiguous, for at most this many rows.
DIRECT_ROWS = 56
# So few rows crowd nothing.
FEW_ROWS = 4


@helper
def pack_columns(table, to, b, row, col, steps, columns):
    """Packs `columns` of B, `steps` deep, into micro-panels. row, col: strides in bytes."""
    size, lanes = table[SIZE], table[LANES]
    width = table[VECTORS] * lanes
    done = 0
    if col == size:
        done = columns // width * width
        call(table[COPY], (to, steps * width * size, width * size, b, row, steps, columns // width, width))
    for j in range(done, columns, width):
        left = min(width, columns - j)
        step = (lanes if left <= lanes else width) * size
        panel, source = to + j * steps * size, b + j * col
        if col == size:
            call(table[COPY], (panel, 0, step, source, row, steps, 1, left))
        elif row == size and steps >= lanes:
            for g in range(0, left, lanes):
                call(table[TRANSPOSE], (panel + g * size, step, source + g * col, col, steps, left - g))
        else:
            call(table[GATHER], (panel, step, source, row, col, steps, left))


@helper
def finish_strip(epilogue, out, row, col, size, aux, aux_row, aux_col, aux_is, slot0, slot1, slot2, rows, columns):
    """Runs an elementwise kernel's row over a finished strip, while it is in the first-level cache.

    It is the very row that the operation alone would run, so fused and unfused bits are the same.
    """
    words = stack_words(16)
    args, layout = pointer(words, int64), pointer(words + 64, int64)
    inputs = 1 if aux == 0 or aux_is == RESULT else 2
    together = col == size and (rows == 1 or row == columns * size)
    if together and (aux == 0 or (aux_col == size and aux_row == row)):
        columns, rows = rows * columns, 1  # the strip is one run of memory
    for _i in range(rows):
        args[0], args[1], args[2], args[3], args[4] = columns, 0, out, out, aux
        if aux != 0 and aux_is in (FIRST, RELU_BACKWARD):
            args[3], args[4] = aux, out
        if aux != 0 and aux_is == RESULT:
            args[2] = aux
        if col != size or (aux != 0 and aux_col != size):  # a layout of one dimension: its size, and all the strides
            args[1], layout[0], layout[1] = words + 64, 1, columns
            for k in range(3):
                layout[2 + k] = (aux_col if args[2 + k] == aux else col) // size
        args[3 + inputs], args[4 + inputs], args[5 + inputs] = slot0, slot1, slot2
        call(epilogue, (words, 0, columns))
        out += row
        aux += aux_row if aux != 0 else 0


@helper
def update_strip(update, table, number, out, row, size, gradient, rows, columns):
    """Runs an optimizer's row over the elements `out` of a parameter, given a strip of its gradient: the very row that
    updates whole parameters, with these elements as its chunk."""
    words = stack_words(8)
    args, own = pointer(words, int64), pointer(table + 8 * WIDTH * number, int64)
    first = (out - own[PARAMETER]) // size
    if row == columns * size:  # the strip is one run of memory
        columns, rows = rows * columns, 1
    for _i in range(rows):
        # The gradients' addresses: this one, where that of the whole parameter would be. Then the chunk.
        args[0], args[1], args[2] = table, words + 24 - 8 * number, words + 32
        args[3], args[4], args[5], args[6] = gradient - first * size, number, first, first + columns
        call(update, (words, 0, 1))
        first += row // size
        gradient += columns * size


@helper
def fetch_updated(table, number, out, row, rows, width):
    """Calls for what `update_strip` will read, while the gradient is computed: `width` bytes of each row of the parameter
    and its state. A word of state may be the address of a number, or 0: that does no harm."""
    own = pointer(table + 8 * WIDTH * number, int64)
    out -= own[PARAMETER]
    for k in range(4):
        start = own[PARAMETER] if k == 0 else own[STATE + k - 1]
        if start != 0:
            start += out
            for _i in range(rows):
                for line in range(0, width, 64):
                    fetch(start + line)
                start += row


@helper
def sum_strip(table, room, sums, first, out, row, rows, columns, total):
    """Adds the rows from number `first` of `total` on to the column sums, in the order of a product with ones: a chain
    from zero over each panel of rows, and the panels from first to last."""
    panels = max(1, -(-total // table[STEPS]))
    panel = (-(-total // panels) + 7) // 8 * 8
    chain = room + SUMS_AT
    while rows > 0:
        within = first % panel
        now = min(rows, panel - within)
        call(table[ADD_LINES], (chain, out, row, now, columns, 1 if within == 0 else 0))
        first += now
        rows -= now
        out += now * row
        if first % panel == 0 or first == total:
            call(table[ADD_LINES], (sums, chain, 0, 1, columns, 1 if first <= panel else 0))


@helper
def end_strip(
    table, room, rows, columns, out, out_row, out_col, accumulate, part, part_row, epilogue, aux, aux_is,
    slot0, slot1, slot2, out_sums, first, total,
):  # fmt: skip
    """What follows a strip's product: to `out` from `part`, where its columns are apart; epilogue; column sums."""
    size = table[SIZE]
    if out_col != size:
        if epilogue != 0 and accumulate == 0 and (aux == 0 or aux_is != RESULT):
            finish_strip(
                epilogue, part, part_row, size, size, aux, out_row, out_col, aux_is, slot0, slot1, slot2, rows, columns
            )  # fmt: skip
            epilogue = 0
        call(table[SCATTER], (out, out_row, out_col, part, part_row, rows, columns, accumulate))
    if aux_is == UPDATE:
        update_strip(epilogue, slot0, slot1, out, out_row, size, part, rows, columns)
    elif epilogue != 0:
        finish_strip(
            epilogue, out, out_row, out_col, size, aux, out_row, out_col, aux_is, slot0, slot1, slot2, rows, columns
        )  # fmt: skip
    if out_sums != 0:
        sum_strip(table, room, out_sums, first, out, out_row, rows, columns, total)


@helper
def block(
    table, room, rows, columns, k, out, out_row, out_col, accumulate, a, a_row, a_col, b, b_row, b_col, bias,
    bias_rows, epilogue, aux, aux_is, slot0, slot1, slot2, out_sums, first, total,
):  # fmt: skip
    """One block of `out`; all strides in bytes. `room` is a slot's memory. Its rows are those from number `first` on of
    `total`, which the column sums need to know."""
    size, lanes, most = table[SIZE], table[LANES], table[STEPS]
    width = table[VECTORS] * lanes
    panels = max(1, -(-k // most))
    panel = (-(-k // panels) + 7) // 8 * 8
    direct = b_col == size and rows <= DIRECT_ROWS and (table[MASKS] != 0 or columns % lanes == 0)
    apart = out_col != size or (accumulate != 0 and panels > 1)
    crowded = a_col == size and a_row % COPY_AT_STRIDE == 0 and a_row != 0 and rows > FEW_ROWS
    turned = rows == 1 and b_row == size and b_col != size and k >= lanes
    part, part_row = (room + PART_AT, columns * size) if apart or turned else (out, out_row)
    wide_tiles = TILES + table[ROWS] * table[VECTORS]
    if turned:  # the sums are made at once; what the loop below has left to do is to add the rest
        turn = wide_tiles + (2 if table[WIDEST] == 8 else 3)
        call(table[turn], (part, a, a_col, b, b_col, k, panel, columns))
        direct, panels, k = True, 1, 0
    copied = crowded and columns > width
    # A tile that has all of k, and no sums to add, ends in relu by itself.
    ends, beside = 0, part
    if aux_is == RELU and out_col == size:
        ends, epilogue = TILE_RELU, 0
    elif aux_is == RELU_BACKWARD and panels == 1 and part == out:
        ends, epilogue, beside = TILE_RELU_BACKWARD, 0, aux
    strips = -(-rows // (min(UNCROWDED_ROWS, table[ROWS]) if crowded and not copied else table[ROWS]))
    for p in range(panels):
        steps = min(panel, k - p * panel)
        if not direct:
            pack_columns(table, room, b, b_row, b_col, steps, columns)
        last = p == panels - 1
        mode = ADD_PART if p > 0 or turned else 0
        target, target_row, target_step = part, part_row, part_row
        if last:
            mode |= ends
            if bias != 0:
                mode |= BIAS_ROWS if bias_rows != 0 else BIAS_COLUMNS
            if out_col == size:
                target, target_row, target_step = out, out_row, out_row
                if accumulate != 0:
                    mode |= ADD_OUT
            if aux_is == UPDATE:
                target, target_row, target_step = room + PART_AT, columns * size, 0
        i = 0
        for s in range(strips):
            high = -(-(rows - i) // (strips - s))
            a_at, a_down = a + i * a_row, a_row
            if copied:
                a_at, a_down = room + STRIP_AT, steps * size + PAD
                call(table[COPY], (a_at, 0, a_down, a + i * a_row, a_row, high, 1, steps))
            from_at, to, bias_at = beside + i * part_row, target + i * target_step, bias
            if bias_rows != 0:
                bias_at += i * size
            tile_b, b_step = room, width * size
            if direct:
                tile_b, b_step = b, b_row
            # While this strip is multiplied, the next one is fetched: two of its rows beside each tile; or,
            # where steps of k are far apart, this one, some steps ahead.
            ahead, second = a + (i + high) * a_row, a_row
            if a_col != size:
                ahead, second = a_at + AHEAD * a_col, 64
            j = 0
            while j < columns:
                left = min(width, columns - j)
                taken, tile = width, TILES - 1 + high + (table[ROWS] * (table[VECTORS] - 1) if left > lanes else 0)
                if left <= lanes and not direct:
                    b_step = lanes * size
                if direct and high == 1 and columns - j >= 4 * lanes:
                    vectors = table[WIDEST]
                    while columns - j < vectors * lanes:
                        vectors //= 2
                    left = taken = vectors * lanes
                    tile = wide_tiles + vectors // 8
                if aux_is == UPDATE:
                    fetch_updated(slot0, slot1, out + i * out_row + j * size, out_row, high, min(left, taken) * size)
                call(table[tile], (a_at, a_down, a_col, tile_b, b_step, steps, from_at, part_row, to,
                                   target_row, bias_at, left, mode, ahead, a_col, second))  # fmt: skip
                ahead, second = (ahead + 2 * a_row, a_row) if a_col == size else (a_at, 0)
                tile_b += taken * size if direct else steps * width * size
                from_at += taken * size
                to += taken * size
                if bias_rows == 0:
                    bias_at += taken * size
                j += taken
            if last:
                end_strip(
                    table, room, high, columns, out + i * out_row, out_row, out_col, accumulate,
                    target if aux_is == UPDATE else part + i * part_row, part_row, epilogue,
                    aux + i * out_row if aux != 0 else 0, aux_is, slot0, slot1, slot2, out_sums, first + i, total,
                )  # fmt: skip
            i += high
        a += panel * a_col
        b += panel * b_row


@helper
def run_tasks(
    table, block, m, n, k, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch, b, b_row, b_col, b_batch,
    accumulate, bias, bias_rows, epilogue, aux, aux_is, slot0, slot1, slot2, out_sums, scratch, block_m, block_n, lo, hi,
):  # fmt: skip
    """The tasks [lo, hi) of a product; a task is a block of block_m x block_n of one product of the batch. `block` is the
    function that computes one (not the first argument: numba takes a long tuple that starts with a function for many).

    Tasks are numbered with rows fastest, so neighbours share columns of B, and run as one block, packed once.
    """
    size, most, rows = table[SIZE], table[STEPS], table[ROWS]
    out_row, out_col, a_row, a_col, b_row, b_col = (
        out_row * size, out_col * size, a_row * size, a_col * size, b_row * size, b_col * size,
    )  # fmt: skip
    down, across = -(-m // block_m), -(-n // block_n)
    apart = out_col != size or (accumulate != 0 and k > most)
    slot = take(scratch)
    room = memory(scratch, slot)
    t = lo
    while t < hi:
        batch, within = t // (down * across), t % (down * across)
        j, i = within // down, within % down
        together = min(hi - t, down - i)
        t += together
        n0, m0, end = j * block_n, i * block_m, min(m, (i + together) * block_m)
        columns = min(n, n0 + block_n) - n0
        high = max(rows, PART_BYTES // (columns * size)) if apart else end - m0
        while m0 < end:
            move = batch * out_batch * size + m0 * out_row + n0 * out_col
            block(
                table, room, min(high, end - m0), columns, k, out + move, out_row, out_col, accumulate, a +
                batch * a_batch * size + m0 * a_row, a_row, a_col, b + batch * b_batch * size + n0 * b_col,
                b_row, b_col, bias + (m0 if bias_rows != 0 else n0) * size if bias != 0 else 0, bias_rows,
                epilogue, aux + move if aux != 0 else 0, aux_is, slot0, slot1, slot2,
                out_sums + n0 * size if out_sums != 0 else 0, m0, m,
            )  # fmt: skip
            m0 += high
    give(scratch, slot)


@kernel(ARGUMENTS)
def gemm(
    table, m, n, k, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch, b, b_row, b_col, b_batch,
    accumulate, bias, bias_rows, epilogue, aux, aux_is, slot0, slot1, slot2, out_sums, scratch, block_m, block_n, lo, hi,
):  # fmt: skip
    run_tasks(
        table, block, m, n, k, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch, b, b_row, b_col, b_batch,
        accumulate, bias, bias_rows, epilogue, aux, aux_is, slot0, slot1, slot2, out_sums, scratch, block_m, block_n, lo, hi,
    )  # fmt: skip
