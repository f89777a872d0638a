"""Which dtype comes out: every pair of dtypes, as tensors with and without dimensions, and every kind of number."""

import itertools

import numpy as np
import pytest

import fastgrad

NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")
RANK = {name: rank for rank, name in enumerate(NAMES)}
CATEGORY = {name: (0 if name == "bool" else 1 if "int" in name else 2) for name in NAMES}
PAIRS = list(itertools.product(NAMES, repeat=2))
FORMS = {"vector": (2,), "number": ()}  # a tensor without dimensions counts less
OPERATIONS = ("add", "sub", "mul", "div", "pow", "maximum", "floor_divide", "remainder", "where", "cat", "eq")
NUMBERS = (True, 3, 2.5)


def tensor(t, dtype, shape):
    return t.ones(shape, dtype=getattr(t, dtype))


def apply(t, name, a, b):
    if name == "where":
        return t.where(t.tensor([True, False]), a, b)
    if name == "cat":
        return t.cat([a.reshape(-1), b.reshape(-1)])
    return getattr(t, name)(a, b)


def outcome(call):
    """What a call gives: its dtype and values, or the kind of error and how its text begins."""
    try:
        out = call()
    except (RuntimeError, TypeError, NotImplementedError) as error:
        return type(error).__name__, str(error)[:40]
    return str(out.dtype), out.tolist()


def rule(a, a_form, b, b_form):
    """PyTorch's rule, said another way than in fastgrad: the operand that counts decides, the other must not be higher."""
    counting = [d for d, form in ((a, a_form), (b, b_form)) if form == "vector"] or [a, b]
    top = max(CATEGORY[a], CATEGORY[b])
    if max(CATEGORY[d] for d in counting) < top:
        counting = [d for d in (a, b) if CATEGORY[d] == top]
    if set(counting) == {"uint8", "int8"}:
        return "int16"
    return max(counting, key=RANK.get)


@pytest.mark.parametrize(("a_form", "b_form"), list(itertools.product(FORMS, repeat=2)))
def test_sum_of_two_tensors(a_form, b_form):
    for a, b in PAIRS:
        made = tensor(fastgrad, a, FORMS[a_form]) + tensor(fastgrad, b, FORMS[b_form])
        assert made.dtype.name == rule(a, a_form, b, b_form), (a, b)
        assert fastgrad.result_type(tensor(fastgrad, a, FORMS[a_form]), tensor(fastgrad, b, FORMS[b_form])) is made.dtype


@pytest.mark.parametrize("name", OPERATIONS)
def test_two_tensors_as_in_pytorch(name, torch):
    for a, b in PAIRS:
        for shapes in itertools.product(FORMS.values(), repeat=2):
            got, expected = (
                outcome(lambda t=t: apply(t, name, tensor(t, a, shapes[0]), tensor(t, b, shapes[1])))
                for t in (fastgrad, torch)
            )
            assert got == expected, (name, a, b, shapes)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("maximum", "cat")])
def test_tensor_and_number_as_in_pytorch(name, torch):
    for dtype, number, shape in itertools.product(NAMES, NUMBERS, FORMS.values()):
        calls = [lambda t: apply(t, name, tensor(t, dtype, shape), number)]
        if name != "eq":
            calls.append(lambda t: apply(t, name, number, tensor(t, dtype, shape)))
        for call in calls:
            got, expected = (outcome(lambda t=t, c=call: c(t)) for t in (fastgrad, torch))
            assert got == expected, (name, dtype, number, shape)


@pytest.mark.parametrize("name", ["exp", "sqrt", "reciprocal", "abs", "neg", "sign", "square", "isnan", "logical_not"])
def test_one_tensor_as_in_pytorch(name, torch):
    for dtype in NAMES:
        got, expected = (outcome(lambda t=t: getattr(t, name)(tensor(t, dtype, (2,)))) for t in (fastgrad, torch))
        if isinstance(expected[1], list) and "float" in expected[0]:
            assert got[0] == expected[0], (name, dtype)
            np.testing.assert_allclose(got[1], expected[1], rtol=1e-6)
        else:
            assert got == expected, (name, dtype)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "argmax", "all", "unique"])
def test_reductions_as_in_pytorch(name, torch):
    for dtype in NAMES:
        got, expected = (outcome(lambda t=t: getattr(t, name)(tensor(t, dtype, (2,)))) for t in (fastgrad, torch))
        assert got == expected, (name, dtype)


@pytest.mark.parametrize("name", ["__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__", "clamp_", "fill_"])
def test_in_place_keeps_the_dtype_or_refuses(name, torch):
    def change(t, dtype, other):
        x = tensor(t, dtype, (2,))
        getattr(x, name)(other)
        return x

    for dtype, number in itertools.product(NAMES, NUMBERS):
        got, expected = (outcome(lambda t=t: change(t, dtype, number)) for t in (fastgrad, torch))
        assert got == expected, (name, dtype, number)
    if name in ("clamp_", "fill_"):
        return
    for a, b in PAIRS:
        got, expected = (outcome(lambda t=t: change(t, a, tensor(t, b, (2,)))) for t in (fastgrad, torch))
        assert got == expected, (name, a, b)


def test_integers_wrap_around_as_in_c():
    assert (fastgrad.tensor([250], dtype=fastgrad.uint8) + 10).tolist() == [4]
    assert (fastgrad.tensor([1], dtype=fastgrad.uint8) + 300).tolist() == [45]
    assert (fastgrad.tensor([100], dtype=fastgrad.int8) * 2).tolist() == [-56]
    assert (fastgrad.tensor([2**31 - 1], dtype=fastgrad.int32) + 1).tolist() == [-(2**31)]


def test_default_dtype_decides_what_floats_become():
    fastgrad.set_default_dtype(fastgrad.float64)
    try:
        assert (fastgrad.tensor([1]) + 0.5).dtype is fastgrad.float64
        assert (fastgrad.tensor([1]) / 2).dtype is fastgrad.float64
        assert fastgrad.tensor(1.5).dtype is fastgrad.float64
        assert (fastgrad.ones(1, dtype=fastgrad.float32) + 0.5).dtype is fastgrad.float32
    finally:
        fastgrad.set_default_dtype(fastgrad.float32)
