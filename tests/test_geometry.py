"""View arithmetic, checked by doing to NumPy arrays what it says."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fastgrad import _geometry as geometry
from fastgrad._geometry import Size

SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)
FULL = st.lists(st.integers(1, 4), max_size=4).map(tuple)


def memory(shape, order):
    """(array, strides in elements): an array of consecutive numbers whose dimensions lie in memory in this order."""
    order = sorted(range(len(shape)), key=lambda d: order[d])
    array = np.arange(int(np.prod(shape))).reshape([shape[d] for d in order]).transpose(np.argsort(order).tolist())
    return array, tuple(step // 8 for step in array.strides)


def walked(array, shape, strides, offset=0):
    """What a view with these strides shows of the memory below `array`."""
    base = array if array.base is None else array.base
    return np.lib.stride_tricks.as_strided(base.reshape(-1)[offset:], shape, [8 * step for step in strides])


ORDER = st.permutations(range(4))


def test_size():
    size = Size((2, 3))
    assert repr(size) == "torch.Size([2, 3])"
    assert size == (2, 3)
    assert size.numel() == 6
    assert isinstance(size + (4,), Size)  # noqa: RUF005
    assert isinstance((4,) + size, Size)  # noqa: RUF005  (the sum is what is tested)
    assert (4,) + size == (4, 2, 3)  # noqa: RUF005
    assert isinstance(size * 2, Size)
    assert isinstance(size[:1], Size)
    assert size[0] == 2
    assert Size(()).numel() == 1


@given(SHAPES)
def test_contiguous_strides(shape):
    expected = tuple(step // 8 for step in np.zeros(shape).strides)
    strides = geometry.contiguous_strides(shape)
    if 0 not in shape:  # where there is nothing, NumPy and PyTorch count differently
        assert strides == expected
    assert geometry.is_contiguous(shape, strides)


@given(SHAPES, ORDER)
def test_is_contiguous_as_numpy_says(shape, order):
    array, strides = memory(shape, order)
    assert geometry.is_contiguous(shape, strides) == array.flags.c_contiguous


@given(FULL, FULL)
def test_broadcast_as_numpy_does(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(RuntimeError, match=r"The size of tensor a \(\d+\) must match"):
            geometry.broadcast(a, b)
    else:
        assert geometry.broadcast(a, b) == expected
        assert isinstance(geometry.broadcast(a, b), Size)


@given(FULL, ORDER, st.lists(st.integers(1, 3), max_size=2), st.integers(0, 15))
def test_expand_strides(shape, order, lead, ones):
    shape = tuple(1 if ones >> d & 1 else size for d, size in enumerate(shape))
    array, strides = memory(shape, order)
    to = (*lead, *[3 if size == 1 else size for size in shape])
    made = geometry.expand_strides(shape, strides, to)
    np.testing.assert_array_equal(walked(array, to, made), np.broadcast_to(array, to))


@given(FULL, ORDER)
def test_collapse_walks_the_same_elements(shape, order):
    array, strides = memory(shape, order)
    sizes, (steps, plain) = geometry.collapse(shape, [strides, geometry.contiguous_strides(shape)])
    assert len(sizes) <= max(1, len(shape))
    np.testing.assert_array_equal(walked(array, sizes, steps).reshape(-1), array.reshape(-1))
    if steps == plain:
        assert len(sizes) == 1


def factors(n):
    return [d for d in range(1, n + 1) if n % d == 0]


@given(FULL, ORDER, st.data())
def test_view_strides(shape, order, data):
    """A view is found whenever there is one, and shows the same elements in the same order."""
    array, strides = memory(shape, order)
    to, left = [], int(np.prod(shape))
    while left > 1:
        to.append(data.draw(st.sampled_from(factors(left))))
        left //= to[-1]
        assume(len(to) < 6)
    to = tuple(to)
    made = geometry.view_strides(shape, strides, to)
    reshaped = array.reshape(to)
    assert (made is not None) == (np.shares_memory(reshaped, array) or array.size == 0)
    if made is not None:
        np.testing.assert_array_equal(walked(array, to, made), reshaped)


@given(SHAPES, st.integers(0, 3))
def test_infer_shape(shape, place):
    numel = int(np.prod(shape))
    assert geometry.infer_shape(shape, numel) == shape
    if place < len(shape) and 0 not in shape:
        asked = [*shape[:place], -1, *shape[place + 1 :]]
        assert geometry.infer_shape(asked, numel) == shape


@given(FULL, st.data())
def test_indexed_as_numpy_indexes(shape, data):
    array, strides = memory(shape, range(4))
    steps, index = [], []
    for size in shape:
        if data.draw(st.booleans()):
            steps.append(None)
            index.append(None)
        if data.draw(st.booleans()):
            place = data.draw(st.integers(0, size - 1))
            steps.append(place)
            index.append(place)
        else:
            start, every = data.draw(st.integers(0, size)), data.draw(st.integers(1, 3))
            count = len(range(start, size, every))
            steps.append((start, count, every))
            index.append(slice(start, size, every))
    made, own, offset = geometry.indexed(shape, strides, 0, steps)
    expected = array[tuple(index)]
    assert made == expected.shape
    if expected.size:
        np.testing.assert_array_equal(walked(array, made, own, offset), expected)


@pytest.mark.parametrize(
    ("shape", "strides", "overlaps"),
    [
        ((2, 3), (3, 1), False), ((2, 3), (1, 2), False), ((2, 3), (0, 1), True), ((2, 3), (1, 1), True),
        ((1, 3), (0, 1), False), ((3, 3), (4, 1), False), ((3, 3), (2, 1), True), ((), (), False),
        ((2, 2, 2), (4, 2, 1), False), ((2, 2), (6, 3), False),
    ],
)  # fmt: skip
def test_overlaps_itself(shape, strides, overlaps):
    assert geometry.overlaps_itself(shape, strides) == overlaps
    places = {sum(i * s for i, s in zip(index, strides)) for index in np.ndindex(*shape)}
    assert (len(places) < np.prod(shape)) == overlaps


def test_wrap_dim():
    assert geometry.wrap_dim(-1, 3) == 2
    assert geometry.wrap_dim(0, 0) == 0
    with pytest.raises(IndexError, match=r"expected to be in range of \[-1, 0\], but got 1"):
        geometry.wrap_dim(1, 0)


@given(FULL, ORDER, st.integers(0, 15))
def test_layout_is_zero_only_where_everything_is_contiguous(shape, order, ones):
    other = tuple(1 if ones >> d & 1 else size for d, size in enumerate(shape))
    _, strides = memory(shape, order)
    plan = geometry.layout(None, (shape, strides), (other, geometry.contiguous_strides(other)))
    assert plan.shape == shape
    assert plan.numel == np.prod(shape)
    if plan.address:
        ndim = plan.block[0]
        assert np.prod(plan.block[1 : 1 + ndim]) == plan.numel
        assert len(plan.block) == 1 + 4 * ndim
    else:
        assert geometry.is_contiguous(shape, strides)
        assert other == shape or plan.numel == 1
