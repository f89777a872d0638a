"""Grad modes as functions, blocks and decorators, on generators and threads too."""

import threading

import pytest

import fastgrad
from tests.autograd.outcome import Cases, leaf

cases = Cases()


@cases((False, False, "f", True))
def nograd_deco(torch):

    @torch.no_grad()
    def f(x):
        return (x * 2).requires_grad

    @torch.no_grad
    def g(x):
        return (x * 2).requires_grad

    return (f(leaf(torch, 1.0)), g(leaf(torch, 1.0)), f.__name__, torch.is_grad_enabled())


@cases([(False, False), True, (False, False), 7])
def nograd_generator(torch):

    @torch.no_grad()
    def f(x):
        while True:
            y = yield ((x * 2).requires_grad, torch.is_grad_enabled())
            if y:
                return y

    g = f(leaf(torch, 1.0))
    L = [next(g)]
    L.append(torch.is_grad_enabled())
    L.append(g.send(None))
    try:
        g.send(7)
    except StopIteration as s:
        L.append(s.value)
    return L


@cases(([("v", False)], False, True))
def generator_throw(torch):
    L = []

    @torch.no_grad()
    def f():
        while True:
            try:
                yield torch.is_grad_enabled()
            except ValueError as e:
                L.append((str(e), torch.is_grad_enabled()))

    g = f()
    next(g)
    r = g.throw(ValueError("v"))
    g.close()
    return (L, r, torch.is_grad_enabled())


@cases([False])
def generator_close(torch):
    L = []

    @torch.no_grad()
    def f():
        try:
            yield 1
        finally:
            L.append(torch.is_grad_enabled())

    g = f()
    next(g)
    g.close()
    return L


@cases((True, False, True))
def enable_in_no(torch):
    with torch.no_grad():
        with torch.enable_grad():
            a = (leaf(torch, 1.0) * 2).requires_grad
        b = (leaf(torch, 1.0) * 2).requires_grad
    return (a, b, torch.is_grad_enabled())


@cases((False, True, False, True, False, True))
def set_enabled(torch):
    torch.set_grad_enabled(False)
    a = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    b = torch.is_grad_enabled()
    with torch.set_grad_enabled(False):
        c = torch.is_grad_enabled()
    d = torch.is_grad_enabled()

    @torch.set_grad_enabled(False)
    def f():
        return torch.is_grad_enabled()

    return (a, b, c, d, f(), torch.is_grad_enabled())


@cases(True)
def set_enabled_exc(torch):
    try:
        with torch.no_grad():
            raise ValueError
    except ValueError:
        pass
    return torch.is_grad_enabled()


@cases((False, False, True))
def reuse_instance(torch):
    m = torch.no_grad()
    with m:
        a = torch.is_grad_enabled()
    with m:
        b = torch.is_grad_enabled()
    return (a, b, torch.is_grad_enabled())


@cases((False, False))
def class_deco(torch):

    @torch.no_grad()
    class K:
        def __init__(self):
            self.m = torch.is_grad_enabled()

    return (K().m, isinstance(K, type))


@cases([True])
def threads_mode(torch):
    L = []
    with torch.no_grad():
        th = threading.Thread(target=lambda: L.append(torch.is_grad_enabled()))
        th.start()
        th.join()
    return L


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
