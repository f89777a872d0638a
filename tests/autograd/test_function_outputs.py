"""What `autograd.Function` may return: several outputs, some without a gradient, an input as it is, a view."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf, node_name

cases = Cases()


@cases(([7.0], [([1.0], [0.0]), ([1.0], [1.0])], ("tuple", 0, 1, True)))
def several_outputs(torch):
    L = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x * 2, x * 3)

        @staticmethod
        def backward(ctx, a, b):
            L.append((a.tolist(), b.tolist()))
            return a * 2 + b * 3

    x = leaf(torch, 3.0)
    a, b = F.apply(x)
    r = (type(F.apply(x)).__name__, a.output_nr, b.output_nr, a.grad_fn is b.grad_fn)
    a.backward(retain_graph=True)
    (a + b).backward()
    return (x.grad, L, r)


@cases(([2.0], [(False, True)]))
def not_materialized(torch):
    L = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return (x * 2, x * 3)

        @staticmethod
        def backward(ctx, a, b):
            L.append((a is None, b is None))
            return a * 2

    x = leaf(torch, 3.0)
    a, _b = F.apply(x)
    a.backward()
    return (x.grad, L)


@cases([[6.0], [9.0]])
def list_output(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return [x * 2, x * 3]

        @staticmethod
        def backward(ctx, a, b):
            return a

    x = leaf(torch, 3.0)
    return error(lambda: F.apply(x))


@cases(((5, "a", None), [2.0], [[[1.0], None, None, None]]))
def nontensor_outputs(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x * 2, 5, "a", None)

        @staticmethod
        def backward(ctx, *g):
            L.append([v if v is None else v.tolist() for v in g])
            return g[0] * 2

    L = []
    x = leaf(torch, 3.0)
    o = F.apply(x)
    o[0].backward()
    return (o[1:], x.grad, L)


@cases(5)
def only_nontensor(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 5

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(torch, 3.0)
    return error(lambda: F.apply(x))


@cases((False, None, [2.0], [[0.0]]))
def nondiff(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            a = x * 2
            b = x * 3
            ctx.mark_non_differentiable(b)
            return (a, b)

        @staticmethod
        def backward(ctx, a, b):
            L.append(b.tolist())
            return a * 2

    L = []
    x = leaf(torch, 3.0)
    a, b = F.apply(x)
    a.backward()
    return (b.requires_grad, node_name(b), x.grad, L)


@cases((False, None, [2.0], [("torch.int64", [0])]))
def int_output(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x * 2, (x > 1).long())

        @staticmethod
        def backward(ctx, a, b):
            L.append(b is None or (str(b.dtype), b.tolist()))
            return a * 2

    L = []
    x = leaf(torch, 3.0)
    a, b = F.apply(x)
    a.backward()
    return (b.requires_grad, node_name(b), x.grad, L)


@cases(([5.0], (False, "FBackward", True, 0)))
def returns_input(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5

    x = leaf(torch, 3.0)
    y = F.apply(x)
    r = (y is x, node_name(y), y.data_ptr() == x.data_ptr(), y._version)
    y.backward()
    return (x.grad, r)


@cases(([5.0, 0.0], ("FBackward", False), "RuntimeError: Output 0 of F is a view and is being modified..."))
def returns_view(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(-1)[0:1]

        @staticmethod
        def backward(ctx, g):
            return torch.cat([g * 5, g * 0])

    x = leaf(torch, 3.0, 4.0)
    y = F.apply(x)
    r = (node_name(y), y._base is None)
    y.backward()
    return (x.grad, r, error(lambda: F.apply(x * 1).add_(1)))


@cases(["FBackward", "FBackward"])
def same_out_twice(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            return (y, y)

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b * 2

    x = leaf(torch, 2.0)
    r = error(lambda: F.apply(x))
    return [node_name(v) for v in r] if isinstance(r, tuple) else r


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
