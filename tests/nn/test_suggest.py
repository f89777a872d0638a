"""Slips name the nearest real name."""

import pytest

from fastgrad import nn, optim, utils
from fastgrad._suggest import nearest, suggest
from fastgrad.nn import functional as F

SLIPS = [
    (F, "mse", "mse_loss"),
    (F, "cross", "cross_entropy"),
    (F, "crossentropy", "cross_entropy"),
    (F, "cross_entropy_loss", "cross_entropy"),
    (F, "sofmax", "softmax"),
    (F, "Relu", "relu"),
    (nn, "Liner", "Linear"),
    (nn, "relu", "ReLU"),
    (nn, "CrossEntropy", "CrossEntropyLoss"),
    (nn.init, "xavier_unifrom_", "xavier_uniform_"),
    (nn.init, "kaiming_uniform", "kaiming_uniform_"),
    (nn.utils, "clip_grad_norm", "clip_grad_norm_"),
    (optim, "Sgd", "SGD"),
    (utils.data, "Dataloader", "DataLoader"),
]


@pytest.mark.parametrize(("module", "slip", "meant"), SLIPS)
def test_the_nearest_name_is_named(module, slip, meant):
    with pytest.raises(AttributeError) as error:
        getattr(module, slip)
    assert (
        str(error.value) == f"module '{module.__name__}' has no attribute '{slip}'. Did you mean: '{meant}'?"
    )


def test_nothing_near_is_not_guessed():
    assert nearest("zzzzqqq", ["relu", "softmax"]) is None
    assert str(suggest("m", "zzzzqqq", ["relu"])) == "module 'm' has no attribute 'zzzzqqq'"
    assert not hasattr(F, "__path__")
