"""Sums of sizes, counts, variances over two stretches, and running totals, against NumPy."""

import numpy as np
import pytest
from fastgrad.kernels import pool

import fastgrad
from tests.kernels.rows import launch, normal, reference

DTYPES = (np.float32, np.float64)


def near(actual, wanted):
    with np.errstate(all="ignore"):
        unit = np.finfo(actual.dtype).eps
        np.testing.assert_allclose(actual, wanted, rtol=32 * unit, atol=32 * unit)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_sizes(dtype, kind):
    for shape, block in (((1, 1, 1), 1), ((1, 70, 1), 70), ((3, 5, 1), 5), ((2, 7, 3), 3), ((1, 4, 5), 4)):
        outer, n, inner = shape
        x = np.round(normal(shape, dtype, n))
        for root in (0, 1):
            if inner == 1:
                x = x.reshape(-1)
                out = np.empty(-(-x.size // block), dtype)
                wanted = np.empty(len(out))
                launch("size.runs", dtype, len(out), 1, out, x, x.size, block, kind, root)
                reference("size.runs")(wanted, x.astype(np.float64), x.size, block, kind, root)
            else:
                out = np.empty((outer, -(-n // block), inner), dtype)
                wanted = np.empty(out.shape)
                launch("size.columns", dtype, outer * out.shape[1], 1, out, x, n, inner, block, kind, root)
                reference("size.columns")(wanted, x.astype(np.float64), n, inner, block, kind, root)
            near(out, wanted)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [1, 2])
def test_gaps(dtype, kind):
    for n, block in ((1, 1), (70, 70), (90, 40)):
        x, y = normal((n,), dtype, 1), normal((n,), dtype, 2)
        for root in (0, 1):
            out = np.empty(-(-n // block), dtype)
            wanted = np.empty(len(out))
            launch("size.gaps", dtype, len(out), 1, out, x, y, n, block, kind, root)
            reference("size.gaps")(wanted, x.astype(np.float64), y.astype(np.float64), n, block, kind, root)
            near(out, wanted)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 2), (3, 4, 5), (2, 3, 70)])
def test_variances_over_two_stretches(dtype, shape):
    x = normal(shape, dtype, 3)
    out, mean = np.empty((2, shape[1]), dtype)
    wanted, middle = np.empty((2, shape[1]))
    launch("size.variance", dtype, shape[1], 1, out, mean, x, *shape, 1.5)
    reference("size.variance")(wanted, middle, x.astype(np.float64), *shape, 1.5)
    near(out, wanted)
    near(mean, middle)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_counts_of_what_is_the_same(dtype):
    x = np.round(normal((2, 5, 3), dtype, 4, special=True))
    centre = x[:, 1].copy()
    out, wanted = np.empty((2, 2, 3), dtype), np.empty((2, 2, 3), dtype)
    launch("reduce.same_columns", dtype, 4, 1, out, x, centre, 5, 3, 4)
    with np.errstate(invalid="ignore"):
        for row, count in enumerate((4, 1)):
            part = x[:, 4 * row : 4 * row + count]
            wanted[:, row] = ((part == centre[:, None]) | (np.isnan(part) & np.isnan(centre[:, None]))).sum(1)
    np.testing.assert_array_equal(out, wanted)
    runs, each = np.empty(6, dtype), x.reshape(6, 5)
    launch("reduce.same_runs", dtype, 6, 1, runs, each, np.ascontiguousarray(each[:, 2]), 30, 5, 1)
    np.testing.assert_array_equal(runs, ((each == each[:, 2:3]) | (np.isnan(each) & np.isnan(each[:, 2:3]))).sum(1))


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "logcumsumexp"])
@pytest.mark.parametrize("back", [0, 1])
def test_running_totals(dtype, name, back):
    for shape in ((1, 1, 1), (11, 4, 1), (2, 3, 5)):
        outer, _, inner = shape
        x = normal(shape, dtype, 6)
        out, wanted, own = np.empty_like(x), np.empty(shape), np.empty(outer * inner + 8)
        launch(f"running.{name}", dtype, outer if inner > 1 else -(-outer // 8), 1, out, own, x, *shape, back)
        reference(f"running.{name}")(wanted, own, x, *shape, back)
        near(out, wanted)


def test_totals_of_infinities():
    x = np.array([[-np.inf, -np.inf, 1.0, np.inf, np.inf, np.nan, 1.0]])[..., None].repeat(8, 0)
    for outer in (1, 8):
        out, own = np.empty((outer, 7, 1)), np.empty(outer + 8)
        launch("running.logcumsumexp", np.float64, 1, 1, out, own, x, outer, 7, 1, 0)
        np.testing.assert_array_equal(out[0, :, 0], [-np.inf, -np.inf, 1, np.inf, np.inf, np.nan, np.nan])


@pytest.mark.parametrize("call", [
    lambda t, x: t.norm(x), lambda t, x: t.var(x, (0, 2)), lambda t, x: t.amax(x, 1), lambda t, x: t.median(x, 1)[0],
    lambda t, x: t.cumsum(x, 2), lambda t, x: t.quantile(x, 0.3, 1), lambda t, x: t.max(x),
    lambda t, x: t.kthvalue(x, 9, 2)[0],
])  # fmt: skip
def test_bits_do_not_depend_on_threads(call):
    x = fastgrad.from_numpy(np.round(normal((40, 50, 60), np.float32, 8), 1)).requires_grad_()
    before, found = pool.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            pool.set_num_threads(threads)
            y = call(fastgrad, x)
            (gx,) = fastgrad.autograd.grad(y.sum(), x)
            found.append((y.detach().numpy().tobytes(), gx.numpy().tobytes()))
    finally:
        pool.set_num_threads(before)
    assert found[0] == found[1] == found[2]
