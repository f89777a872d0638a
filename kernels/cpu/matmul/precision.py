"""The precision of float32 products: `set_float32_matmul_precision`, as in PyTorch.

`current` is read at every product and is part of what a plan of one is kept under: it may be set at any time, and code that
keeps prepared products compares it.
"""

from __future__ import annotations

import warnings

LEVELS = ("highest", "high", "medium")
current = "highest"
# Products with fewer columns or steps of k, or a smaller B, stay in float32: rounding costs more than is gained.
# The number of rows decides nothing, so that a row of a result does not depend on how many there are.
LEAST, LEAST_B = 16, 4096


def set_float32_matmul_precision(precision: str) -> None:
    """Set how products of float32 matrices are computed.

    "highest" and "high" compute in float32. "medium" rounds both operands to bfloat16 (8 significant bits, to nearest even)
    and adds up their products in float32, at twice the rate, where the processor has AVX512-BF16; elsewhere it is the same
    as "highest", and so are bias gradients and products A @ B whose B (k, n) is small: n or k below 16, or less than 4096
    elements. Tensors, gradients and optimizer state are float32 at every setting, and float64 products stay as they are.

    Under "medium" a NaN or infinity goes through as always; a number that rounds beyond the largest bfloat16 becomes
    infinity; denormal numbers count as zero, and so do sums of products below the smallest normal number (1.2e-38).
    |error| <= (2^-7 + 2^-16 + 1.01 k 2^-24 / (1 - k 2^-24)) |A| |B|, elementwise, away from denormals.

    A string that is no level warns and changes nothing, as in PyTorch; another type raises RuntimeError. Changed between a
    forward and its backward, it holds for the products that come after. One setting serves all threads.

    >>> import fastgrad
    >>> fastgrad.set_float32_matmul_precision("medium")
    >>> fastgrad.get_float32_matmul_precision()
    'medium'
    >>> fastgrad.set_float32_matmul_precision("highest")
    """
    global current
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision not in LEVELS:
        message = f"{precision} is not one of 'highest', 'high', or 'medium'; the current"
        warnings.warn(f"{message} setFloat32MatmulPrecision call has no effect.", UserWarning, stacklevel=2)
        return
    current = precision


def get_float32_matmul_precision() -> str:
    """The precision of float32 products: "highest" (the default), "high" or "medium".

    >>> import fastgrad
    >>> fastgrad.get_float32_matmul_precision()
    'highest'
    """
    return current


def kind(dtype: str, n: int, k: int) -> str:
    """What a product of n columns and k steps computes in now: `dtype`, or "bfloat16" for pairs of it."""
    if current != "medium" or dtype != "float32" or n < LEAST or k < LEAST or n * k < LEAST_B:
        return dtype
    from . import bfloat

    return "bfloat16" if bfloat.available() else dtype
