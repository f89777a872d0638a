"""The product kernel for the interpreter (`NUMBA_DISABLE_JIT=1`): the same arguments, computed by NumPy."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np


def view(F: Any, address: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """An array over raw memory; strides in elements, of any sign."""
    size = np.dtype(F).itemsize
    low = sum(min(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True)) if 0 not in shape else 0
    high = sum(max(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True)) + 1 if 0 not in shape else 0
    memory = (ctypes.c_char * ((high - low) * size)).from_address(address + low * size)
    whole = np.frombuffer(memory, F)
    return np.lib.stride_tricks.as_strided(whole[-low:] if high else whole, shape, [s * size for s in strides])


def gemm(
    table, m, n, k, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch, b, b_row, b_col, b_batch, accumulate,
    bias, bias_rows, epilogue, aux, before, slot0, slot1, scratch, block_m, block_n, lo, hi,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """The tasks [lo, hi); see `product.gemm`."""
    down, across = -(-m // block_m), -(-n // block_n)
    size = table[0]
    F = np.float32 if size == 4 else np.float64
    for t in range(lo, hi):
        batch, within = divmod(t, down * across)
        j, i = divmod(within, down)
        m0, n0 = i * block_m, j * block_n
        rows, columns = min(m, m0 + block_m) - m0, min(n, n0 + block_n) - n0
        x = view(F, a + (batch * a_batch + m0 * a_row) * size, (rows, k), (a_row, a_col))
        y = view(F, b + (batch * b_batch + n0 * b_col) * size, (k, columns), (b_row, b_col))
        offset = (batch * out_batch + m0 * out_row + n0 * out_col) * size
        target = view(F, out + offset, (rows, columns), (out_row, out_col))
        result = x @ y
        if bias:
            start = bias + (m0 if bias_rows else n0) * size
            result += view(F, start, (rows, 1), (1, 1)) if bias_rows else view(F, start, (columns,), (1,))
        target[...] = target + result if accumulate else result
        if epilogue:
            raise NotImplementedError("epilogues are compiled only; run the elementwise kernel after the product")
