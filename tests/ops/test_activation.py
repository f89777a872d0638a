"""Activations and softmax: values, special numbers, errors and node names as in PyTorch; gradients of two orders."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad
from fastgrad.autograd import gradcheck, gradgradcheck
from fastgrad.nn import functional as F
from fastgrad.ops.smooth import log_sigmoid
from tests.ops.inputs import LAYOUTS, laid

INF, NAN = float("inf"), float("nan")
# name: (the function in fastgrad, the same in PyTorch)
FUNCTIONS = {
    "relu": (F.relu, lambda f, x: f.relu(x)),
    "sigmoid": (F.sigmoid, lambda f, x: f.sigmoid(x)),
    "tanh": (F.tanh, lambda f, x: f.tanh(x)),
    "gelu": (F.gelu, lambda f, x: f.gelu(x)),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), lambda f, x: f.gelu(x, approximate="tanh")),
    "silu": (F.silu, lambda f, x: f.silu(x)),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), lambda f, x: f.leaky_relu(x, 0.2)),
    "leaky_relu upside down": (lambda x: F.leaky_relu(x, -1), lambda f, x: f.leaky_relu(x, -1)),
    "elu": (lambda x: F.elu(x, 1.3), lambda f, x: f.elu(x, 1.3)),
    "celu": (lambda x: F.celu(x, 1.3), lambda f, x: f.celu(x, 1.3)),
    "selu": (F.selu, lambda f, x: f.selu(x)),
    "mish": (F.mish, lambda f, x: f.mish(x)),
    "softsign": (F.softsign, lambda f, x: f.softsign(x)),
    "tanhshrink": (F.tanhshrink, lambda f, x: f.tanhshrink(x)),
    "relu6": (F.relu6, lambda f, x: f.relu6(x)),
    "hardtanh": (lambda x: F.hardtanh(x, -0.5, 1.2), lambda f, x: f.hardtanh(x, -0.5, 1.2)),
    "hardsigmoid": (F.hardsigmoid, lambda f, x: f.hardsigmoid(x)),
    "hardswish": (F.hardswish, lambda f, x: f.hardswish(x)),
    "hardshrink": (lambda x: F.hardshrink(x, 0.6), lambda f, x: f.hardshrink(x, 0.6)),
    "softshrink": (lambda x: F.softshrink(x, 0.6), lambda f, x: f.softshrink(x, 0.6)),
    "threshold": (lambda x: F.threshold(x, 0.5, 2), lambda f, x: f.threshold(x, 0.5, 2)),
    "softplus": (lambda x: F.softplus(x, 2, 3), lambda f, x: f.softplus(x, 2, 3)),
    "log_sigmoid": (log_sigmoid, lambda f, x: f.logsigmoid(x)),
    "softmax": (lambda x: F.softmax(x, -1), lambda f, x: f.softmax(x, -1)),
    "softmax along the first": (lambda x: F.softmax(x, 0), lambda f, x: f.softmax(x, 0)),
    "log_softmax": (lambda x: F.log_softmax(x, -1), lambda f, x: f.log_softmax(x, -1)),
    "log_softmax along the first": (lambda x: F.log_softmax(x, 0), lambda f, x: f.log_softmax(x, 0)),
}
by_name = pytest.mark.parametrize("name", FUNCTIONS)
# No number within 1e-3 of a corner: a difference quotient would straddle it.
SMOOTH = np.array([[-3.1, -0.7, 0.4], [1.45, 2.2, -1.9]])


@by_name
def test_gradients_are_differences(name):
    ours, _ = FUNCTIONS[name]
    for array in (SMOOTH, SMOOTH[:1, :1], SMOOTH.T):
        x = fastgrad.tensor(array, requires_grad=True)
        assert gradcheck(ours, (x,))
        assert gradgradcheck(ours, (x,))


@by_name
def test_a_third_derivative(name):
    ours, _ = FUNCTIONS[name]

    def second(x):
        (first,) = fastgrad.autograd.grad((ours(x) * x).sum(), x, create_graph=True)
        (made,) = fastgrad.autograd.grad((first * first).sum(), x, create_graph=True)
        return made

    x = fastgrad.tensor(SMOOTH, requires_grad=True)
    assert gradcheck(second, (x,), atol=1e-4)


@by_name
@settings(max_examples=15)
@given(
    shape=st.lists(st.sampled_from([0, 1, 2, 3, 7, 16, 33]), min_size=0, max_size=3),
    layout=st.sampled_from(LAYOUTS),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 99),
)
def test_as_pytorch(torch, name, shape, layout, dtype, seed):
    ours, theirs = FUNCTIONS[name]
    rng = np.random.default_rng(seed)
    array, weights = (np.asarray(3 * rng.standard_normal(shape), dtype) for _ in range(2))
    results = []
    for library, call in ((fastgrad, ours), (torch, lambda x: theirs(torch.nn.functional, x))):
        leaf, x = laid(library, array, layout, requires_grad=True)
        y = call(x)
        gradient = library.from_numpy(weights.copy()).requires_grad_()
        (gx,) = library.autograd.grad(y, x, gradient, create_graph=True)
        if name == "hardsigmoid":  # whose second derivative PyTorch does not have
            gx = gx.detach()
        second = (
            library.autograd.grad((gx * gx).sum(), [leaf, gradient], allow_unused=True) if gx.requires_grad else (None, None)
        )
        results.append((y.grad_fn.name(), y, gx, *[library.zeros(1) if g is None else g for g in second]))
    (node, *found), (wanted_node, *wanted) = results
    assert node == wanted_node
    # PyTorch keeps 1 / 1.3 and 1 / 6 in float32, for float64 numbers too.
    least = 1e-5 if dtype == "float32" else 1e-7 if name in ("celu", "hardsigmoid") else 1e-11
    # Second derivatives are made of differences such as 1 - tanh(u)**2, where float32 keeps fewer digits.
    for near, got, want in zip([least, least, 10 * least, 10 * least], found, wanted):
        got, want = got.detach().numpy(), want.detach().numpy(force=True)
        if got.shape == want.shape:
            np.testing.assert_allclose(got, want, rtol=near, atol=near * (1 + np.abs(want).max(initial=0)))
        else:
            assert not np.any(got)
            assert not np.any(want)


SPECIAL = [-INF, -200.0, -1.0, -0.0, 0.0, 1e-40, 1.0, 20.0, 20.5, 200.0, INF, NAN]
# Where PyTorch's vectorised gelu gives NaN at +infinity, its scalar one and fastgrad give infinity.
OPEN = {"gelu": [10]}
# Several operations there, whose gradients at or of infinity are NaN.
MADE_OF_SEVERAL = ("softsign", "tanhshrink")


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "softmax" not in name and name not in MADE_OF_SEVERAL])
@pytest.mark.parametrize("gradient", [1.0, INF])
def test_special_numbers(torch, name, gradient):
    ours, theirs = FUNCTIONS[name]
    results = []
    for library, call in ((fastgrad, ours), (torch, lambda x: theirs(torch.nn.functional, x))):
        x = library.tensor(SPECIAL, requires_grad=True)
        y = call(x)
        (gx,) = library.autograd.grad(y, x, library.full((len(SPECIAL),), gradient))
        results.append(np.delete(np.stack([y.detach().numpy(), gx.numpy()]), OPEN.get(name, []), axis=1))
    np.testing.assert_allclose(*results, rtol=2e-6, atol=1e-37)


def test_subgradients():
    x = fastgrad.tensor([-1.0, -0.0, 0.0, NAN, 2.0], requires_grad=True)
    (gx,) = fastgrad.autograd.grad(F.relu(x).sum(), x)
    assert gx.tolist() == [0, 0, 0, 1, 1]
    (gx,) = fastgrad.autograd.grad(F.leaky_relu(x, 0.5).sum(), x)
    assert gx.tolist() == [0.5, 0.5, 0.5, 0.5, 1]
    (gx,) = fastgrad.autograd.grad(F.elu(x, 3.0).sum(), x)
    np.testing.assert_allclose(gx.numpy(), [3 * np.exp(-1), 3, 3, 1, 1], rtol=1e-6)


def test_softmax_of_special_rows():
    x = fastgrad.tensor([[INF, 1.0], [-INF, -INF], [-INF, 1.0], [NAN, 1.0], [1e30, -1e30]])
    want = [[NAN, NAN], [NAN, NAN], [0, 1], [NAN, NAN], [1, 0]]
    np.testing.assert_array_equal(F.softmax(x, 1).numpy(), want)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(F.log_softmax(x, 1).numpy(), [*np.log(want[:4]), [0, -2e30]])


@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (0,), ()])
def test_softmax_of_nothing(shape):
    x = fastgrad.ones(*shape, requires_grad=True) if shape else fastgrad.tensor(1.0, requires_grad=True)
    for function, number in ((F.softmax, 1.0), (F.log_softmax, 0.0)):
        y = function(x, -1)
        assert y.shape == x.shape
        y.sum().backward()
        assert x.grad.shape == x.shape
        assert shape or y.item() == number


def test_softmax_bits_do_not_depend_on_neighbours():
    rng = np.random.default_rng(0)
    for n in (3, 15, 16, 100):
        rows = rng.standard_normal((200, n)).astype(np.float32)
        together = F.softmax(fastgrad.from_numpy(rows), 1).numpy()
        alone = [F.softmax(fastgrad.from_numpy(row[None].copy()), 1).numpy()[0] for row in rows]
        assert np.array_equal(together, np.stack(alone))


def test_dtypes():
    whole = fastgrad.tensor([1, -2])
    assert fastgrad.relu(whole).dtype is fastgrad.int64
    assert fastgrad.relu(whole).tolist() == [1, 0]
    assert fastgrad.sigmoid(whole).dtype is fastgrad.float32
    assert fastgrad.tanh(fastgrad.tensor([True])).dtype is fastgrad.float32
    assert F.softmax(whole, 0, dtype=fastgrad.float64).dtype is fastgrad.float64
    x = fastgrad.ones(2, requires_grad=True)
    F.log_softmax(x, 0, dtype=fastgrad.float64).sum().backward()
    assert x.grad.dtype is fastgrad.float32


REFUSED = {
    "relu of bools": lambda t, f: f.relu(t.tensor([True])),
    "gelu of integers": lambda t, f: f.gelu(t.tensor([1])),
    "gelu by another way": lambda t, f: f.gelu(t.ones(1), approximate="half"),
    "silu of integers": lambda t, f: f.silu(t.tensor([1])),
    "elu of bools": lambda t, f: f.elu(t.tensor([True])),
    "celu of integers": lambda t, f: f.celu(t.tensor([1])),
    "celu of alpha 0": lambda t, f: f.celu(t.ones(2), 0.0),
    "mish of integers": lambda t, f: f.mish(t.tensor([1])),
    "softsign of bools": lambda t, f: f.softsign(t.tensor([True])),
    "relu6 of bools": lambda t, f: f.relu6(t.tensor([True])),
    "hardtanh of crossed bounds": lambda t, f: f.hardtanh(t.ones(2), 1.0, 0.5),
    "hardtanh of unsigned integers": lambda t, f: f.hardtanh(t.tensor([1], dtype=t.uint8)),
    "hardsigmoid of integers": lambda t, f: f.hardsigmoid(t.tensor([1])),
    "softshrink below 0": lambda t, f: f.softshrink(t.ones(2), -1),
    "threshold of bools": lambda t, f: f.threshold(t.tensor([True]), 0, 1),
    "glu of an odd size": lambda t, f: f.glu(t.ones(2, 3)),
    "glu of a number": lambda t, f: f.glu(t.tensor(1.0)),
    "glu of integers": lambda t, f: f.glu(t.tensor([1, 2])),
    "glu along 2": lambda t, f: f.glu(t.ones(2, 4), 2),
    "prelu of too few weights": lambda t, f: f.prelu(t.ones(2, 3), t.ones(2)),
    "prelu of a matrix": lambda t, f: f.prelu(t.ones(2, 3), t.ones(3, 1)),
    "prelu of a number": lambda t, f: f.prelu(t.tensor(1.0), t.ones(2)),
    "prelu of two dtypes": lambda t, f: f.prelu(t.ones(2).double(), t.ones(1)),
    "rrelu of crossed bounds": lambda t, f: f.rrelu(t.ones(2), 0.5, 0.1),
    "elu_ of a leaf": lambda t, f: f.elu_(t.ones(2, requires_grad=True)),
    "softplus of integers": lambda t, f: f.softplus(t.tensor([1])),
    "softmax of integers": lambda t, f: f.softmax(t.tensor([1]), 0),
    "log_softmax of integers": lambda t, f: f.log_softmax(t.tensor([1]), 0),
    "softmax along 2": lambda t, f: f.softmax(t.ones(2, 3), 2),
    "softmax along -3": lambda t, f: f.softmax(t.ones(2, 3), -3),
    "softmax of a number along 1": lambda t, f: f.softmax(t.tensor(1.0), 1),
    "relu_ of a leaf": lambda t, f: t.relu_(t.ones(2, requires_grad=True)),
    "sigmoid_ of integers": lambda t, f: t.sigmoid_(t.tensor([1])),
}


@pytest.mark.parametrize("what", REFUSED)
def test_errors_are_pytorchs(torch, what):
    errors = []
    for library in (fastgrad, torch):
        with pytest.raises(Exception) as raised:
            REFUSED[what](library, library.nn.functional)
        errors.append((raised.type, str(raised.value)))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("name", ["relu_", "sigmoid_", "tanh_"])
def test_in_place(name):
    function, plain = getattr(fastgrad, name), getattr(fastgrad, name[:-1])
    x = fastgrad.tensor([-1.0, 0.5])
    assert function(x) is x
    assert x.tolist() == plain(fastgrad.tensor([-1.0, 0.5])).tolist()
    leaf = fastgrad.tensor([-1.0, 0.5], requires_grad=True)
    y = leaf * 2
    assert function(y).grad_fn.name() == plain(leaf).grad_fn.name()
    y.sum().backward()
    (want,) = fastgrad.autograd.grad(plain(leaf * 2).sum(), leaf)
    assert leaf.grad.tolist() == want.tolist()
    whole = leaf * 2
    function(whole[:1])
    whole.sum().backward()


def test_an_output_changed_in_place_is_noticed():
    x = fastgrad.ones(2, requires_grad=True)
    for function in (fastgrad.relu, fastgrad.sigmoid, fastgrad.tanh, lambda v: F.softmax(v, 0)):
        y = function(x)
        y.mul_(2)
        with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
            y.sum().backward()
