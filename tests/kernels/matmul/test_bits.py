"""One value for each result: whatever the threads, blocks, batch size, strides or form of the call."""

from __future__ import annotations

import numpy as np
import pytest
from fastgrad.kernels import jit, launcher, pool
from fastgrad.kernels.cpu.matmul import plan as planning
from fastgrad.kernels.cpu.matmul.blocks import PANEL

from tests.kernels.matmul.raw import laid_out, product

SHAPES = [
    (1, 1, 1),
    (33, 65, 17),
    (200, 300, 784),
    (500, 13, 20),
    (13, 20, 500),
    (130, 2, 700),
    (64, 512, 1025),
    (700, 40, 2000),
]

pytestmark = pytest.mark.skipif(jit.interpreted(), reason="NumPy stands for the engine in the interpreter")


@pytest.fixture(autouse=True)
def threads_restored():
    before = pool.get_num_threads()
    yield
    pool.set_num_threads(before)


def fastgrad_tensor(array):
    from fastgrad import from_numpy

    return from_numpy(array)


def operands(m, n, k, dtype="float32"):
    rng = np.random.default_rng(m + n + k)
    return rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)


def model(a, b, bias):
    """The promised order of arithmetic in NumPy: a chain over each panel, the panels in order, then bias.

    Not fused: float64 products and sums of float32 numbers, rounded once a step, round as a fused step does.
    """
    k = a.shape[1]
    panels = max(1, -(-k // PANEL["float32"]))
    length = (-(-k // panels) + 7) // 8 * 8
    total = None
    for start in range(0, max(k, 1), max(length, 1)):
        chain = np.zeros((a.shape[0], b.shape[1]), "f4")
        for t in range(start, min(k, start + length)):
            exact = a[:, t : t + 1].astype("f8") * b[t : t + 1].astype("f8")
            chain = (exact + chain).astype("f4")
        total = chain if total is None else total + chain
    return total + bias


@pytest.mark.parametrize("shape", SHAPES)
def test_threads_forms_and_transposition_change_no_bit(shape):
    a, b = operands(*shape)
    bias = np.linspace(-1, 1, shape[1], dtype="f4")
    results = []
    for threads in (1, 2, 3, 4, 8):
        pool.set_num_threads(threads)
        for form_a, form_b, form_out in (
            ("c", "c", "c"),
            ("f", "f", "c"),
            ("strided", "reversed", "f"),
            ("c", "f", "strided"),
        ):
            out = laid_out(np.full(shape[:2], np.nan, "f4"), form_out)[0]
            x, y = laid_out(a, form_a)[0], laid_out(b, form_b)[0]
            results.append(product(x, y, out, bias=bias).copy())
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].view("i4"), other.view("i4"))


def test_the_order_of_arithmetic_is_the_one_promised():
    for shape in [(5, 7, 3), (20, 33, 600), (3, 70, 1300)]:
        a, b = operands(*shape)
        bias = np.linspace(-1, 1, shape[1], dtype="f4")
        out = product(a, b, np.empty(shape[:2], "f4"), bias=bias)
        # Double rounding makes the model differ from a fused step once in about 2^29 steps; never here.
        np.testing.assert_array_equal(out, model(a, b, bias))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["c", "f", "padded", "strided"])
def test_a_row_does_not_depend_on_the_batch(dtype, form):
    a, b = operands(300, 70, 900, dtype)
    b = laid_out(b, form)[0]
    whole = product(a, b, np.empty((300, 70), dtype))
    for rows in (1, 2, 13, 14, 57, 128):
        np.testing.assert_array_equal(product(a[:rows], b, np.empty((rows, 70), dtype)), whole[:rows])
    for columns in (1, 3, 4, 5, 16, 33):
        np.testing.assert_array_equal(product(a, b[:, :columns], np.empty((300, columns), dtype)), whole[:, :columns])


@pytest.mark.parametrize(("m", "n", "k"), [(13, 20, 9001), (1, 64, 33001), (26, 31, 9000), (40, 3, 40000)])
def test_a_long_product_that_is_cut_along_k_has_the_bits_of_the_whole(m, n, k):
    from fastgrad import empty
    from fastgrad._launch import product as launch

    gy, x = empty(k, m), empty(k, n)
    for tensor in (gy, x):
        tensor.copy_(fastgrad_tensor(np.random.default_rng(k).standard_normal(tuple(tensor.shape)).astype("f4")))
    results, splits = [], []
    for threads in (1, 2, 3, 4, 8):
        pool.set_num_threads(threads)
        splits.append(planning.prepare_split("float32", m, n, k, (1, m), (n, 1)) is not None)
        results.append([result.numpy() for result in launch.weight_gradients(gy, x, True)])
    assert not splits[0]
    assert any(splits)
    for weight, bias in results:
        np.testing.assert_array_equal(weight, results[0][0])
        np.testing.assert_array_equal(bias, results[0][1])
    np.testing.assert_array_equal(results[0][0], product(gy.numpy().T, x.numpy(), np.empty((m, n), "f4")))


def test_accumulation_adds_the_finished_product():
    for shape in SHAPES:
        a, b = operands(*shape)
        start = operands(shape[0], shape[1], shape[0])[1][: shape[0]]
        finished = product(a, b, np.empty(shape[:2], "f4"))
        np.testing.assert_array_equal(product(a, b, start.copy(), accumulate=1), start + finished)


def test_sums_are_a_product_with_ones():
    for m, n, k in SHAPES:
        gy, x = operands(k, m, 5)[0], operands(k, n, 3)[0]
        gy = np.resize(gy, (k, m)).astype("f4")
        x = np.resize(x, (k, n)).astype("f4")
        sums, out = np.full(m, np.nan, "f4"), np.empty((m, n), "f4")
        product(gy.T, x, out, sums=sums)
        np.testing.assert_array_equal(sums, product(gy.T, np.ones((k, 1), "f4"), np.empty((m, 1), "f4"))[:, 0])
        more = sums.copy()
        product(gy.T, x, out, sums=more, accumulate=1)
        np.testing.assert_array_equal(more, sums + sums)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "gelu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fused_activation_has_the_bits_of_the_operation_alone(name, dtype):
    row = jit.address(f"activation.{name}", dtype)
    backward = jit.address(f"activation.{name}_backward", dtype)
    for m, n, k in [(33, 70, 20), (200, 300, 600), (1, 5, 3)]:
        a, b = operands(m, n, k, dtype)
        bias, saved = (
            np.linspace(-1, 1, n, dtype=dtype),
            np.random.default_rng(0).uniform(0.1, 0.9, (m, n)).astype(dtype),
        )
        plain = product(a, b, np.empty((m, n), dtype), bias=bias)
        apart = np.empty_like(plain)
        launcher.launch(row, m * n, m * n, m * n, 0, apart.ctypes.data, plain.ctypes.data)
        for form in ("c", "f"):
            out = laid_out(np.full((m, n), np.nan, dtype), form)[0]
            np.testing.assert_array_equal(product(a, b, out, bias=bias, epilogue=row), apart)
        launcher.launch(backward, m * n, m * n, m * n, 0, apart.ctypes.data, saved.ctypes.data, plain.ctypes.data)
        out = np.full((m, n), np.nan, dtype)
        product(a, b, out, bias=bias, epilogue=backward, aux=saved.ctypes.data, aux_is=1)
        np.testing.assert_array_equal(out, apart)


def test_plans_cover_the_output_once():
    for m, n, k, batch in [
        (1, 1, 1, 1),
        (14, 32, 16, 1),
        (1000, 3, 50, 1),
        (5, 3000, 500, 2),
        (777, 999, 1111, 1),
        (8, 8, 8, 100),
    ]:
        for threads in (1, 2, 3, 8, 64):
            for dtype in ("float32", "float64"):
                total, grain, block_m, block_n = planning.plan(m, n, k, batch, dtype, threads)
                assert total == batch * -(-m // block_m) * -(-n // block_n)
                assert grain >= 1
                assert block_n * np.dtype(dtype).itemsize <= 1024
