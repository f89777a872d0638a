"""The `ctx` of an `autograd.Function`, and its arguments: tensors, anything else, by name."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf, square

cases = Cases()


@cases([27.0])
def setup_context(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(x, n):
            return x**n

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, n = inputs
            ctx.save_for_backward(x)
            ctx.n = n

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return (g * ctx.n * x ** (ctx.n - 1), None)

    x = leaf(torch, 3.0)
    F.apply(x, 3).backward()
    return x.grad


@cases([(True, False, False), (True, False, False), (True, False, True), (True, False, True)])
def needs_input_grad(torch):
    L = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, n, w):
            L.append(ctx.needs_input_grad)
            return x * n * w

        @staticmethod
        def backward(ctx, g):
            L.append(ctx.needs_input_grad)
            return (g, None, g)

    x = leaf(torch, 3.0)
    w = leaf(torch, 3.0)
    F.apply(x, 2, torch.ones(1)).backward()
    torch.autograd.grad(F.apply(x, 2, w), w)
    return L


@cases(([7.0], 7))
def ctx_attrs(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.k = 7
            ctx.shape = x.shape
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k

    x = leaf(torch, 3.0)
    y = F.apply(x)
    r = y.grad_fn.k
    y.backward()
    return (x.grad, r)


@cases(((True,), [("torch::autograd::AccumulateGrad", 0)], None, 0))
def ctx_outside(torch):
    L = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            L.append(ctx)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(torch, 3.0)
    _y = F.apply(x)
    return (
        L[0].needs_input_grad,
        [(f.name(), i) for f, i in L[0].next_functions],
        error(lambda: L[0].save_for_backward(x)),
        len(L[0].saved_tensors),
    )


@cases((None, [1.0], [(False, True)]))
def tuple_arg(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, xs, y):
            return xs[0] * y

        @staticmethod
        def backward(ctx, g):
            L.append(ctx.needs_input_grad)
            return (None, g)

    L = []
    x = leaf(torch, 3.0)
    y = leaf(torch, 2.0)
    F.apply((x,), y).backward()
    return (x.grad, y.grad, L)


@cases([9.0])
def kwargs(torch):
    x = leaf(torch, 3.0)
    return error(lambda: square(torch).apply(x=x))


@cases([7.0])
def vjp_name(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def vjp(ctx, g):
            return g * 7

    x = leaf(torch, 3.0)
    F.apply(x).backward()
    return x.grad


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
