"""Sums with products (addmm and its kin) of every dtype: values, gradients and errors are PyTorch's."""

import itertools

import numpy as np
import pytest

import fastgrad
from tests.ops.test_linear import DTYPES, both, counted

NUMBERS = ({}, {"alpha": 0}, {"beta": 0}, {"alpha": 0, "beta": 0}, {"alpha": 2, "beta": -1}, {"alpha": 2.9, "beta": -1.7},
           {"alpha": 0.0, "beta": 0.5}, {"alpha": True}, {"alpha": 300}, {"beta": 300.5})  # fmt: skip
FORMS = {
    "addmm": lambda x, a, b: (x, a, b),
    "addmv": lambda x, a, b: (x[:, 0], a, b[:, 0]),
    "addr": lambda x, a, b: (x, a[:, 0], b[0]),
    "baddbmm": lambda x, a, b: (x[None], a[None], b[None]),
    "addbmm": lambda x, a, b: (x, a[None], b[None]),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FORMS)
def test_sums_with_products_of_any_dtype(torch, name, dtype):
    for numbers in NUMBERS:
        def call(t, numbers=numbers):
            given = FORMS[name](*(counted(t, shape, dtype) for shape in ((2, 3), (2, 4), (4, 3))))
            return [getattr(t, name)(*given, **numbers)]

        ours, theirs = both(torch, call)
        if isinstance(theirs, tuple):
            assert ours == theirs, numbers
        else:
            assert ours[0][:2] == theirs[0][:2], numbers
            np.testing.assert_allclose(ours[0][2], theirs[0][2], rtol=1e-6, err_msg=str(numbers))


@pytest.mark.parametrize("numbers", [{"alpha": 0}, {"beta": 0}, {"alpha": 0, "beta": 0}, {"alpha": 0, "beta": 2}])
@pytest.mark.parametrize("name", FORMS)
def test_factors_of_zero_hide_what_pytorch_hides(torch, name, numbers):
    for place in range(3):
        def call(t, place=place):
            given = [counted(t, shape) for shape in ((2, 3), (2, 4), (4, 3))]
            given[place][0, 0], given[place][1, 1] = float("nan"), float("inf")
            return [getattr(t, name)(*FORMS[name](*given), **numbers)]

        (ours,), (theirs,) = both(torch, call)
        np.testing.assert_allclose(ours[2], theirs[2], rtol=1e-6, err_msg=str(place))


@pytest.mark.parametrize("numbers", [{"alpha": 0}, {"beta": 0}, {"alpha": 2, "beta": -1.5}])
@pytest.mark.parametrize("name", FORMS)
def test_gradients_of_sums_with_products(torch, name, numbers):
    def call(t):
        leaves = [counted(t, shape).requires_grad_() for shape in ((2, 3), (2, 4), (4, 3))]
        getattr(t, name)(*FORMS[name](*leaves), **numbers).sum().backward()
        return [x.grad for x in leaves if x.grad is not None and x.grad.any()]  # PyTorch has zeros for what is not read

    ours, theirs = both(torch, call)
    assert ours == theirs


@pytest.mark.parametrize("name", [*FORMS, "mm", "bmm", "mv"])
def test_products_of_two_dtypes(torch, name):
    for kinds in itertools.product(("float32", "float64", "int64"), repeat=3):
        def call(t, kinds=kinds):
            given = [counted(t, shape, kind) for shape, kind in zip(((2, 3), (2, 4), (4, 3)), kinds, strict=True)]
            form = {"mm": "addmm", "bmm": "baddbmm", "mv": "addmv"}.get(name)
            given = FORMS[form or name](*given)
            return [getattr(t, name)(*(given[1:] if form else given))]

        ours, theirs = both(torch, call)
        assert ours == theirs, kinds


@pytest.mark.parametrize("kind", ["float64", "int64", "float32"])
@pytest.mark.parametrize("name", ["mm", "bmm", "mv", "addmm", "addmv", "baddbmm"])
def test_out_has_the_result_s_dtype(torch, name, kind):
    def call(t):
        form = {"mm": "addmm", "bmm": "baddbmm", "mv": "addmv"}.get(name)
        given = FORMS[form or name](*(counted(t, shape) for shape in ((2, 3), (2, 4), (4, 3))))
        return [getattr(t, name)(*(given[1:] if form else given), out=t.empty(0, dtype=getattr(t, kind)))]

    ours, theirs = both(torch, call)
    assert ours == theirs


@pytest.mark.parametrize("bad", ["a", None, [1]])
@pytest.mark.parametrize("name", FORMS)
def test_factors_are_numbers(name, bad):
    given = FORMS[name](*(counted(fastgrad, shape) for shape in ((2, 3), (2, 4), (4, 3))))
    with pytest.raises(TypeError, match=f"argument 'alpha' must be Number, not {type(bad).__name__}"):
        getattr(fastgrad, name)(*given, alpha=bad)
