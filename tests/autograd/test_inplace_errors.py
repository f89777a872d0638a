"""In-place changes that are refused: of leaves, of views that nothing was recorded of, of the wrong shape or dtype."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf

cases = Cases()


@cases("RuntimeError: a leaf Variable that requires grad is being used in...")
def leaf_inplace(torch):
    x = leaf(torch, 1.0, 2.0)
    return error(lambda: x.add_(1))


@cases("RuntimeError: a view of a leaf Variable that requires grad is being...")
def leaf_setitem(torch):
    x = leaf(torch, 1.0, 2.0)

    def f():
        x[0] = 1

    return error(f)


@cases("RuntimeError: a leaf Variable that requires grad is being used in...")
def leaf_iadd(torch):
    x = leaf(torch, 1.0, 2.0)

    def f():
        y = x
        y += 1

    return error(f)


@cases(
    (
        "RuntimeError: a view of a leaf Variable that requires grad is being...",
        "RuntimeError: a view of a leaf Variable that requires grad is being...",
        "RuntimeError: a view of a leaf Variable that requires grad is being...",
    )
)
def leaf_view_inplace(torch):
    x = leaf(torch, 1.0, 2.0)
    return (error(lambda: x[0:1].add_(1)), error(lambda: x.view(2).zero_()), error(lambda: x.t().mul_(3)))


@cases(([14.0, 3.0], True, 3))
def leaf_nograd_inplace(torch):
    x = leaf(torch, 1.0, 2.0)
    with torch.no_grad():
        x.add_(1)
        x[0] = 7
        x[0:1].mul_(2)
    return (x, x.is_leaf, x._version)


@cases("RuntimeError: output with shape [2] doesn't match the broadcast...")
def inplace_bcast_err(torch):
    x = torch.zeros(2)
    return error(lambda: x.add_(torch.zeros(3, 2)))


@cases("RuntimeError: output with shape [2] doesn't match the broadcast...")
def inplace_bcast_err_rec(torch):
    x = leaf(torch, 1.0, 2.0) * 1
    return error(lambda: x.add_(torch.zeros(3, 2)))


@cases("RuntimeError: result type Float can't be cast to the desired output...")
def inplace_dtype(torch):
    x = torch.zeros(2, dtype=torch.int64)
    return error(lambda: x.add_(1.5))


@cases("RuntimeError: result type Float can't be cast to the desired output...")
def inplace_dtype_rec(torch):
    x = torch.zeros(2, dtype=torch.int64)
    w = leaf(torch, 1.0, 2.0)
    return error(lambda: x.add_(w))


@cases("RuntimeError: unsupported operation: more than one element of the...")
def inplace_expanded(torch):
    x = torch.zeros(1).expand(3)
    return error(lambda: x.add_(1))


@cases("RuntimeError: unsupported operation: more than one element of the...")
def inplace_expanded_rec(torch):
    x = (leaf(torch, 1.0) * 1).expand(3)
    return error(lambda: x.add_(1))


@cases(
    (
        False,
        "RuntimeError: a view of a leaf Variable that requires grad is being...",
        [1.0, 1.0, 1.0],
        [1.0, 1.0, 1.0],
        False,
    )
)
def req_view_is_leaf(torch):
    x = torch.zeros(3)
    v = x[0:2]
    v.requires_grad_()
    return (
        x.requires_grad,
        error(lambda: v.add_(1)),
        error(lambda: x.add_(1)),
        error(lambda: x.mul_(leaf(torch, 1.0))),
        v.is_leaf,
    )


@cases(([2.0, 2.0], [20.0, 40.0]))
def nonleaf_in_nograd_keeps(torch):
    x = leaf(torch, 1.0, 2.0)
    y = x * 2
    with torch.no_grad():
        y.mul_(10)
    y.sum().backward()
    return (x.grad, y)


@cases((False, "RuntimeError: A view was created in no_grad mode and is being..."))
def nograd_view_of_plain_then_inplace(torch):
    x = torch.zeros(3)
    w = leaf(torch, 2.0)
    with torch.no_grad():
        v = x[0:1]
    return (v.requires_grad, error(lambda: v.add_(w)))


@cases([2.0])
def inplace_under_enable(torch):
    x = leaf(torch, 1.0)
    with torch.no_grad(), torch.enable_grad():
        y = x * 2
        y.add_(1)
    y.backward()
    return x.grad


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
