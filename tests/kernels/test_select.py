"""Numbers at ranks and at places, against NumPy's stable sort."""

import numpy as np
import pytest

from fastgrad._launch import select as launches
from tests.kernels.rows import launch, normal, reference

DTYPES = (np.float32, np.float64)


def numbers(shape, dtype, kind):
    """Normal numbers; few different ones; or some special ones among them."""
    made = normal(shape, dtype, 5, special=kind == "special")
    return np.round(made) if kind == "tied" else made


def ranked(x, mode, k, q):
    """Values, places, parts by the kernel that the length asks for, in an array of NaN or -1 before."""
    outer, n, inner = x.shape
    out, part = np.full((2, outer, inner), np.nan, x.dtype)
    place = np.full((outer, inner), -1)
    if n <= launches.SHORT:
        strips = -(-outer // 64) if inner == 1 else outer * -(-inner // 64)
        launch("select.strips", x.dtype, strips, 1, out, place, part, x, n, inner, outer, mode, k, q)
    else:
        own = np.empty(x.size if n > launches.FEW else 1, x.dtype)
        launch("select.columns", x.dtype, outer * inner, 1, out, place, part, own, x, n, inner, mode, k, q)
    return out, place, part


def check(x, mode, k=0, q=0.0):
    out, place, part = ranked(x, mode, k, q)
    wanted, at, behind = np.empty_like(out), np.empty_like(place), np.full_like(part, np.nan)
    reference("select.strips")(wanted, at, behind, x, *x.shape[1:], x.shape[0], mode, k, q)
    np.testing.assert_array_equal(place, at)
    np.testing.assert_array_equal(out, wanted)
    np.testing.assert_array_equal(part, behind)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_few_ranks(dtype):
    x = np.array([[[2.0], [np.nan], [1.0]]], dtype)
    check(x, launches.KTH, 1)
    check(x, launches.MIDDLE)
    check(x, launches.LOWER | launches.SKIP_NAN, q=0.3)
    check(normal((1, 257, 1), dtype), launches.UPPER, q=0.3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["normal", "tied", "special"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 4, 1), (2, 3, 5)])
def test_every_rank(dtype, kind, shape):
    x = numbers(shape, dtype, kind)
    for k in range(shape[1]):
        check(x, launches.KTH, k)
    for mode in (launches.MIDDLE, launches.MIDDLE_NUMBER):
        check(x, mode)
    for mode in (launches.LOWER, launches.UPPER, launches.NEAREST):
        for q in (0.0, 0.3, 1.0):
            check(x, mode, q=q)
            check(x, mode | launches.SKIP_NAN, q=q)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["normal", "tied", "special"])
@pytest.mark.parametrize("shape", [(130, 20, 1), (2, 256, 70), (3, 257, 1), (2, 700, 3), (1, 4097, 2), (1, 30_000, 1)])
def test_long_columns(dtype, kind, shape):
    x, n = numbers(shape, dtype, kind), shape[1]
    for k in (0, n // 7, n // 2, n - 1):
        check(x, launches.KTH, k)
    for mode in (launches.MIDDLE, launches.MIDDLE_NUMBER):
        check(x, mode)
    check(x, launches.LOWER, q=0.77)
    check(x, launches.UPPER | launches.SKIP_NAN, q=0.77)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_far_apart_and_close_together(dtype):
    far = np.exp2(np.linspace(-120, 120, 999)).astype(dtype)
    close = np.nextafter(dtype(1), dtype(2)) + np.arange(999, dtype=dtype) * np.finfo(dtype).eps
    zeros = np.where(np.arange(9000) % 3, 0.0, -0.0).astype(dtype)
    for x in (far, -far, close, np.full(9000, 3, dtype), np.repeat(far, 9), zeros):
        for n in (100, len(x)):
            for k in (0, n // 3, n - 1):
                check(x[None, :n, None], launches.KTH, k)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 1), (2, 3, 5), (1, 2, 600)])
def test_taken_and_put(dtype, shape):
    outer, n, inner = shape
    x, gy = normal(shape, dtype, 1), normal((outer, 2, inner), dtype, 2)
    place = np.random.default_rng(0).integers(0, n, (outer, 2, inner))
    blocks = outer * -(-inner // 512)
    out, back = np.empty_like(gy), np.full_like(x, np.nan)
    launch("along.take", dtype, blocks, 1, out, place, x, n, 2, inner)
    launch("along.put", dtype, blocks, 1, back, place, gy, n, 2, inner)
    wanted, summed = np.empty_like(gy), np.empty_like(x)
    reference("along.take")(wanted, place, x, n, 2, inner)
    reference("along.put")(summed, place, gy, n, 2, inner)
    np.testing.assert_array_equal(out, wanted)
    np.testing.assert_array_equal(back, summed)
