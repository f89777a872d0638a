"""Kernels by themselves, without tensors around them: bytes a second of elementwise rows, and the cost of a call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastgrad.kernels import jit, launcher

ROWS = {"elementwise.copy": 1, "elementwise.add": 2, "elementwise.exp": 1, "activation.sigmoid": 1, "activation.gelu": 1}


@pytest.mark.parametrize("n", [8, 4096, 1_000_000])
@pytest.mark.parametrize("name", ROWS)
def test_row(benchmark: Any, measure: Any, name: str, n: int) -> None:
    benchmark.group = f"{n} elements"
    arrays = [np.random.default_rng(0).random(n, np.float32) for _ in range(1 + ROWS[name])]
    launch, row = launcher.entry(), jit.address(name, "float32")
    addresses = [array.ctypes.data for array in arrays]
    measure(lambda: launch(row, n, n, n, 0, *addresses), "fastgrad", bytes=4 * n * len(arrays))
