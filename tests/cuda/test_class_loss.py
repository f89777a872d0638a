"""Cross-entropy, forward and gradient in one pass, with weights, ignored rows, and class indices out of range."""

import numpy as np
import pytest
from fastgrad.kernels.cpu.class_loss import EACH, GRADIENT, MEAN, WEIGHTED

IGNORED = -100


def reference(x, target, weight, mean):
    """Each row's loss, the sum or mean, and the gradient of that, in float64."""
    x = x.astype(np.float64)
    counted = target != IGNORED
    w = np.where(counted, weight[np.where(counted, target, 0)], 0.0)
    log_p = x - x.max(1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(1, keepdims=True))
    one_hot = np.arange(x.shape[1]) == target[:, None]
    losses = -w * np.where(one_hot, log_p, 0.0).sum(1)
    scale = w.sum() if mean else 1.0
    return losses, losses.sum() / scale, w[:, None] * (np.exp(log_p) - one_hot) / scale


@pytest.fixture
def cross_entropy(device):
    """(loss, gradient) as `fastgrad._launch` computes them: check and weigh the classes, then one pass over the rows."""

    def call(x, target, weight, flags, block):
        rows, n = x.shape
        dtype, float_type = x.dtype.name, x.dtype
        x, target, weight = device.put(x), device.put(target), device.put(weight)
        total, wrong = device.Memory(8), device.Memory(1)
        row = device.row("class_loss.target_weight", dtype)
        blocks = max(1, -(-rows // block))
        if blocks > 1:
            device.launch(row, 1, 1, total.address, wrong.address, target.address, weight.address, rows, n, flags, IGNORED)
        shape = (rows,) if flags & EACH else (blocks,)
        out = device.put(np.full(shape, np.nan, float_type))
        gradient = device.put(np.full((rows, n), np.nan, float_type))
        device.launch(
            device.row("class_loss.cross_entropy", dtype), blocks, 1, out.address, gradient.address, x.address,
            target.address, weight.address, total.address, wrong.address, rows, n, block, flags, IGNORED,
        )  # fmt: skip
        if wrong.read(1, np.uint8)[0]:
            raise IndexError("Target is out of bounds.")
        return out.read(shape, float_type), gradient.read((rows, n), float_type)

    return call


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("flags", [MEAN, MEAN | WEIGHTED, 0, EACH | WEIGHTED])
def test_loss_and_gradient(cross_entropy, generator, flags, dtype):
    x = (10 * generator.normal(size=(7, 35))).astype(dtype)
    target = generator.integers(0, 35, 7)
    target[3] = IGNORED
    weight = generator.uniform(0.5, 2.0, 35).astype(dtype)
    loss, gradient = cross_entropy(x, target, weight, flags | GRADIENT, block=4)
    losses, total, expected = reference(x, target, weight if flags & WEIGHTED else np.ones(35), flags & MEAN)
    tolerance = 50 * np.finfo(dtype).eps
    np.testing.assert_allclose(loss if flags & EACH else loss.sum(), losses if flags & EACH else total, rtol=tolerance)
    np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance)


def test_large_scores_and_nan(cross_entropy):
    x = np.array([[1e4, -1e4, 0], [np.nan, 0, 0], [np.inf, 0, 0], [0, 0, 0]], np.float32)
    loss, gradient = cross_entropy(x, np.array([0, 0, 1, 2]), np.ones(3, np.float32), EACH | GRADIENT, block=4)
    np.testing.assert_allclose(loss, [0, np.nan, np.nan, np.log(3)], rtol=1e-6)
    np.testing.assert_allclose(gradient[0], 0)
    assert np.isnan(gradient[1:3]).all()
    np.testing.assert_allclose(gradient[3], [1 / 3, 1 / 3, -2 / 3], rtol=1e-6)


def test_without_a_gradient_its_memory_is_not_touched(cross_entropy):
    loss, gradient = cross_entropy(np.zeros((2, 4)), np.array([1, 3]), np.ones(4), MEAN, block=2)
    np.testing.assert_allclose(loss, [np.log(4)])
    assert np.isnan(gradient).all()


def test_only_ignored_rows(cross_entropy):
    loss, _ = cross_entropy(np.zeros((2, 4)), np.array([IGNORED, IGNORED]), np.ones(4), MEAN, block=2)
    assert np.isnan(loss).all()


@pytest.mark.parametrize("wrong", [-1, 4, 2**40])
def test_a_class_that_is_not_there(cross_entropy, wrong):
    with pytest.raises(IndexError, match="out of bounds"):
        cross_entropy(np.zeros((3, 4)), np.array([0, wrong, 3]), np.ones(4), MEAN, block=4)
