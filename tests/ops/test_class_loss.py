"""Cross-entropy and negative log-likelihood: values, gradients on both paths, weights, ignored rows and errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad
from fastgrad._launch import class_loss as launches
from fastgrad.autograd import gradcheck, gradgradcheck
from fastgrad.nn import functional as F
from tests.ops.inputs import LAYOUTS, laid

REDUCTIONS = ("mean", "sum", "none")
by_reduction = pytest.mark.parametrize("how", REDUCTIONS)


def classes(shape):
    return shape[0] if len(shape) == 1 else shape[1]


def targets(rng, shape, name=""):
    """Class indices; some rows do not count."""
    made = np.asarray(rng.integers(0, classes(shape), shape[:1] + shape[2:] if len(shape) > 1 else ()))
    if made.ndim:
        made[rng.random(made.shape) < 0.2] = 0 if name == "ignoring class 0" else -100
    return made


# name: what is called on (library, x, target, weight, reduction)
LOSSES = {
    "cross_entropy": lambda t, x, y, w, how: t.nn.functional.cross_entropy(x, y, w, reduction=how),
    "ignoring class 0": lambda t, x, y, w, how: t.nn.functional.cross_entropy(x, y, w, ignore_index=0, reduction=how),
    "smoothed": lambda t, x, y, w, how: t.nn.functional.cross_entropy(x, y, w, label_smoothing=0.2, reduction=how),
    "nll": lambda t, x, y, w, how: t.nn.functional.nll_loss(x, y, w, reduction=how),
    "log_softmax and nll": lambda t, x, y, w, how: t.nn.functional.nll_loss(
        t.nn.functional.log_softmax(x, 1), y, w, reduction=how
    ),
}
by_loss = pytest.mark.parametrize("name", LOSSES)


@by_loss
@by_reduction
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_differences(name, how, weighted):
    rng = np.random.default_rng(1)
    x = fastgrad.tensor(rng.standard_normal((4, 3)), requires_grad=True)
    t = fastgrad.tensor([2, 0, 0 if name == "ignoring class 0" else -100, 1])
    w = fastgrad.tensor([0.5, 2.0, 0.0], dtype=fastgrad.float64)
    given = w if weighted else None
    assert gradcheck(lambda a: LOSSES[name](fastgrad, a, t, given, how), (x,))
    assert gradgradcheck(lambda a: LOSSES[name](fastgrad, a, t, given, how), (x,))


@by_reduction
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_gradients_with_probabilities_are_differences(how, smoothing):
    rng = np.random.default_rng(2)
    x = fastgrad.tensor(rng.standard_normal((3, 4)), requires_grad=True)
    t = fastgrad.tensor(rng.random((3, 4)), requires_grad=True)
    for inputs, call in (((x, t), lambda a, b: (a, b)), ((x,), lambda a: (a, t.detach()))):

        def loss(*given, call=call):
            return F.cross_entropy(*call(*given), reduction=how, label_smoothing=smoothing)

        assert gradcheck(loss, inputs)
        assert gradgradcheck(loss, inputs)


@by_loss
@by_reduction
def test_both_paths_give_the_same_gradient(name, how):
    """The by-product of the forward, scaled or not, and the derivative in operations."""
    rng = np.random.default_rng(3)
    for n in (3, 40):
        x = fastgrad.tensor(rng.standard_normal((70, n)), requires_grad=True)
        t = fastgrad.tensor(targets(rng, (70, n), name))
        loss = LOSSES[name](fastgrad, x, t, None, how)
        for number in (1.0, -2.5):
            gy = fastgrad.full(loss.shape, number, dtype=fastgrad.float64)
            (fast,) = fastgrad.autograd.grad(loss, x, gy, retain_graph=True)
            (slow,) = fastgrad.autograd.grad(loss, x, gy, create_graph=True)
            assert not fast.requires_grad
            np.testing.assert_allclose(fast.numpy(), slow.detach().numpy(), rtol=1e-9, atol=1e-14)


SHAPES = [(1, 1), (5, 4), (64, 3), (65, 15), (20, 17), (3, 300), (2, 4, 5), (2, 4, 3, 2), (1, 2, 1), (4,), (0, 3), (2, 3, 0)]


@by_loss
@settings(max_examples=25)
@given(
    shape=st.sampled_from(SHAPES),
    layout=st.sampled_from(LAYOUTS),
    weighted=st.booleans(),
    how=st.sampled_from(REDUCTIONS),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 99),
)
def test_as_pytorch(torch, name, shape, layout, weighted, how, dtype, seed):
    if name == "nll" and len(shape) > 2:
        layout = "plain"  # PyTorch's own backward refuses other layouts here
    if name == "log_softmax and nll" and len(shape) == 1:
        shape = (2, 4)
    rng = np.random.default_rng(seed)
    x, t = rng.standard_normal(shape).astype(dtype) * 2, targets(rng, shape, name)
    w, results = rng.random(classes(shape)).astype(dtype), []
    for library in (fastgrad, torch):
        leaf, view = laid(library, x, layout, True)
        weight = library.tensor(w) if weighted else None
        y = LOSSES[name](library, view, library.tensor(t), weight, how)
        (gx,) = library.autograd.grad(y.sum(), leaf, retain_graph=True)
        (again,) = library.autograd.grad(y.sum() * 3, leaf, create_graph=True)
        results.append((y, gx, again))
    near = 1e-5 if dtype == "float32" else 1e-11
    for got, want in zip(*results):
        assert got.shape == tuple(want.shape)
        assert str(got.dtype) == str(want.dtype)
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=near, atol=near)


@settings(max_examples=25)
@given(
    shape=st.sampled_from(SHAPES),
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.3]),
    how=st.sampled_from(REDUCTIONS),
    kinds=st.sampled_from([("float32", "float32"), ("float64", "float64"), ("float32", "float64")]),
    seed=st.integers(0, 99),
)
def test_probabilities_as_pytorch(torch, shape, weighted, smoothing, how, kinds, seed):
    rng = np.random.default_rng(seed)
    x, t = rng.standard_normal(shape).astype(kinds[0]) * 2, rng.random(shape).astype(kinds[1])
    w, results = rng.random(classes(shape)).astype(kinds[1]), []
    for library in (fastgrad, torch):
        a, b = library.tensor(x, requires_grad=True), library.tensor(t, requires_grad=True)
        weight = library.tensor(w) if weighted else None
        y = library.nn.functional.cross_entropy(a, b, weight, reduction=how, label_smoothing=smoothing)
        results.append([y, *library.autograd.grad(y.sum(), [a, b])])
    near = 1e-5 if "float32" in kinds else 1e-11
    for got, want in zip(*results):
        assert got.shape == tuple(want.shape)
        assert str(got.dtype) == str(want.dtype)
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=near, atol=near)


@pytest.mark.parametrize("name", ["cross_entropy", "nll", "smoothed"])
@by_reduction
def test_no_row_counts(name, how):
    x = fastgrad.ones(3, 4, requires_grad=True)
    y = LOSSES[name](fastgrad, x, fastgrad.full((3,), -100), None, how)
    y.sum().backward()
    assert np.isnan(y.item()) if how == "mean" else not y.detach().numpy().any()
    assert not x.grad.numpy().any()


def test_bytes_are_class_indices():
    x = fastgrad.tensor([[1.0, 2.0, 3.0]])
    wanted = F.cross_entropy(x, fastgrad.tensor([2]))
    assert F.cross_entropy(x, fastgrad.tensor([2], dtype=fastgrad.uint8)).item() == wanted.item()
    assert F.nll_loss(x, fastgrad.tensor([2], dtype=fastgrad.uint8)).item() == -3


def test_large_scores_do_not_overflow():
    x = fastgrad.tensor([[1e4, -1e4], [-3e38, 3e38]], requires_grad=True)
    y = F.cross_entropy(x, fastgrad.tensor([1, 1]), reduction="none")
    assert y.tolist() == [2e4, 0]
    y.sum().backward()
    assert x.grad.tolist() == [[1, -1], [0, 0]]


def test_special_rows(torch):
    inf, nan = float("inf"), float("nan")
    rows, t = [[inf, 0.0, 0.0], [-inf, 0.0, 0.0], [-inf, -inf, -inf], [nan, 0.0, 0.0], [0.0, -inf, 1.0]], [0, 0, 1, 2, 2]
    results = []
    for library in (fastgrad, torch):
        x = library.tensor(rows, requires_grad=True)
        y = library.nn.functional.cross_entropy(x, library.tensor(t), reduction="none")
        y.sum().backward()
        results.append((y.detach().numpy(), x.grad.numpy()))
    for got, want in zip(*results):
        np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("n", [10, 400])
def test_many_rows(n):
    """More rows than are summed together, against one row at a time; the same bits for any number of threads."""
    rows = 3 * (launches.GRAIN // n) + 5
    rng = np.random.default_rng(4)
    x, t, w = rng.standard_normal((rows, n)).astype("f4"), rng.integers(0, n, rows), rng.random(n).astype("f4")
    for weight in (None, fastgrad.tensor(w)):
        before, seen = fastgrad.get_num_threads(), set()
        try:
            for threads in (1, 2, 3, 8):
                fastgrad.set_num_threads(threads)
                leaf = fastgrad.tensor(x, requires_grad=True)
                y = F.cross_entropy(leaf, fastgrad.tensor(t), weight)
                y.backward()
                seen.add((y.item(), leaf.grad.numpy().tobytes()))
        finally:
            fastgrad.set_num_threads(before)
        assert len(seen) == 1
        wide = fastgrad.tensor(x).double()
        wide_weight = None if weight is None else weight.double()
        want = F.cross_entropy(wide, fastgrad.tensor(t), wide_weight)
        np.testing.assert_allclose(y.item(), want.item(), rtol=1e-6)
    t[-1] = n
    with pytest.raises(IndexError, match=f"Target {n} is out of bounds."):
        F.cross_entropy(fastgrad.tensor(x), fastgrad.tensor(t))


def test_names_of_nodes():
    x, t = fastgrad.zeros(2, 3, requires_grad=True), fastgrad.tensor([0, 1])
    assert F.cross_entropy(x, t).grad_fn.name() == "NllLossBackward0"
    assert F.nll_loss(x, t).grad_fn.name() == "NllLossBackward0"


X = [[0.1, 0.2, 0.3, 0.4]] * 3
REFUSED = {
    "above the classes": lambda t, x, f: f.cross_entropy(x, t.tensor([0, 5, 1])),
    "below the classes": lambda t, x, f: f.cross_entropy(x, t.tensor([0, -1, 1])),
    "smoothed, above": lambda t, x, f: f.cross_entropy(x, t.tensor([0, 4, 1]), label_smoothing=0.1),
    "each, above": lambda t, x, f: f.nll_loss(x, t.tensor([0, 5, 1]), reduction="none"),
    "no classes": lambda t, x, f: f.cross_entropy(t.zeros(3, 0), t.tensor([0, 0, 0])),
    "fewer targets": lambda t, x, f: f.cross_entropy(x, t.tensor([0, 1])),
    "fewer targets for nll": lambda t, x, f: f.nll_loss(x, t.tensor([0, 1])),
    "float targets": lambda t, x, f: f.cross_entropy(x, t.tensor([0.0, 1.0, 2.0])),
    "int32 targets": lambda t, x, f: f.nll_loss(x, t.tensor([0, 1, 2], dtype=t.int32)),
    "integer probabilities": lambda t, x, f: f.cross_entropy(x, t.ones(3, 4, dtype=t.int64)),
    "probabilities of another size": lambda t, x, f: f.cross_entropy(x, t.ones(3, 5)),
    "a column of targets": lambda t, x, f: f.cross_entropy(x, t.tensor([[0], [1], [2]])),
    "planes of another size": lambda t, x, f: f.cross_entropy(t.zeros(2, 4, 5), t.zeros(2, 6, dtype=t.int64)),
    "a number": lambda t, x, f: f.nll_loss(t.tensor(1.0), t.tensor(0)),
    "too few weights": lambda t, x, f: f.cross_entropy(x, t.tensor([0, 1, 2]), t.ones(3)),
    "too few weights, probabilities": lambda t, x, f: f.cross_entropy(x, t.ones(3, 4), t.ones(3)),
    "weights of another dtype": lambda t, x, f: f.cross_entropy(x, t.tensor([0, 1, 2]), t.ones(4, dtype=t.float64)),
    "weights with a gradient": lambda t, x, f: f.nll_loss(x, t.tensor([0, 1, 2]), t.ones(4, requires_grad=True)),
    "too much smoothing": lambda t, x, f: f.cross_entropy(x, t.tensor([0, 1, 2]), label_smoothing=1.5),
    "integer scores": lambda t, x, f: f.cross_entropy(t.ones(3, 4, dtype=t.int64), t.tensor([0, 1, 2])),
    "integer log-probabilities": lambda t, x, f: f.nll_loss(t.ones(3, 4, dtype=t.int64), t.tensor([0, 1, 2])),
    "a word for reduction": lambda t, x, f: f.cross_entropy(x, t.tensor([0, 1, 2]), reduction="average"),
    "a list": lambda t, x, f: f.cross_entropy(x, [0, 1, 2]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_errors_are_pytorchs(torch, what):
    errors = []
    for library in (fastgrad, torch):
        with pytest.raises(Exception) as raised:
            REFUSED[what](library, library.tensor(X), library.nn.functional)
        errors.append((raised.type, str(raised.value)))
    assert errors[0] == errors[1]
