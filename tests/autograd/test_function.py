"""`autograd.Function`: forward and backward of the user's, in any mode, to any order."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf, node_name, square

cases = Cases()


@cases(([6.0], ("SquareBackward", "SquareBackward", True, "tensor([9.], grad_fn=<SquareBackward>)")))
def basic(torch):
    x = leaf(torch, 3.0)
    y = square(torch).apply(x)
    r = (node_name(y), y.grad_fn.name(), y.requires_grad, repr(y))
    y.backward()
    return (x.grad, r)


@cases(
    (
        "RuntimeError: Trying to backward through the graph a second time...",
        "RuntimeError: Trying to backward through the graph a second time...",
    )
)
def second_time(torch):
    x = leaf(torch, 3.0)
    y = square(torch).apply(x)
    y.backward()
    return (error(y.backward), error(lambda: y.grad_fn.saved_tensors))


@cases([4.0])
def nothing_saved_second_time(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(torch, 3.0)
    y = F.apply(x)
    y.backward()
    y.backward()
    return x.grad


@cases(([6.0], [2.0], "MulBackward0"))
def double(torch):
    x = leaf(torch, 3.0)
    y = square(torch).apply(x)
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x)
    return (g, h, node_name(g))


@cases([(False, True, False), (False, False), (False, True, False), (True, False)])
def grad_mode_in_forward(torch):
    L = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            L.append((torch.is_grad_enabled(), x.requires_grad, (x * 2).requires_grad))
            return x * 1

        @staticmethod
        def backward(ctx, g):
            L.append((torch.is_grad_enabled(), g.requires_grad))
            return g

    x = leaf(torch, 3.0)
    F.apply(x).backward()
    torch.autograd.grad(F.apply(x), x, create_graph=True)
    return L


@cases((False, None))
def no_grad_apply(torch):
    x = leaf(torch, 3.0)
    with torch.no_grad():
        y = square(torch).apply(x)
    return (y.requires_grad, y.grad_fn)


@cases((False, None))
def no_needed(torch):
    y = square(torch).apply(torch.ones(1))
    return (y.requires_grad, y.grad_fn)


@cases([32.0])
def two_nodes_in_graph(torch):
    S = square(torch)
    x = leaf(torch, 2.0)
    y = S.apply(S.apply(x))
    y.backward()
    return x.grad


@cases(([12.0], [1.0, (12.0, 2.0)]))
def hooks_on_function(torch):
    x = leaf(torch, 3.0)
    y = square(torch).apply(x)
    L = []
    y.register_hook(lambda g: (L.append(g.item()), g * 2)[1])
    y.grad_fn.register_hook(lambda a, b: L.append((a[0].item(), b[0].item())))
    y.backward()
    return (x.grad, L)


@cases([6.0])
def same_input_twice(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            return (g * b, g * a)

    x = leaf(torch, 3.0)
    F.apply(x, x).backward()
    return x.grad


@cases([12.0])
def enable_grad_inside(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = (ctx.x**3).sum()
            return ctx.y.detach()

        @staticmethod
        def backward(ctx, g):
            return torch.autograd.grad(ctx.y, ctx.x, g)[0]

    x = leaf(torch, 2.0)
    F.apply(x).backward()
    return x.grad


@cases([2.0, 2.0])
def zero_dim_output_shape_grad(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            return g.expand(2)

    x = leaf(torch, 2.0, 3.0)
    F.apply(x).backward()
    x.grad.add_(1)
    return x.grad


@cases(("KeyError: 'boom'", None))
def raises_in_backward(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise KeyError("boom")

    x = leaf(torch, 3.0)
    w = leaf(torch, 2.0)
    return (error((F.apply(x) * w).backward), x.grad)


@cases(("KeyError: 'boom'", True))
def raises_in_forward(torch):

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            raise KeyError("boom")

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(torch, 3.0)
    r = error(lambda: F.apply(x))
    return (r, torch.is_grad_enabled())


@cases((True, True, True))
def gradcheck_ok(torch):
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    S = square(torch)
    return (
        torch.autograd.gradcheck(S.apply, (x,)),
        torch.autograd.gradgradcheck(S.apply, (x,)),
        torch.autograd.gradcheck(S.apply, x, fast_mode=True),
    )


@cases((False, None, "RuntimeError: element 0 of tensors does not require grad and does...", [False]))
def once(torch):
    from importlib import import_module

    od = import_module(torch.__name__ + ".autograd.function").once_differentiable

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @od
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            L.append(torch.is_grad_enabled())
            return 2 * x * g

    L = []
    x = leaf(torch, 3.0)
    (g,) = torch.autograd.grad(F.apply(x), x, create_graph=True)
    return (g.requires_grad, node_name(g), error(lambda: torch.autograd.grad(g, x)), L)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
