"""`detach`, `detach_`, `.data`: the same memory outside the graph."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf, node_name

cases = Cases()


@cases(([0.0, 0.0], False, True))
def detach_shares(torch):
    x = leaf(torch, 1.0, 2.0)
    d = x.detach()
    d.zero_()
    return (x, d.requires_grad, d.is_leaf)


@cases("RuntimeError: one of the variables needed for gradient computation...")
def detach_inplace_version(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * x
    x.detach().mul_(2)
    return error(lambda: y.sum().backward())


@cases([4.0, 8.0])
def data_inplace_version(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * x
    x.data.mul_(2)
    y.sum().backward()
    return x.grad


@cases(([1.0, 1.0, 1.0], True))
def data_set(torch):
    x = leaf(torch, 1.0, 2.0)
    x.data = torch.ones(3)
    return (x, x.requires_grad)


@cases("RuntimeError: data set to a tensor that requires gradients must be...")
def data_set_bad(torch):
    x = leaf(torch, 1.0, 2.0)

    def f():
        x.data = torch.ones(3, dtype=torch.int64)

    return error(f)


@cases("TypeError: Variable data has to be a tensor, but got int")
def data_set_bad2(torch):
    x = leaf(torch, 1.0, 2.0)

    def f():
        x.data = 3

    return error(f)


@cases((None, "torch.float64"))
def data_set_dtype(torch):
    x = torch.ones(2)

    def f():
        x.data = torch.ones(2, dtype=torch.float64)

    return (error(f), str(x.dtype))


@cases((False, None, True))
def detach_(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    y.detach_()
    return (y.requires_grad, y.grad_fn, y.is_leaf)


@cases("RuntimeError: Can't detach views in-place. Use detach() instead. If...")
def detach_view(torch):
    x = leaf(torch, 1.0, 2.0)
    y = (x * 2)[0:1]
    return error(y.detach_)


@cases("RuntimeError: Can't call numpy() on Tensor that requires grad. Use...")
def numpy_req(torch):
    x = leaf(torch, 1.0)
    return error(x.numpy)


@cases(([9.0, 2.0], None, None, [18.0, 4.0]))
def inplace_detached_view(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    d = y.detach()[0:1]
    d.mul_(9)
    return (y, node_name(d), error(lambda: (y * y).sum().backward()), x.grad)


@cases("RuntimeError: one of the variables needed for gradient computation...")
def inplace_detached_after_save(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    z = y * y
    y.detach()[0:1].mul_(9)
    return error(lambda: z.sum().backward())


@cases(([2.0], None))
def unrecorded_inplace_on_recorded_view(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    v = y[0:1]
    y.detach().add_(1)
    return (v, error(lambda: v.sum().backward()))


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
