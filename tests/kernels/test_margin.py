"""Kernels of likelihoods, of losses with a margin and of distances, against the reference functions of the same names."""

import numpy as np
import pytest

from tests.kernels.rows import launch, reference
from tests.kernels.test_loss_kernels import near, specified

pytestmark = pytest.mark.plain
DTYPES = ("float32", "float64")
MEAN, EACH, WEIGHTED, GRADIENT = 2, 4, 1, 8
PAIRS = {
    "likelihood.kl": 0.0, "likelihood.kl_log": 0.0, "likelihood.poisson_log": 0.0, "likelihood.poisson": 0.1,
    "margin.hinge": 0.7, "margin.soft": 0.0, "margin.ranking": 0.3, "margin.match": 0.2,
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("n", [0, 1, 17, 1500])
def test_pairs(name, dtype, n):
    rng, p, block = np.random.default_rng(2), PAIRS[name], 700
    x = rng.random(n).astype(dtype) if name == "likelihood.poisson" else rng.standard_normal(n).astype(dtype)
    t = np.sign(rng.standard_normal(n)).astype(dtype) if name.startswith("margin") else rng.random(n).astype(dtype)
    t[: n // 10] = 0
    blocks = max(1, -(-n // block))
    got, want = np.empty(blocks, dtype), np.empty(blocks, dtype)
    gradient, slope = np.empty(n, dtype), np.empty(n, dtype)
    for wanted in (0, 1):
        sizes = (n, block, wanted, float(max(n, 1)), p)
        launch(f"{name}_sum", dtype, blocks, 1, got, gradient, x, t, *sizes)
        specified(f"{name}_sum", want, slope, x, t, *sizes)
        near(got, want, dtype)
    near(gradient, slope, dtype)
    each, expected = np.empty(n, dtype), np.empty(n, dtype)
    launch(name, dtype, n, n, n, 0, each, x, t, p)
    specified(name, expected, x, t, p)
    near(each, expected, dtype)
    launch(f"{name}_backward", dtype, n, n, n, 0, each, x, t, gradient, p)
    specified(f"{name}_backward", expected, x, t, gradient, p)
    near(each, expected, dtype, 64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "n"), [(1, 1), (3, 4), (7, 16), (70, 3), (2, 300)])
@pytest.mark.parametrize("flags", [GRADIENT, MEAN | GRADIENT, EACH | GRADIENT, MEAN, MEAN | WEIGHTED | GRADIENT])
def test_classes(dtype, rows, n, flags):
    rng, block = np.random.default_rng(3), 20
    x, weight = rng.standard_normal((rows, n)).astype(dtype), rng.random(n).astype(dtype)
    blocks = -(-rows // block)
    labels = np.full((rows, n), -1)
    for row in labels:
        size = rng.integers(0, n + 1)
        row[:size] = rng.permutation(n)[:size]
    target = rng.integers(0, n, rows)
    runs = {
        "margin.multi": [
            lambda out, g, wrong, square=k: (out, g, x, target, weight, wrong, rows, n, block, flags, square, 0.9)
            for k in (0, 1)
        ],
        "margin.multilabel": [
            lambda out, g, wrong: (out, g, np.empty((rows, n), np.uint8), x, labels, wrong, rows, n, block, flags)
        ],
    }  # fmt: skip
    for name, calls in runs.items():
        for arguments in calls:
            results = []
            for run in (lambda *a: launch(name, dtype, blocks, 1, *a), lambda *a: reference(name)(*a)):
                out, gradient = np.empty(rows if flags & EACH else blocks, dtype), np.zeros((rows, n), dtype)
                wrong = np.zeros(1, np.uint8)
                run(*arguments(out, gradient, wrong))
                assert not wrong[0]
                results.append((out, gradient))
            near(results[0][0], results[1][0], dtype, 64)
            if flags & GRADIENT:
                near(results[0][1], results[1][1], dtype, 64)


def test_a_target_that_is_no_class_is_reported_and_not_used():
    for wrong_class in (3, -2, 2**62, -(2**62)):
        x, out, gradient = np.ones((1, 3), np.float32), np.empty(1, np.float32), np.empty((1, 3), np.float32)
        wrong = np.zeros(2, np.uint8)
        launch("margin.multi", "float32", 1, 1, out, gradient, x, np.array([wrong_class]), x, wrong, 1, 3, 1, 0, 0, 1.0)
        labels = np.array([[0, wrong_class, -1]])
        chosen = np.empty((1, 3), np.uint8)
        launch("margin.multilabel", "float32", 1, 1, out, gradient, chosen, x, labels, wrong[1:], 1, 3, 1, 0)
        assert wrong.tolist() == [1, 1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "n"), [(1, 1), (5, 3), (3, 300), (0, 2)])
def test_distances(dtype, rows, n):
    rng = np.random.default_rng(4)
    a, b = (rng.standard_normal((rows, n)).astype(dtype) for _ in range(2))
    gy = rng.standard_normal(rows).astype(dtype)
    if rows > 1:
        a[0] = 0
        b[1] = a[1]
    ours, theirs = (np.empty(rows, dtype) for _ in range(2))
    launch("distance.distance", dtype, rows, 2, ours, a, b, n, 0.0)
    specified("distance.distance", theirs, a, b, n, 0.0)
    near(ours, theirs, dtype)
    got, want = np.empty((rows, n), dtype), np.empty((rows, n), dtype)
    launch("distance.distance_backward", dtype, rows, 2, got, a, b, theirs, gy, n, 0.0)
    specified("distance.distance_backward", want, a, b, theirs, gy, n, 0.0)
    near(got, want, dtype)
    for inside in (0, 1):
        factors, wanted = np.empty((rows, 3), dtype), np.empty((rows, 3), dtype)
        launch("distance.cosine", dtype, rows, 2, ours, factors, a, b, n, inside, 0.01)
        specified("distance.cosine", theirs, wanted, a, b, n, inside, 0.01)
        near(ours, theirs, dtype)
        near(factors, wanted, dtype, 64)
        for which in (1, 2):
            launch("distance.cosine_backward", dtype, rows, 2, got, a, b, wanted, gy, n, which)
            specified("distance.cosine_backward", want, a, b, wanted, gy, n, which)
            near(got, want, dtype)
