"""Views of changed memory: a change through one is seen by the base and by every other view."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf, node_name

cases = Cases()


@cases(([3.0, 3.0, 1.0], ("CopySlices", "AsStridedBackward0", "MulBackward0"), [3.0, 6.0, 3.0]))
def inplace_view_base(torch):
    x = leaf(torch, 1.0, 2.0, 3.0)
    y = x * 1
    v = y[0:2]
    v.mul_(3)
    r = (node_name(y), node_name(v), y.grad_fn.next_functions[0][0].name())
    y.sum().backward()
    return (x.grad, r, y)


@cases(([5.0, 5.0, 0.0], ("AsStridedBackward0", "MulBackward0"), [5.0, 10.0]))
def view_follows_base(torch):
    x = leaf(torch, 1.0, 2.0, 3.0)
    y = x * 1
    v = y[0:2]
    y.mul_(5)
    r = (node_name(v), node_name(y))
    v.sum().backward()
    return (x.grad, r, v)


@cases(([0.0, 5.0, 1.0], [10.0, 3.0], "AsStridedBackward0", "AsStridedBackward0"))
def view_follows_sibling(torch):
    x = leaf(torch, 1.0, 2.0, 3.0)
    y = x * 1
    v = y[0:2]
    u = y[1:3]
    v.mul_(5)
    u.sum().backward()
    return (x.grad, u, node_name(u), node_name(v))


@cases(([0.0, 6.0], (True, True, False, False, "CopySlices", "AsStridedBackward0", "AsStridedBackward0")))
def plain_base_gets_graph(torch):
    x = torch.zeros(3)
    w = leaf(torch, 2.0, 3.0)
    v = x[0:2]
    u = x[1:3]
    v.add_(w)
    r = (x.requires_grad, u.requires_grad, x.is_leaf, u.is_leaf, node_name(x), node_name(u), node_name(v))
    (u * u).sum().backward()
    return (w.grad, r)


@cases(([9.0, 2.0], None, None, [18.0, 4.0]))
def inplace_detached_view(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    d = y.detach()[0:1]
    d.mul_(9)
    return (y, node_name(d), error(lambda: (y * y).sum().backward()), x.grad)


@cases((True, True, True, True, True, False))
def base_attr(torch):
    x = torch.zeros(4)
    v = x.view(2, 2)
    u = v[0]
    d = x.detach()
    return (v._base is x, u._base is x, x._base is None, d._base is None, v._is_view(), x._is_view())


@cases(([[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]], [[0.0, 2.0, 8.0], [3.0, 12.0, 25.0]]))
def transposed_view_inplace(torch):
    x = torch.arange(6.0).reshape(2, 3).requires_grad_()
    y = x * 1
    y.t().mul_(torch.arange(6.0).reshape(3, 2))
    y.sum().backward()
    return (x.grad, y)


@cases(([[0.0, 2.0, 4.0], [54.0, 8.0, 10.0]], [[0.0, 9.0], [1.0, 4.0], [2.0, 5.0]]))
def transposed_base_inplace(torch):
    x = torch.arange(6.0).reshape(2, 3).requires_grad_()
    b = (x * 1).t()
    b[0].mul_(3)
    y = b.clone()
    (y * y).sum().backward()
    return (x.grad, y)


@cases(
    ([12.0, 6.0, 28.0, 10.0], ["CopySlices", "AsStridedBackward0", "AsStridedBackward0", "AsStridedBackward0"], [3.0, 7.0])
)
def chained_views_inplace_grad(torch):
    x = leaf(torch, 1.0, 2.0, 3.0, 4.0)
    y = x.clone()
    a = y.view(2, 2)
    b = a.t()
    c = b[0]
    c.mul_(2)
    b.add_(1)
    r = [node_name(v) for v in (y, a, b, c)]
    (a * a).sum().backward()
    return (x.grad, r, c)


@cases(([4.0, 4.0], "AsStridedBackward0", [[2.0, 4.0], [2.0, 4.0]]))
def expanded_view_follows_base(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 1
    rows = y.expand(2, 2)
    y.mul_(2)
    name = node_name(rows)
    rows.sum().backward()
    return (x.grad, name, rows)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
