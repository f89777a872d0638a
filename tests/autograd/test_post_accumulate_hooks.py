"""Hooks behind a leaf: called when its `.grad` is ready."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf

cases = Cases()


@cases([3.0, 6.0])
def post_acc(torch):
    x = leaf(torch, 1.0)
    L = []
    h = x.register_post_accumulate_grad_hook(lambda p: L.append(p.grad.item()))
    (x * 3).backward()
    (x * 3).backward()
    h.remove()
    (x * 3).backward()
    return L


@cases(None)
def post_acc_set_none(torch):
    x = leaf(torch, 1.0)

    def f(p):
        p.grad = None

    x.register_post_accumulate_grad_hook(f)
    (x * 3).backward()
    return x.grad


@cases("RuntimeError: post accumulate grad hooks cannot be registered on...")
def post_acc_nonleaf(torch):
    x = leaf(torch, 1.0) * 2
    return error(lambda: x.register_post_accumulate_grad_hook(print))


@cases("RuntimeError: cannot register a hook on a tensor that doesn't...")
def post_acc_noreq(torch):
    x = torch.ones(1)
    return error(lambda: x.register_post_accumulate_grad_hook(print))


@cases([1])
def post_acc_grad_fn(torch):
    x = leaf(torch, 1.0)
    L = []
    x.register_post_accumulate_grad_hook(lambda p: L.append(1))
    torch.autograd.grad(x * 2, x)
    (x * 2).backward(inputs=[x])
    return L


@cases(("ValueError: no", [3.0]))
def post_acc_raises(torch):
    x = leaf(torch, 1.0)

    def f(p):
        raise ValueError("no")

    x.register_post_accumulate_grad_hook(f)
    return (error((x * 3).backward), x.grad)


@cases("TypeError: expected Variable, but hook returned 'int'")
def post_acc_returns(torch):
    x = leaf(torch, 1.0)
    x.register_post_accumulate_grad_hook(lambda p: 5)
    return error((x * 3).backward)


@cases([("pre", [2.0], None), ("post", 0, [2.0], 2.0)])
def acc_grad_hooks(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    a = y.grad_fn.next_functions[0][0]
    L = []
    a.register_hook(lambda gi, go: L.append(("post", len(gi), [g.item() for g in go], x.grad.item())))
    a.register_prehook(lambda go: L.append(("pre", [g.item() for g in go], x.grad)))
    y.backward()
    return L


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
