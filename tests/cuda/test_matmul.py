"""The matrix product: three transposed forms, bias, row sums, accumulation, batches, and the bits of its order."""

from fractions import Fraction

import numpy as np
import pytest


@pytest.fixture
def product(device):
    """out = a @ b with everything that `gemm` offers, on arrays of any strides; also the row sums of a, if wanted."""

    def call(a, b, out, bias=None, sums=None, **options):
        def place(x):
            whole = x if x.base is None else x.base
            memory = device.put(whole)
            offset = x.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
            return memory, memory.address + offset, [s // x.itemsize for s in x.strides[-2:]], whole

        (x, left, a_strides, _), (y, right, b_strides, _) = place(a), place(b)
        made, target, strides, whole = place(out)
        added = None if bias is None else device.put(bias)
        total = None if sums is None else device.put(sums)
        device.gemm(
            out.dtype.name, *out.shape[-2:], a.shape[-1], target, *strides, left, *a_strides, right, *b_strides,
            bias=added.address if added else 0, sums=total.address if total else 0, **options,
        )  # fmt: skip
        whole[...] = made.read(whole.shape, whole.dtype)
        if sums is not None:
            sums[...] = total.read(sums.shape, sums.dtype)
        del x, y  # kept until the product was done

    return call


def chain(a, b, panel, dtype):
    """A row times a column as the kernel adds it: fused steps within a panel from zero, then the panels' sums."""
    total = None
    for start in range(0, len(a), panel):
        part = dtype(0)
        for x, y in zip(a[start : start + panel], b[start : start + panel], strict=True):
            exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(part))
            part = dtype(float(exact))  # in float64, whose rounding to float32 is no tie here
        total = part if total is None else dtype(total + part)
    return total


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (9, 8, 17), (8, 16, 4)])
def test_the_three_forms(product, generator, shape, dtype):
    """y = x @ w.T + b, gx = gy @ w, gw = gy.T @ x with the bias gradient on the way."""
    n, m, k = shape
    x, w, bias = generator.normal(size=(n, k)), generator.normal(size=(m, k)), generator.normal(size=m)
    gy = generator.normal(size=(n, m))
    x, w, bias, gy = (v.astype(dtype) for v in (x, w, bias, gy))
    y, gx, gw, gb = (np.full_like(v, np.nan) for v in (gy, x, w, bias))
    product(x, w.T, y, bias=bias)
    product(gy, w, gx)
    product(gy.T, x, gw, sums=gb)
    tolerance = {"rtol": 20 * np.finfo(dtype).eps, "atol": 20 * np.finfo(dtype).eps}
    np.testing.assert_allclose(y, x @ w.T + bias, **tolerance)
    np.testing.assert_allclose(gx, gy @ w, **tolerance)
    np.testing.assert_allclose(gw, gy.T @ x, **tolerance)
    np.testing.assert_allclose(gb, gy.sum(0), **tolerance)


def test_accumulation(product, generator):
    a, b = generator.normal(size=(5, 3)), generator.normal(size=(3, 4))
    out, sums = generator.normal(size=(5, 4)), generator.normal(size=5)
    expected, totals = out + a @ b, sums + a.sum(1)
    product(a, b, out, sums=sums, accumulate=1)
    np.testing.assert_allclose(out, expected)
    np.testing.assert_allclose(sums, totals)


def test_nothing_to_sum(product):
    out, bias = np.full((2, 3), np.nan), np.arange(3.0)
    product(np.empty((2, 0)), np.empty((0, 3)), out, bias=bias)
    np.testing.assert_array_equal(out, [bias, bias])
    product(np.empty((0, 2)), np.empty((2, 3)), np.empty((0, 3)))


def test_strides_of_a_window(product, generator):
    a, b = generator.normal(size=(9, 20)), generator.normal(size=(20, 9))
    out = np.zeros((12, 11))
    product(a[1:8:2, ::-3], b[1:15:2, 8:0:-2], out[2:10:2, 1:9:2])
    expected = np.zeros_like(out)
    expected[2:10:2, 1:9:2] = a[1:8:2, ::-3] @ b[1:15:2, 8:0:-2]
    np.testing.assert_allclose(out, expected, atol=1e-14)


def test_batches(product, generator):
    a, b = generator.normal(size=(3, 4, 5)), generator.normal(size=(5, 9))
    out = np.empty((3, 4, 9))
    product(a, b, out, batch=3, out_batch=36, a_batch=20)
    np.testing.assert_allclose(out, a @ b)


def test_nan_and_infinity_stay_in_their_rows_and_columns(product, generator):
    a, b = generator.normal(size=(4, 3)), generator.normal(size=(3, 5))
    a[1, 2], b[0, 3] = np.nan, np.inf
    out = np.empty((4, 5))
    product(a, b, out)
    np.testing.assert_allclose(out, a @ b)


def test_the_order_of_addition(product, generator):
    """k = 600 is two panels of 304 and 296 steps: the CPU's rule, so the CPU's bits."""
    a, b = generator.normal(size=(2, 600)).astype(np.float32), generator.normal(size=(600, 1)).astype(np.float32)
    out = np.empty((2, 1), np.float32)
    product(a, b, out)
    expected = [[chain(row, b[:, 0], 304, np.float32)] for row in a]
    np.testing.assert_array_equal(out, np.array(expected))
