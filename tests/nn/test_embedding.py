"""Embeddings as PyTorch's: rows, gradients of two orders, padding, frequencies, norms, errors; the kernels; threads."""

import numpy as np
import pytest

import fastgrad
from fastgrad import nn
from fastgrad.autograd import gradcheck, gradgradcheck
from tests.kernels.rows import launch, reference
from tests.nn.both import same


def trained(t, options, second=True):
    layer, index = t.nn.Embedding(7, 3, **options), t.tensor([[1, 2, 2], [0, 6, 1]])
    y = layer(index)
    (g,) = t.autograd.grad((y * y * y).sum(), layer.weight, create_graph=True)
    found = [y, layer.weight, g, y.grad_fn.name()]
    return [*found, *t.autograd.grad((g * g).sum(), layer.weight)] if second else found


OPTIONS = [{}, {"padding_idx": 2}, {"padding_idx": -1}, {"scale_grad_by_freq": True}, {"max_norm": 0.5}]
OPTIONS += [{"max_norm": 0.5, "norm_type": 1.0}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_as_pytorch(torch, options):
    # PyTorch's second gradient leaves the frequencies out.
    same(torch, lambda t: trained(t, options, second="scale_grad_by_freq" not in options))


@pytest.mark.parametrize("options", [{}, {"padding_idx": 2}, {"scale_grad_by_freq": True}], ids=str)
def test_gradients_are_differences(options):
    index = fastgrad.tensor([[1, 3, 3], [0, 1, 1]])
    weight = fastgrad.tensor(np.random.default_rng(0).standard_normal((4, 2)), requires_grad=True)
    if not options:
        assert gradcheck(lambda w: nn.functional.embedding(index, w), (weight,))
    gy = fastgrad.tensor(np.random.default_rng(1).standard_normal((2, 3, 2)), requires_grad=True)

    def gradient(gy):
        return fastgrad.autograd.grad(nn.functional.embedding(index, weight, **options), weight, gy, create_graph=True)[0]

    assert gradcheck(gradient, (gy,))
    assert gradgradcheck(lambda w: nn.functional.embedding(index, w) ** 2, (weight,))


CALLS = {
    "a row that is not there": lambda t, f, w: f.embedding(t.tensor([4]), w),
    "a negative row": lambda t, f, w: f.embedding(t.tensor([0, -1]), w),
    "floats": lambda t, f, w: f.embedding(t.tensor([1.0]), w),
    "a vector": lambda t, f, w: f.embedding(t.tensor([1]), w[0]),
    "padding beyond": lambda t, f, w: f.embedding(t.tensor([1]), w, padding_idx=4),
    "padding before": lambda t, f, w: f.embedding(t.tensor([1]), w, padding_idx=-5),
    "a layer with padding beyond": lambda t, f, w: t.nn.Embedding(3, 2, padding_idx=3),
    "pretrained vector": lambda t, f, w: t.nn.Embedding.from_pretrained(w[0]),
    "another shape": lambda t, f, w: t.nn.Embedding(3, 2, _weight=w),
    "int32": lambda t, f, w: f.embedding(t.tensor([1], dtype=t.int32), w),
    "no rows": lambda t, f, w: list(f.embedding(t.tensor([], dtype=t.int64), w).shape),
    "a number": lambda t, f, w: f.embedding(t.tensor(2), w),
    "text": lambda t, f, w: repr(t.nn.Embedding(3, 2, padding_idx=1, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)),
    "pretrained": lambda t, f, w: t.nn.Embedding.from_pretrained(w)(t.tensor([2])).requires_grad,
    "pretrained, not frozen": lambda t, f, w: t.nn.Embedding.from_pretrained(w, freeze=False)(t.tensor([2])).requires_grad,
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(torch, name):
    same(torch, lambda t: CALLS[name](t, t.nn.functional, t.arange(12.0).reshape(4, 3)))


def test_a_norm_of_a_row_that_is_not_there():
    for row in (4, -1):
        with pytest.raises(IndexError, match="index out of range in self"):
            nn.functional.embedding(fastgrad.tensor([row]), fastgrad.ones(4, 3), max_norm=1.0)


def test_sparse_gradients_are_refused():
    with pytest.raises(NotImplementedError, match="sparse"):
        nn.Embedding(3, 2, sparse=True)(fastgrad.tensor([1]))


@pytest.mark.plain
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 3, 64, 130])
def test_kernels(dtype, size):
    rng, rows, n = np.random.default_rng(0), 5, 12
    table, gy = rng.standard_normal((rows, size)).astype(dtype), rng.standard_normal((n, size)).astype(dtype)
    index = rng.integers(0, rows, n)
    counts, wrong = np.bincount(index, minlength=rows), np.zeros(2, np.uint8)
    got, want = np.empty((n, size), dtype), np.empty((n, size), dtype)
    launch("embedding.forward", dtype, n, 5, got, table, index, wrong, rows, size)
    reference("embedding.forward")(want, table, index, wrong[1:], rows, size)
    np.testing.assert_array_equal(got, want)
    assert wrong.tolist() == [0, 0]
    for ignored, scaled in ((-1, 0), (2, 1)):
        got, want = np.empty((rows, size), dtype), np.empty((rows, size), dtype)
        launch("embedding.backward", dtype, -(-size // 64), 1, got, gy, index, counts, rows, n, size, ignored, scaled)
        reference("embedding.backward")(want, gy, index, counts, rows, n, size, ignored, scaled)
        np.testing.assert_allclose(got, want, rtol=0, atol=32 * np.finfo(dtype).eps)
    for strange in (rows, -1, 2**62, -(2**62)):
        wrong[:] = 0
        launch("embedding.outside", dtype, 1, 1, wrong[1:], np.array([0, strange]), 0, rows, 2)
        assert wrong[1] == 1
        launch("embedding.outside", dtype, 1, 1, wrong[1:], np.array([0, strange]), 0, rows, 1)
        assert wrong[1] == 0
        launch("embedding.forward", dtype, 1, 1, got, table, np.array([strange]), wrong, rows, size)
        assert wrong[0] == 1


def test_bits_do_not_depend_on_threads():
    rng, before, results = np.random.default_rng(0), fastgrad.get_num_threads(), set()
    array, index = rng.standard_normal((300, 200)).astype("f4"), fastgrad.from_numpy(rng.integers(0, 300, 2000))
    try:
        for threads in (1, 2, 5):
            fastgrad.set_num_threads(threads)
            weight = fastgrad.from_numpy(array.copy()).requires_grad_()
            y = nn.functional.embedding(index, weight)
            (y * y).sum().backward()
            results.add(y.detach().numpy().tobytes() + weight.grad.numpy().tobytes())
    finally:
        fastgrad.set_num_threads(before)
    assert len(results) == 1
