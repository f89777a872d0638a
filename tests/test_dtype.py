"""Element types: names, limits, promotion of types, numbers that fit and numbers that do not."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import fastgrad
from fastgrad import _dtype

NAMES = [d.name for d in _dtype.ALL]


def test_names_and_sizes():
    for d in _dtype.ALL:
        assert repr(d) == f"torch.{d.name}"
        assert d.itemsize == np.dtype(d.name).itemsize
        assert getattr(fastgrad, d.name) is d
    assert fastgrad.float is fastgrad.float32
    assert fastgrad.double is fastgrad.float64
    assert fastgrad.long is fastgrad.int64
    assert fastgrad.int is fastgrad.int32


@pytest.mark.parametrize("name", NAMES)
def test_there_is_one_of_each(name):
    d = getattr(fastgrad, name)
    assert pickle.loads(pickle.dumps(d)) is d
    assert copy.deepcopy(d) is d
    assert {d: 1}[d] == 1


def test_promotion_is_pytorch_s(torch):
    for a, b in itertools.product(NAMES, repeat=2):
        got = fastgrad.promote_types(getattr(fastgrad, a), getattr(fastgrad, b))
        assert str(got) == str(torch.promote_types(getattr(torch, a), getattr(torch, b)))


def test_promotion_is_a_lattice():
    for a, b, c in itertools.product(_dtype.ALL, repeat=3):
        p = fastgrad.promote_types
        assert p(a, a) is a
        assert p(a, b) is p(b, a)
        if not {a, b, c} >= {fastgrad.uint8, fastgrad.int8}:
            assert p(p(a, b), c) is p(a, p(b, c))


def test_can_cast_is_pytorch_s(torch):
    for a, b in itertools.product(NAMES, repeat=2):
        got = fastgrad.can_cast(getattr(fastgrad, a), getattr(fastgrad, b))
        assert got == torch.can_cast(getattr(torch, a), getattr(torch, b)), (a, b)


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_finfo(name, torch):
    got, expected = fastgrad.finfo(getattr(fastgrad, name)), torch.finfo(getattr(torch, name))
    assert repr(got) == repr(expected)
    for field in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution"):
        assert getattr(got, field) == getattr(expected, field)


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64"])
def test_iinfo(name, torch):
    got, expected = fastgrad.iinfo(getattr(fastgrad, name)), torch.iinfo(getattr(torch, name))
    assert repr(got) == repr(expected)
    assert (got.bits, got.min, got.max) == (expected.bits, expected.min, expected.max)
    with pytest.raises(TypeError, match="requires an integer input type"):
        fastgrad.iinfo(fastgrad.float32)


def outcome(t, name, value):
    try:
        return t.full((), value, dtype=getattr(t, name)).item()
    except RuntimeError as error:
        return str(error)


VALUES = [0, 1, -1, 127, 128, -128, -129, 255, 256, -255, -256, 2**31 - 1, 2**31, -(2**31) - 1, 2.7, -2.7, 1e30, 1e39,
          -1e39, float("inf"), float("-inf"), True]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_a_dtype_can_hold_is_pytorch_s(name, torch):
    for value in VALUES:
        assert outcome(fastgrad, name, value) == outcome(torch, name, value), value


def test_wrapped_is_c_s_conversion():
    for name in ("uint8", "int8", "int16", "int32", "int64"):
        for value in (0, -1, 200, 40_000, 2**33 + 5, -(2**33) - 5, 2**63, 2**64 + 3):
            bits = value & (2**64 - 1)
            expected = np.array([bits], np.uint64).astype(name)[0]
            assert _dtype.wrapped(value, getattr(fastgrad, name)) == expected


def test_wanted():
    assert _dtype.wanted(float) is fastgrad.float64
    assert _dtype.wanted(int) is fastgrad.int64
    assert _dtype.wanted(bool) is fastgrad.bool
    for bad in ("float32", np.float32, 3, None):
        with pytest.raises(TypeError, match="argument 'dtype' must be torch.dtype"):
            _dtype.wanted(bad)
