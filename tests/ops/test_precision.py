"""set_float32_matmul_precision: PyTorch's values, warnings and errors, and which products it reaches."""

import warnings

import numpy as np
import pytest
from fastgrad.kernels import jit
from fastgrad.kernels.cpu.matmul import bfloat

import fastgrad
from fastgrad.nn import functional as F
from tests.kernels.matmul.rounding import rounded

needs_pairs = pytest.mark.skipif(not bfloat.available(), reason="no bfloat16 instructions")


@pytest.fixture(autouse=True)
def restored():
    before = fastgrad.get_float32_matmul_precision()
    yield
    fastgrad.set_float32_matmul_precision(before)


def outcome(library, value):
    """What a call gives: the warning's or error's type and text, and the setting after it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            library.set_float32_matmul_precision(value)
            error = None
        except Exception as problem:
            error = type(problem), str(problem)
    # PyTorch adds where in its sources the warning stands, and lacks a space.
    texts = [str(w.message).split(" (Triggered")[0].replace(" ", "") for w in caught]
    return error, texts, [w.category for w in caught], library.get_float32_matmul_precision()


@pytest.mark.parametrize("value", ["highest", "high", "medium", "HIGH", "", "foo", 1, None, True, 1.5, ["high"]])
def test_values_are_pytorch_s(torch, value):
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        fastgrad.set_float32_matmul_precision("high")
        assert outcome(fastgrad, value) == outcome(torch, value)
    finally:
        torch.set_float32_matmul_precision(before)


def test_default():
    assert fastgrad.get_float32_matmul_precision() == "highest"


def layer(seed=0):
    """A layer's results and gradients, and what they were computed from."""
    generator = fastgrad.Generator().manual_seed(seed)
    x, weight, bias, gy = (fastgrad.randn(shape, generator=generator) for shape in ((80, 70), (90, 70), (90,), (80, 90)))
    for tensor in (x, weight, bias):
        tensor.requires_grad_()
    y = F.linear(x, weight, bias)
    y.backward(gy)
    given, got = (x, weight, bias, gy), (y, x.grad, weight.grad, bias.grad)
    return [t.detach().numpy() for t in given], [t.detach().numpy() for t in got]


@needs_pairs
def test_a_layer_and_its_gradients_are_float32_products_of_rounded_operands():
    _, (y, gx, gw, gb) = layer()
    fastgrad.set_float32_matmul_precision("medium")
    (x, w, b, gy), got = layer()
    for result, exact in zip(got[:3], (y, gx, gw), strict=True):
        assert result.dtype == np.float32
        assert (result != exact).any()
    fastgrad.set_float32_matmul_precision("highest")
    x, w, rgy = (fastgrad.tensor(rounded(each)) for each in (x, w, gy))
    for result, expected in zip(got, (F.linear(x, w, fastgrad.tensor(b)), rgy @ w, rgy.T @ x), strict=False):
        np.testing.assert_array_equal(result, expected.numpy())
    np.testing.assert_array_equal(got[3], gb)  # the bias gradient is a sum of gy as it is


@needs_pairs
def test_prepared_products_follow_the_switch():
    a, b = fastgrad.randn(20, 70), fastgrad.randn(70, 80)
    first, results = a @ b, {}
    for level in ("medium", "highest", "medium", "high"):
        fastgrad.set_float32_matmul_precision(level)
        results.setdefault(level, (a @ b).numpy())
        np.testing.assert_array_equal(results[level], (a @ b).numpy())
    np.testing.assert_array_equal(first.numpy(), results["highest"])
    np.testing.assert_array_equal(first.numpy(), results["high"])
    assert (results["medium"] != results["highest"]).any()


@needs_pairs
def test_batched_products_and_float64():
    a, b = fastgrad.randn(3, 20, 90), fastgrad.randn(3, 90, 65)
    exact, wide = (a @ b).numpy(), (a.double() @ b.double()).numpy()
    fastgrad.set_float32_matmul_precision("medium")
    got = (a @ b).numpy()
    assert (got != exact).any()
    for i in range(3):
        np.testing.assert_array_equal(got[i], (a[i] @ b[i]).numpy())
    np.testing.assert_array_equal((a.double() @ b.double()).numpy(), wide)


@needs_pairs
def test_close_to_pytorch_s_bfloat16(torch):
    a, b = np.random.default_rng(0).standard_normal((2, 128, 128)).astype("f4")
    fastgrad.set_float32_matmul_precision("medium")
    got = (fastgrad.tensor(a) @ fastgrad.tensor(b)).numpy()
    theirs = torch.from_numpy(a).bfloat16() @ torch.from_numpy(b).bfloat16()  # and the result rounded
    np.testing.assert_allclose(got, theirs.float().numpy(), rtol=2**-8, atol=1e-4)


@pytest.mark.skipif(jit.interpreted(), reason="nothing is compiled in the interpreter")
def test_on_a_processor_without_the_instructions_it_is_highest(run_python, tmp_path):
    code = """
import fastgrad
a, b = fastgrad.randn(40, 90), fastgrad.randn(90, 60)
before = (a @ b).numpy()
fastgrad.set_float32_matmul_precision("medium")
assert ((a @ b).numpy() == before).all()
"""
    run_python("-c", code, NUMBA_CPU_NAME="haswell", FASTGRAD_CACHE_DIR=str(tmp_path),
               NUMBA_CPU_FEATURES="+avx2,+fma,+avx,+sse4.2,+bmi,+bmi2,+f16c,+popcnt,+lzcnt,+movbe")  # fmt: skip
