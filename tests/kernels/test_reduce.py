"""Sums and extremes, against NumPy and against the exact sum; bits that do not depend on threads."""

import math

import numpy as np
import pytest
from fastgrad.kernels import pool
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad
from fastgrad._launch import reduce as launches
from tests.kernels.rows import launch, normal, reference

DTYPES = (np.float32, np.float64)


def sum_runs(x, block):
    out = np.empty(-(-x.size // block), x.dtype)
    launch("reduce.sum_runs", x.dtype, len(out), 2, out, x, x.size, block)
    return out


def sum_columns(x, block):
    outer, n, inner = x.shape
    blocks = -(-n // block)
    out = np.empty((outer, blocks, inner), x.dtype)
    launch("reduce.sum_columns", x.dtype, outer * blocks, 1, out, x, n, inner, block)
    return out


def extreme(kind, x):
    outer, n, inner = x.shape
    out, index = np.empty((outer, inner), x.dtype), np.empty((outer, inner), np.int64)
    launch(f"reduce.{kind}_index", x.dtype, outer, 1, out, index, x, n, inner)
    return out, index


def near(actual, x, wanted):
    """Within a few units of what is summed; a NaN or an infinity stays one."""
    with np.errstate(all="ignore"):
        unit = np.finfo(x.dtype).eps * np.abs(x).max(initial=0)
        assert actual.dtype == x.dtype
        np.testing.assert_allclose(actual, wanted, rtol=0, atol=8 * unit * max(1, math.sqrt(x.size)))


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_sum_of_runs(dtype):
    for n, block in ((1, 1), (5, 2), (63, 63), (64, 64), (65, 65), (300, 100), (1000, 257)):
        x = normal((n,), dtype, n)
        wanted = np.empty(-(-n // block))
        reference("reduce.sum_runs")(wanted, x.astype(np.float64), n, block)
        near(sum_runs(x, block), x, wanted)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_sum_of_columns(dtype):
    for shape, block in (((1, 1, 1), 1), ((2, 7, 3), 7), ((3, 10, 5), 4), ((1, 40, 2), 16), ((2, 5, 1), 2)):
        x = normal(shape, dtype, 3)
        wanted = np.empty((shape[0], -(-shape[1] // block), shape[2]))
        reference("reduce.sum_columns")(wanted, x.astype(np.float64), shape[1], shape[2], block)
        near(sum_columns(x, block), x, wanted)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 1), (2, 300, 1), (2, 7, 5), (1, 3, 70), (2, 5, 128)])
def test_variances_and_logarithms_of_sums(dtype, shape):
    outer, n, inner = shape
    x, size = normal(shape, dtype, 4), (outer, inner)
    out, mean, sums = np.empty(size, dtype), np.empty(size, dtype), np.empty(size, dtype)
    wanted, middle, total = np.empty(size), np.empty(size), np.empty(size)
    wide = x.astype(np.float64)
    if inner == 1:
        launch("reduce.variance_rows", dtype, outer, 1, out, mean, x, n, 0.7)
        launch("reduce.logsumexp_rows", dtype, outer, 1, sums, x, n)
    else:
        launch("reduce.variance_columns", dtype, outer, 1, out, mean, x, n, inner, 0.7)
        launch("reduce.logsumexp_columns", dtype, outer * -(-inner // 64), 1, sums, x, n, inner)
    reference("reduce.variance_columns")(wanted, middle, wide, n, inner, 0.7)
    reference("reduce.logsumexp_columns")(total, wide, n, inner)
    for got, exact in ((mean, middle), (sums, total)):
        near(got, x, exact)
    np.testing.assert_allclose(out, wanted, rtol=64 * np.finfo(dtype).eps, atol=64 * np.finfo(dtype).eps)


@pytest.mark.plain
@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_extremes(kind, dtype):
    """NaN is beyond all numbers, the first of equal ones is found; NumPy says the same."""
    for shape in ((1, 1, 1), (3, 4, 1), (2, 7, 5), (4, 33, 1), (1, 9, 8)):
        for special in (False, True):
            x = normal(shape, dtype, 1, special)
            x = np.round(x)  # so that some are equal
            values, places = np.empty((shape[0], shape[2]), dtype), np.empty((shape[0], shape[2]), np.int64)
            reference(f"reduce.{kind}_index")(values, places, x, shape[1], shape[2])
            got = extreme(kind, x)
            np.testing.assert_array_equal(got[0], values)
            np.testing.assert_array_equal(got[1], places)


@pytest.mark.plain
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_and_infinity_reach_the_sum(dtype, value):
    for place in (0, 63, 64, 100):
        x = np.ones(101, dtype)
        x[place] = value
        np.testing.assert_array_equal(sum_runs(x, 101), [value])
        np.testing.assert_array_equal(sum_columns(x.reshape(1, 101, 1), 101), [[[value]]])
    assert math.isnan(sum_runs(np.array([np.inf, -np.inf], dtype), 2)[0])


@pytest.mark.plain
def test_negative_zero_stays():
    for n in (1, 5, 64, 70):
        assert not np.signbit(sum_runs(np.zeros(n), n))[0]
        assert sum_runs(np.full(n, -0.0), n)[0] == 0


@settings(max_examples=30)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.data())
def test_sums_of_tensors(shape, data):
    """`launch.sum_dims`: any dimensions, any memory."""
    dims = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1))))
    order = data.draw(st.permutations(range(len(shape))))
    x = normal(tuple(shape), np.float64, 5)
    t = fastgrad.from_numpy(np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order)))
    for keepdim in (False, True):
        if dims:
            made = launches.sum_dims(t, dims, keepdim).numpy()
            np.testing.assert_allclose(made, x.sum(dims, keepdims=keepdim), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(launches.sum_all(t).item(), x.sum(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_long_sum_is_nearly_exact(dtype):
    """Lanes and blocks keep the error of a million numbers below that of a few."""
    x = np.random.default_rng(0).uniform(0, 1, 1_000_003).astype(dtype)
    exact = math.fsum(x.tolist())
    unit = np.spacing(dtype(exact))
    assert abs(float(launches.sum_all(fastgrad.from_numpy(x)).item()) - exact) <= 4 * unit
    columns = launches.sum_dims(fastgrad.from_numpy(x[:-3].reshape(-1, 4)), (0,), False).numpy()
    for k, total in enumerate(columns.tolist()):
        exact = math.fsum(x[:-3].reshape(-1, 4)[:, k].tolist())
        assert abs(total - exact) <= 16 * np.spacing(dtype(exact))


SHAPES = ((400_003,), (1000, 301), (3, 100_001), (100_001, 3), (60, 70, 80))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bits_do_not_depend_on_threads(shape, dtype):
    x = fastgrad.from_numpy(normal(shape, dtype, 2))
    before = pool.get_num_threads()
    results = set()
    try:
        for threads in (1, 2, 3, 8):
            pool.set_num_threads(threads)
            made = [x.sum(), x.mean(), x.max()]
            for dim in range(len(shape)):
                made += [x.sum(dim), x.mean(dim), x.max(dim).values, x.argmin(dim)]
            results.add(b"".join(m.numpy().tobytes() for m in made))
    finally:
        pool.set_num_threads(before)
    assert len(results) == 1


def test_bits_do_not_depend_on_where_the_numbers_lie():
    """A sum over a run at any alignment, and of a transposed copy, adds in the same order."""
    x = normal((4099,), np.float32)
    frame = np.empty(4200, np.float32)
    wanted = sum_runs(x, x.size).tobytes()
    for start in range(1, 40, 3):
        frame[start : start + x.size] = x
        assert sum_runs(frame[start : start + x.size], x.size).tobytes() == wanted
