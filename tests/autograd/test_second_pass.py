"""A graph that is kept gives the same gradients at every pass, whatever was done to those of the passes before."""

import pytest

import fastgrad
from fastgrad.nn import functional as F

CLASSES = fastgrad.tensor([0, 1])
HALF = fastgrad.full((2, 2), 0.5)
WEIGHT = fastgrad.tensor([1.0, 3.0])
# Scalars of a (2, 2) matrix with numbers between 0 and 1, by operations that keep something for backward.
SCALARS = {
    "mse": lambda x: F.mse_loss(x, HALF),
    "mse, sum": lambda x: F.mse_loss(x, HALF, reduction="sum"),
    "l1": lambda x: F.l1_loss(x, HALF),
    "smooth l1": lambda x: F.smooth_l1_loss(x, HALF),
    "bce": lambda x: F.binary_cross_entropy(x, HALF),
    "bce with logits": lambda x: F.binary_cross_entropy_with_logits(x, HALF),
    "cross entropy": lambda x: F.cross_entropy(x, CLASSES),
    "cross entropy, weight": lambda x: F.cross_entropy(x, CLASSES, weight=WEIGHT),
    "cross entropy, sum": lambda x: F.cross_entropy(x, CLASSES, reduction="sum"),
    "cross entropy, probabilities": lambda x: F.cross_entropy(x, HALF),
    "nll": lambda x: F.nll_loss(x, CLASSES),
    "times a constant": lambda x: (x * HALF).sum(),
    "times a number": lambda x: (x * 3).sum(),
    "dropout": lambda x: F.dropout(x).sum(),
    "softmax": lambda x: F.softmax(x, 1)[0].sum(),
    "largest": lambda x: x.max(),
    "clone": lambda x: x.clone().sum(),
    "mean": lambda x: x.mean(),
    "dot": lambda x: x[0].dot(WEIGHT),
}
every = pytest.mark.parametrize("scalar", SCALARS.values(), ids=list(SCALARS))


def leaf():
    return fastgrad.tensor([[0.2, 0.5], [0.9, 0.4]], requires_grad=True)


@every
def test_a_gradient_that_was_written_into(scalar):
    x = leaf()
    y = scalar(x)
    (first,) = fastgrad.autograd.grad(y, x, retain_graph=True)
    kept = first.tolist()
    if first.is_contiguous():  # an expanded one cannot be written into
        first.mul_(10)
    (second,) = fastgrad.autograd.grad(y, x, retain_graph=True)
    assert second.tolist() == kept
    if second.is_contiguous():
        second.zero_()
    (last,) = fastgrad.autograd.grad(y, x)
    assert last.tolist() == kept


@every
def test_a_hook_that_works_in_place(scalar):
    x = leaf()
    y = scalar(x)
    (plain,) = fastgrad.autograd.grad(y, x, retain_graph=True)
    x.register_hook(lambda gx: gx.mul_(2) if gx.is_contiguous() else gx * 2)
    for _ in range(3):
        y.backward(retain_graph=True)
    assert x.grad.tolist() == (plain * 6).tolist()


def test_in_a_backward_of_the_users():
    x = leaf()
    inner = F.mse_loss(x, HALF)

    class Both(fastgrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, gy):
            (first,) = fastgrad.autograd.grad(inner, x, retain_graph=True)
            kept = first.tolist()
            first.mul_(10)
            (second,) = fastgrad.autograd.grad(inner, x)
            assert second.tolist() == kept
            return second * gy

    Both.apply(x).backward()  # this pass frees its graph, those inside keep theirs
    assert x.grad is not None


def test_a_pass_that_frees_the_graph_copies_nothing():
    x = leaf()
    y = F.mse_loss(x, HALF)
    slope = y.grad_fn.scratch.data_ptr()
    y.backward()
    assert x.grad.data_ptr() == slope
