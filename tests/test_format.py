"""How tensors print: the same characters as PyTorch's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad

SHAPES = [
    (), (0,), (0, 3), (2, 0, 3), (1,), (3,), (2, 3), (2, 2, 2), (1, 1, 1, 2), (30,), (100,), (7, 20), (1001,), (40, 40),
    (1100, 1), (3, 500), (10, 11, 12), (1, 2000),
]  # fmt: skip
rng = np.random.default_rng(0)


def holes(a, value):
    a = np.array(np.round(a * 3))
    a[rng.random(a.shape) < 0.3] = value
    return a


FLOATS = {
    "normal": lambda a: a,
    "whole": lambda a: np.round(a * 10),
    "mixed": lambda a: a * 10.0 ** rng.integers(-6, 6, a.shape),
    "large": lambda a: a * 1e6,
    "small": lambda a: a * 1e-6,
    "NaN": lambda a: holes(a, np.nan),
    "infinite": lambda a: holes(holes(a, np.inf), -np.inf),
    "zero": lambda a: a * 0,
    "only NaN": lambda a: a * np.nan,
    "large and whole": lambda a: np.round(a * 1e10),
    "thousandths": lambda a: np.abs(a) * 1e-3,
    "zeros among large": lambda a: np.where(rng.random(a.shape) < 0.5, 0, a * 5e3),
    "whole, mixed": lambda a: np.round(a * 1e3) * 10.0 ** rng.integers(0, 4, a.shape),
}
INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")


def same_text(array, torch):
    for dress in (lambda x: x, lambda x: x.requires_grad_(), lambda x: x.requires_grad_() * 1):
        if array.dtype.kind != "f" and dress(fastgrad.ones(1)).requires_grad:
            continue
        got, expected = dress(fastgrad.from_numpy(array.copy())), dress(torch.from_numpy(array.copy()))
        assert repr(got) == repr(expected)
        assert str(got) == str(expected)


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats(kind, dtype, torch):
    for shape in SHAPES:
        with np.errstate(all="ignore"):
            same_text(np.asarray(FLOATS[kind](np.array(rng.normal(size=shape)))).astype(dtype), torch)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype, torch):
    for shape in SHAPES:
        same_text(np.array(rng.integers(-(2**20), 2**20, shape)).astype(dtype), torch)


@settings(max_examples=200)
@given(numbers=st.lists(st.floats(width=32), max_size=12))
def test_any_floats(numbers, torch):
    same_text(np.array(numbers, np.float32), torch)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": 2}, {"sci_mode": True}, {"sci_mode": False}, {"linewidth": 30}, {"threshold": 5, "edgeitems": 1},
        {"profile": "short"}, {"profile": "full"}, {"edgeitems": 0, "threshold": 2},
    ],
    ids=str,
)  # fmt: skip
def test_options(options, torch):
    try:
        for t in (fastgrad, torch):
            t.set_printoptions(**options)
        for shape in ((3,), (30,), (4, 9), (2, 3, 4), (1100,)):
            same_text(rng.normal(size=shape).astype(np.float32), torch)
    finally:
        for t in (fastgrad, torch):
            t.set_printoptions(profile="default")


def test_texts_without_pytorch():
    """A few that anyone knows by heart."""
    assert repr(fastgrad.tensor([1.0, 2.5])) == "tensor([1.0000, 2.5000])"
    assert repr(fastgrad.tensor([1, 2])) == "tensor([1, 2])"
    assert repr(fastgrad.tensor([1.0, float("nan")])) == "tensor([1., nan])"
    assert repr(fastgrad.tensor(3.0, dtype=fastgrad.float64)) == "tensor(3., dtype=torch.float64)"
    assert repr(fastgrad.zeros(0, 2)) == "tensor([], size=(0, 2))"
    assert repr(fastgrad.ones(1, requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(fastgrad.ones(1, requires_grad=True) * 2) == "tensor([2.], grad_fn=<MulBackward0>)"
    assert repr(fastgrad.tensor([1e-10, 1.0])) == "tensor([1.0000e-10, 1.0000e+00])"
    assert repr(fastgrad.arange(1001)) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    assert repr(fastgrad.ones(2, 2) > 2) == "tensor([[False, False],\n        [False, False]])"


def test_f_strings():
    x = fastgrad.tensor(2.5)
    assert f"{x:.3f}" == "2.500"
    assert f"{x}" == "2.5"
    assert f"{x!r}" == "tensor(2.5000)"
    assert f"{fastgrad.tensor(3):d}" == "3"
    assert f"{fastgrad.ones(2)}" == "tensor([1., 1.])"
    assert "%.1f" % x == "2.5"  # noqa: UP031
    with pytest.raises(TypeError, match="unsupported format string"):
        f"{fastgrad.ones(2):.2f}"


def test_results_of_max():
    text = repr(fastgrad.tensor([[1, 5], [4, 2]]).max(1))
    assert text == "torch.return_types.max(\nvalues=tensor([5, 4]),\nindices=tensor([1, 0]))"
