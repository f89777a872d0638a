"""Normalising layers against PyTorch: values, gradients of two orders, running statistics, errors; bits and threads."""

import copy

import numpy as np
import pytest

import fastgrad
from fastgrad import nn
from fastgrad.autograd import gradcheck, gradgradcheck
from fastgrad.nn import functional as F

CASES = {
    "BatchNorm1d": (lambda nn, s, d: nn.BatchNorm1d(s[1], dtype=d), [(4, 6), (300, 5), (5, 3, 7), (1000, 70), (40, 8, 300)]),
    "BatchNorm1d averaging": (
        lambda nn, s, d: nn.BatchNorm1d(s[1], momentum=None, bias=False, dtype=d), [(4, 6), (1000, 70)],
    ),
    "BatchNorm1d without parameters": (
        lambda nn, s, d: nn.BatchNorm1d(s[1], affine=False, track_running_stats=False, dtype=d), [(4, 6), (1000, 70)],
    ),
    "BatchNorm1d off": (lambda nn, s, d: nn.BatchNorm1d(s[1], dtype=d).eval(), [(1, 6), (5, 3, 7), (1000, 70)]),
    "LayerNorm": (lambda nn, s, d: nn.LayerNorm(s[1:], dtype=d), [(4, 6), (5, 3, 7), (10, 1000), (1000, 70)]),
    "LayerNorm without a shift": (lambda nn, s, d: nn.LayerNorm(s[-1], bias=False, dtype=d), [(4, 6), (5, 3, 7)]),
    "LayerNorm without parameters": (
        lambda nn, s, d: nn.LayerNorm(s[-1], elementwise_affine=False, dtype=d), [(4, 6), (7,)],
    ),
    "RMSNorm": (lambda nn, s, d: nn.RMSNorm(s[-1], dtype=d), [(4, 6), (5, 3, 7), (3, 300)]),
    "RMSNorm with eps": (lambda nn, s, d: nn.RMSNorm(s[-1], 0.1, False, dtype=d), [(4, 6)]),
    "GroupNorm": (lambda nn, s, d: nn.GroupNorm(2, s[1], dtype=d), [(4, 6), (5, 4, 7), (30, 8, 300), (1000, 64)]),
}  # fmt: skip
RUNS = [(name, shape) for name, (_, shapes) in CASES.items() for shape in shapes]
KINDS = ("float32", "float64")


def numbers(shape, dtype, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def outcome(library, name, shape, dtype):
    """Of two calls: outputs, gradients, second gradients; at the end the buffers."""
    layer = CASES[name][0](library.nn, shape, getattr(library, dtype))
    parameters = list(layer.parameters())
    with library.no_grad():
        for k, parameter in enumerate(parameters):
            parameter.copy_(library.from_numpy(numbers(tuple(parameter.shape), dtype, k)))
    found = []
    for call in range(2):
        x = library.from_numpy(3 * numbers(shape, dtype, 10 + call) + 1).requires_grad_()
        weight = library.from_numpy(numbers(shape, dtype, 20))
        y = layer(x)
        found += [y, *library.autograd.grad((y * weight).sum(), [x, *parameters])]
        first = library.autograd.grad((layer(x) * weight).sum(), [x, *parameters], create_graph=True)
        second = library.autograd.grad(sum((g * g).sum() for g in first), [x, *parameters], allow_unused=True)
        found += [*first, *[library.zeros(1) if g is None else g for g in second]]
    return y.grad_fn.name(), [t.detach().numpy() for t in (*found, *layer.buffers())], repr(layer)


@pytest.mark.parametrize(("name", "shape"), RUNS)
@pytest.mark.parametrize("dtype", KINDS)
def test_as_pytorch(torch, name, shape, dtype):
    (node, ours, text), (other, theirs, wanted) = (outcome(t, name, shape, dtype) for t in (fastgrad, torch))
    assert node == other
    assert text == wanted
    for got, want in zip(ours, theirs, strict=True):
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        near = 1e3 * np.finfo(dtype).eps * max(1.0, np.abs(want).max())
        np.testing.assert_allclose(got, want, rtol=0, atol=near)


@pytest.mark.parametrize("name", [name for name in CASES if "off" not in name])
def test_gradients_are_differences(name):
    shape = {"GroupNorm": (3, 4, 2)}.get(name, (5, 3))
    layer = CASES[name][0](nn, shape, fastgrad.float64)
    x = fastgrad.tensor(numbers(shape, "float64", 0), requires_grad=True)
    parameters = list(layer.parameters())
    with fastgrad.no_grad():
        for k, parameter in enumerate(parameters):
            parameter.copy_(fastgrad.from_numpy(numbers(tuple(parameter.shape), "float64", k + 1)))
    assert gradcheck(lambda *_: layer(x), (x, *parameters))
    assert gradgradcheck(lambda *_: layer(x), (x, *parameters))


@pytest.mark.parametrize("name", ["BatchNorm1d", "LayerNorm", "GroupNorm", "RMSNorm"])
def test_bits_do_not_depend_on_threads(name):
    layer = CASES[name][0](nn, (2000, 48), fastgrad.float32)
    array, before, results = numbers((2000, 48), "float32", 0), fastgrad.get_num_threads(), set()
    try:
        for threads in (1, 2, 5):
            fastgrad.set_num_threads(threads)
            own, x = copy.deepcopy(layer), fastgrad.from_numpy(array.copy()).requires_grad_()
            y = own(x)
            (y * y).sum().backward()
            made = [y, x.grad, *[p.grad for p in own.parameters()], *own.buffers()]
            results.add(b"".join(t.detach().numpy().tobytes() for t in made))
    finally:
        fastgrad.set_num_threads(before)
    assert len(results) == 1


def test_running_statistics(torch):
    for momentum in (0.1, 1.0, None):
        ours, theirs = nn.BatchNorm1d(3, momentum=momentum), torch.nn.BatchNorm1d(3, momentum=momentum)
        for step in range(5):
            x = numbers((8, 3), "float32", step) + 100
            ours(fastgrad.from_numpy(x.copy()))
            theirs(torch.from_numpy(x.copy()))
            np.testing.assert_allclose(ours.running_mean.numpy(), theirs.running_mean.numpy(), rtol=2e-7)
            np.testing.assert_allclose(ours.running_var.numpy(), theirs.running_var.numpy(), rtol=2e-6)
        assert ours.num_batches_tracked.item() == 5
        ours.eval()(fastgrad.ones(2, 3))
        assert ours.num_batches_tracked.item() == 5
        assert ours.running_mean._version > 0
        ours.reset_running_stats()
        assert ours.running_mean.tolist() == [0, 0, 0]
        assert ours.num_batches_tracked.item() == 0


def test_statistics_that_are_a_view():
    mean, var = fastgrad.zeros(6)[::2], fastgrad.ones(6)[::2]
    F.batch_norm(fastgrad.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]), mean, var, training=True, momentum=0.5)
    assert mean.tolist() == [1.0, 1.0, 1.0]
    assert var.tolist() == [1.5, 0.5, 1.5]


def test_a_checkpoint_that_counts_no_batches():
    layer = nn.BatchNorm1d(2)
    state = {key: value for key, value in layer.state_dict().items() if "num_batches" not in key}
    assert layer.load_state_dict(state).missing_keys == []


MISTAKES = {
    "one row": lambda t: t.nn.BatchNorm1d(6)(t.ones(1, 6)),
    "one dimension": lambda t: t.nn.BatchNorm1d(6)(t.ones(3)),
    "four dimensions": lambda t: t.nn.BatchNorm1d(6)(t.ones(3, 4, 5, 6)),
    "other channels": lambda t: t.nn.BatchNorm1d(6)(t.ones(3, 5)),
    "no statistics": lambda t: t.nn.functional.batch_norm(t.ones(4, 6), None, None),
    "other variances": lambda t: t.nn.functional.batch_norm(t.ones(4, 6), t.ones(6), t.ones(5)),
    "other weights": lambda t: t.nn.functional.batch_norm(t.ones(4, 6), None, None, t.ones(5), None, True),
    "eps 0": lambda t: t.nn.functional.batch_norm(t.ones(4, 6), None, None, training=True, eps=0.0),
    "mixed dtypes": lambda t: t.nn.BatchNorm1d(6)(t.ones(3, 6, dtype=t.float64)),
    "integers": lambda t: t.nn.functional.batch_norm(t.ones(4, 6, dtype=t.int64), None, None, training=True),
    "layers of another shape": lambda t: t.nn.LayerNorm(5)(t.ones(4, 6)),
    "no shape": lambda t: t.nn.functional.layer_norm(t.ones(4, 6), ()),
    "a number as shape": lambda t: t.nn.functional.layer_norm(t.ones(4, 6), 6),
    "other layer weights": lambda t: t.nn.functional.layer_norm(t.ones(4, 6), (6,), t.ones(5)),
    "other layer shifts": lambda t: t.nn.functional.layer_norm(t.ones(4, 6), (6,), bias=t.ones(5)),
    "layers of integers": lambda t: t.nn.functional.layer_norm(t.ones(4, 6, dtype=t.int64), (6,)),
    "layers of mixed dtypes": lambda t: t.nn.LayerNorm(6)(t.ones(4, 6, dtype=t.float64)),
    "rms of another shape": lambda t: t.nn.RMSNorm(5)(t.ones(4, 6)),
    "rms of integers": lambda t: t.nn.functional.rms_norm(t.ones(4, 6, dtype=t.int64), (6,)),
    "other rms weights": lambda t: t.nn.functional.rms_norm(t.ones(4, 6), (6,), t.ones(5)),
    "groups that do not divide": lambda t: t.nn.functional.group_norm(t.ones(4, 6), 4),
    "groups of a vector": lambda t: t.nn.functional.group_norm(t.ones(3), 1),
    "groups of one value": lambda t: t.nn.functional.group_norm(t.ones(1, 2), 2),
    "a layer of groups that do not divide": lambda t: t.nn.GroupNorm(4, 6),
    "other group weights": lambda t: t.nn.functional.group_norm(t.ones(4, 6), 2, t.ones(5)),
    "groups of mixed dtypes": lambda t: t.nn.GroupNorm(2, 6)(t.ones(4, 6, dtype=t.float64)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    errors = []
    for library in (fastgrad, torch):
        with pytest.raises(Exception) as raised:
            MISTAKES[mistake](library)
        errors.append((raised.type, str(raised.value)))
    assert errors[0] == errors[1]


def test_nothing():
    for layer, shape in (
        (nn.LayerNorm(3), (0, 3)),
        (nn.BatchNorm1d(3), (0, 3)),
        (nn.RMSNorm(3), (0, 3)),
        (nn.LayerNorm(0), (2, 0)),
    ):
        x = fastgrad.ones(*shape, requires_grad=True)
        y = layer(x)
        assert tuple(y.shape) == shape
        y.sum().backward()
        assert tuple(x.grad.shape) == shape
