"""What follows a product, made part of it, has the bits of the separate rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fastgrad.kernels import jit, launcher, pool
from fastgrad.kernels.cpu.matmul import plan as planning
from fastgrad.kernels.cpu.matmul.plan import FIRST, RELU, RELU_BACKWARD, RESULT, SECOND

from tests.kernels.matmul.raw import laid_out, product

DTYPES = ["float32", "float64"]
# An activation, its numbers, and whether its derivative takes the output (else the input).
ACTIVATIONS = {
    "relu": ((), True), "tanh": ((), True), "sigmoid": ((), True), "leaky_relu": ((0.1,), False), "gelu": ((), False),
    "gelu_tanh": ((), False), "silu": ((), False), "softplus": ((1.5, 20.0), False), "elu": ((1.1, 0.7, 0.9), False),
}  # fmt: skip
# Some are taken as their transpose (few columns, long), some have more than one panel of k or of rows.
SHAPES = [(33, 70, 20), (1100, 90, 30), (9, 41, 1100), (300, 3, 100), (1, 5, 3), (40, 4, 600)]
if jit.interpreted():  # which takes its time
    SHAPES = [(3, 5, 4), (6, 2, 70)]
    ACTIVATIONS = {name: ACTIVATIONS[name] for name in ("relu", "softplus")}

pytestmark = pytest.mark.plain


def same(got, wanted):
    """The same bits; in the interpreter, where NumPy's product stands for the engine, about the same numbers."""
    if jit.interpreted():
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-3)
    else:
        np.testing.assert_array_equal(got, wanted)


@pytest.fixture(autouse=True)
def threads_restored():
    before = pool.get_num_threads()
    yield
    pool.set_num_threads(before)


def at(x):
    return x.ctypes.data


def steps(x):
    return tuple(stride // x.itemsize for stride in x.strides)


def recorded(a, b, out, bias=None):
    """(row, total, grain, words) of a product, as a recorder sees it."""
    prepared = planning.prepare(out.dtype.name, *out.shape, a.shape[1], steps(out), steps(a), steps(b))
    _, transposed, head, out_steps, a_steps, b_steps, tail = prepared
    x, y = (b, a) if transposed else (a, b)
    words = (at(out), *out_steps, at(x), *a_steps, at(y), *b_steps, 0, 0 if bias is None else at(bias), transposed, *tail)
    return *head[:3], (*head[3:], *words)


def run(row, total, grain, words):
    launcher.launch(row, total, grain, *words)


def elementwise(name, out, *inputs, numbers=()):
    """The separate row, on contiguous copies: its bits do not depend on the layout."""
    result = np.empty(out.shape, out.dtype)
    kept = [np.ascontiguousarray(x) for x in inputs]
    launcher.launch(jit.address(name, out.dtype.name), out.size, out.size, out.size, 0, at(result), *map(at, kept), *numbers)
    out[...] = result
    return out


def column_sums(x):
    """The separate row: a product with ones."""
    sums, ones = np.full(x.shape[1], np.nan, x.dtype), np.ones((1, x.shape[0]), x.dtype)
    return product(ones, x, sums[None])[0]


def operands(m, n, k, dtype):
    rng = np.random.default_rng(m + n + k)
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((n, k)).astype(dtype).T
    return a, b, rng.standard_normal(n).astype(dtype), rng.standard_normal((m, n)).astype(dtype)


def blank(m, n, dtype, form):
    return laid_out(np.full((m, n), np.nan, dtype), form)[0]


def threads_and_forms():
    for threads, form in itertools.product((1,) if jit.interpreted() else (1, 2, 3, 4, 8), ("c", "padded", "f", "strided")):
        pool.set_num_threads(threads)
        yield form


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_bias_and_activation(name, dtype):
    numbers, _ = ACTIVATIONS[name]
    slots = [np.array([number]) for number in numbers]
    address = jit.address(f"activation.{name}", dtype)
    for m, n, k in SHAPES:
        a, b, bias, _ = operands(m, n, k, dtype)
        z = product(a, b, np.empty((m, n), dtype), bias=bias)
        y = elementwise(f"activation.{name}", np.empty_like(z), z, numbers=numbers)
        for form in threads_and_forms():
            fuse = {"bias": at(bias), "epilogue": address, "slots": tuple(map(at, slots))}
            out = blank(m, n, dtype, form)
            run(*planning.fused(*recorded(a, b, out), **fuse))
            same(out, y)
            if name == "relu":
                out = blank(m, n, dtype, form)
                run(*planning.fused(*recorded(a, b, out), **fuse, aux_is=RELU))
                same(out, y)
            out, active = blank(m, n, dtype, form), blank(m, n, dtype, form)
            run(*planning.fused(*recorded(a, b, out), **fuse, aux=at(active), aux_is=RESULT))
            same(out, z)
            same(active, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_times_the_derivative_with_the_bias_gradient(name, dtype):
    numbers, from_output = ACTIVATIONS[name]
    slots_kept = [np.array([number]) for number in numbers]
    slots = tuple(map(at, slots_kept))
    address = jit.address(f"activation.{name}_backward", dtype)
    for m, n, k in SHAPES:
        a, b, _, saved = operands(m, n, k, dtype)
        if from_output:
            elementwise(f"activation.{name}", saved, saved.copy(), numbers=numbers)
        gy = product(a, b, np.empty((m, n), dtype))
        gx = elementwise(f"activation.{name}_backward", np.empty_like(gy), saved, gy, numbers=numbers)
        sums = column_sums(gx)
        for form in threads_and_forms():
            out, aux = blank(m, n, dtype, form), laid_out(saved, form)[0]
            fuse = {"epilogue": address, "aux": at(aux), "aux_is": FIRST, "slots": slots}
            run(*planning.fused(*recorded(a, b, out), **fuse))
            same(out, gx)
            if name == "relu":
                out = blank(m, n, dtype, form)
                fuse["aux_is"] = RELU_BACKWARD
                run(*planning.fused(*recorded(a, b, out), **fuse))
                same(out, gx)
            if form in ("c", "padded"):
                out, got = blank(m, n, dtype, form), np.full(n, np.nan, dtype)
                run(*planning.fused(*recorded(a, b, out), **fuse, out_sums=at(got)))
                same(out, gx)
                same(got, sums)


@pytest.mark.parametrize("dtype", DTYPES)
def test_relu_of_signs_and_nans(dtype):
    """In the registers of a tile: -0 stays, NaN goes through, and where y is not positive the gradient is 0, NaN or not."""
    small = -1e-30 if dtype == "float32" else -1e-200
    special = np.array([np.nan, np.inf, -np.inf, 1.0, -1.0, 0.0, small, -small], dtype)
    a, b = np.ascontiguousarray(special[:, None]), np.ascontiguousarray(np.append(np.ones(7), [-small]).astype(dtype)[None])
    saved = np.ascontiguousarray(np.stack([np.roll(special, shift) for shift in range(8)]))
    relu, backward = (jit.address(f"activation.{name}", dtype) for name in ("relu", "relu_backward"))
    with np.errstate(invalid="ignore"):
        z = product(a, b, np.empty((8, 8), dtype))
        positive = elementwise("activation.relu", np.empty_like(z), z)
        passed = elementwise("activation.relu_backward", np.empty_like(z), saved, z)
        out, gx = blank(8, 8, dtype, "c"), blank(8, 8, dtype, "c")
        run(*planning.fused(*recorded(a, b, out), epilogue=relu, aux_is=RELU))
        run(*planning.fused(*recorded(a, b, gx), epilogue=backward, aux=at(saved), aux_is=RELU_BACKWARD))
    assert np.signbit(out[6, 7]) or jit.interpreted()  # one rounding, of a number below 0; the plain form has two
    for got, expected in ((out, positive), (gx, passed)):
        assert np.array_equal(np.isnan(got), np.isnan(expected))
        sure = ~np.isnan(got)  # the sign of a NaN is nobody's
        assert got[sure].tobytes() == expected[sure].tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_arithmetic_accumulation_and_scale(dtype):
    scale = np.array([0.3])
    for m, n, k in SHAPES:
        a, b, bias, other = operands(m, n, k, dtype)
        z = product(a, b, np.empty((m, n), dtype), bias=bias)
        for form in threads_and_forms():
            beside = laid_out(other, form)[0]
            for kernel, first in (("add", False), ("mul", False), ("sub", False), ("sub", True)):
                out = blank(m, n, dtype, form)
                where = {"aux": at(beside), "aux_is": FIRST if first else SECOND}
                run(
                    *planning.fused(
                        *recorded(a, b, out, bias), epilogue=jit.address(f"elementwise.{kernel}", dtype), **where
                    )
                )
                inputs = (other, z) if first else (z, other)
                same(out, elementwise(f"elementwise.{kernel}", np.empty_like(z), *inputs))
            scaled = {"epilogue": jit.address("elementwise.mul_scalar", dtype), "slots": (at(scale),)}
            out = blank(m, n, dtype, form)
            run(*planning.fused(*recorded(a, b, out, bias), **scaled))
            same(out, elementwise("elementwise.mul_scalar", np.empty_like(z), z, numbers=(0.3,)))
            # Accumulation comes first, into memory that the recorded product did not write.
            total, out = laid_out(other, form)[0], blank(m, n, dtype, form)
            run(*planning.fused(*recorded(a, b, out, bias), accumulate=1, out=at(total), **scaled))
            expected = elementwise("elementwise.mul_scalar", np.empty_like(z), other + z, numbers=(0.3,))
            same(total, expected)


def test_column_sums_alone_and_of_a_transposed_layout():
    for m, n, k in SHAPES:
        a, b, _, _ = operands(m, n, k, "float32")
        z, got = product(a, b, np.empty((m, n), "f4")), np.full(n, np.nan, "f4")
        out = np.full((m, n), np.nan, "f4")
        run(*planning.fused(*recorded(a, b, out), out_sums=at(got)))
        same(got, column_sums(z))
        with pytest.raises(ValueError, match="column sums"):
            planning.fused(*recorded(a, b, blank(m, n, "float32", "strided")), out_sums=at(got))


def test_only_one_thing_of_a_kind_follows():
    a, b, bias, _ = operands(4, 5, 6, "float32")
    relu = jit.address("activation.relu", "float32")
    once = planning.fused(*recorded(a, b, np.empty((4, 5), "f4"), bias), epilogue=relu)
    with pytest.raises(ValueError, match="ends in an epilogue"):
        planning.fused(*once, epilogue=relu)
    with pytest.raises(ValueError, match="another bias"):
        planning.fused(*recorded(a, b, np.empty((4, 5), "f4"), bias), bias=at(bias))
