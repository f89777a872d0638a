"""Making tensors: values, dtypes and shapes, as in PyTorch."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad

CALLS = {
    "zeros": lambda t: t.zeros(2, 3),
    "zeros of a tuple": lambda t: t.zeros((2, 3), dtype=t.int64),
    "zeros of a Size": lambda t: t.zeros(t.Size([2])),
    "zeros without dimensions": lambda t: t.zeros(()),
    "zeros of nothing": lambda t: t.zeros(0, 3),
    "zeros by name": lambda t: t.zeros(size=(2,)),
    "zeros that require grad": lambda t: t.zeros(2, requires_grad=True),
    "ones": lambda t: t.ones(2, 3, dtype=t.bool),
    "ones on a device": lambda t: t.ones(2, device="cpu"),
    "ones on a device object": lambda t: t.ones(2, device=t.device("cpu")),
    "full": lambda t: t.full((2, 2), 3),
    "full of floats": lambda t: t.full((2,), 0.1),
    "full of booleans": lambda t: t.full((2,), True),
    "full in a dtype": lambda t: t.full((), 3, dtype=t.float64),
    "full by a tensor": lambda t: t.full((2,), t.tensor(3.0)),
    "full cut": lambda t: t.full((2,), 2.7, dtype=t.int64),
    "full of a negative in uint8": lambda t: t.full((2,), -1, dtype=t.uint8),
    "zeros_like": lambda t: t.zeros_like(t.ones(2, 3, dtype=t.int32)),
    "ones_like": lambda t: t.ones_like(t.zeros(2), dtype=t.float64, requires_grad=True),
    "full_like": lambda t: t.full_like(t.zeros(2, dtype=t.int64), 2.7),
    "new_zeros": lambda t: t.ones(1, dtype=t.float64).new_zeros(2, 3),
    "new_full": lambda t: t.ones(1, dtype=t.int32).new_full((2,), 3),
    "new_tensor": lambda t: t.ones(1, dtype=t.int32).new_tensor([1.7, 2]),
    "arange": lambda t: t.arange(5),
    "arange of floats": lambda t: t.arange(5.0),
    "arange from": lambda t: t.arange(1, 5),
    "arange in steps": lambda t: t.arange(1, 2.05, 0.1),
    "arange down": lambda t: t.arange(5, 1, -1),
    "arange by names": lambda t: t.arange(start=1, end=4, step=2),
    "arange of nothing": lambda t: t.arange(0),
    "arange of a tensor": lambda t: t.arange(t.tensor(3), dtype=t.uint8),
    "linspace": lambda t: t.linspace(0, 1, 5),
    "linspace down": lambda t: t.linspace(1, -1, 4, dtype=t.float64),
    "linspace of one": lambda t: t.linspace(3, 5, 1),
    "linspace of none": lambda t: t.linspace(0, 1, 0),
    "linspace of integers": lambda t: t.linspace(0, 10, 7, dtype=t.int64),
    "eye": lambda t: t.eye(3),
    "eye, wide": lambda t: t.eye(2, 3, dtype=t.int64),
    "number": lambda t: t.tensor(3),
    "float": lambda t: t.tensor(0.1),
    "boolean": lambda t: t.tensor(True),
    "integers and floats": lambda t: t.tensor([1, 2.5]),
    "booleans and integers": lambda t: t.tensor([True, 2]),
    "nothing": lambda t: t.tensor([]),
    "nested nothing": lambda t: t.tensor([[], []]),
    "nested": lambda t: t.tensor([(1, 2), [3, 4]]),
    "Python dtype": lambda t: t.tensor([1, 0, 2], dtype=bool),
    "Python float": lambda t: t.tensor([1, 2], dtype=float),
    "cut to integers": lambda t: t.tensor([1.7, -2.7], dtype=t.int64),
    "too large for float32": lambda t: t.tensor([1e40, -1e40]),
    "negative in uint8": lambda t: t.tensor([-1, -255], dtype=t.uint8),
    "array": lambda t: t.tensor(np.arange(6).reshape(2, 3).T),
    "array of int8": lambda t: t.tensor(np.array([1, 2], np.int8)),
    "array, in a dtype": lambda t: t.tensor(np.array([1.5, np.nan]), dtype=t.float32),
    "NumPy number": lambda t: t.tensor(np.float64(1.5)),
    "NumPy numbers in a list": lambda t: t.tensor([np.float32(1.5), np.int64(2)]),
    "NumPy float64 in a list": lambda t: t.tensor([1.5, np.float64(2)]),
    "tensors in a list": lambda t: t.tensor([t.tensor(1), t.tensor(2)]),
    "tensors of one element": lambda t: t.tensor([t.tensor([1.0]), t.tensor([2.0])]),
    "tensors and numbers": lambda t: t.tensor([[t.tensor(1), 2.5], [3, True]]),
    "as_tensor of a list": lambda t: t.as_tensor([1.0, 2.0]),
    "as_tensor in a dtype": lambda t: t.as_tensor(np.array([1, 2]), dtype=t.float32),
    "from_numpy": lambda t: t.from_numpy(np.arange(6.0).reshape(2, 3).T),
    "from_numpy without dimensions": lambda t: t.from_numpy(np.array(1.5)),
    "Tensor of data": lambda t: t.Tensor([[1, 2], [3, 4]]),
    "Tensor of nothing": lambda t: t.Tensor(),
    "FloatTensor": lambda t: t.FloatTensor([1, 2]),
    "LongTensor": lambda t: t.LongTensor([1.5, 2]),
    "BoolTensor": lambda t: t.BoolTensor([1, 0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_as_in_pytorch(name, torch):
    got, expected = CALLS[name](fastgrad), CALLS[name](torch)
    assert repr(got) == repr(expected)
    assert str(got.dtype) == str(expected.dtype)
    assert tuple(got.shape) == tuple(expected.shape)
    np.testing.assert_array_equal(got.detach().numpy(), expected.detach().numpy())


@pytest.mark.parametrize("name", CALLS)
def test_makes_a_leaf_of_its_own(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = CALLS[name](fastgrad)
    assert x.is_leaf
    assert x.is_contiguous() or x.ndim == 2


@given(st.integers(-50, 50), st.integers(-50, 50), st.sampled_from([1, 2, 3, -1, -2]))
def test_arange_of_integers_is_range(start, end, step):
    if (end - start) * step < 0:
        return
    assert fastgrad.arange(start, end, step).tolist() == list(range(start, end, step))


@given(st.floats(-100, 100), st.floats(-100, 100), st.integers(2, 60))
def test_linspace_ends_where_it_should(start, end, steps):
    x = fastgrad.linspace(start, end, steps, dtype=fastgrad.float64).numpy()
    assert x[0] == start
    assert x[-1] == end
    np.testing.assert_allclose(x, np.linspace(start, end, steps), rtol=1e-13, atol=1e-12)


NUMBERS = st.booleans() | st.integers(-(2**40), 2**40) | st.floats(width=32)


@given(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), max_size=4))
def test_tensor_of_nested_lists_as_numpy_sees_it(data):
    x = fastgrad.tensor(data)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(x.numpy(), np.array(data, x.dtype.numpy).reshape(x.shape))
    kinds = {type(number) for row in data for number in row}
    name = "float32" if float in kinds or not kinds else "int64" if int in kinds else "bool"
    assert x.dtype.name == name


def test_tensor_copies_and_as_tensor_does_not():
    array = np.zeros(2)
    copied, shared = fastgrad.tensor(array), fastgrad.as_tensor(array)
    array[0] = 5
    assert copied.tolist() == [0, 0]
    assert shared.tolist() == [5, 0]
    assert fastgrad.as_tensor(shared) is shared
    with pytest.warns(UserWarning, match="To copy construct from a tensor"):
        again = fastgrad.tensor(shared)
    array[1] = 7
    assert again.tolist() == [5, 0]


def test_from_numpy_refuses_what_tensors_cannot_be():
    with pytest.raises(ValueError, match="At least one stride in the given numpy array is negative"):
        fastgrad.from_numpy(np.arange(3)[::-1])
    for bad in (np.array(["a"]), np.array([1j]), np.array([None]), np.array([1], np.uint16)):
        with pytest.raises(TypeError, match="can't convert np.ndarray of type numpy"):
            fastgrad.from_numpy(bad)
    fixed = np.zeros(2)
    fixed.flags.writeable = False
    with pytest.warns(UserWarning, match="The given NumPy array is not writable"):
        fastgrad.from_numpy(fixed)


def test_conversion():
    x = fastgrad.tensor([1.7, -1.7, math.nan])
    assert x.to(fastgrad.float32) is x
    assert x.to("cpu") is x
    assert x.to(x, copy=True) is not x
    assert x.double().dtype is fastgrad.float64
    assert x[:2].long().tolist() == [1, -1]
    assert x.bool().tolist() == [True, True, True]
    assert x.to(float).dtype is fastgrad.float64
    assert x.to(fastgrad.ones(1, dtype=fastgrad.int32)).dtype is fastgrad.int32
    assert x.type() == "torch.FloatTensor"
    assert x.type("torch.DoubleTensor").dtype is fastgrad.float64
    assert fastgrad.ones(1).view(fastgrad.int32).item() == 0x3F800000
    with pytest.raises(AssertionError, match="no tensors on device 'cuda'"):
        x.to("cuda")


def test_conversion_carries_gradients():
    x = fastgrad.tensor([1.0, 2.0], requires_grad=True)
    (x.double() * 3).float().sum().backward()
    assert x.grad.dtype is fastgrad.float32
    assert x.grad.tolist() == [3, 3]
    assert not x.long().requires_grad
