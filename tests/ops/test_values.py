"""Every row of the case table: values, dtypes and shapes, against NumPy and against PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad
from tests.ops.cases import CASES, TWO, unary
from tests.ops.inputs import LAYOUTS, SPECIAL, as_array, assert_close, laid, numbers, scale_of

DTYPES = (np.float32, np.float64)


def by_name(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def runs(case):
    """Every shape of a case, in every layout of its first input and some layout of the others."""
    for k, shapes in enumerate(case.shapes):
        for j, layout in enumerate(LAYOUTS):
            yield shapes, [layout] + [LAYOUTS[(j + k + i) % len(LAYOUTS)] for i in range(1, len(shapes))]


def units(case, shapes, ulp):
    """The allowed error: more where many numbers are added up, in whatever order."""
    return 4 + max(map(max, [(*shape, 1) for shape in shapes])) if case.mixes else ulp


def made(t, case, arrays, layouts):
    return case.call(t, *[laid(t, array, layout)[1] for array, layout in zip(arrays, layouts)])


def held(arrays, layouts):
    """What the laid out tensors hold."""
    return [as_array(laid(fastgrad, array, layout)[1]) for array, layout in zip(arrays, layouts)]


@by_name(CASES)
def test_equals_numpy(case):
    for shapes, layouts in runs(case):
        for dtype in DTYPES:
            arrays = numbers(case, shapes, dtype)
            expected = case.expected(*held(arrays, layouts))
            actual = as_array(made(fastgrad, case, arrays, layouts))
            expected = expected.astype(actual.dtype) if expected.dtype.kind == "f" else expected
            scale = scale_of(case, held(arrays, layouts))
            assert_close(actual, expected, units(case, shapes, max(case.ulp, 4)), scale, f"{case.name} {shapes} {layouts}")


@by_name(CASES)
def test_equals_pytorch(case, torch):
    for shapes, layouts in runs(case):
        for dtype in DTYPES:
            arrays = numbers(case, shapes, dtype)
            expected = as_array(made(torch, case, arrays, layouts))
            actual = as_array(made(fastgrad, case, arrays, layouts))
            scale = scale_of(case, held(arrays, layouts))
            assert_close(actual, expected, units(case, shapes, case.ulp), scale, f"{case.name} {shapes} {layouts}")


@by_name([case for case in CASES if case.special and case.shapes is not None])
def test_nan_and_infinity_as_in_pytorch(case, torch):
    for dtype in DTYPES:
        for seed in range(3):
            for shapes in case.shapes:
                rng = np.random.default_rng(seed)
                arrays = [rng.choice(SPECIAL, shape).astype(dtype) for shape in shapes]
                expected = as_array(case.call(torch, *map(torch.from_numpy, arrays)))
                actual = as_array(case.call(fastgrad, *map(fastgrad.from_numpy, arrays)))
                scale = 3e4**2 * max(a.size for a in arrays) if case.mixes else 0
                assert_close(actual, expected, 8, scale, f"{case.name} {arrays}")


SHAPES = st.lists(st.integers(0, 9), min_size=0, max_size=4).map(tuple)


@by_name(unary.rows)
@settings(max_examples=5)
@given(shape=SHAPES.filter(lambda shape: 0 not in shape), layout=st.sampled_from(LAYOUTS), seed=st.integers(0, 99))
def test_any_shape_equals_numpy(case, shape, layout, seed):
    arrays = numbers(case, (shape,), np.float64, seed)
    actual = as_array(made(fastgrad, case, arrays, [layout]))
    assert_close(actual, case.expected(*held(arrays, [layout])).astype(actual.dtype), 8, what=case.name)


@settings(max_examples=100)
@given(
    sizes=st.lists(st.integers(0, 5), max_size=4),
    holes=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    lost=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    layouts=st.tuples(st.sampled_from(LAYOUTS), st.sampled_from(LAYOUTS)),
)
def test_any_broadcast_equals_numpy(sizes, holes, lost, layouts):
    """Two shapes made from one by setting sizes to 1 and dropping sizes in front."""
    shapes = [
        tuple(1 if hole >> d & 1 else size for d, size in enumerate(sizes))[min(drop, len(sizes)) :]
        for hole, drop in zip(holes, lost)
    ]
    arrays = numbers(unary.rows[0], shapes)
    a, b = [laid(fastgrad, array, layout)[1] for array, layout in zip(arrays, layouts)]
    x, y = held(arrays, layouts)
    np.testing.assert_array_equal(as_array(a - b), x - y)
    np.testing.assert_array_equal(as_array(fastgrad.maximum(a, b)), np.maximum(x, y))
    np.testing.assert_array_equal(as_array(a < b), x < y)


@pytest.mark.parametrize("shapes", [((2, 3), (4,)), ((2, 3), (3, 2)), ((3,), (2,))])
def test_shapes_that_do_not_fit(shapes):
    a, b = (fastgrad.zeros(shape) for shape in shapes)
    for call in (lambda: a + b, lambda: a > b, lambda: fastgrad.maximum(a, b), lambda: fastgrad.where(a > 0, a, b)):
        with pytest.raises(RuntimeError, match="must match the size of tensor b"):
            call()


def test_the_table_has_every_broadcast():
    """The pairs of shapes stretch left, right, both and missing dimensions, and none at all."""
    assert {(a == b, len(a) - len(b)) for a, b in TWO} >= {(True, 0), (False, 0), (False, 1), (False, -1)}
