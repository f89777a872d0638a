"""Values that a step reaches in other ways than by its arguments: a change is noticed, or the step is left to eager mode."""

import functools
import random
import types
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.nn import functional as F
from tests.compile.programs import Training, batch, bits, check


class Setting:
    scale = 1.0

    def __init__(self):
        self._hidden = 1.0

    def inner(self, x):
        return x * self.scale

    def step(self, x):
        return self.inner(x)

    @property
    def shown(self):
        return self._hidden

    __call__ = step


@dataclass(slots=True)
class Slotted:
    scale: float = 1.0


def scaled(cfg, x):
    return x * cfg.scale


def attribute(setting):
    return lambda x: x * setting.scale


WAYS = {
    "an object": (types.SimpleNamespace, attribute, "scale"),
    "a class": (lambda **_: type("Config", (), {"__module__": __name__, "scale": 1.0}), attribute, "scale"),
    "a module": (lambda **_: types.ModuleType("settings"), attribute, "scale"),
    "slots": (lambda **_: Slotted(), attribute, "scale"),
    "a property": (lambda **_: Setting(), lambda s: lambda x: x * s.shown, "_hidden"),
    "a helper": (types.SimpleNamespace, lambda s: lambda x: scaled(s, x), "scale"),
    "a method": (lambda **_: Setting(), lambda s: s.step, "scale"),
    "an object that is called": (lambda **_: Setting(), lambda s: s, "scale"),
    "such an object in a step": (lambda **_: Setting(), lambda s: lambda x: s(x), "scale"),
    "a partial function": (types.SimpleNamespace, lambda s: functools.partial(scaled, s), "scale"),
    "getattr": (types.SimpleNamespace, lambda s: lambda x: x * getattr(s, "late", 1.0), "late"),
    "the sign of zero": (types.SimpleNamespace, lambda s: lambda x: 1 / (x * s.zero), "zero"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_value_that_changes_is_noticed(way):
    make, step_of, name = WAYS[way]
    setting = make(scale=1.0, zero=0.0)
    if isinstance(setting, types.ModuleType):
        setting.scale = 1.0
    step = step_of(setting)
    compiled = torch.compile(step)
    for _ in range(4):
        assert bits(compiled(torch.ones(3))) == bits(step(torch.ones(3)))
    assert compiled.replays == 2
    setattr(setting, name, -0.0 if name == "zero" else 5.0)
    assert bits(compiled(torch.ones(3))) == bits(step(torch.ones(3)))


def refused(make, says, calls=8):
    """`make()` gives a step of x: compiled it must warn and give the same."""
    plain, compiled = make(), torch.compile(make())
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for k in range(calls):
            x = torch.full((3,), float(k - 4))
            assert bits(compiled(x.clone())) == bits(plain(x))
    assert [says in str(one.message) for one in seen] == [True]


def of_array():
    array = np.ones(1)

    def step(x):
        array[0] += 1
        return x * float(array[0])

    return step


def of_counter():
    count = 0

    def step(x):
        nonlocal count
        count += 1
        return x * 2 if count % 4 == 0 else x

    return step


def of_chance():
    draw = random.Random(3).random
    return lambda x: (random.random(), x * 2)[1] if draw else x


def of_seed():
    return lambda x: (torch.manual_seed(3), x + torch.rand(3))[1]


def deciding(x):
    found = x.sum().item()
    return (x * 2 if found > 0 else x), found


CASES = {
    "array": (of_array, "ndarray"), "counter": (of_counter, "counter"), "chance": (of_chance, "random"),
    "seed": (of_seed, "seeded"), "decision": (lambda: deciding, "read by Python"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_followed_is_left_to_eager_mode(case):
    refused(*CASES[case])


def test_small_integers_are_not_confused():
    def step(x, y):
        return (x == y).sum().item(), len(y)

    compiled, y = torch.compile(step), torch.arange(5)
    assert [compiled(y.clone(), y) for _ in range(4)] == [(5, 5)] * 4
    assert compiled(torch.zeros(5, dtype=torch.int64), y) == (1, 5)
    assert compiled.replays == 3


def test_hooks_of_optimizers():
    def add(t):
        t.optimizer.register_step_post_hook(lambda *_: [p.data.clamp_(-0.1, 0.1) for p in t.net.parameters()])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(Training, 12, {5: add})


def test_options_that_a_step_sets_and_accumulation_by_an_argument():
    def make():
        made = Training(optimizer=lambda p: optim.SGD(p, lr=0.1, momentum=0.9))

        def step(x, y, rate, update):
            for group in made.optimizer.param_groups:
                group["lr"] = rate
            loss = F.cross_entropy(made.net(x), y) / 4
            loss.backward()
            if update:
                made.optimizer.step()
                made.optimizer.zero_grad()
            return loss

        made.step = step
        return made

    check(make, 32, arguments=lambda k: (*batch(k), (0.1, 0.01)[k // 4 % 2], k % 4 == 3), replays=8)


def test_an_option_that_a_step_reads():
    def make():
        made = Training()
        inner = made.step
        made.step = lambda x, y: (inner(x, y), made.optimizer.param_groups[0]["lr"])
        return made

    check(make, 12, {6: lambda t: t.optimizer.param_groups[0].update(lr=0.5)}, replays=4)


def test_settings_of_a_module():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.cfg, self._table, self.linear = types.SimpleNamespace(alpha=1.0), {"beta": 1.0}, nn.Linear(3, 3)

        def forward(self, x):
            return self.linear(x) * self.cfg.alpha + self._table["beta"]

    net = Scaled()
    compiled = torch.compile(torch.no_grad()(lambda x: net(x)))
    for change in (lambda: None, lambda: setattr(net.cfg, "alpha", 3.0), lambda: net._table.update(beta=2.0)):
        change()
        for _ in range(4):
            with torch.no_grad():
                assert bits(compiled(torch.ones(2, 3))) == bits(net(torch.ones(2, 3)))
    assert compiled.replays >= 2
