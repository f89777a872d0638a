"""Tensors that `autograd.Function` saves: inputs, outputs, neither; freed, or changed in place."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf, square

cases = Cases()


@cases((None, [4.0]))
def saved_not_used_second_time(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(torch, 3.0)
    y = F.apply(x)
    y.backward()
    return (error(y.backward), x.grad)


@cases(([1.0], [1.0], [1.0]))
def saved_output(torch):

    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    x = leaf(torch, 0.0)
    y = Exp.apply(x)
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x, create_graph=True)
    (k,) = torch.autograd.grad(h, x)
    return (g, h, k)


@cases("RuntimeError: one of the variables needed for gradient computation...")
def saved_output_modified(torch):

    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    x = leaf(torch, 0.0)
    y = Exp.apply(x)
    y.add_(1)
    return error(y.backward)


@cases("RuntimeError: one of the variables needed for gradient computation...")
def saved_input_modified(torch):
    x = leaf(torch, 3.0)
    y = x * 1
    z = square(torch).apply(y)
    y.add_(1)
    return error(z.backward)


@cases([True, True])
def saved_input_is(torch):
    L = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            L.append(ctx.saved_tensors[0] is x)
            L.append(ctx.saved_tensors[0].requires_grad)
            return g

    x = leaf(torch, 3.0)
    F.apply(x).backward()
    return L


@cases([None])
def saved_none(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, None)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            L.append(ctx.saved_tensors[1])
            return g

    L = []
    x = leaf(torch, 3.0)
    F.apply(x).backward()
    return L


@cases("TypeError: save_for_backward can only save variables, but argument...")
def saved_nontensor(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, 5)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(torch, 3.0)
    return error(lambda: F.apply(x))


@cases([18.0])
def saved_intermediate(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            s = x * 3
            ctx.save_for_backward(s)
            return s * x

        @staticmethod
        def backward(ctx, g):
            (s,) = ctx.saved_tensors
            return g * s * 2

    x = leaf(torch, 3.0)
    y = F.apply(x)
    y.backward()
    return x.grad


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
