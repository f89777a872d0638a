"""Distributions against PyTorch: samples of the same seed, densities, moments, gradients, shapes, checks."""

import re

import numpy as np
import pytest

import fastgrad

LOC = [[0.5, -1.0, 2.0], [0.0, 3.0, -0.25]]
SCALE = [0.5, 1.5, 2.0]
PROBS = [[0.1, 0.5, 0.9], [0.3, 0.75, 0.001]]
LOGITS = [[-2.0, 0.0, 1.5], [3.0, -0.5, 20.0]]


def tensors(t, *values, dtype=None):
    return [t.tensor(value, dtype=dtype or t.float64, requires_grad=True) for value in values]


CASES = {
    "normal": lambda t: ("Normal", tensors(t, LOC, SCALE), {}),
    "normal, float32": lambda t: ("Normal", tensors(t, LOC, SCALE, dtype=t.float32), {}),
    "normal of numbers": lambda t: ("Normal", [1.0, 2], {}),
    "normal of a tensor and a number": lambda t: ("Normal", [*tensors(t, LOC), 2.0], {}),
    "uniform": lambda t: ("Uniform", tensors(t, [-1.0, 0.0, 2.0], [[1.0, 0.5, 4.0], [2.0, 9.0, 2.5]]), {}),
    "uniform of numbers": lambda t: ("Uniform", [-1, 2.5], {}),
    "bernoulli": lambda t: ("Bernoulli", tensors(t, PROBS), {}),
    "bernoulli, float32": lambda t: ("Bernoulli", tensors(t, PROBS, dtype=t.float32), {}),
    "bernoulli of logits": lambda t: ("Bernoulli", [], {"logits": tensors(t, LOGITS)[0]}),
    "bernoulli of a number": lambda t: ("Bernoulli", [0.25], {}),
    "bernoulli of a logit": lambda t: ("Bernoulli", [], {"logits": -1}),
    "categorical": lambda t: ("Categorical", tensors(t, PROBS), {}),
    "categorical in one dimension": lambda t: ("Categorical", tensors(t, SCALE), {}),
    "categorical of logits": lambda t: ("Categorical", [], {"logits": tensors(t, LOGITS)[0]}),
    "categorical in three dimensions": lambda t: ("Categorical", tensors(t, [PROBS, LOC]), {"validate_args": False}),
}


def made(t, case):
    kind, arguments, options = CASES[case](t)
    distribution = getattr(t.distributions, kind)(*arguments, **options)
    leaves = [x for x in (*arguments, *options.values()) if isinstance(x, t.Tensor)]
    return distribution, leaves


def near(mine, other, rel=1e-12, **options):
    if other.dtype.itemsize == 4:
        rel = 2e-6
    assert str(mine.dtype) == str(other.dtype)
    np.testing.assert_allclose(mine.detach().numpy(), other.detach().numpy(), rtol=rel, atol=rel, **options)


def outcome(compute):
    """What a property or a call gives: a tensor, another value, or the kind of the error."""
    try:
        return compute()
    except Exception as error:
        return type(error)


def compare(mine, other):
    if hasattr(other, "detach"):
        near(mine, other)
    else:
        assert str(mine) == str(other)


@pytest.mark.parametrize("shape", [(), (4,), (2, 5)])
@pytest.mark.parametrize("case", [case for case in CASES if "three" not in case])
def test_samples_are_pytorchs(torch, case, shape):
    found = []
    for t in (fastgrad, torch):
        distribution, leaves = made(t, case)
        t.manual_seed(5)
        samples = [distribution.sample(shape)]
        gradients = []
        if distribution.has_rsample:
            samples.append(distribution.rsample(shape))
            if leaves:
                gradients = list(t.autograd.grad((samples[1] ** 2).sum(), leaves))
        assert not samples[0].requires_grad
        found.append([*samples, *gradients, t.rand(1)])
    for mine, other in zip(*found, strict=True):
        near(mine, other)


PROPERTIES = ["mean", "mode", "variance", "stddev", "batch_shape", "event_shape", "has_rsample", "has_enumerate_support"]
METHODS = ["entropy", "perplexity", "enumerate_support"]


@pytest.mark.parametrize("case", [case for case in CASES if "three" not in case])
def test_what_a_distribution_says_of_itself_is_pytorchs(torch, case):
    (ours, _), (theirs, _) = (made(t, case) for t in (fastgrad, torch))
    for name in PROPERTIES:
        compare(outcome(lambda: getattr(ours, name)), outcome(lambda: getattr(theirs, name)))
    for name in METHODS:
        compare(outcome(getattr(ours, name)), outcome(getattr(theirs, name)))
    compare(outcome(lambda: ours.enumerate_support(expand=False)), outcome(lambda: theirs.enumerate_support(expand=False)))
    for name in ("probs", "logits", "param_shape", "loc", "scale", "low", "high"):
        compare(outcome(lambda: getattr(ours, name)), outcome(lambda: getattr(theirs, name)))
    assert repr(ours) == repr(theirs)
    # PyTorch's broadcasting makes a view, and a node for it, where nothing has to be broadcast.
    plain = [re.sub(r",\s*(grad_fn=<\w+>|requires_grad=True)", "", repr(one.support)) for one in (ours, theirs)]
    assert plain[0] == plain[1]


def values_for(t, distribution, case):
    if "normal" in case:
        return t.tensor([[-3.0], [0.25]], dtype=t.float64)
    if "uniform" in case:
        return distribution.low + (distribution.high - distribution.low) * t.tensor(0.3, dtype=t.float64)
    if "bernoulli" in case:
        return t.tensor([[0.0], [1.0]], dtype=t.float64)
    return t.tensor([[0], [2]])


@pytest.mark.parametrize("case", CASES)
def test_densities_and_their_gradients_are_pytorchs(torch, case):
    found = []
    for t in (fastgrad, torch):
        distribution, leaves = made(t, case)
        if "three" in case:
            value = t.tensor([1, 2])
        elif "categorical in one" in case:
            value = t.tensor([0, 2, 1, 1])
        else:
            value = values_for(t, distribution, case)
        value = value.detach()
        if "categorical" not in case:
            value = value.to(distribution.mean.dtype)
        results = [outcome(lambda: distribution.log_prob(value)), outcome(lambda: distribution.cdf(value))]
        shares = t.tensor(0.3, dtype=t.float64), t.tensor(0.999, dtype=t.float64)
        results += [outcome(lambda: distribution.icdf(share)) for share in shares]
        results.append(outcome(distribution.entropy))
        for result in list(results):
            if isinstance(result, t.Tensor) and leaves and result.requires_grad:
                results += t.autograd.grad(result.sum(), leaves, retain_graph=True, allow_unused=True)
        found.append(results)
    for mine, other in zip(*found, strict=True):
        compare(mine, other)


@pytest.mark.parametrize("case", [case for case in CASES if "three" not in case])
def test_expanded_distributions_are_pytorchs(torch, case):
    found = []
    for t in (fastgrad, torch):
        distribution, _ = made(t, case)
        wide = distribution.expand((2, *distribution.batch_shape))
        t.manual_seed(2)
        told = type(wide).__name__, wide.batch_shape, wide.event_shape, repr(wide)
        found.append((*told, wide.sample((3,)), wide.entropy()))
    for mine, other in zip(*found, strict=True):
        compare(mine, other)


def test_erfinv_reaches_into_the_tails(torch):
    shares = [0.0, 1e-300, 1e-12, 0.025, 0.3, 0.5, 0.7, 0.999999, 1.0, -0.1, 1.1]
    for dtype, rel in (("float64", 1e-6), ("float32", 1e-5)):  # near -1 an ulp of erf is many of its inverse

        def quantiles(t):
            return t.distributions.Normal(0.0, 1.0).icdf(t.tensor(shares, dtype=getattr(t, dtype))).numpy()

        mine, other = quantiles(fastgrad), quantiles(torch)
        np.testing.assert_allclose(mine, other, rtol=rel, atol=rel)


def test_the_quantile_function_has_derivatives():
    shares = fastgrad.tensor([0.01, 0.3, 0.5, 0.97], dtype=fastgrad.float64, requires_grad=True)
    unit = fastgrad.distributions.Normal(fastgrad.tensor(0.5, dtype=fastgrad.float64), 2.0)
    assert fastgrad.autograd.gradcheck(unit.icdf, (shares,))
    assert fastgrad.autograd.gradgradcheck(unit.icdf, (shares,))
    np.testing.assert_allclose(unit.cdf(unit.icdf(shares)).detach().numpy(), shares.detach().numpy(), rtol=1e-12)


PAIRS = {
    "normals": lambda t: [t.distributions.Normal(*tensors(t, LOC, SCALE)), t.distributions.Normal(1.0, 0.5)],
    "uniforms": lambda t: [t.distributions.Uniform(t.tensor([0.0, 2.0]), 3.0), t.distributions.Uniform(1.0, 4.0)],
    "bernoullis": lambda t: [
        t.distributions.Bernoulli(t.tensor([0.0, 1.0, 0.3, 0.4])), t.distributions.Bernoulli(t.tensor([0.2, 0.1, 0.0, 1.0])),
    ],
    "categoricals": lambda t: [
        t.distributions.Categorical(t.tensor([0.0, 0.4, 0.6])),
        t.distributions.Categorical(t.tensor([[0.2, 0.8, 0.0], [1, 1, 1]])),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", PAIRS)
def test_divergences_are_pytorchs(torch, case):
    mine, other = (t.distributions.kl_divergence(*PAIRS[case](t)) for t in (fastgrad, torch))
    near(mine, other, rel=1e-6)


def d(t):
    return t.distributions


MISTAKES = {
    "a scale below zero": lambda t: d(t).Normal(0.0, t.tensor([1.0, -1.0])),
    "a scale of zero": lambda t: d(t).Normal(0.0, 0.0),
    "a mean that is no number": lambda t: d(t).Normal(t.tensor([t.nan, 1.0]), 1.0),
    "a mean in words": lambda t: d(t).Normal("a", 1.0),
    "ends the wrong way round": lambda t: d(t).Uniform(1.0, t.tensor([0.0, 2.0])),
    "a probability above one": lambda t: d(t).Bernoulli(1.5),
    "both": lambda t: d(t).Bernoulli(0.5, 0.5),
    "neither": lambda t: d(t).Bernoulli(),
    "both for categories": lambda t: d(t).Categorical(t.ones(2), t.ones(2)),
    "neither for categories": lambda t: d(t).Categorical(),
    "a single category": lambda t: d(t).Categorical(t.tensor(1.0)),
    "a single logit": lambda t: d(t).Categorical(logits=t.tensor(1.0)),
    "a negative weight": lambda t: d(t).Categorical(t.tensor([-1.0, 2.0])),
    "logits that are no numbers": lambda t: d(t).Categorical(logits=t.tensor([t.nan, 2.0])),
    "a value that is no tensor": lambda t: d(t).Normal(0.0, 1.0).log_prob(0.5),
    "a value that is no number": lambda t: d(t).Normal(0.0, 1.0).log_prob(t.tensor([t.nan])),
    "a value of another shape": lambda t: d(t).Normal(t.zeros(3), 1.0).log_prob(t.zeros(2)),
    "a value outside": lambda t: d(t).Uniform(0.0, 1.0).log_prob(t.tensor([0.5, 2.0])),
    "half a success": lambda t: d(t).Bernoulli(0.5).log_prob(t.tensor(0.5)),
    "a category that is not": lambda t: d(t).Categorical(t.ones(3)).log_prob(t.tensor([0, 3])),
    "half a category": lambda t: d(t).Categorical(t.ones(3)).log_prob(t.tensor([0.5])),
    "a quantile of categories": lambda t: d(t).Categorical(t.ones(3)).icdf(t.tensor(0.5)),
    "a path through a coin": lambda t: d(t).Bernoulli(0.5).rsample(),
    "no default": lambda t: d(t).Distribution.set_default_validate_args(3),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    with pytest.raises(Exception) as theirs:
        MISTAKES[mistake](torch)
    with pytest.raises(type(theirs.value)) as ours:
        MISTAKES[mistake](fastgrad)
    assert str(ours.value) == str(theirs.value)


def test_checks_may_be_turned_off():
    wrong = fastgrad.distributions.Normal(0.0, -1.0, validate_args=False)
    assert wrong.scale.item() == -1
    fastgrad.distributions.Distribution.set_default_validate_args(False)
    try:
        fastgrad.distributions.Normal(0.0, -1.0)
    finally:
        fastgrad.distributions.Distribution.set_default_validate_args(True)


def test_a_class_of_ones_own():
    class Half(fastgrad.distributions.Normal):
        def __init__(self, loc):
            super().__init__(loc, 0.5)

    assert Half(1.0).stddev.item() == 0.5
    with pytest.raises(NotImplementedError, match=r"Half of Normal .* must also define a custom .expand\(\) method"):
        Half(1.0).expand((2,))


def test_divergences_are_known_between_like_kinds():
    unit = fastgrad.distributions.Normal(0.0, 1.0)
    with pytest.raises(NotImplementedError, match=r"p type Normal and q type Bernoulli"):
        fastgrad.distributions.kl_divergence(unit, fastgrad.distributions.Bernoulli(0.5))
