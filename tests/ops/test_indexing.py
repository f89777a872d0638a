"""`x[index]`, read and write, for many generated indexes: against NumPy, and against PyTorch where it differs from NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad
from tests.ops.inputs import as_array, laid

SHAPE = (4, 3, 5)
MANY = settings(max_examples=200)


def numbered(shape=SHAPE, dtype=np.float64):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


@st.composite
def basic(draw):
    """A tuple of integers, slices with positive steps, None and at most one ..., for a tensor of three dimensions."""
    items = []
    for size in SHAPE[: draw(st.integers(0, 3))]:
        kind = draw(st.sampled_from(["place", "slice", "all"]))
        if kind == "place":
            items.append(draw(st.integers(-size, size - 1)))
        elif kind == "slice":
            bound = st.none() | st.integers(-size - 2, size + 2)
            items.append(slice(draw(bound), draw(bound), draw(st.none() | st.integers(1, 3))))
        else:
            items.append(slice(None))
    if draw(st.booleans()):
        items.append(...)
    for _ in range(draw(st.integers(0, 2))):
        items.insert(draw(st.integers(0, len(items))), None)
    return tuple(items)


@st.composite
def advanced(draw):
    """Lists, arrays and masks among slices, in one run of neighbours: there NumPy and PyTorch agree."""
    first = draw(st.integers(0, 2))
    count = draw(st.integers(1, 3 - first))
    shape = draw(st.sampled_from([(1,), (4,), (2, 3), (0,)]))
    if draw(st.booleans()):
        bits = draw(st.lists(st.booleans(), min_size=60, max_size=60))
        mask = np.array(bits[: int(np.prod(SHAPE[first : first + count]))]).reshape(SHAPE[first : first + count])
        return (slice(None),) * first + (mask,)
    parts = []
    for size in SHAPE[first : first + count]:
        own = shape if draw(st.booleans()) else shape[-1:]
        flat = draw(st.lists(st.integers(-size, size - 1), min_size=int(np.prod(own)), max_size=int(np.prod(own))))
        parts.append(np.array(flat, np.int64).reshape(own))
    rest = tuple(slice(None, None, draw(st.integers(1, 2))) for _ in SHAPE[first + count :])
    return (slice(None),) * first + tuple(parts) + rest[: draw(st.integers(0, len(rest)))]


def for_tensors(t, index):
    return tuple(t.from_numpy(item.copy()) if isinstance(item, np.ndarray) else item for item in index)


@MANY
@given(index=basic(), layout=st.sampled_from(["plain", "transposed", "sliced"]))
def test_basic_index_is_a_view(index, layout):
    x = laid(fastgrad, numbered(), layout)[1]
    view = x[index]
    np.testing.assert_array_equal(as_array(view), numbered()[index])
    if view.numel():
        view.fill_(-1)
        expected = numbered()
        expected[index] = -1
        np.testing.assert_array_equal(as_array(x), expected)


@MANY
@given(index=advanced(), layout=st.sampled_from(["plain", "transposed", "sliced"]))
def test_advanced_index_is_a_copy(index, layout):
    x = laid(fastgrad, numbered(), layout)[1]
    picked = x[for_tensors(fastgrad, index)]
    np.testing.assert_array_equal(as_array(picked), numbered()[index])
    picked.zero_()
    np.testing.assert_array_equal(as_array(x), numbered())


@MANY
@given(index=basic() | advanced(), layout=st.sampled_from(["plain", "transposed"]), squeeze=st.booleans())
def test_writing(index, layout, squeeze):
    x, expected = laid(fastgrad, numbered(), layout)[1], numbered()
    part = expected[index]
    value = np.arange(1.0, part.size + 1).reshape(part.shape)
    if squeeze and part.ndim:
        value = value[..., :1] if part.shape[-1] else value
    before = x._version
    x[for_tensors(fastgrad, index)] = fastgrad.from_numpy(np.array(value))
    expected[index] = value
    np.testing.assert_array_equal(as_array(x), expected)
    assert x._version > before


@MANY
@given(index=basic() | advanced())
def test_reading_and_writing_as_in_pytorch(index, torch):
    results = []
    for t in (fastgrad, torch):
        x = t.from_numpy(numbered()).requires_grad_()
        own = for_tensors(t, index)
        y = x * 1
        y[own] = y[own] * 3
        (y * y).sum().backward()
        results.append((as_array(x[own]), as_array(y), as_array(x.grad)))
    for got, expected in zip(*results):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int32, np.int64, np.float32])
def test_every_dtype(dtype):
    array = (numbered() % 2).astype(dtype)
    x = fastgrad.from_numpy(array.copy())
    np.testing.assert_array_equal(as_array(x[1:, [0, 2]]), array[1:, [0, 2]])
    x[0] = 1
    x[..., x[0, 0] > 0] = 0
    array[0] = 1
    array[..., array[0, 0] > 0] = 0
    np.testing.assert_array_equal(as_array(x), array)


def index_forms(t):
    """Forms of one index in which NumPy and PyTorch agree in spirit but not in type, or do not agree."""
    return {
        "list": [0, 2],
        "tuple": (0, 2),
        "nested list": ([0, 1], [1, 2]),
        "numpy array": np.array([0, 2]),
        "numpy integer": np.int64(1),
        "integer tensor": t.tensor(1),
        "int32 tensor": t.tensor([0, 1], dtype=t.int32),
        "range": range(2),
        "boolean": True,
        "booleans": [True, False, True, True],
        "no": False,
        "empty list": [],
        "integers around a slice": (0, slice(None), [0, 1]),
        "lists around a slice": ([0, 1], slice(None), [0, 1]),
        "list and new dimension": ([0, 1], None),
        "two ...": (..., ...),
        "mask in the middle": (slice(None), t.tensor([True, False, True]), 0),
        "mask of two dimensions": t.zeros(4, 3, dtype=t.bool),
        "tensor of two dimensions": t.tensor([[0, 1], [1, 0]]),
        "slice by a tensor": slice(0, t.tensor(2)),
        "beyond the end": slice(3, 99),
        "behind the end": slice(5, None),
    }


@pytest.mark.parametrize("form", index_forms(fastgrad))
def test_forms_of_an_index_as_in_pytorch(form, torch):
    got, expected = (t.from_numpy(numbered())[index_forms(t)[form]] for t in (fastgrad, torch))
    assert tuple(got.shape) == tuple(expected.shape)
    np.testing.assert_array_equal(as_array(got), as_array(expected))


def test_the_index_may_change_before_the_backward():
    x = fastgrad.ones(3, requires_grad=True)
    index = fastgrad.tensor([0, 0])
    y = x[index]
    index.fill_(2)
    y.sum().backward()
    assert x.grad.tolist() == [2, 0, 0]


def test_a_view_of_an_expanded_tensor_sends_its_gradient_where_it_stands():
    """Rows of an expanded tensor share memory, but not their gradient."""
    y = fastgrad.ones(3, requires_grad=True).expand(2, 3)
    (gy,) = fastgrad.autograd.grad(y[1].sum(), y)
    assert gy.tolist() == [[0, 0, 0], [1, 1, 1]]
    (gy,) = fastgrad.autograd.grad(y[:, 0].sum(), y)
    assert gy.tolist() == [[1, 0, 0], [1, 0, 0]]


def test_overlapping_memory_is_read_before_it_is_written():
    x = fastgrad.arange(5.0)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3]
    x = fastgrad.arange(4)
    x[:-1] = x[1:]
    assert x.tolist() == [1, 2, 3, 3]


def test_iteration_and_length():
    x = fastgrad.arange(6).view(2, 3)
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[0, 1, 2], [3, 4, 5]]
    assert 5 in x
    assert 6 not in x
    a, b = x
    assert (a + b).tolist() == [3, 5, 7]
