"""Optimizers: PyTorch's results step by step, groups, state, and everything that may change between two
steps.
"""

import copy
import itertools
import pickle

import numpy as np
import pytest

import fastgrad
from fastgrad import optim

SHAPES = [(20, 13), (7,), (), (3, 0), (64,)]


def grid(name, **options):
    for values in itertools.product(*options.values()):
        yield name, dict(zip(options, values))


CASES = [
    *grid("SGD", momentum=[0, 0.9], dampening=[0, 0.3], weight_decay=[0, 0.1], maximize=[False, True]),
    *grid("SGD", momentum=[0.9], nesterov=[True], weight_decay=[0, 0.1]),
    *grid(
        "Adam",
        amsgrad=[False, True],
        weight_decay=[0, 0.1],
        maximize=[False, True],
        betas=[(0.9, 0.999), (0.3, 0.8)],
    ),
    *grid("Adam", decoupled_weight_decay=[True], weight_decay=[0.1]),
    *grid("AdamW", amsgrad=[False, True], weight_decay=[0.01, 0], maximize=[False, True]),
    *grid(
        "RMSprop", momentum=[0, 0.9], centered=[False, True], weight_decay=[0, 0.1], maximize=[False, True]
    ),
    *grid(
        "Adagrad",
        lr_decay=[0, 0.3],
        weight_decay=[0, 0.1],
        initial_accumulator_value=[0, 0.5],
        maximize=[False, True],
    ),
    *grid("Adadelta", rho=[0.9, 0.5], eps=[1e-6, 0.1], weight_decay=[0, 0.1], maximize=[False, True]),
    *grid("Adamax", betas=[(0.9, 0.999), (0.3, 0.8)], weight_decay=[0, 0.1], maximize=[False, True]),
    *grid(
        "NAdam",
        betas=[(0.9, 0.999), (0.3, 0.8)],
        weight_decay=[0, 0.1],
        momentum_decay=[4e-3, 0.5],
        decoupled_weight_decay=[False, True],
        maximize=[False, True],
    ),
    *grid(
        "RAdam",
        betas=[(0.9, 0.999), (0.3, 0.8), (0.9, 0.5)],
        weight_decay=[0, 0.1],
        decoupled_weight_decay=[False, True],
        maximize=[False, True],
    ),
]


def values_and_gradients(dtype, steps, seed=0):
    rng = np.random.default_rng(seed)
    values = [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]
    gradients = [[rng.standard_normal(shape).astype(dtype) for shape in SHAPES] for _ in range(steps)]
    return values, gradients


def leaves(library, arrays):
    return [library.from_numpy(np.array(array)).requires_grad_() for array in arrays]


def give(library, parameters, gradients):
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = None if gradient is None else library.from_numpy(np.array(gradient))


def arrays(parameters):
    return [parameter.detach().numpy().copy() for parameter in parameters]


def both_after_steps(torch, name, options, dtype, steps):
    values, gradients = values_and_gradients(dtype, steps)
    ours, theirs = leaves(fastgrad, values), leaves(torch, values)
    optimizer = getattr(optim, name)(ours, lr=0.01, **options)
    oracle = getattr(torch.optim, name)(theirs, lr=0.01, foreach=False, **options)
    for given in gradients:
        give(fastgrad, ours, given)
        give(torch, theirs, given)
        optimizer.step()
        oracle.step()
    return zip(arrays(ours), arrays(theirs), strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_fifty_steps_give_pytorchs_numbers(torch, name, options, dtype):
    near = 1e-5 if dtype == "float32" else 1e-13
    for mine, other in both_after_steps(torch, name, options, dtype, 50):
        np.testing.assert_allclose(mine, other, rtol=near, atol=near)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_every_bit_is_pytorchs_but_for_its_square_root(torch, monkeypatch, name, options, dtype):
    """PyTorch's square root is not always correctly rounded; with one that is, all bits agree."""

    def sqrt(x):
        return torch.from_numpy(np.asarray(np.sqrt(x.numpy())).reshape(x.shape))

    monkeypatch.setattr(torch.Tensor, "sqrt", sqrt)
    monkeypatch.setattr(torch.Tensor, "sqrt_", lambda x: x.copy_(sqrt(x)))
    for mine, other in both_after_steps(torch, name, options, dtype, 50):
        np.testing.assert_array_equal(mine, other)


def stepped(parameters, optimizer, gradients):
    for given in gradients:
        give(fastgrad, parameters, given)
        optimizer.step()
    return arrays(parameters)


ALL = [
    ("SGD", {"momentum": 0.9}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adadelta", {}),
    ("Adamax", {}),
    ("NAdam", {"momentum_decay": 0.1}),
    ("RAdam", {"betas": (0.9, 0.99)}),
]


@pytest.mark.parametrize(("name", "options"), ALL)
def test_groups_have_their_own_options_and_may_come_late(name, options):
    values, gradients = values_and_gradients("float32", 8)
    kind = getattr(optim, name)
    together = leaves(fastgrad, values)
    optimizer = kind(
        [{"params": together[:2], "lr": 0.1}, {"params": together[2:3], "weight_decay": 0.3}],
        lr=0.01,
        **options,
    )
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.01]
    for given in gradients[:4]:
        give(fastgrad, together[:3], given)
        optimizer.step()
    optimizer.add_param_group({"params": together[3:], "lr": 0.02})
    optimizer.param_groups[0]["lr"] = 0.05
    for given in gradients[4:]:
        give(fastgrad, together, given)
        optimizer.step()

    alone = leaves(fastgrad, values)
    first, second, third = (
        kind(alone[:2], lr=0.1, **options),
        kind(alone[2:3], lr=0.01, weight_decay=0.3, **options),
        kind(alone[3:], lr=0.02, **options),
    )
    for number, given in enumerate(gradients):
        give(fastgrad, alone, given)
        first.param_groups[0]["lr"] = 0.1 if number < 4 else 0.05
        first.step()
        second.step()
        if number >= 4:
            third.step()
    for mine, other in zip(arrays(together), arrays(alone)):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(("name", "options"), ALL)
def test_parameters_without_gradient_are_left_alone(torch, name, options):
    """In some steps, or at first: their state and their step count wait."""
    values, gradients = values_and_gradients("float64", 9)
    for number, given in enumerate(gradients):
        if number < 3:
            given[0] = None
        if number % 2:
            given[1] = None
        given[4] = None
    ours, theirs = leaves(fastgrad, values), leaves(torch, values)
    optimizer = getattr(optim, name)(ours, lr=0.01, **options)
    oracle = getattr(torch.optim, name)(theirs, lr=0.01, foreach=False, **options)
    for given in gradients:
        give(fastgrad, ours, given)
        give(torch, theirs, given)
        optimizer.step()
        oracle.step()
    for mine, other in zip(arrays(ours), arrays(theirs)):
        np.testing.assert_allclose(mine, other, rtol=1e-13, atol=1e-13)
    assert (ours[4] in optimizer.state) == (theirs[4] in oracle.state)  # Adagrad has its state from the start
    for mine, other in zip(ours[:2], theirs):
        if "step" in oracle.state[other]:
            assert optimizer.state[mine]["step"].item() == oracle.state[other]["step"].item()


@pytest.mark.parametrize(("name", "options"), ALL)
def test_state_goes_to_another_optimizer(name, options):
    values, gradients = values_and_gradients("float32", 10)
    straight = leaves(fastgrad, values)
    expected = stepped(straight, getattr(optim, name)(straight, lr=0.01, **options), gradients)

    for carry in (lambda state: state, copy.deepcopy, lambda state: pickle.loads(pickle.dumps(state))):
        before = leaves(fastgrad, values)
        first = getattr(optim, name)(before, lr=0.01, **options)
        stepped(before, first, gradients[:5])
        after = leaves(fastgrad, arrays(before))
        second = getattr(optim, name)(after, lr=5.0)
        second.load_state_dict(carry(first.state_dict()))
        assert second.param_groups[0]["lr"] == 0.01
        for mine, other in zip(stepped(after, second, gradients[5:]), expected):
            np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(("name", "options"), ALL)
def test_copies_and_pickles_of_an_optimizer_go_on(name, options):
    values, gradients = values_and_gradients("float32", 6)
    parameters = leaves(fastgrad, values)
    optimizer = getattr(optim, name)(parameters, lr=0.01, **options)
    stepped(parameters, optimizer, gradients[:3])
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        copies = twin.param_groups[0]["params"]
        start = arrays(parameters)
        np.testing.assert_array_equal(arrays(copies)[0], start[0])
        stepped(copies, twin, gradients[3:4])
        np.testing.assert_array_equal(parameters[0].detach().numpy(), start[0])
    expected = stepped(parameters, optimizer, gradients[3:4])
    for mine, other in zip(arrays(copies), expected):
        np.testing.assert_array_equal(mine, other)


def test_state_dict_is_pytorchs(torch):
    values, gradients = values_and_gradients("float32", 2)
    for name, options in ALL:
        ours, theirs = leaves(fastgrad, values), leaves(torch, values)
        optimizer = getattr(optim, name)(ours, **options)
        oracle = getattr(torch.optim, name)(theirs, **options)
        assert repr(optimizer) == repr(oracle)
        for given in gradients:
            give(fastgrad, ours, given)
            give(torch, theirs, given)
            optimizer.step()
            oracle.step()
        mine, other = optimizer.state_dict(), oracle.state_dict()
        assert mine["param_groups"] == other["param_groups"]
        assert list(mine["state"]) == list(other["state"])
        for number, state in other["state"].items():
            assert set(mine["state"][number]) == set(state)
            for key, tensor in state.items():
                value = mine["state"][number][key]
                assert str(value.dtype) == str(tensor.dtype)
                assert tuple(value.shape) == tuple(tensor.shape)


def test_names_of_parameters_are_kept():
    net = fastgrad.nn.Linear(2, 3)
    optimizer = optim.Adam(net.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


def test_a_slip_names_the_nearest_optimizer():
    with pytest.raises(AttributeError, match="Did you mean: 'Adam'"):
        _ = optim.adm


def test_zero_grad_leaves_the_place_of_a_tensor_in_the_graph():
    """A tensor that keeps its gradient and is no leaf may be optimized: it stays the output that it is."""

    class Both(fastgrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return 2 * g + 3 * h

    x = fastgrad.tensor([1.0, 2.0], requires_grad=True)
    _, second = Both.apply(x)
    second.retain_grad()
    fastgrad.optim.SGD([second], lr=0.1).zero_grad()
    (second * 5).sum().backward()
    assert x.grad.tolist() == [15.0, 15.0]
    assert second.grad.tolist() == [5.0, 5.0]
