"""A compiled model: loss, `backward()` and optimizer are outside, and the numbers are those of the model itself."""

import copy
import pickle

import numpy as np
import pytest

import fastgrad as torch
from fastgrad import nn, optim


def training(compiled, steps=12, retain=False):
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(9, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 3))
    model = torch.compile(net) if compiled else net
    updater, loss_function = optim.SGD(model.parameters(), lr=0.1, momentum=0.9), nn.CrossEntropyLoss()
    draw, seen = np.random.default_rng(0), []
    for _ in range(steps):
        x = torch.tensor(draw.random((20, 9), np.float32))
        y = torch.tensor(draw.integers(0, 3, 20))
        updater.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward(retain_graph=retain)
        if retain:
            loss.backward()
        updater.step()
        seen.append(loss.item())
        seen += [p.grad.numpy().tobytes() for p in net.parameters()]
    return model, seen


@pytest.mark.parametrize("retain", [False, True])
def test_training_through_a_compiled_model(retain):
    model, seen = training(True, retain=retain)
    _, wanted = training(False, retain=retain)
    assert seen == wanted
    assert model._compiled.replays == 10


def test_inference_and_modes():
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    model = torch.compile(net)
    x = torch.ones(3, 4)
    model.eval()
    assert not net.training
    with torch.no_grad():
        for _ in range(5):
            assert np.array_equal(model(x).numpy(), net(x).numpy())
    assert model._compiled.replays == 3
    assert list(model.state_dict()) == ["_orig_mod.0.weight", "_orig_mod.0.bias", "_orig_mod.2.weight", "_orig_mod.2.bias"]


def test_two_passes_before_one_backward():
    net = nn.Linear(4, 2)
    model = torch.compile(net)
    x, z = torch.rand(3, 4), torch.rand(3, 4)
    for _ in range(4):
        model(x).sum().backward()
    net.zero_grad()
    a, b = model(x), model(z)
    (a * b).sum().backward()
    got = net.weight.grad.numpy().copy()
    net.zero_grad()
    (net(x) * net(z)).sum().backward()
    assert np.array_equal(got, net.weight.grad.numpy())


def test_gradients_of_inputs_and_of_gradients():
    net = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    model = torch.compile(net)
    for _ in range(5):
        x = torch.rand(2, 4, requires_grad=True)
        (gx,) = torch.autograd.grad(model(x).sum(), x)
        (wanted,) = torch.autograd.grad(net(x).sum(), x)
        assert np.array_equal(gx.numpy(), wanted.numpy())
    (gx,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
    (ggx,) = torch.autograd.grad(gx.pow(2).sum(), x)
    (gx,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    (wanted,) = torch.autograd.grad(gx.pow(2).sum(), x)
    assert np.array_equal(ggx.numpy(), wanted.numpy())


def test_a_module_compiles_itself_and_can_be_copied():
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    plain = copy.deepcopy(net)
    net.compile()
    for _ in range(5):
        x = torch.rand(6, 4)
        for model in (net, plain):
            model.zero_grad()
            model(x).sum().backward()
        assert np.array_equal(net[0].weight.grad.numpy(), plain[0].weight.grad.numpy())
    assert net.forward.replays == 3
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert np.array_equal(other(x).detach().numpy(), plain(x).detach().numpy())
        assert other.forward._function.__self__ is other


def test_a_compiled_module_is_the_module_in_all_else():
    net = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5), nn.Linear(3, 2))
    model = torch.compile(net)
    model.extra = 3
    assert net.extra == 3
    assert "extra" not in model.__dict__
    assert (len(model), model.training) == (3, True)
    net.eval()
    assert not model.training
    assert model.train() is model
    assert net[1].training
    del model.extra
    with pytest.raises(AttributeError, match="'Sequential' object has no attribute 'extra'"):
        _ = model.extra
    with pytest.raises(AttributeError):
        _ = object.__new__(type(model))._orig_mod
    with pytest.raises(TypeError):
        len(torch.compile(nn.Linear(2, 2)))


def test_copies_of_a_compiled_module_have_their_own_plans():
    model = torch.compile(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)))
    x = torch.rand(6, 4)
    for _ in range(4):
        model(x).sum().backward()
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), copy.copy(model)):
        assert type(other) is type(model)
        shares = [p is q for p, q in zip(other.parameters(), model.parameters(), strict=True)]
        assert all(shares) or not any(shares)
        assert list(other.state_dict()) == list(model.state_dict())
        other.load_state_dict(model.state_dict())
        for _ in range(4):
            other.zero_grad()
            model.zero_grad()
            for each in (other, model):
                each(x).sum().backward()
            assert np.array_equal(other(x).detach().numpy(), model(x).detach().numpy())
        assert other._compiled.replays >= 2
