"""In-place operations under recording: the tensor stands for its new value."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, leaf, node_name

cases = Cases()


@cases(([3.0, 3.0], "MulBackward0"))
def inplace_base(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y.mul_(3)
    y.sum().backward()
    return (x.grad, node_name(y))


@cases(([1.0, 2.7183], "ExpBackward0"))
def inplace_exp_(torch):
    x = leaf(torch, 0.0, 1.0)
    y = x * 1
    y.exp_()
    z = y.sum()
    r = node_name(y)
    z.backward()
    return ([round(v, 4) for v in x.grad.tolist()], r)


@cases(("torch.float32", [1.0, 1.0], "torch.float32", [1.0, 2.0], "torch.float64"))
def inplace_dtype64(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    w = torch.ones(2, dtype=torch.float64, requires_grad=True)
    y.mul_(w)
    y.sum().backward()
    return (str(y.dtype), x.grad, str(x.grad.dtype), w.grad, str(w.grad.dtype))


@cases(([0.0, 0.0], [6.0, 8.0], "CopyBackwards"))
def inplace_copy_(torch):
    x = leaf(torch, 1.0, 2.0)
    w = leaf(torch, 3.0, 4.0)
    y = x * 1
    y.copy_(w)
    r = node_name(y)
    (y * y).sum().backward()
    return (x.grad, w.grad, r)


@cases(([0.0, 0.0], "FillBackward2"))
def inplace_fill_(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y.fill_(3)
    r = node_name(y)
    y.sum().backward()
    return (x.grad, r)


@cases(([0.0, 0.0], "ZeroBackward0"))
def inplace_zero_(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y.zero_()
    r = node_name(y)
    y.sum().backward()
    return (x.grad, r)


@cases(([0.0, 1.0], "CopySlices"))
def inplace_zero_view(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y[0].zero_()
    r = node_name(y)
    y.sum().backward()
    return (x.grad, r)


@cases([("b", [1.0, 1.0]), ("a", [3.0, 3.0])])
def inplace_hooks(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    L = []
    y.register_hook(lambda g: L.append(("a", g.tolist())))
    y.mul_(3)
    y.register_hook(lambda g: L.append(("b", g.tolist())))
    y.sum().backward()
    return L


@cases(([2.0, 2.0], True))
def inplace_retain(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y.retain_grad()
    y.mul_(3)
    (y * 2).sum().backward()
    return (y.grad, y.retains_grad)


@cases(([2.0, 2.0], True))
def inplace_retain_view(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y.retain_grad()
    y[0:1].mul_(3)
    (y * 2).sum().backward()
    return (y.grad, y.retains_grad)


@cases((True, False, "AddBackward0"))
def inplace_requires_after(torch):
    x = torch.zeros(2)
    w = leaf(torch, 1.0, 2.0)
    x.add_(w)
    return (x.requires_grad, x.is_leaf, node_name(x))


@cases(([64.0, 64.0], [320.0, 224.0]))
def inplace_double_backward(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y[0].mul_(x[1])
    y.mul_(y.clone())
    z = (y * y).sum()
    (g,) = torch.autograd.grad(z, x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    return (g, h)


@cases(("CopySlices", "torch::autograd::CopySlices"))
def setitem_name(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y[0] = 2
    return (node_name(y), y.grad_fn.name())


@cases(([1.0, 1.0], "CopyBackwards"))
def setitem_ellipsis(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    y[...] = 2.0
    y[:] = x
    r = node_name(y)
    y.sum().backward()
    return (x.grad, r)


@cases(([1.0, 1.0], True))
def iadd_nonleaf(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    z = y
    z += x
    z -= 1
    z *= 2
    z /= 4
    z.sum().backward()
    return (x.grad, y is z)


@cases(([0.0, 1.0], "ClampBackward1"))
def clamp_inplace_(torch):
    x = leaf(torch, -1.0, 2.0)
    y = x * 1
    y.clamp_(min=0)
    r = node_name(y)
    y.sum().backward()
    return (x.grad, r)


@cases(([0.0, 0.0], [2.0]))
def fill_tensor_(torch):
    x = leaf(torch, 1.0, 2.0)
    w = leaf(torch, 3.0)
    y = x * 1
    y.fill_(w[0])
    y.sum().backward()
    return (x.grad, w.grad)


@cases([[4.0, 5.0], [2.0, 3.0], [0.0, 1.0]])
def swap_rows(torch):
    x = torch.arange(6.0).reshape(3, 2).requires_grad_()
    y = x * 1
    y[[0, 2]] = y[[2, 0]]
    (y * torch.arange(6.0).reshape(3, 2)).sum().backward()
    return x.grad


@cases(([36.0], "CopySlices"))
def plain_setitem(torch):
    x = torch.zeros(3)
    w = leaf(torch, 2.0)
    x[1] = w[0] * 3
    r = node_name(x)
    (x * x).sum().backward()
    return (w.grad, r)


@cases(([20.0], [0.0, 2.0, 6.0, 12.0, 20.0]))
def setitem_loop(torch):
    w = leaf(torch, 2.0)
    h = torch.zeros(5)
    for i in range(5):
        h[i] = w[0] * i + (h[i - 1] if i else 0)
    h.sum().backward()
    return (w.grad, h)


@cases(([1.0, 0.0, 0.0], "IndexPutBackward0"))
def setitem_mask(torch):
    x = leaf(torch, 1.0, 2.0, 3.0)
    y = x * 1
    y[y > 1.5] = 0
    r = node_name(y)
    y.sum().backward()
    return (x.grad, r)


@cases(([0.0, 1.0, 0.0], [1.0, 1.0]))
def setitem_index(torch):
    x = leaf(torch, 1.0, 2.0, 3.0)
    y = x * 1
    w = leaf(torch, 5.0, 6.0)
    y[torch.tensor([0, 2])] = w
    y.sum().backward()
    return (x.grad, w.grad)


@cases([2.0])
def setitem_bcast(torch):
    w = leaf(torch, 5.0)
    y = torch.zeros(2, 3)
    y[:, 1] = w
    y.sum().backward()
    return w.grad


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
