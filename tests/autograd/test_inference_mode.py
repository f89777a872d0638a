"""Tensors made in inference mode: fast, and never part of a graph."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf

cases = Cases()


@cases(([False, True, True, True, False], True, False, False))
def inf_basic(torch):
    with torch.inference_mode():
        x = torch.ones(2)
        y = x * 2
        L = [torch.is_grad_enabled(), torch.is_inference_mode_enabled(), x.is_inference(), y.is_inference(), x.requires_grad]
    return (L, x.is_inference(), torch.ones(1).is_inference(), torch.is_inference_mode_enabled())


@cases("RuntimeError: Inference tensors cannot be saved for backward....")
def inf_save(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    w = leaf(torch, 1.0, 2.0)
    return error(lambda: w * x)


@cases(([1.0, 1.0], False))
def inf_add_ok(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    w = leaf(torch, 1.0, 2.0)
    y = w + x
    y.sum().backward()
    return (w.grad, y.is_inference())


@cases(
    (
        "RuntimeError: Inplace update to inference tensor outside...",
        "RuntimeError: Inplace update to inference tensor outside...",
    )
)
def inf_inplace(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    return (error(lambda: x.add_(1)), error(lambda: x.zero_()))


@cases([5.0, 2.0])
def inf_inplace_inside(torch):
    with torch.inference_mode():
        x = torch.ones(2)
        x.add_(1)
        x[0] = 5
    return x


@cases("RuntimeError: Inplace update to inference tensor outside...")
def inf_setitem(torch):
    with torch.inference_mode():
        x = torch.ones(2)

    def f():
        x[0] = 1

    return error(f)


@cases("RuntimeError: Setting requires_grad=True on inference tensor...")
def inf_requires(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    return error(x.requires_grad_)


@cases(True)
def inf_requires_inside(torch):
    with torch.inference_mode():
        x = torch.ones(2)
        r = error(lambda: x.requires_grad_().requires_grad)
    return r


@cases((True, False))
def inf_ctor_requires(torch):
    with torch.inference_mode():
        x = torch.ones(2, requires_grad=True)
        y = x * 2
    return (x.requires_grad, y.requires_grad)


@cases("RuntimeError: Inference tensors do not track version counter.")
def inf_version(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    return error(lambda: x._version)


@cases((False, "RuntimeError: A view was created in inference mode and is being..."))
def inf_view_of_normal_nonleaf(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    with torch.inference_mode():
        v = y[0:1]
    return (v.is_inference(), error(lambda: v.add_(1)))


@cases((True, "RuntimeError: Inplace update to inference tensor outside...", True))
def inf_view_of_inf(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    v = x[0:1]
    return (v.is_inference(), error(lambda: v.add_(1)), v.view(1).is_inference())


@cases((False, [2.0, 2.0]))
def inf_clone(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    c = x.clone()
    c.requires_grad_()
    (c * c).sum().backward()
    return (c.is_inference(), c.grad)


@cases((True, True))
def inf_detach(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    return (x.detach().is_inference(), x.data.is_inference())


@cases(("RuntimeError: one of the variables needed for gradient computation...", 1))
def inf_normal_inplace_inside(torch):
    x = torch.ones(2)
    w = leaf(torch, 1.0, 1.0)
    y = w * x
    with torch.inference_mode():
        x.add_(1)
    return (error(lambda: y.sum().backward()), x._version)


@cases((False, True))
def inf_false(torch):
    with torch.inference_mode(), torch.inference_mode(False):
        x = torch.ones(1)
        g = torch.is_grad_enabled()
    return (x.is_inference(), g)


@cases((True, True))
def inf_deco(torch):

    @torch.inference_mode()
    def f(x):
        return (x * 2).is_inference()

    @torch.inference_mode
    def g(x):
        return (x * 2).is_inference()

    return (f(leaf(torch, 1.0)), g(leaf(torch, 1.0)))


@cases((False, True))
def inf_enable_grad(torch):
    x = leaf(torch, 1.0)
    with torch.inference_mode(), torch.enable_grad():
        y = x * 2
    return (y.requires_grad, y.is_inference())


@cases((None, [2.0]))
def inf_backward(torch):
    x = leaf(torch, 1.0)
    y = x * x
    with torch.inference_mode():
        r = error(y.backward)
    return (r, x.grad)


@cases("RuntimeError: Inference tensors cannot be saved for backward....")
def inf_matmul(torch):
    with torch.inference_mode():
        x = torch.ones(2, 2)
    w = torch.ones(2, 2, requires_grad=True)
    return error(lambda: x @ w)


@cases([2.0, 2.0])
def inf_copy_into_param(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    w = leaf(torch, 1.0, 2.0)
    w.data.copy_(x)
    with torch.no_grad():
        w.copy_(x)
        w.add_(x)
    return w


@cases(None)
def inf_grad_assign(torch):
    with torch.inference_mode():
        x = torch.ones(2)
    w = leaf(torch, 1.0, 2.0)

    def f():
        w.grad = x

    return error(f)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
