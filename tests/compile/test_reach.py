"""Compiled functions with `backward()` outside: what they reach, how they are called, and what is left to eager mode."""

import threading
import warnings

import numpy as np
import pytest

import fastgrad as torch
from fastgrad._compile.step import MOST_PLANS
from fastgrad.nn import functional as F
from tests.compile.passes import both, network, rows, run
from tests.compile.programs import bits


def compared(make, calls=6):
    """`make()` gives a function of x and the leaves whose gradients count."""
    results = []
    for compiled in (False, True):
        torch.manual_seed(0)
        function, leaves = make()
        call = torch.compile(function) if compiled else function
        results.append([])
        for k in range(calls):
            for leaf in leaves:
                leaf.grad = None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                call(rows(k)).pow(2).sum().backward()
            results[-1].append(bits([leaf.grad for leaf in leaves]))
    assert results[0] == results[1]
    return call


def test_parameters_that_nothing_names():
    def make():
        w = torch.rand(6, 2, requires_grad=True)
        reach = {"w": [[[[[w]]]]]}.__getitem__  # a method of C, which nobody can look into
        return lambda x: x @ reach("w")[0][0][0][0][0], [w]

    assert compared(make).replays == 3


def test_graphs_that_were_begun_outside():
    def make(named):
        w = torch.rand(6, 2, requires_grad=True)
        cells = {}
        reach = cells.__getitem__

        def outer(x):
            cells["scaled"] = scaled = w * 2
            if named:
                made = inner_of(x, scaled)
            else:
                made = inner(x)
            return made

        def inner(x):
            return torch.sigmoid(x @ reach("scaled"))

        inner_of = torch.compile(lambda x, scaled: torch.sigmoid(x @ scaled))
        if not named:
            inner = torch.compile(inner)
        outer.inner = inner_of if named else inner
        return outer, w

    for named in (True, False):
        torch.manual_seed(0)
        outer, w = make(named)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for k in range(6):
                w.grad = None
                outer(rows(k)).sum().backward()
                got = w.grad.numpy().copy()
                w.grad = None
                torch.sigmoid(rows(k) @ (w * 2)).sum().backward()
                assert np.array_equal(got, w.grad.numpy())
        assert outer.inner.replays == (3 if named else 0), outer.inner.notes


def test_what_is_no_plan_runs_eagerly_with_a_warning():
    w = torch.rand(6, 2, requires_grad=True)
    counter = iter(range(100))
    cases = {
        "is read by Python": lambda x: (x @ w) * (1.0 if x.sum().item() else 2.0),
        "changes from call to call": lambda x: (x @ w) * (0.5 + next(counter)),
    }
    for text, function in cases.items():
        compiled = torch.compile(function)

        def five(compiled=compiled):
            for k in range(5):
                compiled(rows(k)).sum().backward()

        with pytest.warns(RuntimeWarning, match=text) as caught:
            five()
        assert all(warning.filename == __file__ for warning in caught)
        assert compiled.replays == 0


def test_a_model_that_is_frozen_and_unfrozen():
    plain, model = both()
    for k in range(16):
        for net in (plain, model):
            net.requires_grad_(k % 8 < 4)
        a, b = model(rows(k)), plain(rows(k))
        assert bits(a) == bits(b)
        if k % 8 < 4:
            assert run(model, k) == run(plain, k)
        assert k % 4 < 3 or model._compiled.replays >= 1


def test_many_forms_of_calls_are_bounded():
    plain, model = network(), torch.compile(network())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as there are more of them than plans are kept, all are left to eager mode
        for count in [*range(2, 24)] * 2:
            assert run(model, count, count=count) == run(plain, count, count=count)
    function = model._compiled
    assert len(function._pairs) <= MOST_PLANS
    assert len(function._recorded) <= MOST_PLANS

    compiled = torch.compile(lambda x, factor: x * factor)

    def sixty():
        for k in range(60):
            assert compiled(torch.ones(2), 0.5 + k).tolist() == [0.5 + k] * 2

    with pytest.warns(RuntimeWarning, match="arguments differ at each call"):
        sixty()
    assert len(compiled._candidates) <= MOST_PLANS
    assert compiled.recordings < 40


def test_an_object_among_the_arguments_is_its_own():
    class Batch:
        def __init__(self, k):
            self.x = torch.full((3,), float(k))

    compiled = torch.compile(lambda batch: batch.x * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(20):
            assert compiled(Batch(k)).tolist() == [2.0 * k] * 3


def test_a_summary_has_both_plans():
    _, model = both()
    text = model._compiled.summary()
    assert text.startswith("forward plan:")
    assert "\nbackward plan:" in text
    w = torch.rand(6, 2, requires_grad=True)
    compiled = torch.compile(lambda x: torch.sigmoid(x @ w))
    for k in range(5):
        compiled(rows(k)).sum().backward()
    assert "forward plan:" in compiled.summary()
    assert "replayed 2 times" in compiled.summary()


def test_threads_share_a_compiled_model():
    plain, model = both()
    parameters, wanted = list(model.parameters()), list(plain.parameters())
    expected = [bits(torch.autograd.grad(plain(rows(k)).pow(2).sum(), wanted)) for k in range(8)]
    errors = []

    def work(first):
        try:
            for turn in range(25):
                k = (first + turn) % 8
                assert bits(torch.autograd.grad(model(rows(k)).pow(2).sum(), parameters)) == expected[k]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_a_step_around_a_compiled_model():
    plain, model = both()
    for net in (plain, model):
        net.requires_grad_(True)

    def step_of(net):
        def step(x):
            net.zero_grad()
            loss = F.mse_loss(net(x), torch.zeros(12, 3))
            loss.backward()
            return loss

        return step

    step, wanted = torch.compile(step_of(model)), step_of(plain)
    for k in range(6):
        assert bits(step(rows(k))) == bits(wanted(rows(k)))
        assert bits([p.grad for p in model.parameters()]) == bits([p.grad for p in plain.parameters()])
    assert step.replays == 4


def test_a_pass_that_began_outside_a_step_ends_in_it():
    _, model = both()
    out = model(rows(0))
    step = torch.compile(lambda: torch.autograd.grad(out.sum(), model._orig_mod[0].weight, retain_graph=True)[0])
    with pytest.warns(RuntimeWarning, match="called outside"):
        wanted = step()
    for _ in range(4):
        assert bits(step()) == bits(wanted)
