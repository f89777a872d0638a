"""Derivatives of any order, through views, in-place changes and functions of the user's, against finite differences."""

import pytest

import fastgrad
from fastgrad.autograd import grad, gradcheck, gradgradcheck


def matrix(*rows):
    return fastgrad.tensor(list(rows), dtype=fastgrad.float64, requires_grad=True)


def through_a_view(x):
    y = x * 1
    y[0].mul_(x[1])
    y[:, 1].add_(y[:, 0].exp())
    return y * y


def through_views_of_views(x):
    y = x.clone()
    rows = y.view(-1)
    first = rows[0:2]
    first.mul_(x.sum())
    rows.exp_()
    return first * rows[2:4]


def into_a_plain_tensor(x):
    y = fastgrad.zeros(2, 3, dtype=fastgrad.float64)
    y[:, 0] = x[:, 0] * x[:, 1]
    y[1, 1:] = x[0] ** 2
    y[0] *= x[1, 0]
    return y


def through_advanced_indexes(x):
    y = x * 1
    y[fastgrad.tensor([1, 0])] = (x * x)[[0, 1]]
    y[y > 1] = x[0, 0]
    return y * x


def transposed(x):
    y = x.t() * 1
    y.t().mul_(x)
    y[0].sqrt_()
    return y


def saved_outputs(x):
    y = (x * 1).exp_()
    return y.sqrt() * y.reciprocal() + y.sigmoid() * y.tanh()


FUNCTIONS = [
    through_a_view, through_views_of_views, into_a_plain_tensor, through_advanced_indexes, transposed, saved_outputs,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_first_and_second_derivatives(function):
    x = matrix([0.8, 1.3], [0.4, 0.9])
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_the_sixth_derivative():
    x = fastgrad.tensor([2.0], dtype=fastgrad.float64, requires_grad=True)
    y, expected = x**7, 128.0
    for order in range(1, 7):
        (y,) = grad(y, x, create_graph=True)
        expected = expected * (8 - order) / 2
        assert y.item() == pytest.approx(expected, rel=1e-12)


def test_a_gradient_penalty():
    w = matrix([0.3, -0.2], [0.5, 0.7])
    x = matrix([1.0, 2.0])

    def penalty(w):
        (gx,) = grad((x @ w).tanh().sum(), x, create_graph=True)
        return ((gx * gx).sum() - 1) ** 2

    assert gradcheck(penalty, (w,))


def test_both_paths_of_a_by_product_agree():
    """Backward reads by-products of the forward; `create_graph` computes from the inputs: the values are the same."""
    F = fastgrad.nn.functional
    x = fastgrad.tensor([[0.2, -1.0, 0.5], [1.5, 0.1, -0.3]], requires_grad=True)
    target = fastgrad.tensor([2, 0])
    for loss in (lambda: F.cross_entropy(x, target), lambda: F.mse_loss(x, x.detach() * 2), lambda: F.gelu(x).sum()):
        (fast,) = grad(loss(), x)
        (recorded,) = grad(loss(), x, create_graph=True)
        assert (fast - recorded).abs().max().item() < 1e-6


def test_a_step_of_learning_to_learn():
    """The loss after an inner gradient step, differentiated by the inner rate and the inputs, equals PyTorch's formula."""
    rate = fastgrad.tensor(0.1, dtype=fastgrad.float64, requires_grad=True)
    x = matrix([1.0, 2.0], [3.0, -1.0])

    def after_a_step(rate, x):
        w = fastgrad.tensor([[0.5], [0.25]], dtype=fastgrad.float64, requires_grad=True)
        (gw,) = grad(((x @ w - 1) ** 2).mean(), w, create_graph=True)
        return ((x @ (w - rate * gw) - 1) ** 2).mean()

    assert gradcheck(after_a_step, (rate, x))
    assert gradgradcheck(after_a_step, (rate, x))


def test_every_order_of_a_power_stays_in_the_graph():
    x = fastgrad.tensor([2.0], dtype=fastgrad.float64, requires_grad=True)
    y, found = x**5, []
    for _ in range(6):
        (y,) = fastgrad.autograd.grad(y.sum(), x, create_graph=True)
        found.append(y.item())
    assert found == [80.0, 160.0, 240.0, 240.0, 120.0, 0.0]
