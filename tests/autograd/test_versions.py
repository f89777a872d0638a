"""A saved tensor that was changed in place since: noticed by its version, whichever name it was changed by."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf

cases = Cases()


@cases([0, 1, 2, (3, 3), 4, 4, 5, 6, 7, 7])
def version(torch):
    x = torch.zeros(3)
    v = [x._version]
    x.add_(1)
    v.append(x._version)
    x[0] = 2
    v.append(x._version)
    y = x[1:]
    y.mul_(2)
    v.append((x._version, y._version))
    x.detach().add_(1)
    v.append(x._version)
    x.data.add_(1)
    v.append(x._version)
    x.zero_()
    v.append(x._version)
    x.fill_(3)
    v.append(x._version)
    x.copy_(torch.ones(3))
    v.append(x._version)
    x.requires_grad_()
    v.append(x._version)
    return v


@cases((1, 2))
def version_setitem_mask(torch):
    x = torch.zeros(3)
    x[torch.tensor([True, False, True])] = 1
    a = x._version
    x[torch.tensor([0, 1])] = 2.0
    return (a, x._version)


@cases([0, 1, 2, 3])
def version_grad_ops(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    v = [y._version]
    y.add_(1)
    v.append(y._version)
    y[0] = 3
    v.append(y._version)
    y.mul_(y.detach())
    v.append(y._version)
    return v


@cases("RuntimeError: one of the variables needed for gradient computation...")
def inplace_saved_mul(torch):
    x = leaf(torch, 1.0, 2.0)
    w = leaf(torch, 3.0, 4.0)
    y = x * 1
    z = y * w
    y.add_(1)
    return error(lambda: z.sum().backward())


@cases("RuntimeError: one of the variables needed for gradient computation...")
def inplace_saved_out(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x.exp()
    y.add_(1)
    return error(lambda: y.sum().backward())


@cases("RuntimeError: one of the variables needed for gradient computation...")
def inplace_saved_out2(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x.exp()
    y.add_(1)
    y.add_(1)
    return error(lambda: y.sum().backward())


@cases("RuntimeError: one of the variables needed for gradient computation...")
def inplace_saved_out_view(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x.exp()
    y[0] = 0
    return error(lambda: y.sum().backward())


@cases("RuntimeError: one of the variables needed for gradient computation...")
def inplace_saved_out_64(torch):
    x = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    y = x.sqrt()
    z = y * 2
    y.add_(1)
    return error(lambda: z.sum().backward())


@cases("RuntimeError: one of the variables needed for gradient computation...")
def inplace_saved_leaf_nograd(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * x
    with torch.no_grad():
        x.add_(1)
    return error(lambda: y.sum().backward())


@cases([1.0, 1.0])
def inplace_not_saved_ok(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    z = y + 1
    y.add_(5)
    z.sum().backward()
    return x.grad


@cases("RuntimeError: one of the variables needed for gradient computation...")
def inplace_exp_then_mod(torch):
    x = leaf(torch, 0.0, 1.0)
    y = x * 1
    y.exp_()
    y.mul_(2)
    return error(lambda: y.sum().backward())


@cases(("RuntimeError: one of the variables needed for gradient computation...", None))
def inplace_self_mul(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y.mul_(y)
    return (error(lambda: y.sum().backward()), x.grad)


@cases((None, [2.0, 2.0]))
def inplace_self_add(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y.add_(y)
    return (error(lambda: y.sum().backward()), x.grad)


@cases(("RuntimeError: one of the variables needed for gradient computation...", None))
def inplace_self_div(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y.div_(y)
    return (error(lambda: y.sum().backward()), x.grad)


@cases("RuntimeError: one of the variables needed for gradient computation...")
def pow_saved(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    z = y**2
    y.zero_()
    return error(lambda: z.sum().backward())


@cases("RuntimeError: one of the variables needed for gradient computation...")
def shape_err_3d(torch):
    x = torch.ones(2, 3, requires_grad=True)
    w = torch.ones(3, 4, requires_grad=True)
    h = x * 1
    z = h @ w
    h.add_(1)
    return error(lambda: z.sum().backward())


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
