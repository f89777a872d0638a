"""Random tensors and dropout: the same numbers as PyTorch for the same seed, its errors, and gradients."""

import warnings

import numpy as np
import pytest

import fastgrad
from fastgrad.autograd import gradcheck, gradgradcheck
from fastgrad.nn import functional as F
from tests.kernels.test_random import on_intel

# name: (a draw in library t, units in the last place it may differ)
DRAWS = {
    "rand": lambda t: t.rand(3, 4),
    "rand of a tuple": lambda t: t.rand((1000,)),
    "rand of a size": lambda t: t.rand(size=(2,)),
    "rand of nothing": lambda t: t.rand(0, 3),
    "rand, float64": lambda t: t.rand(7, dtype=t.float64),
    "randint to": lambda t: t.randint(5, (40,)),
    "randint from to": lambda t: t.randint(2, 5, (40,)),
    "randint by name": lambda t: t.randint(low=0, high=3, size=(500,), dtype=t.float32),
    "randint, below 0": lambda t: t.randint(-5, 5, (9,)),
    "randint, two words": lambda t: t.randint(0, 2**40, (9,)),
    "randint, all": lambda t: t.randint(-(2**63), 2**63 - 1, (9,)),
    "randint, bool": lambda t: t.randint(0, 2, (9,), dtype=t.bool),
    "randint, uint8": lambda t: t.randint(0, 256, (9,), dtype=t.uint8),
    "randperm": lambda t: t.randperm(1000),
    "randperm of nothing": lambda t: t.randperm(0),
    "randperm, float": lambda t: t.randperm(5, dtype=t.float32),
    "rand_like": lambda t: t.rand_like(t.zeros(3, 4)),
    "rand_like, transposed": lambda t: t.rand_like(t.zeros(3, 4).t()),
    "randint_like": lambda t: t.randint_like(t.zeros(9), 3, 9),
    "uniform_": lambda t: t.zeros(40).uniform_(-1, 2),
    "uniform_ by name": lambda t: t.zeros(4).uniform_(**{"from": -1, "to": 2}),
    "uniform_, strided": lambda t: t.zeros(5, 6, 8)[:, ::2].permute(2, 0, 1).uniform_(),
    "bernoulli_": lambda t: t.zeros(40).bernoulli_(0.3),
    "bernoulli_ of integers": lambda t: t.zeros(40, dtype=t.int64).bernoulli_(),
    "bernoulli_ by a tensor": lambda t: t.zeros(4, 5).bernoulli_(t.full((5,), 0.3)),
    "bernoulli_, strided": lambda t: t.zeros(3, 4).t().bernoulli_(),
    "bernoulli": lambda t: t.bernoulli(t.full((40,), 0.3)),
    "random_": lambda t: t.zeros(9).random_(),
    "random_, int32": lambda t: t.zeros(9, dtype=t.int32).random_(),
    "random_ to": lambda t: t.zeros(9).random_(5),
    "random_ from": lambda t: t.zeros(9, dtype=t.int16).random_(1, None),
    "random_ from to": lambda t: t.zeros(9).random_(2, 5),
    "dropout": lambda t: t.nn.functional.dropout(t.ones(40), 0.3),
    "dropout, float64": lambda t: t.nn.functional.dropout(t.ones(40, dtype=t.float64), 0.3),
    "dropout, transposed": lambda t: t.nn.functional.dropout(t.zeros(3, 40).uniform_(1, 2).t(), 0.3),
    "dropout of all": lambda t: t.nn.functional.dropout(t.ones(4), 1.0),
    "dropout of none": lambda t: t.nn.functional.dropout(t.ones(4), 0.0),
    "dropout of nothing": lambda t: t.nn.functional.dropout(t.ones(0), 0.5),
}
NORMAL = {
    "randn below 16": lambda t: t.randn(7),
    "randn": lambda t: t.randn(100),
    "randn, float64": lambda t: t.randn(100, dtype=t.float64),
    "normal_": lambda t: t.zeros(100).normal_(1, 2),
    "normal_, strided": lambda t: t.zeros(80)[::2].normal_(1, 2),
    "normal of numbers": lambda t: t.normal(2.0, 3.0, (20,)),
    "normal of tensors": lambda t: t.normal(t.zeros(3), t.ones(2, 3)),
    "normal of one tensor": lambda t: t.normal(t.ones(20), 2.0),
}


@pytest.mark.parametrize("name", [*DRAWS, *NORMAL])
def test_as_pytorch(torch, name):
    if on_intel() and ("bernoulli_" in name or "dropout" in name):
        pytest.skip("PyTorch draws these from another generator on Intel's processors")
    results = []
    for library in (fastgrad, torch):
        library.manual_seed(420)
        made = (DRAWS.get(name) or NORMAL[name])(library)
        after = library.randint(0, 1000, (3,)).tolist()  # as many words were used
        results.append((made.numpy(), str(made.dtype), after))
    (got, *ours), (want, *theirs) = results
    assert ours == theirs
    assert got.shape == want.shape
    if name in NORMAL:
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)
    else:
        np.testing.assert_array_equal(got, want)


BOUNDS = [(0, 2**28), (0, 2**28 + 1), (2, 300000000), (-(2**26) + 1, 2**26 - 1), (2**25 + 1, 2**26)]


@pytest.mark.parametrize("bounds", BOUNDS)
def test_bounds_that_float32_rounds(torch, bounds):
    results = []
    for library in (fastgrad, torch):
        library.manual_seed(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.append(library.zeros(30).random_(*bounds).tolist())
    assert results[0] == results[1]
    with pytest.warns(UserWarning, match="can support discrete uniform distribution only within this range"):
        fastgrad.zeros(1).random_(*bounds)


REFUSED = {
    "a negative size": lambda t: t.rand(-1),
    "rand of integers": lambda t: t.rand(2, dtype=t.int64),
    "an empty range": lambda t: t.randint(3, 3, (2,)),
    "too much for uint8": lambda t: t.randint(0, 300, (3,), dtype=t.uint8),
    "integers with a gradient": lambda t: t.randint(0, 2, (3,), requires_grad=True),
    "randperm of -1": lambda t: t.randperm(-1),
    "randperm in uint8": lambda t: t.randperm(300, dtype=t.uint8),
    "uniform_ backwards": lambda t: t.zeros(2).uniform_(2, 1),
    "uniform_ of integers": lambda t: t.zeros(2, dtype=t.int64).uniform_(),
    "uniform_ of a leaf": lambda t: t.zeros(2, requires_grad=True).uniform_(),
    "uniform_ of one place": lambda t: t.zeros(1).expand(3).uniform_(),
    "normal_ with a negative deviation": lambda t: t.zeros(2).normal_(0, -1),
    "normal with negative deviations": lambda t: t.normal(t.zeros(2), -t.ones(2)),
    "bernoulli of 2": lambda t: t.bernoulli(t.tensor([2.0])),
    "bernoulli of integers": lambda t: t.bernoulli(t.tensor([1])),
    "bernoulli_ of 1.5": lambda t: t.zeros(2).bernoulli_(1.5),
    "dropout of 2": lambda t: t.nn.functional.dropout(t.ones(2), 2.0),
    "dropout of integers": lambda t: t.nn.functional.dropout(t.tensor([1]), 0.5),
}


@pytest.mark.parametrize("what", REFUSED)
def test_errors_are_pytorchs(torch, what):
    errors = []
    for library in (fastgrad, torch):
        with pytest.raises(Exception) as raised:
            REFUSED[what](library)
        errors.append((raised.type, str(raised.value)))
    assert errors[0] == errors[1]


def test_a_generator_of_ones_own():
    generator = fastgrad.Generator().manual_seed(3)
    before = fastgrad.get_rng_state().tolist()
    first = fastgrad.rand(5, generator=generator)
    assert fastgrad.rand(5, generator=generator.manual_seed(3)).tolist() == first.tolist()
    assert fastgrad.get_rng_state().tolist() == before
    with pytest.raises(TypeError, match="generator"):
        fastgrad.rand(2, generator=3)


def test_requires_grad():
    assert fastgrad.rand(2, requires_grad=True).requires_grad
    assert fastgrad.randn(2, requires_grad=True).is_leaf


def test_what_is_drawn_over_gets_no_gradient():
    for draw in ("uniform_", "normal_", "bernoulli_"):
        leaf = fastgrad.ones(3, requires_grad=True)
        getattr(leaf * 2, draw)().sum().backward()
        assert leaf.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize("shape", [(40,), (5, 8)])
def test_gradients_of_dropout(shape):
    def call(x):
        fastgrad.manual_seed(1)
        return F.dropout(x, 0.3)

    x = fastgrad.ones(*shape, dtype=fastgrad.float64).requires_grad_()
    assert gradcheck(call, (x,))
    assert gradgradcheck(call, (x,))
    y = call(x)
    assert y.grad_fn.name() == "MulBackward0"
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())  # of ones
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.sum().backward()


def test_dropout_that_does_nothing_gives_its_input():
    x = fastgrad.ones(3, requires_grad=True)
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(x, 0.0) is x


def test_dropout_keeps_nan_and_infinity_as_products():
    x = fastgrad.full((1000,), float("inf"))
    y = F.dropout(x, 0.5).numpy()
    assert np.isinf(y).any()
    assert np.isnan(y).any()
    assert np.isnan(F.dropout(x, 1.0).numpy()).all()
