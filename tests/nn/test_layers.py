"""Layers against PyTorch: values, gradients, initial numbers, warnings and errors; then parameters."""

import warnings

import numpy as np
import pytest

import fastgrad
from fastgrad import nn
from fastgrad.nn import functional as F

LAYERS = {
    "Linear": lambda nn: nn.Linear(6, 5),
    "Linear without bias": lambda nn: nn.Linear(6, 5, bias=False),
    "Identity": lambda nn: nn.Identity(1, a=2),
    "Flatten": lambda nn: nn.Flatten(),
    "ReLU": lambda nn: nn.ReLU(),
    "Sigmoid": lambda nn: nn.Sigmoid(),
    "Tanh": lambda nn: nn.Tanh(),
    "GELU": lambda nn: nn.GELU(),
    "GELU tanh": lambda nn: nn.GELU(approximate="tanh"),
    "SiLU": lambda nn: nn.SiLU(),
    "LeakyReLU": lambda nn: nn.LeakyReLU(0.2),
    "ELU": lambda nn: nn.ELU(1.5),
    "Softplus": lambda nn: nn.Softplus(2.0, 1.0),
    "CELU": lambda nn: nn.CELU(1.5),
    "SELU": lambda nn: nn.SELU(),
    "Mish": lambda nn: nn.Mish(),
    "LogSigmoid": lambda nn: nn.LogSigmoid(),
    "Softsign": lambda nn: nn.Softsign(),
    "Tanhshrink": lambda nn: nn.Tanhshrink(),
    "GLU": lambda nn: nn.GLU(),
    "GLU along 0": lambda nn: nn.GLU(0),
    "ReLU6": lambda nn: nn.ReLU6(),
    "PReLU": lambda nn: nn.PReLU(),
    "PReLU of channels": lambda nn: nn.PReLU(6, 0.1),
    "RReLU": lambda nn: nn.RReLU(0.1, 0.4),
    "RReLU off": lambda nn: nn.RReLU(0.1, 0.4).eval(),
    "Hardtanh": lambda nn: nn.Hardtanh(-0.5, 0.7),
    "Hardsigmoid": lambda nn: nn.Hardsigmoid(),
    "Hardswish": lambda nn: nn.Hardswish(),
    "Hardshrink": lambda nn: nn.Hardshrink(0.4),
    "Softshrink": lambda nn: nn.Softshrink(0.4),
    "Threshold": lambda nn: nn.Threshold(0.1, 20),
    "Softmin": lambda nn: nn.Softmin(dim=1),
    "Softmax": lambda nn: nn.Softmax(dim=1),
    "LogSoftmax": lambda nn: nn.LogSoftmax(dim=-1),
    "Dropout off": lambda nn: nn.Dropout(0.5).eval(),
    "Dropout of nothing": lambda nn: nn.Dropout(0.0),
    "Dropout of everything": lambda nn: nn.Dropout(1.0),
    "AlphaDropout off": lambda nn: nn.AlphaDropout().eval(),
    "AlphaDropout of everything": lambda nn: nn.AlphaDropout(1.0),
}


def both(torch, array, **options):
    array = np.asarray(array)
    return fastgrad.from_numpy(array.copy()), torch.from_numpy(array.copy())


def close(ours, theirs, near=1e-6):
    assert str(ours.dtype) == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=near, atol=near)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_compute_what_pytorchs_compute(torch, name):
    fastgrad.manual_seed(3)
    torch.manual_seed(3)
    ours, theirs = LAYERS[name](nn), LAYERS[name](torch.nn)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(mine.detach().numpy(), other.detach().numpy())
    x, tx = both(torch, np.random.default_rng(0).standard_normal((4, 6)).astype("f4"))
    y, ty = ours(x.requires_grad_()), theirs(tx.requires_grad_())
    close(y, ty)
    assert repr(ours) == repr(theirs)
    weight, tweight = both(torch, np.random.default_rng(1).standard_normal(tuple(y.shape)).astype("f4"))
    (y * weight).sum().backward()
    (ty * tweight).sum().backward()
    close(x.grad, tx.grad)
    for mine, other in zip(ours.parameters(), theirs.parameters()):
        close(mine.grad, other.grad, 1e-5)


@pytest.mark.parametrize("shape", [(784, 256), (256, 10), (1, 1), (3, 15), (3, 16)])
def test_linear_starts_with_pytorchs_numbers(torch, shape):
    for dtype in ("float32", "float64"):
        fastgrad.manual_seed(420)
        torch.manual_seed(420)
        ours = nn.Linear(*shape, dtype=getattr(fastgrad, dtype))
        theirs = torch.nn.Linear(*shape, dtype=getattr(torch, dtype))
        for name in ("weight", "bias"):
            np.testing.assert_array_equal(
                getattr(ours, name).detach().numpy(), getattr(theirs, name).detach().numpy()
            )


def test_linear_without_inputs_has_a_zero_bias(torch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert nn.Linear(0, 2).bias.tolist() == torch.nn.Linear(0, 2).bias.tolist() == [0.0, 0.0]


IN_PLACE = [
    F.relu, F.silu, F.elu, F.leaky_relu, F.celu, F.selu, F.mish, F.hardtanh, F.relu6, F.hardsigmoid, F.hardswish, F.rrelu,
]  # fmt: skip


def test_in_place_activations_change_their_input():
    for function in IN_PLACE:
        x = fastgrad.tensor([-1.0, 2.0])
        expected = function(x).tolist()
        assert function(x, inplace=True) is x
        assert x.tolist() == expected
    x = fastgrad.tensor([-1.0, 2.0])
    assert nn.ReLU(inplace=True)(x) is x
    w = fastgrad.tensor([-1.0, 2.0], requires_grad=True)
    F.relu(w * 1, inplace=True).sum().backward()
    assert w.grad.tolist() == [0.0, 1.0]


def test_dropout_keeps_the_mean_and_follows_the_mode():
    layer, x = nn.Dropout(0.25), fastgrad.ones(100_000)
    y = layer(x)
    assert set(np.unique(y.numpy())) == {0.0, np.float32(1 / 0.75)}
    assert y.mean().item() == pytest.approx(1.0, abs=0.02)
    assert bool((layer.eval()(x) == x).all())


DROPOUTS = {
    "Dropout": lambda nn: nn.Dropout(0.3),
    "Dropout in place": lambda nn: nn.Dropout(0.3, inplace=True),
    "Dropout1d": lambda nn: nn.Dropout1d(0.3),
    "AlphaDropout": lambda nn: nn.AlphaDropout(0.3),
    "FeatureAlphaDropout": lambda nn: nn.FeatureAlphaDropout(0.3),
}


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropouts_draw_pytorchs_numbers(torch, name):
    for shape in [(40, 6), (8, 5, 3)]:
        array = np.random.default_rng(0).standard_normal(shape).astype("f4")
        results = []
        for library in (fastgrad, torch):
            library.manual_seed(11)
            layer, x = DROPOUTS[name](library.nn), library.from_numpy(array.copy()).requires_grad_()
            y = layer(x * 1)
            (y * y).sum().backward()
            results.append((y, x.grad, library.rand(2)))
        for ours, theirs in zip(*results):
            close(ours, theirs)


def test_gaussian_noise():
    fastgrad.manual_seed(0)
    layer, x = nn.GaussianNoise(0.5), fastgrad.zeros(100_000, requires_grad=True)
    y = layer(x)
    assert y.std().item() == pytest.approx(0.5, rel=0.02) if hasattr(y, "std") else True
    y.sum().backward()
    assert bool((x.grad == 1).all())
    assert layer.eval()(x) is x
    assert repr(layer) == "GaussianNoise(std=0.5)"
    with pytest.raises(ValueError, match="at least 0"):
        nn.GaussianNoise(-1.0)


MISTAKES = {
    "alpha dropout above one": lambda t: t.nn.AlphaDropout(1.5),
    "dropout of channels of a vector": lambda t: t.nn.Dropout1d()(t.ones(3)),
    "alpha dropout of channels of a vector": lambda t: t.nn.FeatureAlphaDropout()(t.ones(3)),
    "bounds that are crossed": lambda t: t.nn.Hardtanh(1, 1),
    "softmax over channels of a matrix": lambda t: t.nn.Softmax2d()(t.ones(2, 2)),
    "no such reduction": lambda t: t.nn.functional.mse_loss(t.ones(2), t.ones(2), reduction="avg"),
    "no such reduction of a module": lambda t: t.nn.L1Loss(reduction="avg")(t.ones(2), t.ones(2)),
    "bce of other sizes": lambda t: t.nn.functional.binary_cross_entropy(t.ones(2), t.ones(3)),
    "bce of logits of other sizes": lambda t: t.nn.BCEWithLogitsLoss()(t.ones(2), t.ones(3)),
    "dropout above one": lambda t: t.nn.functional.dropout(t.ones(2), 1.5),
    "dropout layer below zero": lambda t: t.nn.Dropout(-0.1),
    "weights of another size": lambda t: t.nn.functional.mse_loss(t.ones(2), t.ones(2), weight=t.ones(3)),
    "fans of a vector": lambda t: t.nn.init.xavier_uniform_(t.ones(2)),
    "no such fan": lambda t: t.nn.init.kaiming_uniform_(t.ones(2, 2), mode="fan"),
    "no such function": lambda t: t.nn.init.calculate_gain("swish"),
    "no number": lambda t: t.nn.init.calculate_gain("leaky_relu", "a"),
    "a parameter of integers": lambda t: t.nn.Parameter(t.ones(2, dtype=t.int64)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    with pytest.raises(Exception) as theirs:
        MISTAKES[mistake](torch)
    with pytest.raises(type(theirs.value)) as ours:
        MISTAKES[mistake](fastgrad)
    if mistake == "a parameter of integers":  # PyTorch also names complex dtypes
        assert "can require gradients" in str(ours.value)
    else:
        assert str(ours.value) == str(theirs.value)


WARNINGS = {
    "broadcast squares": lambda t: t.nn.functional.mse_loss(t.ones(1, 1), t.ones(1, 2)),
    "broadcast distances": lambda t: t.nn.functional.l1_loss(t.ones(1, 1), t.ones(1, 2)),
    "broadcast smooth distances": lambda t: t.nn.SmoothL1Loss()(t.ones(1, 1), t.ones(1, 2)),
    "softmax without a dimension": lambda t: t.nn.functional.softmax(t.ones(1, 2)),
    "log_softmax without a dimension": lambda t: t.nn.LogSoftmax()(t.ones(3)),
    "size_average": lambda t: t.nn.functional.mse_loss(t.ones(2), t.zeros(2), size_average=False),
    "reduce": lambda t: t.nn.MSELoss(reduce=False)(t.ones(2), t.zeros(2)),
    "nothing to initialise": lambda t: t.nn.init.kaiming_uniform_(t.ones(0, 2)),
}


@pytest.mark.parametrize("warning", WARNINGS)
def test_warnings_are_pytorchs(torch, warning):
    def seen(library):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            value = WARNINGS[warning](library)
        return value.tolist(), [(str(w.message), w.category) for w in caught]

    assert seen(fastgrad) == seen(torch)


def test_warnings_point_at_the_callers_line():
    x, y = fastgrad.ones(1, 1), fastgrad.ones(1, 2)
    for call in (
        lambda: F.mse_loss(x, y),
        lambda: F.softmax(x),
        lambda: F.l1_loss(x, x, reduce=True),
        lambda: nn.LogSoftmax()(x),
    ):
        with pytest.warns(UserWarning, match="size|dimension") as caught:
            call()
        assert caught[0].filename == __file__


def test_parameters_are_leaves_that_share_memory():
    data = fastgrad.ones(2)
    p = nn.Parameter(data)
    assert isinstance(p, fastgrad.Tensor)
    assert p.is_leaf
    assert p.requires_grad
    assert p.data_ptr() == data.data_ptr()
    assert type(p * 1) is fastgrad.Tensor
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    with fastgrad.no_grad():
        assert nn.Parameter(data * 2).requires_grad
    assert nn.Parameter(data * fastgrad.ones(2, requires_grad=True)).is_leaf
    assert tuple(nn.Parameter().shape) == (0,)
    assert repr(p) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    p.tag = "kept"
    import copy

    assert copy.deepcopy(p).tag == "kept"


def test_gradients_are_clipped_as_pytorch_clips(torch):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype("f4") for shape in [(4, 3), (3,), ()]]

    def clipped(library, clip):
        parameters = [library.zeros(array.shape, requires_grad=True) for array in arrays]
        for parameter, array in zip(parameters, arrays):
            parameter.grad = library.from_numpy(np.array(array))
        result = clip(library.nn.utils, [*parameters, library.zeros(1)])
        return [np.float32(0) if result is None else result.numpy(), *[p.grad.numpy() for p in parameters]]

    for clip in (
        lambda utils, ps: utils.clip_grad_norm_(ps, 1.0),
        lambda utils, ps: utils.clip_grad_norm_(ps, 100.0),
        lambda utils, ps: utils.clip_grad_norm_(ps, 0.5, norm_type=float("inf")),
        lambda utils, ps: utils.clip_grad_norm_(ps, 0.5, norm_type=1),
        lambda utils, ps: utils.clip_grad_norm_(ps[0], 0.5),
        lambda utils, ps: utils.clip_grad_norm_(ps[3:], 0.5),
        lambda utils, ps: utils.clip_grad_value_(ps, 0.3),
    ):
        for mine, other in zip(clipped(fastgrad, clip), clipped(torch, clip)):
            np.testing.assert_allclose(mine, other, rtol=1e-6)
    w = fastgrad.zeros(1, requires_grad=True)
    w.grad = fastgrad.tensor([float("nan")])
    with pytest.raises(
        RuntimeError, match=r"The total norm of order 2.0 for gradients from `parameters` is non-finite"
    ):
        nn.utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True)


def test_parameters_become_a_vector_and_come_back():
    net = nn.Linear(3, 2)
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert tuple(vector.shape) == (8,)
    nn.utils.vector_to_parameters(fastgrad.arange(8.0), net.parameters())
    assert net.weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert net.bias.tolist() == [6.0, 7.0]


@pytest.mark.strict
def test_calling_a_module_costs_little_more_than_calling_forward():
    import timeit

    module = nn.Identity()
    forward, count = module.forward, 100_000
    called, direct = (
        min(timeit.repeat(f, number=count, repeat=7)) / count for f in (lambda: module(1), lambda: forward(1))
    )
    assert called - direct < 0.25e-6
