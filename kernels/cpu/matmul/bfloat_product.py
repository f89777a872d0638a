"""The driver of a product of bfloat16 pairs: `product.py`'s, with both operands rounded to pairs in scratch.

Every element is a float32 sum in the same order as there, of operands rounded to bfloat16: what the float32 driver gives
for operands that are rounded already has the same bits, away from denormals (see `bfloat.py`).
"""

from __future__ import annotations

from ...jit import helper, kernel
from .bfloat_pack import NAMES
from .library import LANES, PACK, ROWS, SIZE, STEPS, VECTORS
from .micro import ADD_OUT, ADD_PART, BIAS_COLUMNS, BIAS_ROWS
from .plain import ARGUMENTS, UPDATE
from .product import PAD, PART_AT, end_strip, fetch_updated, run_tasks
from .slots import call

ACROSS, TURNED, GATHERED = PACK, PACK + 1, PACK + 2
ALONG = PACK + NAMES.index("pairs_along")
TILES = PACK + len(NAMES)
# Packed rows of A stand behind all that `product.py` has in a slot of scratch. Where neighbours in memory are rows, so many
# strips are packed together: alone, each would use a part of every cache line.
A_AT = 1 << 20
GROUP = 16


@helper
def micro_panel(steps, width, size):
    """Bytes from one packed micro-panel of B to the next; no power of two, or their lines would share a cache's sets."""
    return (steps + 1) // 2 * width * size + 2 * PAD


@helper
def pack_columns(table, to, b, row, col, steps, columns):
    """Packs `columns` of B, `steps` deep, into micro-panels of pairs. row, col: strides in bytes."""
    size, lanes = table[SIZE], table[LANES]
    width = table[VECTORS] * lanes
    far, done = micro_panel(steps, width, size), 0
    if col == size:
        done = columns // width * width
        call(table[ACROSS], (to, far, width * size, b, row, steps, columns // width, width))
    for j in range(done, columns, width):
        left = min(width, columns - j)
        step = (lanes if left <= lanes else width) * size
        panel, source = to + j // width * far, b + j * col
        if col == size:
            call(table[ACROSS], (panel, 0, step, source, row, steps, 1, left))
        elif row == size:
            for g in range(0, left, lanes):
                call(table[TURNED], (panel + g * size, step, source + g * col, col, left - g, steps))
        else:
            call(table[GATHERED], (panel, size, step, source, col, row, left, steps))


@helper
def alike_strips(rows, strips, high):
    """How many of the strips that `rows` are cut into, the first of them `high`, have that height."""
    low = rows // strips
    return strips if low == high else rows - low * strips


@helper
def block(
    table, room, rows, columns, k, out, out_row, out_col, accumulate, a, a_row, a_col, b, b_row, b_col, bias,
    bias_rows, epilogue, aux, aux_is, slot0, slot1, slot2, out_sums, first, total,
):  # fmt: skip
    """One block of `out`, as in `product.py`."""
    size, lanes, most = table[SIZE], table[LANES], table[STEPS]
    width = table[VECTORS] * lanes
    panels = max(1, -(-k // most))
    panel = (-(-k // panels) + 7) // 8 * 8
    apart = out_col != size or (accumulate != 0 and panels > 1)
    part, part_row = (room + PART_AT, columns * size) if apart else (out, out_row)
    strips = -(-rows // table[ROWS])
    for p in range(panels):
        steps = min(panel, k - p * panel)
        pairs = (steps + 1) // 2
        pack_columns(table, room, b, b_row, b_col, steps, columns)
        last = p == panels - 1
        mode = 0 if p == 0 else ADD_PART
        target, target_row, target_step = part, part_row, part_row
        if last:
            if bias != 0:
                mode |= BIAS_ROWS if bias_rows != 0 else BIAS_COLUMNS
            if out_col == size:
                target, target_row, target_step = out, out_row, out_row
                if accumulate != 0:
                    mode |= ADD_OUT
            if aux_is == UPDATE:
                target, target_row, target_step = room + PART_AT, columns * size, 0
        i, ready, first_of, behind = 0, 0, 0, 0
        for s in range(strips):
            high = -(-(rows - i) // (strips - s))
            a_at, a_from = room + A_AT, a + i * a_row
            # Lines along k stay so; where neighbours in memory are rows, a line for each pair of steps.
            a_down, a_step = pairs * size + PAD, size
            if a_col == size:
                call(table[ALONG], (a_at, a_down, a_from, a_row, high, steps))
            elif a_row == size:
                a_down, a_step = size, lanes * size
                if s == ready:
                    group = min(GROUP, max(1, alike_strips(rows - i, strips - s, high)))
                    call(table[ACROSS], (a_at, pairs * a_step + PAD, a_step, a_from, a_col, steps, group, high))
                    ready, first_of, behind = s + group, s, i + group * high
                a_at += (s - first_of) * (pairs * a_step + PAD)
            else:
                call(table[GATHERED], (a_at, a_down, size, a_from, a_row, a_col, high, steps))
            from_at, to, bias_at = part + i * part_row, target + i * target_step, bias
            if bias_rows != 0:
                bias_at += i * size
            # While this strip is multiplied, the next one is fetched, two of its rows beside each tile; or, of the next
            # strips that are packed together, one cache line of each step of k.
            ahead, fetch_step, second, fetches = a + (i + high) * a_row, 2 * a_col, a_row, (high + 1) // 2
            if a_row == size:
                ahead, second, fetches = a + behind * size + (s - first_of) * 64, a_col, 1
            for j in range(0, columns, width):
                left = min(width, columns - j)
                step, across = width * size, (table[VECTORS] - 1) * table[ROWS]
                if left <= lanes:
                    step, across = lanes * size, 0
                tile_b = room + j // width * micro_panel(steps, width, size)
                if aux_is == UPDATE:
                    fetch_updated(slot0, slot1, out + i * out_row + j * size, out_row, high, left * size)
                call(table[TILES - 1 + across + high], (a_at, a_down, a_step, tile_b, step, pairs, from_at, part_row, to,
                     target_row, bias_at, left, mode, ahead, fetch_step, second))  # fmt: skip
                ahead, fetches = ahead + 2 * a_row, fetches - 1
                if fetches == 0:
                    ahead, fetch_step, second = a_at, 0, 0
                from_at += width * size
                to += width * size
                if bias_rows == 0:
                    bias_at += width * size
            if last:
                end_strip(
                    table, room, high, columns, out + i * out_row, out_row, out_col, accumulate,
                    target if aux_is == UPDATE else part + i * part_row, part_row, epilogue,
                    aux + i * out_row if aux != 0 else 0, aux_is, slot0, slot1, slot2, out_sums, first + i, total,
                )  # fmt: skip
            i += high
        a += panel * a_col
        b += panel * b_row


@kernel(ARGUMENTS)
def gemm(
    table, m, n, k, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch, b, b_row, b_col, b_batch,
    accumulate, bias, bias_rows, epilogue, aux, aux_is, slot0, slot1, slot2, out_sums, scratch, block_m, block_n, lo, hi,
):  # fmt: skip
    run_tasks(
        table, block, m, n, k, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch, b, b_row, b_col, b_batch,
        accumulate, bias, bias_rows, epilogue, aux, aux_is, slot0, slot1, slot2, out_sums, scratch, block_m, block_n, lo, hi,
    )  # fmt: skip
