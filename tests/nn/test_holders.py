"""Modules that hold modules or parameters, lazy and bilinear layers, Unflatten: as PyTorch's."""

import copy
import pickle

import pytest

import fastgrad
from fastgrad import nn
from fastgrad.autograd import gradcheck
from tests.nn.both import same

CALLS = {
    "dict": lambda t: [repr(_dict(t)), list(_dict(t)), len(_dict(t)), "a" in _dict(t), list(_dict(t).state_dict())],
    "dict of pairs": lambda t: list(t.nn.ModuleDict([("x", t.nn.Linear(1, 1))]).state_dict()),
    "dict changed": lambda t: _changed(t, _dict(t)),
    "dict of a number": lambda t: t.nn.ModuleDict(3),
    "dict of numbers": lambda t: t.nn.ModuleDict([3]),
    "dict of triples": lambda t: t.nn.ModuleDict([[1, 2, 3]]),
    "dict with a dot": lambda t: t.nn.ModuleDict({"a.b": t.nn.ReLU()}),
    "dict of no modules": lambda t: t.nn.ModuleDict({"a": 3}),
    "dict without the key": lambda t: _dict(t)["c"],
    "dict without the key to pop": lambda t: _dict(t).pop("c"),
    "dict called": lambda t: _dict(t)(1),
    "parameters": lambda t: [repr(_list(t)), len(_list(t)), list(_list(t).state_dict()), _list(t)[-1], repr(_list(t)[:1])],
    "parameters changed": lambda t: _changed_list(t),
    "parameters beyond": lambda t: _list(t)[3],
    "parameters of a number": lambda t: t.nn.ParameterList(3),
    "parameters called": lambda t: _list(t)(1),
    "parameters by name": lambda t: [
        repr(_names(t)),
        list(_names(t).keys()),
        "a" in _names(t),
        list(_names(t).state_dict()),
    ],
    "parameters by name, changed": lambda t: _changed_names(t),
    "parameters by number": lambda t: t.nn.ParameterDict({1: t.ones(1)}),
    "unflatten": lambda t: [repr(t.nn.Unflatten(1, (2, 3))), list(t.nn.Unflatten(-1, (2, -1))(t.ones(2, 6)).shape)],
    "bilinear": lambda t: _bilinear(t, True),
    "bilinear without bias": lambda t: _bilinear(t, False),
    "bilinear text": lambda t: repr(t.nn.Bilinear(3, 4, 5)),
    "bilinear of no inputs": lambda t: t.nn.Bilinear(0, 1, 2),
    "bilinear of other rows": lambda t: _product(t, (2, 3), (3, 4)),
    "bilinear of other first inputs": lambda t: _product(t, (2, 2), (2, 4)),
    "bilinear of other second inputs": lambda t: _product(t, (2, 3), (2, 3)),
    "bilinear of another bias": lambda t: _product(t, (2, 3), (2, 4), 4),
    "lazy": lambda t: _lazy(t),
    "lazy loaded": lambda t: _lazy_loaded(t),
    "lazy shape": lambda t: t.nn.LazyLinear(3).weight.shape,
    "lazy copied": lambda t: list(copy.deepcopy(t.nn.LazyLinear(2))(t.ones(1, 3)).shape),
}


def _dict(t):
    return t.nn.ModuleDict({"a": t.nn.ReLU(), "b": t.nn.Linear(1, 1)})


def _changed(t, held):
    held.update({"c": t.nn.Tanh(), "a": t.nn.Sigmoid()})
    popped = held.pop("b")
    del held["c"]
    found = [repr(popped), repr(held), [k for k, _ in held.items()], [repr(m) for m in held.values()], list(held.keys())]
    held.clear()
    return [*found, len(held)]


def _list(t):
    return t.nn.ParameterList([t.ones(2, 3), t.nn.Parameter(t.ones(1)), "text"])


def _changed_list(t):
    held = _list(t)
    held += [t.zeros(1)]
    held.append(t.ones(1)).extend([t.ones(2)])
    held[0] = t.zeros(2)
    return [repr(held), [name for name, _ in held.named_parameters()], [type(x).__name__ for x in held]]


def _names(t):
    return t.nn.ParameterDict({"a": t.ones(2, 3), "b": 3})


def _changed_names(t):
    held = _names(t)
    held |= t.nn.ParameterDict({"c": t.zeros(1)})
    held.setdefault("d", t.ones(1))
    found = [held.get("z", 7), held.pop("b"), held.popitem()[0], list(held), list(reversed(held))]
    both = held | t.nn.ParameterDict({"e": t.ones(1)})
    del held["a"]
    found += [list(both.copy()), repr(held), [k for k, _ in held.items()], [type(v).__name__ for v in held.values()]]
    held.clear()
    return [*found, len(held)]


def _bilinear(t, bias):
    layer = t.nn.Bilinear(3, 4, 5, bias)
    x, y = t.randn(2, 6, 3, requires_grad=True), t.randn(2, 6, 4, requires_grad=True)
    z = layer(x, y)
    return [z, *t.autograd.grad((z * z).sum(), [x, y, *layer.parameters()])]


def _product(t, first, second, bias=5):
    return t.nn.functional.bilinear(t.ones(first), t.ones(second), t.ones(5, 3, 4), t.ones(bias))


def _lazy(t):
    layer = t.nn.LazyLinear(4)
    before = [repr(layer), repr(layer.weight), [name for name, _ in layer.named_parameters()]]
    net = t.nn.Sequential(layer, t.nn.LazyLinear(2, bias=False))
    y = net(t.ones(2, 3))
    return [before, repr(net), y, type(layer).__name__, type(layer.weight).__name__, layer.weight.requires_grad]


def _lazy_loaded(t):
    layer = t.nn.LazyLinear(4)
    layer.load_state_dict(t.nn.Linear(3, 4).state_dict())
    return [layer.weight, layer(t.ones(1, 3))]


@pytest.mark.parametrize("name", CALLS)
def test_as_pytorch(torch, name):
    same(torch, CALLS[name])


def test_bilinear_gradients_are_differences():
    fastgrad.manual_seed(0)
    layer = nn.Bilinear(2, 3, 2, dtype=fastgrad.float64)
    x, y = fastgrad.randn(2, 2, dtype=fastgrad.float64), fastgrad.randn(2, 3, dtype=fastgrad.float64)
    inputs = [x.requires_grad_(), y.requires_grad_(), layer.weight, layer.bias]
    assert gradcheck(lambda *given: nn.functional.bilinear(*given), inputs)


def test_a_lazy_layer_is_pickled():
    layer = pickle.loads(pickle.dumps(nn.LazyLinear(2)))
    assert tuple(layer(fastgrad.ones(1, 3)).shape) == (1, 2)
    assert repr(nn.LazyLinear(2).state_dict()["weight"]) == "<UninitializedParameter>"
