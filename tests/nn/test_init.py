"""Initialisers write PyTorch's numbers."""

import math

import numpy as np
import pytest

import fastgrad
from fastgrad import nn
from tests.nn.both import same

GAINS = ["linear", "conv1d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"]


def test_gains_are_pytorchs(torch):
    for name in GAINS:
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.2) == torch.nn.init.calculate_gain("leaky_relu", 0.2)


INITIALISERS = {
    "uniform_": [{}, {"a": -2.0, "b": 3.0}],
    "normal_": [{}, {"mean": 2.0, "std": 0.1}],
    "constant_": [{"val": 0.3}],
    "ones_": [{}],
    "zeros_": [{}],
    "xavier_uniform_": [{}, {"gain": 2.0}],
    "xavier_normal_": [{}],
    "kaiming_uniform_": [{}, {"a": math.sqrt(5)}, {"mode": "fan_out", "nonlinearity": "relu"}],
    "kaiming_normal_": [{}, {"a": 0.1, "mode": "fan_out"}],
}


@pytest.mark.parametrize("name", INITIALISERS)
def test_initialisers_write_pytorchs_numbers(torch, name):
    for options in INITIALISERS[name]:
        for shape in [(30, 20), (2, 3, 5)]:
            fastgrad.manual_seed(7)
            torch.manual_seed(7)
            ours, theirs = fastgrad.empty(*shape, requires_grad=True), torch.empty(*shape, requires_grad=True)
            assert getattr(nn.init, name)(ours, **options) is ours
            getattr(torch.nn.init, name)(theirs, **options)
            near = 1e-6 if "normal" in name else 0
            np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=near, atol=near)
            assert ours.is_leaf


def test_initialisers_take_a_generator():
    made = [
        nn.init.uniform_(fastgrad.empty(3), generator=fastgrad.Generator().manual_seed(5)).tolist()
        for _ in range(2)
    ]
    assert made[0] == made[1]


MORE = {
    "trunc_normal_": lambda t: t.nn.init.trunc_normal_(t.empty(50, 3)),
    "trunc_normal_ of one side": lambda t: t.nn.init.trunc_normal_(t.empty(50), 0, 1, -0.3, 2),
    "trunc_normal_ of a tail": lambda t: t.nn.init.trunc_normal_(t.empty(50), 0, 1, 1.5, 2),
    "trunc_normal_ of a tail in float64": lambda t: t.nn.init.trunc_normal_(t.empty(50, dtype=t.float64), 0, 1, 1.5, 2),
    "sparse_": lambda t: t.nn.init.sparse_(t.empty(10, 4), 0.3),
    "orthogonal_": lambda t: t.nn.init.orthogonal_(t.empty(5, 3), 2.0),
    "orthogonal_ of a wide matrix": lambda t: t.nn.init.orthogonal_(t.empty(3, 5)),
    "orthogonal_ of three dimensions": lambda t: t.nn.init.orthogonal_(t.empty(3, 2, 4)),
    "orthogonal_ of nothing": lambda t: t.nn.init.orthogonal_(t.empty(0, 2)),
    "eye_": lambda t: t.nn.init.eye_(t.empty(3, 5)),
    "dirac_": lambda t: t.nn.init.dirac_(t.empty(4, 2, 3), 2),
    "dirac_ of five dimensions": lambda t: t.nn.init.dirac_(t.empty(2, 2, 3, 3, 1)),
    "eye_ of a vector": lambda t: t.nn.init.eye_(t.ones(2)),
    "sparse_ of a vector": lambda t: t.nn.init.sparse_(t.ones(2), 0.5),
    "orthogonal_ of a vector": lambda t: t.nn.init.orthogonal_(t.ones(2)),
    "dirac_ of a matrix": lambda t: t.nn.init.dirac_(t.ones(2, 2)),
    "dirac_ of groups that do not divide": lambda t: t.nn.init.dirac_(t.ones(3, 2, 2), 2),
}


@pytest.mark.parametrize("name", MORE)
def test_more_starting_values_are_pytorchs(torch, name):
    same(torch, MORE[name])
