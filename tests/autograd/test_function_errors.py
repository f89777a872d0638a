"""Mistakes in an `autograd.Function`, and what they are called."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf

cases = Cases()


@cases("RuntimeError: function FBackward returned an incorrect number of...")
def wrong_count_few(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(torch, 3.0)
    w = leaf(torch, 1.0)
    return error(F.apply(x, w).backward)


@cases("RuntimeError: function FBackward returned an incorrect number of...")
def wrong_count_many(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return (g, g)

    x = leaf(torch, 3.0)
    return error(F.apply(x).backward)


@cases([1.0])
def extra_none_ok(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return (g, None, None)

    x = leaf(torch, 3.0)
    F.apply(x).backward()
    return x.grad


@cases("RuntimeError: expected Variable or None (got int)")
def wrong_type(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return 3

    x = leaf(torch, 3.0)
    return error(F.apply(x).backward)


@cases("RuntimeError: expected Variable or None (got list)")
def returns_list(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return [g]

    x = leaf(torch, 3.0)
    return error(F.apply(x).backward)


@cases("RuntimeError: Function FBackward returned an invalid gradient at...")
def wrong_shape(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return torch.ones(3)

    x = leaf(torch, 3.0, 4.0)
    return error(F.apply(x).sum().backward)


@cases([3.0, 3.0])
def bigger_shape_is_summed(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return torch.ones(3, 2)

    x = leaf(torch, 3.0, 4.0)
    F.apply(x).sum().backward()
    return x.grad


@cases(([1.0, 1.0], "torch.float32"))
def wrong_dtype_cast(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return torch.ones(2, dtype=torch.float64)

    x = leaf(torch, 3.0, 4.0)
    F.apply(x).sum().backward()
    return (x.grad, str(x.grad.dtype))


@cases("RuntimeError: function FBackward returned a gradient different than...")
def nontensor_gets_grad(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, n):
            return x * n

        @staticmethod
        def backward(ctx, g):
            return (g, g)

    x = leaf(torch, 3.0)
    return error(F.apply(x, 2).backward)


@cases(([1.0], None))
def tensor_not_needing_gets_grad(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, n):
            return x * n

        @staticmethod
        def backward(ctx, g):
            return (g, g)

    x = leaf(torch, 3.0)
    c = torch.ones(1)
    F.apply(x, c).backward()
    return (x.grad, c.grad)


@cases(None)
def none_for_needed(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return None

    x = leaf(torch, 3.0)
    F.apply(x).backward()
    return x.grad


@cases("NotImplementedError: You must implement the forward function for...")
def no_forward(torch):

    class F(torch.autograd.Function):
        pass

    x = leaf(torch, 3.0)
    return error(lambda: F.apply(x))


@cases("NotImplementedError: You must implement either the backward or vjp...")
def no_backward(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    x = leaf(torch, 3.0)
    return error(F.apply(x).backward)


@cases("RuntimeError: Implementing both 'backward' and 'vjp' for a custom...")
def both_names(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def vjp(ctx, g):
            return g * 7

        @staticmethod
        def backward(ctx, g):
            return g * 7

    x = leaf(torch, 3.0)
    return error(F.apply(x).backward)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
