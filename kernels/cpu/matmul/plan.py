"""From a product's shape to its tasks, and the one call that `_launch` makes: `gemm`. Imports no compiler."""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any

from ... import jit, launcher, pool
from . import library, plain, scratch
from .blocks import blocks

SIZE = {"float32": 4, "float64": 8}
_ONE = {"float32": ctypes.c_float(1.0), "float64": ctypes.c_double(1.0)}
# A product of fewer multiply-adds is one task, as is a chunk of small ones: waking a thread costs more.
SERIAL = 1 << 19
# What it costs to cut `out`, in units of a row's or a column's multiply-adds: every block packs its columns
# of B again, and reads its rows of A again.
PACK_COST, READ_COST = 4.4, 6.0
# Up to so many columns, vectors lie down the rows of `out` instead: the product is taken as its transpose, if it is long
# enough in k to pay for turning the operands.
NARROW, LONG = 4, 64


def plan(m: int, n: int, k: int, batch: int, dtype: str, threads: int) -> tuple[int, int, int, int]:
    """(total, grain, block_m, block_n): a product's tasks, how many make a chunk, and the blocks they are.

    The number of threads may decide it, because the cut changes no bit (see `product.py`).
    """
    if m == 0 or n == 0 or batch == 0:
        return 0, 1, 1, 1
    sizes = blocks()
    tile = sizes.vectors * sizes.bytes // SIZE[dtype]
    work = m * n * max(1, k)
    least = -(-n * SIZE[dtype] // sizes.columns)  # blocks across that scratch asks for
    best = (float("inf"), 1, least)
    parts = 1 if threads == 1 or batch >= 4 * threads else min(4 * threads, 2 * work // SERIAL)
    for across in range(least, max(least, min(parts, n // tile)) + 1):
        for wanted in {1, parts // 4, parts // 2, parts}:
            down = max(1, min(-(-wanted // across), m // sizes.rows))
            share = batch * across * down / threads
            cost = (-(-share // 1) / share) * (1 + PACK_COST * down / m + READ_COST * across / n) + 0.05 / share
            best = min(best, (cost, down, across))
    _, down, across = best
    block_m, block_n = -(-m // down), min(n, -(-n // (across * tile)) * tile)
    total = batch * -(-m // block_m) * -(-n // block_n)
    grain = total if threads == 1 or work * batch < SERIAL else max(1, SERIAL // 2 * total // (work * batch))
    return total, grain, block_m, block_n


def gemm(
    dtype: str, m: int, n: int, k: int,
    out: int, out_row: int, out_col: int,
    a: int, a_row: int, a_col: int,
    b: int, b_row: int, b_col: int,
    *, accumulate: int = 0, bias: int = 0, sums: int = 0, epilogue: int = 0, aux: int = 0, before: int = 0,
    slot0: int = 0, slot1: int = 0, batch: int = 1, out_batch: int = 0, a_batch: int = 0, b_batch: int = 0,
) -> None:  # fmt: skip
    """out (m, n) = A (m, k) @ B (k, n) + bias, on raw memory.

    `out`, `a`, `b` are addresses, with strides in elements of any sign; `out` overlaps no other operand.

    accumulate  1: out += the finished product (and sums += the row sums); 0: what `out` holds is never read
    bias        address of n contiguous elements, added after the product
    sums        address of m contiguous elements: the row sums of A (the bias gradient with A = dY.T)
    epilogue    address of an elementwise kernel's row, run over the finished result: out = f(out), or with
                `aux` (an address, with out's strides) f(out, aux), or f(aux, out) where `before` is 1; `slot0`
                and `slot1` are addresses of f's scalars (float64). Not with `accumulate`; out has contiguous
                rows or columns.
    batch       that many products, `*_batch` elements apart (0: the same matrix in each); not with `sums`
    """
    if sums:  # a product with ones, whose rows of A are B's columns here
        gemm(dtype, 1, m, k, sums, m, 1, one(dtype), 0, 0, a, a_col, a_row, accumulate=accumulate)
    bias_rows = 0
    # The transposed product has the same bits: taken where it makes columns contiguous, or many.
    if _is_better_transposed(m, n, k, out_row, out_col, epilogue):
        m, n, out_row, out_col, bias_rows = n, m, out_col, out_row, 1
        a, a_row, a_col, a_batch, b, b_row, b_col, b_batch = b, b_col, b_row, b_batch, a, a_col, a_row, a_batch
    entry, row, total, grain, table, room, block_m, block_n = _ready(m, n, k, batch, dtype, pool.get_num_threads())
    entry(
        row, total, grain, table, m, n, k, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch,
        b, b_row, b_col, b_batch, accumulate, bias, bias_rows, epilogue, aux, before, slot0, slot1,
        room, block_m, block_n,
    )  # fmt: skip


def _is_better_transposed(m: int, n: int, k: int, out_row: int, out_col: int, epilogue: int) -> bool:
    return out_row == 1 != out_col or (n <= NARROW < m and k >= LONG and not epilogue)


Prepared = tuple[Any, int, tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def prepare(
    dtype: str, m: int, n: int, k: int, out: tuple[int, int], a: tuple[int, int], b: tuple[int, int]
) -> Prepared:
    """All of a plain product but its addresses, from sizes and (row, column) strides, for as long as the number of
    threads stays the same; a caller that keeps it pays half of what `gemm` costs.

    Gives (entry, transposed, head, out, a, b, tail) for `entry(*head, OUT, *out, A, *a, B, *b, accumulate, bias,
    transposed, *tail)` with the operands' addresses in capitals, A and B exchanged if `transposed`; entry is None for
    the ordinary launch.
    """
    transposed = _is_better_transposed(m, n, k, *out, 0)
    if transposed:
        m, n, out, a, b = n, m, out[::-1], b[::-1], a[::-1]
    entry, row, total, grain, table, room, block_m, block_n = _ready(m, n, k, 1, dtype, pool.get_num_threads())
    head, tail = (row, total, grain, table, m, n, k), (0, 0, 0, 0, 0, room, block_m, block_n)
    entry = None if entry is launcher.entry() else entry
    return entry, int(transposed), head, (*out, 0), (*a, 0), (*b, 0), tail


def column_sums(dtype: str, n: int, m: int, row: int, column: int) -> Prepared:
    """The prepared product that adds up the rows of an (n, m) matrix: its A is `one(dtype)`."""
    return prepare(dtype, 1, m, n, (m, 1), (0, 0), (row, column))


def one(dtype: str) -> int:
    """The address of a 1, which with strides of 0 is a matrix of ones."""
    return ctypes.addressof(_ONE[dtype])


@functools.lru_cache(maxsize=4096)
def _ready(m: int, n: int, k: int, batch: int, dtype: str, threads: int) -> tuple[Any, int, int, int, int, int, int, int]:
    """All that a call needs beside its operands, in one look-up."""
    total, grain, block_m, block_n = plan(m, n, k, batch, dtype, threads)
    # One driver serves both float types: what differs is in the table.
    row = jit.address("matmul.plain.multiply" if jit.interpreted() else "matmul.product.gemm", "float32")
    entry = plain.whole if os.environ.get("FASTGRAD_MATMUL", "own") == "blas" else launcher.entry()
    return entry, row, total, grain, library.table_address(dtype), scratch.address(), block_m, block_n
