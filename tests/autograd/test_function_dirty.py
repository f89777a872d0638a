"""An `autograd.Function` that changes its inputs in place."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf, node_name

cases = Cases()


@cases(([2.0], (True, "FBackward", 2), [6.0]))
def dirty(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(torch, 3.0)
    y = x * 1
    z = F.apply(y)
    r = (z is y, node_name(y), y._version)
    z.backward()
    return (x.grad, r, y)


@cases("RuntimeError: a leaf Variable that requires grad has been used in...")
def dirty_leaf(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(torch, 3.0)
    return error(lambda: F.apply(x))


@cases("RuntimeError: Some elements marked as dirty during the forward...")
def dirty_not_returned(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(torch, 3.0)
    return error(lambda: F.apply(x * 1))


@cases(([2.0, 1.0], "CopySlices", [6.0, 4.0]))
def dirty_view(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(torch, 3.0, 4.0)
    y = x * 1
    F.apply(y[0:1])
    r = node_name(y)
    y.sum().backward()
    return (x.grad, r, y)


@cases((True, [2.0], "FBackward"))
def dirty_plain(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            x.mul_(w)
            ctx.mark_dirty(x)
            ctx.save_for_backward(w)
            return x

        @staticmethod
        def backward(ctx, g):
            return (None, g * 2)

    x = torch.ones(1)
    w = leaf(torch, 4.0)
    y = F.apply(x, w)
    y.backward()
    return (x.requires_grad, w.grad, node_name(x))


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
