"""Losses compute what PyTorch's compute."""

import math

import numpy as np
import pytest

import fastgrad
from fastgrad import nn
from fastgrad.nn import functional as F


def close(ours, theirs, near=1e-6):
    assert str(ours.dtype) == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=near, atol=near)


EVERY_REDUCTION = [{}, {"reduction": "sum"}, {"reduction": "none"}]
WEIGHT = [1.0, 2.0, 0.5]
LOSSES = {
    "MSELoss": ("regression", EVERY_REDUCTION),
    "L1Loss": ("regression", EVERY_REDUCTION),
    "SmoothL1Loss": ("regression", [*EVERY_REDUCTION, {"beta": 0.5}]),
    "CrossEntropyLoss": (
        "classes",
        [
            *EVERY_REDUCTION,
            {"label_smoothing": 0.1},
            {"ignore_index": 1},
            {"weight": WEIGHT},
            {"weight": WEIGHT, "label_smoothing": 0.2, "ignore_index": 2},
        ],
    ),
    "NLLLoss": ("classes", [*EVERY_REDUCTION, {"ignore_index": 0}, {"weight": WEIGHT}]),
    "BCELoss": ("probabilities", [*EVERY_REDUCTION, {"weight": WEIGHT}]),
    "BCEWithLogitsLoss": ("probabilities", [*EVERY_REDUCTION, {"weight": WEIGHT}, {"pos_weight": WEIGHT}]),
}
LOSS_CASES = [(name, kind, options) for name, (kind, grid) in LOSSES.items() for options in grid]


@pytest.mark.parametrize(("name", "kind", "options"), LOSS_CASES)
def test_losses_compute_what_pytorchs_compute(torch, name, kind, options):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 3)).astype("f4")
    if name == "BCELoss":
        x = 1 / (1 + np.exp(-x))
    target = {
        "regression": rng.standard_normal((5, 3)).astype("f4"),
        "classes": rng.integers(0, 3, 5),
        "probabilities": rng.random((5, 3)).astype("f4"),
    }[kind]
    results = []
    for library in (fastgrad, torch):
        given = {k: library.tensor(v) if isinstance(v, list) else v for k, v in options.items()}
        loss = getattr(library.nn, name)(**given)
        input = library.from_numpy(x.copy()).requires_grad_()
        y = loss(input, library.from_numpy(target.copy()))
        y.sum().backward()
        results.append((y, input.grad))
    (y, gx), (ty, tgx) = results
    close(y, ty)
    close(gx, tgx)


def test_class_weights_are_buffers(torch):
    loss = nn.CrossEntropyLoss(weight=fastgrad.ones(3))
    assert list(loss.state_dict()) == ["weight"]
    assert loss.double().weight.dtype is fastgrad.float64


def test_weighted_squares(torch):
    def weighted(library, reduction):
        x, weight = library.tensor([[0.0, 1.0], [2.0, 3.0]]), library.tensor([[1.0, 2.0], [0.0, 1.0]])
        return library.nn.functional.mse_loss(x, library.ones(2, 2), weight=weight, reduction=reduction)

    for reduction in ("mean", "sum", "none"):
        close(weighted(fastgrad, reduction), weighted(torch, reduction))


def test_reductions_without_pytorch():
    x, y = fastgrad.tensor([1.0, 3.0]), fastgrad.tensor([0.0, 0.0])
    assert F.mse_loss(x, y).item() == 5.0
    assert F.mse_loss(x, y, reduction="sum").item() == 10.0
    assert F.l1_loss(x, y, reduction="none").tolist() == [1.0, 3.0]
    assert F.cross_entropy(fastgrad.zeros(1, 4), fastgrad.tensor([2])).item() == pytest.approx(math.log(4))
