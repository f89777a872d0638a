"""Matrix products: out (m, n) = A (m, k) @ B (k, n) + bias, any strides, in tiles through shared memory.

A block of threads makes one TILE x TILE tile of `out`, each thread EACH x EACH numbers of it, SIDE apart. STEPS columns of A
and rows of B at a time are read into shared memory, along whichever of their dimensions is contiguous, so that no operand
is copied to transpose it.

Every number of `out` is the sum over panels of (one fused chain in k order, from zero), then + bias, then out + it: the
CPU's order, with its panels, and so the CPU's bits. Nothing depends on TILE or STEPS.
"""

from __future__ import annotations

from ..cpu.matmul.blocks import PANEL
from ..math import fma, lit
from ._target import at, cuda, helper, memory_of, pointer, simulated, smaller
from .declare import kernel, launch, row

# 256 threads with 4 x 4 numbers each: 8 reads of shared memory for 16 multiply-adds; the tiles take 8 KB (16 KB in float64).
SIDE, EACH, STEPS = (4, 2, 4) if simulated else (16, 4, 16)
TILE = SIDE * EACH
THREADS = SIDE * SIDE
PITCH = TILE + 1  # from row to row of a tile in shared memory: one more, so that writing down a column meets every bank
ROOM = STEPS * PITCH


@helper
def fetch(tile, p, by_step, by_line, steps, lines, nothing, after):
    """tile[q * PITCH + i] = p[q * by_step + i * by_line] inside (steps, lines), `after` for i = lines, else `nothing`."""
    e = cuda.threadIdx.x
    while e < STEPS * TILE:
        q, i = e // TILE, e % TILE
        if by_step == 1:
            q, i = e % STEPS, e // STEPS
        value = nothing
        if q < steps:
            if i < lines:
                value = p[q * by_step + i * by_line]
            elif i == lines:
                value = after
        tile[q * PITCH + i] = value
        e += THREADS


@kernel(
    "F* out, int out_row, int out_col, int out_batch, F* a, int a_row, int a_col, int a_batch, F* b, int b_row, int b_col, "
    "int b_batch, int m, int n, int k, int panel, int accumulate, int bias, int sums, type F",
    per="block", threads=THREADS, blocks=2**31 - 1,
)  # fmt: skip
def product(
    out, out_row, out_col, out_batch, a, a_row, a_col, a_batch, b, b_row, b_col, b_batch, m, n, k, panel, accumulate, bias,
    sums, F, lo, hi, step,
):  # fmt: skip
    """Tasks are tiles, batch after batch, down the columns first. With `sums`, B has one more column, of ones."""
    tile_a = memory_of(cuda.shared.array(ROOM, F))
    tile_b = memory_of(cuda.shared.array(ROOM, F))
    part = cuda.local.array((EACH, EACH), F)
    total = cuda.local.array((EACH, EACH), F)
    x, y = cuda.threadIdx.x % SIDE, cuda.threadIdx.x // SIDE
    zero, minus = lit(0.0, a), lit(-0.0, a)
    ones = lit(1.0, a) if sums != 0 else zero
    columns = n + 1 if sums != 0 else n
    down, across = (m + TILE - 1) // TILE, (columns + TILE - 1) // TILE
    for task in range(lo, hi, step):
        batch, tile = task // (down * across), task % (down * across)
        i0, j0 = tile % down * TILE, tile // down * TILE
        for i in range(EACH):
            for j in range(EACH):
                total[i, j] = zero
        for start in range(0, k, panel):
            stop = smaller(start + panel, k)
            for i in range(EACH):
                for j in range(EACH):
                    part[i, j] = zero
            for s in range(start, stop, STEPS):
                at_a, at_b = a_batch * batch + i0 * a_row + s * a_col, b_batch * batch + j0 * b_col + s * b_row
                # Steps behind the last one multiply -0 with 0, which changes no sum, not even -0.
                fetch(tile_a, at(a, at_a), a_col, a_row, stop - s, m - i0, minus, minus)
                fetch(tile_b, at(b, at_b), b_row, b_col, stop - s, n - j0, zero, ones)
                cuda.syncthreads()
                q = 0
                while q < ROOM:  # numba's range loop would keep NVVM from unrolling this one
                    for i in range(EACH):
                        for j in range(EACH):
                            part[i, j] = fma(tile_a[q + y + i * SIDE], tile_b[q + x + j * SIDE], part[i, j])
                    q += PITCH
                cuda.syncthreads()
            for i in range(EACH):
                for j in range(EACH):
                    total[i, j] = part[i, j] if start == 0 else total[i, j] + part[i, j]
        for i in range(EACH):
            for j in range(EACH):
                r, c, value = i0 + y + i * SIDE, j0 + x + j * SIDE, total[i, j]
                if r < m and c < n:
                    if bias != 0:
                        value += pointer(bias, F)[c]
                    place = batch * out_batch + r * out_row + c * out_col
                    out[place] = out[place] + value if accumulate else value
                elif r < m and c < columns:
                    extra = pointer(sums, F)
                    extra[r] = extra[r] + value if accumulate else value


def gemm(
    dtype: str, m: int, n: int, k: int,
    out: int, out_row: int, out_col: int,
    a: int, a_row: int, a_col: int,
    b: int, b_row: int, b_col: int,
    *, accumulate: int = 0, bias: int = 0, sums: int = 0,
    batch: int = 1, out_batch: int = 0, a_batch: int = 0, b_batch: int = 0,
) -> None:  # fmt: skip
    """out (m, n) = A (m, k) @ B (k, n) + bias on device memory: `gemm` of `kernels/cpu/matmul/plan.py` without epilogues.

    accumulate  1: out += the finished product (and sums += the row sums); 0: what `out` holds is never read
    bias        address of n contiguous elements, added after the product
    sums        address of m contiguous elements, which get the row sums of A (the bias gradient, with A = dY.T)
    batch       that many products, `*_batch` elements apart (0: the same matrix in each); `sums` needs batch 1
    """
    panels = max(1, -(-k // PANEL[dtype]))
    panel = max(1, (-(-k // panels) + 7) // 8 * 8)
    columns = n + 1 if sums else n
    total = batch * -(-m // TILE) * -(-columns // TILE)
    if total:
        launch(
            row("matmul.product", dtype), total, 1, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch,
            b, b_row, b_col, b_batch, m, n, k, panel, accumulate, bias, sums,
        )  # fmt: skip
