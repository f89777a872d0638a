"""Leaves: `.grad`, how it accumulates and may be assigned, `requires_grad`, `retain_grad`."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf

cases = Cases()


@cases(([2.0], True))
def create_graph_warn(torch):
    x = leaf(torch, 1.0)
    (x * x).sum().backward(create_graph=True)
    r = (x.grad, x.grad.requires_grad)
    x.grad = None
    return r


@cases(False)
def retain_grad_leaf(torch):
    x = leaf(torch, 1.0)
    x.retain_grad()
    return x.retains_grad


@cases("RuntimeError: can't retain_grad on Tensor that has requires_grad=False")
def retain_grad_no(torch):
    x = torch.tensor([1.0])
    return error(x.retain_grad)


@cases(([2.0], True))
def retain_grad_twice(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    z = y.sum()
    z.backward(retain_graph=True)
    z.backward()
    return (y.grad, y.retains_grad)


@cases(([1.0, 1.0], [2.0, 2.0]))
def retain_not_alias(torch):
    x = leaf(torch, 1.0, 1.0)
    y = x * 2
    y.retain_grad()
    g = torch.ones(2)
    y.backward(g)
    g.mul_(5)
    return (y.grad, x.grad)


@cases("RuntimeError: attempting to assign a gradient of size '[2]' to a...")
def set_grad_shape(torch):
    x = leaf(torch, 1.0)

    def f():
        x.grad = torch.ones(2)

    return error(f)


@cases("TypeError: assigned grad expected to be a Tensor or None but got...")
def set_grad_type(torch):
    x = leaf(torch, 1.0)

    def f():
        x.grad = 3

    return error(f)


@cases("RuntimeError: can't assign Variable as its own grad")
def set_grad_self(torch):
    x = leaf(torch, 1.0)

    def f():
        x.grad = x

    return error(f)


@cases("RuntimeError: attempting to assign a gradient with dtype 'double'...")
def set_grad_dtype(torch):
    x = leaf(torch, 1.0)

    def f():
        x.grad = torch.ones(1, dtype=torch.float64)

    return error(f)


@cases("RuntimeError: attempting to assign a gradient with dtype 'float' to...")
def set_grad_int(torch):
    x = torch.tensor([1])

    def f():
        x.grad = torch.ones(1)

    return error(f)


@cases(None)
def del_grad(torch):
    x = leaf(torch, 1.0)
    x.sum().backward()
    del x.grad
    return x.grad


@cases(([4.0], [4.0], True))
def set_grad_accumulates(torch):
    x = leaf(torch, 1.0)
    g = torch.ones(1)
    x.grad = g
    (x * 3).sum().backward()
    return (x.grad, g, x.grad is g)


@cases("RuntimeError: only Tensors of floating point dtype can require gradients")
def requires_grad_int(torch):
    x = torch.tensor([1])
    return error(x.requires_grad_)


@cases(("RuntimeError: you can only change requires_grad flags of leaf...", True))
def requires_grad_nonleaf(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    return (error(lambda: y.requires_grad_(False)), error(lambda: y.requires_grad_(True).requires_grad))


@cases("RuntimeError: you can only change requires_grad flags of leaf...")
def requires_grad_nonleaf_set(torch):
    x = leaf(torch, 1.0)
    y = x * 2

    def f():
        y.requires_grad = False

    return error(f)


@cases((None, [1.0]))
def requires_grad_off_before_backward(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 2.0)
    y = x * w
    x.requires_grad_(False)
    y.backward()
    return (x.grad, w.grad)


@cases(([0.0, 0.0], [1.0, 1.0]))
def accumulate_no_alias(torch):
    x = leaf(torch, 1.0, 2.0)
    w = leaf(torch, 3.0, 4.0)
    (x + w).sum().backward()
    x.grad.zero_()
    return (x.grad, w.grad)


@cases(([2.0, 2.0], [1.0, 1.0], [1.0, 1.0]))
def accumulate_no_alias2(torch):
    x = leaf(torch, 1.0, 2.0)
    w = leaf(torch, 3.0, 4.0)
    g = torch.ones(2)
    (x + w).backward(g)
    x.grad.mul_(2)
    return (x.grad, w.grad, g)


@cases((True, (1,)))
def accumulate_expanded(torch):
    x = leaf(torch, 1.0, 2.0)
    x.sum().backward()
    return (x.grad.is_contiguous(), x.grad.stride())


@cases(((3, 1), [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]))
def accumulate_transposed(torch):
    x = torch.ones(2, 3, requires_grad=True)
    x.t().backward(torch.arange(6.0).reshape(3, 2))
    return (x.grad.stride(), x.grad)


@cases((True, [4.0, 4.0], 1))
def accumulate_inplace_identity(torch):
    x = leaf(torch, 1.0, 2.0)
    (x * 2).sum().backward()
    g = x.grad
    (x * 2).sum().backward()
    return (g is x.grad, g, g._version)


@cases([1.0, 1.0])
def leaf_root_gradient_alias(torch):
    x = leaf(torch, 1.0, 2.0)
    g = torch.ones(2)
    x.backward(g)
    g.mul_(7)
    return x.grad


@cases([0.0, 0.0])
def grad_inplace_zero(torch):
    x = leaf(torch, 1.0, 2.0)
    (x * x).sum().backward()
    x.grad.zero_()
    x.grad.data.zero_()
    return x.grad


@cases((True, True, [2.0], True))
def variable(torch):
    data = torch.ones(1)
    x = torch.autograd.Variable(data, requires_grad=True)
    (x * 2).backward()
    return (x.requires_grad, isinstance(data, torch.autograd.Variable), x.grad, x.data_ptr() == data.data_ptr())


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
