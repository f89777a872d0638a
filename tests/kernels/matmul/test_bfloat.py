"""Products at "medium" precision: float32's bits on rounded operands, for all forms, sizes and threads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fastgrad.kernels import jit, launcher, pool
from fastgrad.kernels.cpu.matmul import bfloat, precision
from fastgrad.kernels.cpu.matmul.blocks import PANEL, blocks
from fastgrad.kernels.cpu.matmul.plan import FIRST, fused

from tests.kernels.matmul.raw import laid_out, product, untouched_around
from tests.kernels.matmul.rounding import rounded
from tests.kernels.matmul.test_fused import recorded
from tests.kernels.matmul.test_special import fill_scratch_with_nan

pytestmark = pytest.mark.skipif(not bfloat.available(), reason="no bfloat16 instructions")
FORMS = ("c", "f", "padded", "strided", "reversed")


@pytest.fixture(autouse=True)
def medium(monkeypatch):
    """Every product in bfloat16 pairs, however short; as it was afterwards."""
    threads = pool.get_num_threads()
    monkeypatch.setattr(precision, "current", "medium")
    monkeypatch.setattr(precision, "LEAST", 0)
    monkeypatch.setattr(precision, "LEAST_B", 0)
    yield
    pool.set_num_threads(threads)


def operands(m, n, k, seed=0):
    rng = np.random.default_rng((m, n, k, seed))
    return rng.standard_normal((m, k)).astype("f4"), rng.standard_normal((k, n)).astype("f4")


def expected(a, b, **more):
    """float32's product of the rounded operands."""
    start = more.pop("start", np.full((a.shape[0], b.shape[1]), np.nan, "f4"))
    return product(rounded(a), rounded(b), start.copy(), exact=1, **more)


def check(m, n, k, forms, accumulate, bias=True):
    a, b = operands(m, n, k)
    more = {"bias": np.linspace(-1, 1, n, dtype="f4")} if bias else {}
    start = np.linspace(-2, 2, m * n, dtype="f4").reshape(m, n) if accumulate else np.full((m, n), np.nan, "f4")
    (x, room_x), (y, room_y) = laid_out(a, forms[0]), laid_out(b, forms[1])
    out, room_out = laid_out(start, forms[2])
    product(x, y, out, accumulate=accumulate, **more)
    where = f"{m}x{n}x{k} {forms} accumulate={accumulate}"
    np.testing.assert_array_equal(out, expected(a, b, start=start, accumulate=accumulate, **more), err_msg=where)
    for view, room in ((x, room_x), (y, room_y), (out, room_out)):
        assert untouched_around(view, room), where
    np.testing.assert_array_equal(x, a)
    np.testing.assert_array_equal(y, b)


@pytest.mark.parametrize("accumulate", [0, 1])
@pytest.mark.parametrize("form_a", ["c", "f"])
@pytest.mark.parametrize("form_b", ["c", "f"])
def test_blas_grid(accumulate, form_a, form_b):
    for m, n, k in itertools.product((0, 1, 2, 3, 7, 31, 63), repeat=3):
        check(m, n, k, (form_a, form_b, "c"), accumulate)


@pytest.mark.parametrize("form_out", FORMS)
def test_every_memory_form(form_out):
    for form_a, form_b, accumulate in itertools.product(FORMS, FORMS, [0, 1]):
        for m, n, k in [(1, 1, 1), (5, 3, 2), (17, 40, 9), (60, 70, 33), (3, 65, 1200)]:
            check(m, n, k, (form_a, form_b, form_out), accumulate)


def test_around_tile_block_and_panel_sizes():
    rows, tile, wide, panel = blocks().rows, 2 * blocks().bytes // 4, blocks().columns // 4, PANEL["bfloat16"]
    around = lambda *numbers: [n + d for n in numbers for d in (-1, 0, 1)]
    for m, form in itertools.product(around(rows, 2 * rows), ("c", "f")):
        check(m, 40, 35, (form, form, "c"), 0)
    for n, form in itertools.product(around(tile // 2, tile, wide, 2 * wide), ("c", "f")):
        check(15, n, 35, (form, form, "c"), 0)
    for k, form in itertools.product(around(16, 32, panel, 2 * panel), ("c", "f")):
        check(15, 40, k, (form, form, "c"), 1)
        check(15, 40, k, (form, form, "strided"), 0)


@pytest.mark.parametrize("shape", [(1, 1, 1), (33, 65, 17), (200, 300, 784), (130, 2, 701), (64, 512, 1025)])
def test_threads_change_no_bit(shape):
    a, b = operands(*shape)
    bias = np.linspace(-1, 1, shape[1], dtype="f4")
    whole = expected(a, b, bias=bias)
    for threads, forms in itertools.product((1, 2, 3, 4, 8), (("c", "c"), ("f", "f"), ("c", "f"), ("f", "c"))):
        pool.set_num_threads(threads)
        x, y = laid_out(a, forms[0])[0], laid_out(b, forms[1])[0]
        np.testing.assert_array_equal(product(x, y, np.full(shape[:2], np.nan, "f4"), bias=bias), whole)


def test_a_row_does_not_depend_on_the_batch():
    a, b = operands(300, 70, 900)
    whole = product(a, b, np.empty((300, 70), "f4"))
    for rows in (1, 2, 13, 14, 57, 128):
        np.testing.assert_array_equal(product(a[:rows], b, np.empty((rows, 70), "f4")), whole[:rows])


def test_batches():
    m, n, k, batch = 33, 40, 50, 6
    a, b = operands(batch * m, n, k)
    b = np.stack([b * (i + 1) for i in range(batch)])
    out = np.full((batch, m, n), np.nan, "f4")
    product(a[:m], b[0], out[0], batch=batch, out_batch=m * n, a_batch=m * k, b_batch=k * n)
    for i in range(batch):
        np.testing.assert_array_equal(out[i], expected(a[i * m : i * m + m], b[i]))


@pytest.mark.parametrize("name", ["relu", "sigmoid"])
def test_epilogues(name):
    row, backward = (jit.address(f"activation.{name}{end}", "float32") for end in ("", "_backward"))
    for m, n, k in [(33, 70, 20), (200, 300, 600)]:
        a, b = operands(m, n, k)
        bias, saved = np.linspace(-1, 1, n, dtype="f4"), np.random.default_rng(0).uniform(0.1, 0.9, (m, n)).astype("f4")
        plain, apart = product(a, b, np.empty((m, n), "f4"), bias=bias), np.empty((m, n), "f4")
        launcher.launch(row, m * n, m * n, m * n, 0, apart.ctypes.data, plain.ctypes.data)
        for form in ("c", "f"):
            out = laid_out(np.full((m, n), np.nan, "f4"), form)[0]
            np.testing.assert_array_equal(product(a, b, out, bias=bias, epilogue=row), apart)
        launcher.launch(backward, m * n, m * n, m * n, 0, apart.ctypes.data, saved.ctypes.data, plain.ctypes.data)
        out = product(a, b, np.empty((m, n), "f4"), bias=bias, epilogue=backward, aux=saved.ctypes.data, aux_is=FIRST)
        np.testing.assert_array_equal(out, apart)


def test_what_follows_is_made_part_of_it():
    """As the compiled step does, with column sums in float32: times relu's derivative, and the bias gradient."""
    backward = jit.address("activation.relu_backward", "float32")
    for m, n, k in [(1100, 70, 40), (300, 3, 100), (9, 41, 1100)]:
        a, b = operands(m, n, k)
        z, saved = product(a, b, np.empty((m, n), "f4")), operands(m, 5, n)[0]
        gx = np.where(saved > 0, z, 0).astype("f4")
        sums = np.empty((1, n), "f4")
        product(np.ones((1, m), "f4"), gx, sums, exact=1)
        for threads in (1, 2, 8):
            pool.set_num_threads(threads)
            out, out_sums = np.full((m, n), np.nan, "f4"), np.full(n, np.nan, "f4")
            fuse = {"epilogue": backward, "aux": saved.ctypes.data, "aux_is": FIRST, "out_sums": out_sums.ctypes.data}
            row, total, grain, words = fused(*recorded(a, b, out), **fuse)
            launcher.launch(row, total, grain, *words)
            np.testing.assert_array_equal(out, gx)
            np.testing.assert_array_equal(out_sums, sums[0])


def test_row_sums_are_not_rounded():
    gy, x = operands(200, 1, 40)[0], operands(200, 1, 50)[0]
    sums = {}
    for level in ("highest", "medium"):
        precision.current = level
        sums[level] = np.full(40, np.nan, "f4")
        product(gy.T, x, np.empty((40, 50), "f4"), sums=sums[level])
    np.testing.assert_array_equal(sums["highest"], sums["medium"])


@pytest.mark.parametrize("shape", [(50, 60, 1), (50, 60, 70), (40, 50, 3000), (300, 300, 300)])
def test_error_bound(shape):
    a, b = operands(*shape)
    a, b = np.exp(a) * np.sign(a), np.exp(2 * b)  # of mixed size
    out, k = product(a, b, np.empty(shape[:2], "f4")), shape[2]
    a, b = a.astype("f8"), b.astype("f8")
    gamma = k * 2.0**-24 / (1 - k * 2.0**-24)
    unit = 2.0**-8  # the unit roundoff of 8 significant bits, for each of the two operands
    bound = (2 * unit + unit * unit + gamma * (1 + unit) ** 2) * (np.abs(a) @ np.abs(b))
    assert (np.abs(out - a @ b) <= bound).all()
    x, y = rounded(a.astype("f4")).astype("f8"), rounded(b.astype("f4")).astype("f8")
    assert (np.abs(out - x @ y) <= gamma * (np.abs(x) @ np.abs(y))).all()


def test_integers_up_to_256_are_exact():
    rng = np.random.default_rng(0)
    for m, n, k in [(40, 50, 60), (33, 129, 700), (65, 31, 4001)]:
        a, b = rng.integers(-256, 257, (m, k)).astype("f4"), rng.integers(-16, 17, (k, n)).astype("f4")
        a[0, 0], b[0, 0] = 256, 16
        np.testing.assert_array_equal(product(a, b, np.empty((m, n), "f4")), a.astype("f8") @ b.astype("f8"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3.4e38])
def test_special_values_reach_the_elements_that_numpy_gives_them_to(value):
    rng = np.random.default_rng(0)
    for m, n, k in [(5, 7, 3), (40, 70, 91), (100, 10, 600), (3, 200, 41), (100, 3, 40)]:
        a, b = rng.uniform(0.5, 1, (m, k)).astype("f4"), rng.uniform(0.5, 1, (k, n)).astype("f4")
        a[rng.integers(m), rng.integers(k)] = value
        a[rng.integers(m), k - 1] = value  # beside the padding of an odd k
        b[rng.integers(k), rng.integers(n)] = 0.0
        b[k - 1, rng.integers(n)] = value
        with np.errstate(invalid="ignore", over="ignore"):
            exact = rounded(a).astype("f8") @ rounded(b).astype("f8")
        assert np.isnan(exact).any() or np.isinf(exact).any()
        for x, y in ((a, b), (np.asfortranarray(a), np.asfortranarray(b))):
            out = product(x, y, np.zeros((m, n), "f4"))
            np.testing.assert_array_equal(np.isnan(out), np.isnan(exact))
            np.testing.assert_array_equal(np.isinf(out), np.isinf(exact))
            np.testing.assert_array_equal(out[np.isinf(out)], exact[np.isinf(out)])


def test_denormals_count_as_zero():
    tiny, small = np.float32(1e-39), np.float32(2.0**-70)
    one = np.ones((20, 20), "f4")
    for a, b in ((one * tiny, one * 1e30), (one, one * tiny), (one * small, one * small)):
        np.testing.assert_array_equal(product(a.astype("f4"), b.astype("f4"), np.empty((20, 20), "f4")), 0 * one)


def test_stale_nan_never_comes_through():
    fill_scratch_with_nan()
    for m, n, k in [(5, 7, 3), (40, 70, 91), (100, 10, 600), (3, 200, 41), (100, 3, 41), (4, 4, 0)]:
        for order in ("C", "F"):
            a, b = np.ones((m, k), "f4", order), np.ones((k, n), "f4", order)
            np.testing.assert_array_equal(product(a, b, np.full((m, n), np.nan, "f4")), np.full((m, n), k))


def test_without_the_instructions_it_is_highest(monkeypatch):
    a, b = operands(60, 70, 80)
    fast = product(a, b, np.empty((60, 70), "f4"))
    monkeypatch.setattr(bfloat, "available", lambda: False)
    slow = product(a, b, np.empty((60, 70), "f4"))
    np.testing.assert_array_equal(slow, product(a, b, np.empty((60, 70), "f4"), exact=1))
    assert (slow != fast).any()


def test_what_stays_in_float32(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(precision, "current", "medium")
    kinds = {(n, k): precision.kind("float32", n, k) for n, k in [(15, 999), (999, 15), (16, 256), (63, 64), (64, 64)]}
    assert [shape for shape, kind in kinds.items() if kind == "bfloat16"] == [(16, 256), (64, 64)]
    assert precision.kind("float64", 100, 100) == "float64"
    for level in ("highest", "high"):
        monkeypatch.setattr(precision, "current", level)
        assert precision.kind("float32", 100, 100) == "float32"
