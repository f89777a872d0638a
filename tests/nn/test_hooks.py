"""Forward hooks: what they see, what they replace, and when they run."""

import warnings

import pytest

import fastgrad
from fastgrad import nn


class Shifted(nn.Module):
    def forward(self, x, shift=0.0):
        return x + shift


def test_forward_hooks_see_and_replace():
    layer = nn.Identity()
    seen = []
    first = layer.register_forward_pre_hook(lambda module, args: seen.append(args))
    second = layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
    third = layer.register_forward_hook(lambda module, args, output: output * 10)
    assert layer(fastgrad.tensor(1.0)).item() == 20
    assert len(seen) == 1
    second.remove()
    second.remove()
    with layer.register_forward_hook(lambda module, args, output: output + 1, prepend=True):
        assert layer(fastgrad.tensor(1.0)).item() == 20
    assert layer(fastgrad.tensor(1.0)).item() == 10
    first.remove()
    third.remove()
    assert layer(fastgrad.tensor(1.0)).item() == 1


def test_hooks_with_keywords():
    net = Shifted()
    net.register_forward_pre_hook(lambda module, args, kwargs: (args, {"shift": 5.0}), with_kwargs=True)
    shifts = []
    net.register_forward_hook(
        lambda module, args, kwargs, output: shifts.append(kwargs["shift"]), with_kwargs=True
    )
    assert net(fastgrad.tensor(1.0)).item() == 6.0
    assert shifts == [5.0]
    bad = nn.Identity()
    bad.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="forward pre-hook must return None or a tuple"):
        bad(1)


def test_always_called_hooks_run_after_an_error():
    class Broken(nn.Module):
        def forward(self, x):
            raise ValueError("broken")

    module, seen = Broken(), []
    module.register_forward_hook(lambda module, args, output: seen.append("plain"))
    module.register_forward_hook(lambda module, args, output: seen.append("always"), always_call=True)
    with pytest.raises(ValueError, match="broken"):
        module(1)
    assert seen == ["always"]

    def failing(module, args, output):
        raise KeyError("hook")

    module.register_forward_hook(failing, always_call=True)
    with warnings.catch_warnings(record=True) as caught, pytest.raises(ValueError, match="broken"):
        warnings.simplefilter("always")
        module(1)
    assert "silenced" in str(caught[0].message)
