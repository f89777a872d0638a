"""Kernels of softmax, losses and dropout's derivative, against the reference functions of the same names."""

import numpy as np
import pytest

from tests.kernels.rows import launch, reference

pytestmark = pytest.mark.plain

DTYPES = ("float32", "float64")
MEAN, EACH, WEIGHTED, GRADIENT = 2, 4, 1, 8
ROWS = [(1, 1), (3, 4), (5, 15), (7, 16), (2, 33), (70, 3)]


def specified(name, *args):
    with np.errstate(all="ignore"):
        reference(name)(*args)


def near(got, want, dtype, units=16):
    scale = max(1.0, np.abs(want[np.isfinite(want)]).max(initial=0.0))
    np.testing.assert_allclose(got, want, rtol=0, atol=units * np.finfo(dtype).eps * scale)


def numbers(rng, shape, dtype):
    return (rng.standard_normal(shape) * 3).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_backward", "log_softmax_backward"])
@pytest.mark.parametrize("shape", ROWS)
def test_softmax(name, dtype, shape):
    rng = np.random.default_rng(1)
    x, got, want = numbers(rng, shape, dtype), np.empty(shape, dtype), np.empty(shape, dtype)
    inputs = [x]
    if name.endswith("backward"):
        y = np.empty(shape, dtype)
        specified(f"softmax.{name.removesuffix('_backward')}", y, x)
        inputs = [y, numbers(rng, shape, dtype)]
    launch(f"softmax.{name}", dtype, shape[0], shape[0], got, *inputs, shape[1])
    specified(f"softmax.{name}", want, *inputs)
    near(got, want, dtype)
    pieces = np.empty(shape, dtype)
    launch(f"softmax.{name}", dtype, shape[0], 2, pieces, *inputs, shape[1])
    assert np.array_equal(pieces, got), "bits depend on where the rows are cut"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_backward", "log_softmax_backward"])
@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 5, 3), (3, 2, 64), (1, 7, 65), (2, 9, 130)])
def test_softmax_of_columns(name, dtype, shape):
    rng = np.random.default_rng(2)
    x, got, want = numbers(rng, shape, dtype), np.empty(shape, dtype), np.empty(shape, dtype)
    inputs = [x]
    if name.endswith("backward"):
        y = np.empty(shape, dtype)
        specified(f"softmax.{name.removesuffix('_backward')}_columns", y, x)
        inputs = [y, numbers(rng, shape, dtype)]
    tasks = shape[0] * -(-shape[2] // 64)
    launch(f"softmax.{name}_columns", dtype, tasks, 1, got, *inputs, *shape[1:])
    specified(f"softmax.{name}_columns", want, *inputs)
    near(got, want, dtype)


PAIRS = {"mse": 0.0, "l1": 0.0, "smooth_l1": 0.7, "huber": 0.7, "bce": 0.0, "bce_logits": 0.0}


def pairs(name, rng, n, dtype):
    if name == "bce":
        return rng.random(n).astype(dtype), rng.random(n).astype(dtype)
    return numbers(rng, n, dtype), rng.random(n).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("n", [0, 1, 17, 1500])
def test_losses_of_pairs(name, dtype, n):
    rng, p, block = np.random.default_rng(2), PAIRS[name], 700
    x, t = pairs(name, rng, n, dtype)
    blocks = max(1, -(-n // block))
    got, want = np.empty(blocks, dtype), np.empty(blocks, dtype)
    gradient, slope = np.empty(n, dtype), np.empty(n, dtype)
    for wanted in (0, 1):
        sizes = (n, block, wanted, float(max(n, 1)), p)
        launch(f"loss.{name}_sum", dtype, blocks, 1, got, gradient, x, t, *sizes)
        specified(f"loss.{name}_sum", want, slope, x, t, *sizes)
        near(got, want, dtype)
    near(gradient, slope, dtype)
    each, expected = np.empty(n, dtype), np.empty(n, dtype)
    launch(f"loss.{name}", dtype, n, n, n, 0, each, x, t, p)
    specified(f"loss.{name}", expected, x, t, p)
    near(each, expected, dtype)
    launch(f"loss.{name}_backward", dtype, n, n, n, 0, each, x, t, gradient, p)
    specified(f"loss.{name}_backward", expected, x, t, gradient, p)
    near(each, expected, dtype, 64)


FLAGS = [reduction | weighted | GRADIENT for reduction in (0, MEAN, EACH) for weighted in (0, WEIGHTED)] + [MEAN]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("shape", ROWS)
def test_losses_of_classes(name, dtype, shape):
    rng, (rows, n) = np.random.default_rng(3), shape
    x, weight, target = numbers(rng, shape, dtype), rng.random(n).astype(dtype), rng.integers(0, n, rows)
    target[rng.random(rows) < 0.2] = -100
    block = max(rows, 1)
    for flags in FLAGS:
        results = []
        kernel = f"class_loss.{name}"
        for run in (lambda *a: launch(kernel, dtype, 1, 1, *a), lambda *a: specified(kernel, *a)):
            out, gradient = np.empty(rows if flags & EACH else 1, dtype), np.zeros(shape, dtype)
            total, wrong = np.empty(1), np.empty(1, np.uint8)
            run(out, gradient, x, target, weight, total, wrong, rows, n, block, flags, -100)
            assert not wrong[0]
            results.append((out, gradient, total))
        (out, gradient, total), (want, slope, weights) = results
        near(out, want, dtype)
        np.testing.assert_allclose(total, weights, rtol=1e-6)
        if flags & GRADIENT:
            near(gradient, slope, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", ROWS)
def test_losses_of_smoothed_classes(dtype, shape):
    rng, (rows, n) = np.random.default_rng(5), shape
    x, weight, target = numbers(rng, shape, dtype), rng.random(n).astype(dtype), rng.integers(0, n, rows)
    target[rng.random(rows) < 0.2] = -100
    spread, kernel = (0.3 / n * weight).astype(dtype), "class_loss.smooth_cross_entropy"
    for flags in FLAGS:
        results = []
        for run in (lambda *a: launch(kernel, dtype, 1, 1, *a), lambda *a: specified(kernel, *a)):
            out, gradient = np.empty(rows if flags & EACH else 1, dtype), np.zeros(shape, dtype)
            total, wrong = np.empty(1), np.empty(1, np.uint8)
            run(out, gradient, x, target, weight, spread, total, wrong, rows, n, max(rows, 1), flags, -100, 0.7)
            assert not wrong[0]
            results.append((out, gradient))
        (out, gradient), (want, slope) = results
        near(out, want, dtype, 64)
        if flags & GRADIENT:
            near(gradient, slope, dtype, 64)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_a_target_that_is_no_class_is_reported_and_not_used(name):
    for wrong_class in (3, -1, 2**62, -(2**62)):
        target, x = np.array([0, wrong_class]), np.ones((2, 3), np.float32)
        out, gradient = np.empty(1, np.float32), np.empty((2, 3), np.float32)
        total, wrong = np.empty(1), np.zeros(1, np.uint8)
        launch(
            f"class_loss.{name}", "float32", 1, 1, out, gradient, x, target, x, total, wrong, 2, 3, 2, MEAN | GRADIENT, -100
        )
        assert wrong[0] == 1
        assert total[0] == 1.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", ROWS)
def test_losses_of_probabilities(dtype, shape):
    rng, (rows, n) = np.random.default_rng(4), shape
    x, target, block = numbers(rng, shape, dtype), rng.random(shape).astype(dtype), 20
    for flags in (GRADIENT, MEAN | GRADIENT, EACH | GRADIENT, MEAN):
        blocks = -(-rows // block)
        out, want = (np.empty(rows if flags & EACH else blocks, dtype) for _ in range(2))
        gradient, slope = np.empty(shape, dtype), np.empty(shape, dtype)
        sizes = (rows, n, block, flags, float(rows))
        launch("class_loss.soft_cross_entropy", dtype, blocks, 1, out, gradient, x, target, *sizes)
        specified("class_loss.soft_cross_entropy", want, slope, x, target, *sizes)
        near(out, want, dtype)
        if flags & GRADIENT:
            near(gradient, slope, dtype, 64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_derivative_of_dropout(dtype):
    gy = np.array([1.0, -2.0, np.inf, 0.5, np.nan], dtype)
    kept, got, want = np.array([1, 0, 0, 1, 1], np.uint8), np.empty(5, dtype), np.empty(5, dtype)
    launch("activation.dropout_backward", dtype, 5, 2, got, gy, kept, 0.7)
    specified("activation.dropout_backward", want, gy, kept, 0.7)
    np.testing.assert_array_equal(got, want)
