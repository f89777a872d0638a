"""Two threads run back at once: over graphs of their own, over one graph, into the same leaves."""

import threading

import pytest

import fastgrad
from fastgrad import _geometry
from fastgrad._launch import core


def together(function, count=4):
    """Run `function(k)` in several threads, and raise what one of them raised."""
    errors = []

    def work(k):
        try:
            function(k)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_graphs_of_their_own():
    found = {}

    def work(k):
        for _ in range(50):
            x = fastgrad.full((32,), float(k), requires_grad=True)
            y = x
            for _ in range(10):
                y = (y * 1.5).relu() + x
            y.sum().backward()
            found.setdefault(k, []).append(x.grad.tolist())

    together(work)
    for k in range(4):
        assert all(gradient == found[k][0] for gradient in found[k])


def test_into_the_same_leaf():
    w = fastgrad.zeros(1000, requires_grad=True)

    def work(k):
        for _ in range(100):
            (w * 1.0).sum().backward()

    together(work)
    assert set(w.grad.tolist()) == {400.0}


def test_over_one_graph():
    x = fastgrad.tensor([0.5, 2.0], requires_grad=True)
    w = fastgrad.tensor([3.0, 4.0], requires_grad=True)
    y = ((x * w).exp() * x).sum()
    expected = [
        [gradient.tolist() for gradient in fastgrad.autograd.grad(y, wanted, retain_graph=True)]
        for wanted in ([x], [w], [x, w])
    ]

    def work(k):
        for _ in range(50):
            for wanted, result in zip(([x], [w], [x, w]), expected, strict=True):
                found = fastgrad.autograd.grad(y, wanted, retain_graph=True, create_graph=k % 2 == 0)
                assert [gradient.tolist() for gradient in found] == result

    together(work)


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
def test_modes_belong_to_a_thread(mode):
    inside, checked = threading.Event(), threading.Event()
    seen = []

    def work():
        with getattr(fastgrad, mode)():
            inside.set()
            checked.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    x = fastgrad.ones(1, requires_grad=True)
    seen += [(x * 2).requires_grad, (x * 2).is_inference(), fastgrad.is_grad_enabled()]
    checked.set()
    thread.join()
    assert seen == [True, False, True]


def test_a_thread_empties_the_tables_of_layouts_under_the_kernels_of_another():
    x, y = fastgrad.arange(400_000.0).reshape(400, 1000), fastgrad.ones(1000)
    done = threading.Event()

    def work(k):
        if k:
            while not done.is_set():  # what a program that keeps inventing shapes does, now and then
                core._plans.clear()
                core._pairs.clear()
                _geometry._layouts.clear()
            return
        try:
            z = fastgrad.empty(1000, 400)
            for _ in range(200):
                z.copy_(x.t())
                z.t().add_(y)
                assert (x.t() * 2)[1, 0].item() == 2.0
        finally:
            done.set()
        assert z[5, 0].item() == 6.0

    together(work, 2)
