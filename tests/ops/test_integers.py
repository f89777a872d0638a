"""Integers and bools, elementwise: every dtype and layout against PyTorch, which wraps around as C does."""

import numpy as np
import pytest

import fastgrad

OFTEN, SELDOM = ("bool", "uint8", "int64", "float32"), ("int8", "int16", "int32", "float64")


def dtypes(*left_out):
    """Dtypes as a parameter; those that are met seldom are slow, because their kernels have to be compiled."""
    return [d for d in OFTEN if d not in left_out] + [
        pytest.param(d, marks=pytest.mark.slow) for d in SELDOM if d not in left_out
    ]


FLOATS = ("float32", "float64")
whole = pytest.mark.parametrize("dtype", dtypes(*FLOATS))
integer = pytest.mark.parametrize("dtype", dtypes("bool", *FLOATS))


def numbers(dtype, shape, seed=0):
    """Numbers of the whole range of a dtype, 0 and the ends of the range among them."""
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.random(shape) < 0.5
    if dtype.startswith("float"):
        return random.uniform(-100, 100, shape).astype(dtype)
    ends = np.iinfo(dtype)
    made = random.integers(ends.min, ends.max, shape, dtype, endpoint=True)
    flat = made.reshape(-1)
    flat[: flat.size // 2] = random.integers(0, 5, flat.size // 2)
    flat[-3:] = [ends.min, ends.max, 0][: flat.size]
    return made


def layouts(array):
    """The same numbers in other memory: contiguous, columns first, every second one, one number, and none."""
    yield lambda t: t.from_numpy(array.copy())
    yield lambda t: t.from_numpy(np.ascontiguousarray(array.T)).t()
    yield lambda t: t.from_numpy(np.repeat(array, 2, 1))[:, ::2]
    yield lambda t: t.from_numpy(array[:1].copy()).expand(*array.shape)
    yield lambda t: t.from_numpy(array[:0].copy())
    yield lambda t: t.from_numpy(array.copy())[1, 1]


def same(torch, operation, *makers):
    """One result under both libraries, or the same error from both."""
    results = []
    for t in (fastgrad, torch):
        try:
            results.append(operation(t, *[make(t) for make in makers]))
        except (RuntimeError, TypeError, IndexError, NotImplementedError) as error:
            results.append(error)
    ours, theirs = results
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), (ours, theirs)
        return
    assert not isinstance(ours, Exception), ours
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


BINARY = ("add", "sub", "mul", "eq", "ne", "lt", "le", "gt", "ge", "maximum", "minimum", "logical_and", "logical_or",
          "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor")  # fmt: skip
SHIFTS = ("bitwise_left_shift", "bitwise_right_shift")
UNARY = ("neg", "abs", "sign", "square", "logical_not", "bitwise_not", "isnan", "isinf", "isfinite", "clone")


@whole
@pytest.mark.parametrize("name", BINARY)
def test_of_two(torch, name, dtype):
    a, b = numbers(dtype, (6, 11)), numbers(dtype, (6, 11), 1)
    for left, right in zip(layouts(a), layouts(b)):
        same(torch, lambda t, x, y: getattr(t, name)(x, y), left, right)
    plain = next(layouts(b))
    for left in list(layouts(a))[1:4]:
        same(torch, lambda t, x, y: getattr(t, name)(x, y), left, plain)
        same(torch, lambda t, x, y: getattr(t, name)(x, y[2]), left, plain)


@integer
@pytest.mark.parametrize("name", SHIFTS)
def test_shifts(torch, name, dtype):
    """By amounts within the dtype and beyond it; a negative amount counts as too much."""
    bits = 8 * np.dtype(dtype).itemsize
    a = numbers(dtype, (6, 140))
    amounts = np.arange(-2 if dtype != "uint8" else 0, 138 if dtype == "uint8" else min(138, 127)).astype(dtype)
    b = np.resize(amounts, a.shape)
    for left, right in zip(layouts(a), layouts(b)):
        same(torch, lambda t, x, y: getattr(t, name)(x, y), left, right)
    for amount in (0, 1, bits - 1, bits, 100):
        same(torch, lambda t, x: x << amount if "left" in name else x >> amount, next(layouts(a)))


@whole
@pytest.mark.parametrize("name", UNARY)
def test_of_one(torch, name, dtype):
    for make in layouts(numbers(dtype, (6, 11))):
        same(torch, lambda t, x: getattr(t, name)(x), make)


@whole
@pytest.mark.parametrize("symbol", ["+", "-", "*", "==", "<", ">=", "&", "|", "^"])
def test_with_numbers(torch, symbol, dtype):
    for make in layouts(numbers(dtype, (6, 11))):
        for number in (0, 3, -1, 127, True, 2.5, 100_000):
            if dtype in ("uint8", "int8", "int16") and abs(number) > 127 and symbol in "== < >=":
                continue  # PyTorch compares with the number as it is, or refuses it
            for text in (f"x {symbol} number", f"number {symbol} x"):
                same(torch, lambda t, x, text=text, number=number: eval(text, {"x": x, "number": number}), make)


@whole
def test_choices(torch, dtype):
    x, y, mask = numbers(dtype, (6, 11)), numbers(dtype, (6, 11), 1), numbers("bool", (6, 11))
    for a, b, m in zip(layouts(x), layouts(y), layouts(mask)):
        same(torch, lambda t, a, b, m: t.where(m, a, b), a, b, m)
        same(torch, lambda t, a, b, m: t.where(m, a, 1), a, b, m)
        same(torch, lambda t, a, b, m: t.masked_fill(a, m, 1), a, b, m)
        same(torch, lambda t, a, b, m: a.clone().masked_fill_(m, 1), a, b, m)
        if dtype != "bool":
            same(torch, lambda t, a, b, m: t.clamp(a, 1, 3), a, b, m)
            same(torch, lambda t, a, b, m: t.clamp(a, b, b), a, b, m)


@pytest.mark.parametrize("target", dtypes())
@pytest.mark.parametrize("source", dtypes())
def test_conversions(torch, source, target):
    for make in layouts(numbers(source, (6, 11))):
        same(torch, lambda t, x: x.to(getattr(t, target)), make)
        same(torch, lambda t, x: t.zeros(*x.shape).to(getattr(t, target)).copy_(x), make)


@integer
def test_in_place_and_out(torch, dtype):
    a, b = numbers(dtype, (6, 11)), numbers(dtype, (6, 11), 1)
    for left, right in zip(layouts(a), layouts(b)):
        for name in ("add_", "sub_", "mul_", "bitwise_and_", "bitwise_xor_", "eq_", "logical_and_"):
            same(torch, lambda t, x, y, name=name: getattr(x.clone(), name)(y), left, right)
        same(torch, lambda t, x, y: t.add(x, y, out=t.zeros(*x.shape).to(x.dtype)), left, right)
        same(torch, lambda t, x, y: t.lt(x, y, out=t.zeros(*x.shape).to(x.dtype)), left, right)
        same(torch, lambda t, x, y: t.bitwise_or(x, y, out=t.zeros(*x.shape).to(t.float64)), left, right)

    def over_a_part(t, x, y):
        x = x.clone()
        x[:, ::2] += y[:, ::2]
        x += 3
        x *= x
        return x

    same(torch, over_a_part, next(layouts(a)), next(layouts(b)))


def test_fill(torch):
    for dtype in OFTEN:
        for number in (0, 1, 3, 100):
            same(torch, lambda t, dtype=dtype, number=number: t.full((3, 5), number, dtype=getattr(t, dtype)))
    for number in (-1, 2**40, -(2**63), 2**63 - 1):
        same(torch, lambda t, number=number: t.zeros(3, 5, dtype=t.int64).fill_(number))
        same(torch, lambda t, number=number: t.zeros(3, 5, dtype=t.int64)[:, 1].fill_(number))
    same(torch, lambda t: t.zeros(3, dtype=t.int64).fill_(2**63))
    same(torch, lambda t: t.zeros(3, dtype=t.bool).fill_(0.5))


def test_a_product_that_is_compared_in_a_compiled_step():
    """A comparison has no place in the tiles of a product: its results are of another size."""
    weight, bound = fastgrad.randn(64, 64), fastgrad.randn(64, 64)
    mask = bound > 0.3
    for compute in (lambda x: (x @ weight) > bound, lambda x: fastgrad.isnan(x @ weight),
                    lambda x: (x @ weight).masked_fill(mask, 2.0), lambda x: (x @ weight).long()):  # fmt: skip
        step = fastgrad.compile(compute)
        for _ in range(4):
            x = fastgrad.randn(64, 64)
            assert fastgrad.equal(step(x), compute(x))
