"""Slips of the pen name what was meant."""

import sys

import pytest

import fastgrad
from tests.autograd.outcome import leaf

KEYWORDS = [
    (lambda x: fastgrad.autograd.grad(x.sum(), x, retain_gragh=True), "grad", "retain_gragh", "retain_graph"),
    (lambda x: fastgrad.autograd.backward(x.sum(), create_grpah=True), "backward", "create_grpah", "create_graph"),
    (lambda x: x.sum().backward(retain_grahp=True), "backward", "retain_grahp", "retain_graph"),
    (lambda x: fastgrad.autograd.gradcheck(lambda x: x, x, fastmode=True), "gradcheck", "fastmode", "fast_mode"),
    (
        lambda x: fastgrad.autograd.functional.jacobian(lambda x: x, x, creategraph=True),
        "jacobian", "creategraph", "create_graph",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "name", "slip", "meant"), KEYWORDS, ids=[slip for _, _, slip, _ in KEYWORDS])
def test_keywords(call, name, slip, meant):
    with pytest.raises(TypeError) as error:
        call(leaf(fastgrad, 1.0))
    text = f"{name}() got an unexpected keyword argument '{slip}'. Did you mean '{meant}'?"
    assert str(error.value).endswith(text)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("gard", "grad"),
        ("backwrad", "backward"),
        ("detect_anomly", "detect_anomaly"),
        ("gradchek", "gradcheck"),
        ("no_gard", "no_grad"),
    ],
)
def test_names_of_the_module(slip, meant):
    with pytest.raises(
        AttributeError, match=f"module 'fastgrad.autograd' has no attribute '{slip}'. Did you mean: '{meant}'"
    ):
        getattr(fastgrad.autograd, slip)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("backgrad", "backward"), ("requires_gard", "requires_grad"), ("detatch", "detach"), ("retain_gard", "retain_grad")],
)
def test_attributes_of_a_tensor(slip, meant):
    with pytest.raises(AttributeError, match=f"'Tensor' object has no attribute '{slip}'. Did you mean: '{meant}'"):
        getattr(leaf(fastgrad, 1.0), slip)


def test_a_type_error_from_inside_is_left_as_it_is():
    def broken(x):
        return dict(5)

    with pytest.raises(TypeError, match="'int' object is not iterable"):
        fastgrad.autograd.functional.jacobian(broken, leaf(fastgrad, 1.0))


def test_far_from_everything_nothing_is_guessed():
    with pytest.raises(TypeError, match="unexpected keyword argument 'zzzzzz'$"):
        fastgrad.autograd.grad(leaf(fastgrad, 1.0), [], zzzzzz=1)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda t, x: t.nn.Linear(2, 3, bais=False), "Linear.__init__() got an unexpected keyword argument 'bais'."),
        (lambda t, x: t.optim.SGD([x], momentun=0.9), "SGD.__init__() got an unexpected keyword argument 'momentun'."),
        (lambda t, x: x.sum().backward(retain_gragh=True), "Tensor.backward() got an unexpected keyword argument"),
    ],
)
def test_a_keyword_of_what_makes_an_object(make, text):
    x = fastgrad.ones(2, requires_grad=True)
    with pytest.raises(TypeError) as raised:
        make(fastgrad, x)
    assert str(raised.value).startswith(text) or sys.version_info >= (3, 13)
    assert any(meant in str(raised.value) for meant in ("Did you mean 'bias'?", "'momentum'?", "'retain_graph'?"))
