"""The grid of the reference BLAS level-3 tests, and sizes around every tile, block and panel size."""

from __future__ import annotations

import itertools
import zlib

import numpy as np
import pytest
from fastgrad.kernels.cpu.matmul.blocks import PANEL, blocks

from tests.kernels.matmul.raw import error_ratio, laid_out, product, untouched_around

DTYPES = ["float32", "float64"]
SIZES = (0, 1, 2, 3, 7, 31, 63)
FORMS = ("c", "f", "padded", "strided", "reversed")


def check(m, n, k, dtype, forms, accumulate, bias=False):
    rng = np.random.default_rng(zlib.crc32(repr((m, n, k, dtype, forms, accumulate)).encode()))
    a, room_a = laid_out(rng.uniform(-0.5, 0.5, (m, k)).astype(dtype), forms[0])
    b, room_b = laid_out(rng.uniform(-0.5, 0.5, (k, n)).astype(dtype), forms[1])
    start = rng.uniform(-0.5, 0.5, (m, n)).astype(dtype) if accumulate else np.full((m, n), np.nan, dtype)
    out, room_out = laid_out(start, forms[2])
    added = rng.uniform(-0.5, 0.5, n).astype(dtype) if bias else None
    sums = np.zeros(m, dtype) if accumulate else np.full(m, np.nan, dtype)
    kept_a, kept_b = a.copy(), b.copy()
    product(a, b, out, bias=added, sums=sums, accumulate=accumulate)
    before = (start if accumulate else 0.0) + (added.astype("f8") if bias else 0.0)
    where = (m, n, k, dtype, forms, accumulate)
    assert error_ratio(out, a, b, np.broadcast_to(before, (m, n))) < 16, where
    assert error_ratio(sums[:, None], a, np.ones((k, 1), dtype)) < 16, where
    np.testing.assert_array_equal(a, kept_a)
    np.testing.assert_array_equal(b, kept_b)
    for view, room in ((a, room_a), (b, room_b), (out, room_out)):
        assert untouched_around(view, room), where


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("accumulate", [0, 1])
@pytest.mark.parametrize("form_a", ["c", "f"])
@pytest.mark.parametrize("form_b", ["c", "f"])
def test_blas_grid(dtype, accumulate, form_a, form_b):
    for m, n, k in itertools.product(SIZES, repeat=3):
        check(m, n, k, dtype, (form_a, form_b, "c"), accumulate)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form_out", FORMS)
def test_every_memory_form(dtype, form_out):
    for form_a, form_b, accumulate in itertools.product(FORMS, FORMS, [0, 1]):
        for m, n, k in [(1, 1, 1), (5, 3, 2), (17, 40, 9), (60, 70, 33), (3, 65, 600)]:
            check(m, n, k, dtype, (form_a, form_b, form_out), accumulate, bias=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_around_tile_block_and_panel_sizes(dtype):
    size = np.dtype(dtype).itemsize
    tile, lanes, wide = blocks().rows, blocks().bytes // size, blocks().columns // size
    around = lambda *numbers: [n + d for n in numbers for d in (-1, 0, 1)]
    for m in around(tile, 2 * tile, 56):
        check(m, 33, 20, dtype, ("c", "f", "c"), 0, bias=True)
        check(m, 33, 20, dtype, ("f", "c", "c"), 1)
    for n in around(lanes, 2 * lanes, 3 * lanes, wide, 2 * wide):
        check(61, n, 19, dtype, ("c", "c", "c"), 0, bias=True)
        check(61, n, 19, dtype, ("c", "f", "c"), 1)
    for k in around(lanes, PANEL[dtype], 2 * PANEL[dtype], 3 * PANEL[dtype]):
        for forms in (("c", "f", "c"), ("c", "c", "c"), ("f", "c", "f")):
            check(29, 37, k, dtype, forms, 0, bias=True)
            check(29, 37, k, dtype, forms, 1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_primes_and_long_thin_shapes(dtype):
    for m, n, k in [
        (101, 103, 107),
        (211, 13, 997),
        (1, 1009, 83),
        (1009, 1, 83),
        (2, 3, 5003),
        (1, 1, 4099),
        (331, 337, 3),
    ]:
        for form_a, form_b in itertools.product("cf", repeat=2):
            check(m, n, k, dtype, (form_a, form_b, "c"), 0, bias=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_a_multiple_of_a_page_apart(dtype):
    elements = 4096 // np.dtype(dtype).itemsize
    rng = np.random.default_rng(1)
    for m, n, k in [(30, 70, elements), (70, 30, elements), (33, 9, elements)]:
        a, b = rng.uniform(-1, 1, (m, k)).astype(dtype), rng.uniform(-1, 1, (k, elements)).astype(dtype)
        out = np.full((m, elements), np.nan, dtype)
        assert error_ratio(product(a, b[:, :n], out[:, :n]), a, b[:, :n]) < 16
        assert np.isnan(out[:, n:]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_operands_that_repeat_by_a_stride_of_zero(dtype):
    rng = np.random.default_rng(2)
    for m, n, k in [(40, 50, 60), (3, 5, 7), (100, 2, 300)]:
        row, column = rng.uniform(-1, 1, (1, k)).astype(dtype), rng.uniform(-1, 1, (k, 1)).astype(dtype)
        a, b = rng.uniform(-1, 1, (m, k)).astype(dtype), rng.uniform(-1, 1, (k, n)).astype(dtype)
        one = np.ones((1, 1), dtype)
        for x, y in [(np.broadcast_to(row, (m, k)), b), (a, np.broadcast_to(column, (k, n))),
                     (np.broadcast_to(one, (m, k)), b),
                     (a, np.broadcast_to(one, (k, n)))]:  # fmt: skip
            assert error_ratio(product(x, y, np.empty((m, n), dtype)), x, y) < 16


@pytest.mark.parametrize("dtype", DTYPES)
def test_batches(dtype):
    size = np.dtype(dtype).itemsize
    rng = np.random.default_rng(3)
    for batch, m, n, k in [(0, 2, 2, 2), (1, 3, 4, 5), (7, 33, 20, 17), (65, 8, 8, 8), (3, 100, 120, 600)]:
        a, b = (
            rng.uniform(-1, 1, (batch, m, k)).astype(dtype),
            rng.uniform(-1, 1, (batch, n, k)).astype(dtype),
        )
        for shared in (False, True):
            y = np.broadcast_to(b[:1], b.shape).transpose(0, 2, 1) if shared else b.transpose(0, 2, 1)
            out = np.full((batch, m, n), np.nan, dtype)
            strides = {f"{name}_batch": x.strides[0] // size for name, x in (("out", out), ("a", a), ("b", y))}
            if batch:
                product(a[0], y[0], out[0], batch=batch, **strides)
            for i in range(batch):
                assert error_ratio(out[i], a[i], y[i]) < 16


@pytest.mark.parametrize("dtype", DTYPES)
def test_integers_and_powers_of_two_are_exact(dtype):
    rng = np.random.default_rng(4)
    for m, n, k in [(32, 32, 32), (65, 129, 1030), (300, 10, 700), (2, 500, 90), (128, 256, 784)]:
        a = rng.integers(-8, 9, (m, k)).astype(dtype)
        b = (2.0 ** rng.integers(-3, 4, (k, n))).astype(dtype)
        bias = rng.integers(-5, 6, n).astype(dtype)
        start = rng.integers(-5, 6, (m, n)).astype(dtype)
        exact = a.astype("f8") @ b.astype("f8") + bias
        np.testing.assert_array_equal(product(a, b, np.full((m, n), np.nan, dtype), bias=bias), exact)
        np.testing.assert_array_equal(product(a, b, start.copy(), bias=bias, accumulate=1), start + exact)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_bound(dtype):
    unit = np.finfo(dtype).eps / 2
    rng = np.random.default_rng(5)
    for m, n, k in [(50, 60, 100), (20, 30, 3000), (5, 7, 10000)]:
        a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
        gamma = k * unit / (1 - k * unit)
        exact = a.astype("f16") @ b.astype("f16")
        error = np.abs(product(a, b, np.empty((m, n), dtype)) - exact)
        assert (error <= gamma * (np.abs(a).astype("f16") @ np.abs(b).astype("f16"))).all()
