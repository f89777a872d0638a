"""Losses of two tensors: values, gradients on both paths, special numbers and errors as in PyTorch."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad
from fastgrad._launch import loss as launches
from fastgrad.autograd import gradcheck, gradgradcheck
from fastgrad.nn import functional as F
from fastgrad.ops import loss as ops
from tests.ops.inputs import LAYOUTS, laid

INF, NAN = float("inf"), float("nan")
REDUCTIONS = ("mean", "sum", "none")


def huber(library):
    return ops.huber_loss if library is fastgrad else library.nn.functional.huber_loss


# name: the loss as a function of (library, x, t, reduction)
LOSSES = {
    "mse": lambda t, x, y, how: t.nn.functional.mse_loss(x, y, reduction=how),
    "l1": lambda t, x, y, how: t.nn.functional.l1_loss(x, y, reduction=how),
    "smooth_l1": lambda t, x, y, how: t.nn.functional.smooth_l1_loss(x, y, reduction=how, beta=0.7),
    "huber": lambda t, x, y, how: huber(t)(x, y, reduction=how, delta=0.7),
    "bce": lambda t, x, y, how: t.nn.functional.binary_cross_entropy(x, y, reduction=how),
    "bce_logits": lambda t, x, y, how: t.nn.functional.binary_cross_entropy_with_logits(x, y, reduction=how),
}
BROADCASTING = ("mse", "l1", "smooth_l1", "huber")
by_loss = pytest.mark.parametrize("name", LOSSES)
by_reduction = pytest.mark.parametrize("how", REDUCTIONS)


def pair(name, rng, shapes, dtype):
    if name == "bce":
        return [np.asarray(0.01 + 0.98 * rng.random(shape), dtype) for shape in shapes]
    return [np.asarray(2 * rng.standard_normal(shapes[0]), dtype), np.asarray(rng.random(shapes[1]), dtype)]


@by_loss
@by_reduction
def test_gradients_are_differences(name, how):
    rng = np.random.default_rng(5)
    x, t = (fastgrad.tensor(a, requires_grad=True) for a in pair(name, rng, [(2, 3), (2, 3)], "float64"))
    assert gradcheck(lambda a, b: LOSSES[name](fastgrad, a, b, how), (x, t))
    assert gradgradcheck(lambda a, b: LOSSES[name](fastgrad, a, b, how), (x, t))


@by_loss
@by_reduction
def test_both_paths_give_the_same_gradient(name, how):
    """The by-product of the forward, scaled or not, and the derivative in operations."""
    rng = np.random.default_rng(6)
    x, t = (fastgrad.tensor(a, requires_grad=True) for a in pair(name, rng, [(40, 50), (40, 50)], "float64"))
    loss = LOSSES[name](fastgrad, x, t, how)
    for number in (1.0, -2.5):
        gy = fastgrad.full(loss.shape, number, dtype=fastgrad.float64)
        fast = fastgrad.autograd.grad(loss, [x, t], gy, retain_graph=True)
        slow = fastgrad.autograd.grad(loss, [x, t], gy, create_graph=True)
        for f, s in zip(fast, slow):
            assert not f.requires_grad
            np.testing.assert_allclose(f.numpy(), s.detach().numpy(), rtol=1e-9, atol=1e-13)


SHAPES = [(), (0,), (1,), (7,), (3, 5), (2, 1, 9), (0, 3)]
STRETCHED = [((3, 1), (5,)), ((1, 1), (2, 1)), ((), (4,)), ((4,), ()), ((1,), (0,))]


@by_loss
@by_reduction
@settings(max_examples=12)
@given(
    shapes=st.sampled_from([(s, s) for s in SHAPES] + STRETCHED),
    layouts=st.tuples(st.sampled_from(LAYOUTS), st.sampled_from(LAYOUTS)),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 99),
)
def test_as_pytorch(torch, name, how, shapes, layouts, dtype, seed):
    if shapes[0] != shapes[1] and name not in BROADCASTING:
        shapes = (shapes[0], shapes[0])
    rng = np.random.default_rng(seed)
    arrays, results = pair(name, rng, shapes, dtype), []
    for library in (fastgrad, torch):
        (a, x), (b, t) = (laid(library, array, how, True) for array, how in zip(arrays, layouts))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            y = LOSSES[name](library, x, t, how)
        gradients = library.autograd.grad(y.sum(), [a, b], retain_graph=True, allow_unused=True)
        again = library.autograd.grad(y.sum() * 3, [a, b], create_graph=True, allow_unused=True)
        results.append([y, *gradients, *again])
    near = 2e-5 if dtype == "float32" else 1e-10
    for got, want in zip(*results):
        assert got.shape == tuple(want.shape)
        assert str(got.dtype) == str(want.dtype)
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(force=True), rtol=near, atol=near)


NODES = {
    "mse": "MseLossBackward0", "smooth_l1": "SmoothL1LossBackward0", "huber": "HuberLossBackward0",
    "bce": "BinaryCrossEntropyBackward0", "bce_logits": "BinaryCrossEntropyWithLogitsBackward0",
}  # fmt: skip


@pytest.mark.parametrize("name", NODES)
@by_reduction
def test_names_of_nodes(name, how):
    x = fastgrad.full((3,), 0.5, requires_grad=True)
    assert LOSSES[name](fastgrad, x, fastgrad.full((3,), 0.25), how).grad_fn.name() == NODES[name]


@by_loss
def test_a_long_sum_is_as_good_as_a_short_one(name):
    n = 3 * launches.BLOCK + 17
    rng = np.random.default_rng(7)
    x, t = pair(name, rng, [(n,), (n,)], "float32")
    leaf = fastgrad.tensor(x, requires_grad=True)
    loss = LOSSES[name](fastgrad, leaf, fastgrad.tensor(t), "mean")
    loss.backward()
    each = LOSSES[name](fastgrad, fastgrad.tensor(x).double(), fastgrad.tensor(t).double(), "none")
    np.testing.assert_allclose(loss.item(), each.numpy().mean(), rtol=1e-6)
    strided = fastgrad.tensor(np.stack([x, x]).T)[:, 0].requires_grad_()
    assert LOSSES[name](fastgrad, strided, fastgrad.tensor(t), "mean").item() == loss.item()


@by_loss
def test_bits_do_not_depend_on_threads(name):
    rng = np.random.default_rng(8)
    x, t = (fastgrad.tensor(a) for a in pair(name, rng, [(300, 701), (300, 701)], "float32"))
    x.requires_grad_()
    before, seen = fastgrad.get_num_threads(), set()
    try:
        for threads in (1, 2, 3, 8):
            fastgrad.set_num_threads(threads)
            loss = LOSSES[name](fastgrad, x, t, "mean")
            (gx,) = fastgrad.autograd.grad(loss, x)
            seen.add((loss.item(), gx.numpy().tobytes()))
    finally:
        fastgrad.set_num_threads(before)
    assert len(seen) == 1


@by_loss
def test_special_numbers(torch, name):
    x = [0.0, 1.0, 0.0, 1.0, 0.5] if name == "bce" else [0.0, 1.0, -1.0, NAN, INF, -INF, 100.0, -100.0]
    t = [0.0, 1.0, 1.0, 0.0, 0.5] if name == "bce" else [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    results = []
    for library in (fastgrad, torch):
        leaf = library.tensor(x, requires_grad=True)
        y = LOSSES[name](library, leaf, library.tensor(t), "none")
        (gx,) = library.autograd.grad(y.sum(), leaf)
        results.append(np.stack([y.detach().numpy(), gx.numpy()]))
    np.testing.assert_allclose(*results, rtol=1e-6, atol=1e-37)


def weights(library, *shape):
    made = 0.5 + np.arange(np.prod(shape)).reshape(shape) / 10
    return library.from_numpy(made.astype("float32"))


WEIGHTED = {
    "bce": lambda t, x, y, how: t.nn.functional.binary_cross_entropy(t.sigmoid(x), y, weights(t, 3), reduction=how),
    "bce each": lambda t, x, y, how: t.nn.functional.binary_cross_entropy(t.sigmoid(x), y, weights(t, 4, 3), reduction=how),
    "logits": lambda t, x, y, how: t.nn.functional.binary_cross_entropy_with_logits(x, y, weights(t, 4, 1), reduction=how),
    "positive": lambda t, x, y, how: t.nn.functional.binary_cross_entropy_with_logits(
        x, y, pos_weight=weights(t, 3), reduction=how
    ),
    "both": lambda t, x, y, how: t.nn.functional.binary_cross_entropy_with_logits(
        x, y, weights(t, 3), pos_weight=weights(t, 3), reduction=how
    ),
    "mse": lambda t, x, y, how: t.nn.functional.mse_loss(x, y, weight=weights(t, 4, 3), reduction=how),
}


@pytest.mark.parametrize("name", WEIGHTED)
@by_reduction
def test_weights(torch, name, how):
    rng = np.random.default_rng(9)
    x, y = rng.standard_normal((4, 3)).astype("f4"), rng.random((4, 3)).astype("f4")
    results = []
    for library in (fastgrad, torch):
        leaf = library.tensor(x, requires_grad=True)
        loss = WEIGHTED[name](library, leaf, library.tensor(y), how)
        loss.sum().backward()
        results.append([loss.detach().numpy(), leaf.grad.numpy()])
    for got, want in zip(*results):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("mse", "float64"), ("mse", "int64"), ("l1", "float64"), ("smooth_l1", "int64"), ("bce_logits", "float64")],
)
def test_dtypes_meet(torch, name, kind):
    results = []
    for library in (fastgrad, torch):
        x = library.tensor([0.5, -1.0], requires_grad=True)
        y = LOSSES[name](library, x, library.tensor([1, 0], dtype=getattr(library, kind)), "mean")
        y.backward()
        results.append((y, x.grad))
    for got, want in zip(*results):
        assert str(got.dtype) == str(want.dtype)
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=1e-6)


def test_a_target_of_another_size_is_warned_of():
    with pytest.warns(UserWarning, match=r"Using a target size \(torch.Size\(\[4\]\)\) that is different to the input size"):
        F.mse_loss(fastgrad.zeros(3, 1), fastgrad.zeros(4))


REFUSED = {
    "sizes that do not fit": lambda t, f: f.mse_loss(t.zeros(3), t.zeros(4)),
    "mse of integers": lambda t, f: f.mse_loss(t.tensor([1]), t.tensor([1])),
    "mean of integers": lambda t, f: f.l1_loss(t.tensor([1]), t.tensor([1])),
    "a word for reduction": lambda t, f: f.mse_loss(t.zeros(1), t.zeros(1), reduction="average"),
    "negative beta": lambda t, f: f.smooth_l1_loss(t.zeros(1), t.zeros(1), beta=-1.0),
    "bce above 1": lambda t, f: f.binary_cross_entropy(t.tensor([1.5]), t.tensor([0.0])),
    "bce of NaN": lambda t, f: f.binary_cross_entropy(t.tensor([NAN]), t.tensor([0.0])),
    "bce, each": lambda t, f: f.binary_cross_entropy(t.tensor([0.5, -0.1]), t.tensor([0.0, 1.0]), reduction="none"),
    "bce of such a target": lambda t, f: f.binary_cross_entropy(t.tensor([0.5]), t.tensor([2.0])),
    "bce of integers": lambda t, f: f.binary_cross_entropy(t.tensor([1]), t.tensor([1])),
    "bce, other dtype": lambda t, f: f.binary_cross_entropy(t.tensor([0.5]), t.tensor([1])),
    "bce, other shape": lambda t, f: f.binary_cross_entropy(t.zeros(2), t.zeros(3)),
    "logits, other shape": lambda t, f: f.binary_cross_entropy_with_logits(t.zeros(2), t.zeros(3)),
    "logits, integers": lambda t, f: f.binary_cross_entropy_with_logits(t.zeros(2), t.tensor([1, 0])),
    "a weight with a gradient": lambda t, f: f.binary_cross_entropy(t.zeros(2), t.zeros(2), t.ones(2, requires_grad=True)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_errors_are_pytorchs(torch, what):
    errors = []
    for library in (fastgrad, torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            with pytest.raises(Exception) as raised:
                REFUSED[what](library, library.nn.functional)
        errors.append((raised.type, str(raised.value)))
    assert errors[0] == errors[1]


def test_huber_refuses_what_is_no_threshold():
    with pytest.raises(RuntimeError, match="huber_loss does not support non-positive values for delta"):
        ops.huber_loss(fastgrad.zeros(1), fastgrad.zeros(1), delta=0.0)


def test_a_kept_graph_gives_the_same_gradient_again():
    x = fastgrad.tensor([1.0, 2.0], requires_grad=True)
    loss = F.mse_loss(x, fastgrad.zeros(2))
    loss.backward(retain_graph=True)
    first = x.grad
    assert first.tolist() == [1, 2]
    loss.backward(retain_graph=True)
    assert x.grad.tolist() == [2, 4]
    x.grad = None
    loss.backward()
    assert x.grad.tolist() == [1, 2]
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        loss.backward()


def test_a_one_that_is_part_of_more_is_read_right():
    """The by-product is passed on as it is only where the incoming gradient is 1 itself."""
    x = fastgrad.tensor([1.0, 2.0], requires_grad=True)
    for number, row in ((1.0, 0), (0.0, 1), (2.0, 2)):
        loss = F.mse_loss(x, fastgrad.zeros(2))
        gradients = fastgrad.tensor([1.0, 0.0, 2.0])
        (gx,) = fastgrad.autograd.grad(loss, x, gradients[row])
        assert gx.tolist() == [number, 2 * number]
