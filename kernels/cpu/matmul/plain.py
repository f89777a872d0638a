"""The product by NumPy on the driver's own arguments: for the interpreter, and as a second engine, its BLAS.

`FASTGRAD_MATMUL=blas` chooses it, for processors where `benchmarks/matmul` shows that it wins; it is read once, before the
first product, and a word other than "own" and "blas" is refused. Its bits
depend on the BLAS, on threads and on shapes: it is outside of what fastgrad promises about bits.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

import numpy as np

from ... import launcher
from ...jit import kernel


def _wanted(word: str) -> bool:
    if word not in ("", "own", "blas"):
        raise ValueError(f"FASTGRAD_MATMUL names an engine for matrix products, own or blas, not {word!r}")
    return word == "blas"


WANTED = _wanted(os.environ.get("FASTGRAD_MATMUL", ""))

# Of the driver, compiled or not.
ARGUMENTS = (
    "i64* table, int m, int n, int k, int out, int out_row, int out_col, int out_batch, "
    "int a, int a_row, int a_col, int a_batch, int b, int b_row, int b_col, int b_batch, "
    "int accumulate, int bias, int bias_rows, int epilogue, int aux, int aux_is, int slot0, int slot1, int slot2, "
    "int out_sums, int scratch, int block_m, int block_n"
)

# What `aux` is to the epilogue f: out = f(out, aux), out = f(aux, out), or aux = f(out).
SECOND, FIRST, RESULT = 0, 1, 2
# Or the epilogue is relu's own row, or out = relu_backward(aux, out)'s, which a tile may do before it stores its sums.
RELU, RELU_BACKWARD = 3, 4
# Or it is an optimizer's row and `out` a parameter, whose gradient the product is: that is used up, and not stored. `slot0`
# is the optimizer's table, `slot1` the parameter's number. Such a product has one panel of k. (Not in this file.)
UPDATE = 5


def view(F: Any, address: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """An array over raw memory; strides in elements, of any sign."""
    if 0 in shape:
        return np.empty(shape, F)
    size = np.dtype(F).itemsize
    ends = [(n - 1) * stride for n, stride in zip(shape, strides, strict=True)]
    low, high = sum(min(0, end) for end in ends), sum(max(0, end) for end in ends) + 1
    memory: Any = (ctypes.c_char * int((high - low) * size)).from_address(int(address + low * size))
    return np.lib.stride_tricks.as_strided(np.frombuffer(memory, F)[-low:], shape, [s * size for s in strides])


def multiply(
    table, m, n, k, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch, b, b_row, b_col, b_batch,
    accumulate, bias, bias_rows, epilogue, aux, aux_is, slot0, slot1, slot2, out_sums, scratch, block_m, block_n, lo, hi,
):  # fmt: skip
    """The tasks [lo, hi); see `product.gemm`. Of the table only the bytes of an element are read."""
    size = table[0]
    F = np.float32 if size == 4 else np.float64
    down, across = -(-m // block_m), -(-n // block_n)
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
        strides = [out_row, out_col]
        layout = (ctypes.c_int64 * 9)(2, rows, columns, *strides, *strides, *strides)
        if epilogue and rows and columns:
            here, beside = out + offset, aux + offset
            written = beside if aux and aux_is == RESULT else here
            inputs = [here] if not aux or aux_is == RESULT else [here, beside]
            if aux and aux_is in (FIRST, RELU_BACKWARD):
                inputs.reverse()
            count = rows * columns
            launcher.launch(epilogue, count, count, count, ctypes.addressof(layout), written, *inputs, slot0, slot1, slot2)
        if out_sums:
            view(F, out_sums + n0 * size, (columns,), (1,))[...] = target.sum(0)


kernel(ARGUMENTS)(multiply)  # the row "matmul.plain.multiply"


def whole(row: int, total: int, grain: int, table: int, *arguments: int) -> None:
    """Stands for the launch of the compiled driver: one call of BLAS for each product of the batch."""
    m, n = arguments[:2]
    blocks = [max(1, m), max(1, n)]
    products = total and max(1, total // (-(-m // arguments[-2]) * -(-n // arguments[-1])))
    sizes = (ctypes.c_int64 * 1).from_address(table)
    multiply(*(sizes, *arguments[:-2], *blocks, 0, products))
