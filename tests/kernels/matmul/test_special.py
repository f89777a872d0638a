"""NaN and infinity pass through as in NumPy; what stands in `out` or in scratch before never does."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from fastgrad.kernels import jit
from fastgrad.kernels.cpu.matmul import scratch

from tests.kernels.matmul.raw import product

SHAPES = [(5, 7, 3), (40, 70, 90), (100, 10, 600), (3, 200, 40), (100, 3, 40)]


def fill_scratch_with_nan():
    size = scratch.SLOT_BYTES * scratch.SLOTS // 4
    whole = (ctypes.c_float * size).from_address(scratch.address() + scratch.HEAD_BYTES)
    for slot in range(scratch.SLOTS):
        start = slot * scratch.SLOT_BYTES // 4
        np.ctypeslib.as_array(whole)[start : start + 300000] = np.nan


@pytest.mark.skipif(jit.interpreted(), reason="NumPy stands for the engine in the interpreter")
@pytest.mark.parametrize("transposed", [False, True])
def test_stale_nan_never_comes_through(transposed):
    fill_scratch_with_nan()
    for m, n, k in [*SHAPES, (4, 4, 0)]:
        a = np.ones((k, m), "f4").T if transposed else np.ones((m, k), "f4")
        b = np.ones((n, k), "f4").T if transposed else np.ones((k, n), "f4")
        out = product(a, b, np.full((m, n), np.nan, "f4"))
        np.testing.assert_array_equal(out, np.full((m, n), k))
        apart = np.full((m, 2 * n), np.nan, "f4")[:, ::2]
        np.testing.assert_array_equal(product(a, b, apart), out)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_special_values_reach_the_elements_that_numpy_gives_them_to(value):
    rng = np.random.default_rng(0)
    for m, n, k in SHAPES:
        for _ in range(4):
            a, b = rng.uniform(0.5, 1, (m, k)).astype("f4"), rng.uniform(0.5, 1, (k, n)).astype("f4")
            a[rng.integers(m), rng.integers(k)] = value
            b[rng.integers(k), rng.integers(n)] = value if rng.integers(2) else 0.0
            for x, y in ((a, b), (np.asfortranarray(a), np.asfortranarray(b))):
                with np.errstate(invalid="ignore"):
                    expected = a.astype("f8") @ b.astype("f8")
                    out = product(x, y, np.zeros((m, n), "f4"))
                np.testing.assert_array_equal(np.isnan(out), np.isnan(expected))
                np.testing.assert_array_equal(np.isinf(out), np.isinf(expected))
                np.testing.assert_array_equal(out[np.isinf(out)], expected[np.isinf(out)])


def test_no_steps_give_zeros_or_the_bias():
    a, b, bias = np.empty((3, 0), "f4"), np.empty((0, 4), "f4"), np.arange(4, dtype="f4")
    np.testing.assert_array_equal(product(a, b, np.full((3, 4), np.nan, "f4")), np.zeros((3, 4)))
    np.testing.assert_array_equal(product(a, b, np.full((3, 4), np.nan, "f4"), bias=bias), np.tile(bias, (3, 1)))
    np.testing.assert_array_equal(product(a, b, np.ones((3, 4), "f4"), accumulate=1), np.ones((3, 4)))
