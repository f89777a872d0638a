"""In-place methods: the values of their counterparts, in the same memory, counted as changes."""

import operator

import numpy as np
import pytest

import fastgrad
from tests.ops.inputs import LAYOUTS, as_array, laid

ARRAY = np.arange(1.0, 13.0).reshape(3, 4) / 4
OTHER = np.linspace(-1, 2, 12).reshape(3, 4)

ONE = {
    "abs": (), "exp": (), "log": (), "neg": (), "reciprocal": (), "sign": (), "sqrt": (), "clamp": (0.5, 2), "pow": (2,),
    "clamp_min": (1,), "clamp_max": (1,), "add": (2,), "sub": (0.5,), "mul": (3,), "div": (0.3,),
}  # fmt: skip
TWO = ("add", "sub", "mul", "div", "pow")
OPERATORS = ("iadd", "isub", "imul", "itruediv", "ipow", "ifloordiv", "imod")
STRIDED = [layout for layout in LAYOUTS if layout != "expanded"]


def pair(layout, dtype=np.float32):
    """A tensor and an equal one that stays as it is."""
    leaf, x = laid(fastgrad, ARRAY.astype(dtype), layout)
    return leaf, x, x.clone()


@pytest.mark.parametrize("layout", STRIDED)
@pytest.mark.parametrize("name", ONE)
def test_one_operand(name, layout):
    leaf, x, kept = pair(layout)
    version = leaf._version
    made = getattr(x, f"{name}_")(*ONE[name])
    assert made is x
    assert leaf._version == version + 1
    np.testing.assert_array_equal(as_array(x), as_array(getattr(kept, name)(*ONE[name])))


@pytest.mark.parametrize("layout", STRIDED)
@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("other", [OTHER, OTHER[:1], OTHER[:, :1], OTHER[0], np.array(0.5)], ids=lambda a: str(a.shape))
def test_two_operands(name, layout, other):
    for dtype in (np.float32, np.float64, np.int64):
        _, x, kept = pair(layout)
        with_other = fastgrad.from_numpy(np.array(other.astype(dtype)))
        getattr(x, f"{name}_")(with_other)
        expected = getattr(kept, name)(with_other).to(x.dtype)
        np.testing.assert_array_equal(as_array(x), as_array(expected))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name):
    for other in (2, 0.5, fastgrad.tensor(OTHER[0])):
        _, x, kept = pair("plain", np.float64)
        made = getattr(operator, name)(x, other)
        assert made is x
        expected = getattr(operator, name.removeprefix("i"))(kept, other)
        np.testing.assert_array_equal(as_array(x), as_array(expected))


def test_memory_outside_a_view_stays():
    leaf, x, _ = pair("sliced")
    x.zero_()
    assert (leaf[::2] == 7).all()
    assert not leaf[1::2].any()


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
def test_overlap_with_the_other_operand(name):
    """Memory that would be written while it is still to be read is refused, as in PyTorch, where that can be told: where
    both windows are dense. Otherwise the other operand is read as it was."""
    for other in (lambda x: x, lambda x: x[:, :1]):
        x = fastgrad.arange(1.0, 10.0).view(3, 3)
        expected = getattr(x, name)(other(x).clone())
        getattr(x, f"{name}_")(other(x))
        assert x.tolist() == expected.tolist()
    for other in (lambda x: x.t(), lambda x: x[0], lambda x: x[2, 1]):
        x = fastgrad.arange(1.0, 10.0).view(3, 3)
        with pytest.raises(RuntimeError, match="refer to a single memory location"):
            getattr(x, f"{name}_")(other(x))
    x = fastgrad.arange(1.0, 6.0)
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        getattr(x[1:], f"{name}_")(x[:-1])


def test_fill_zero_copy():
    x = fastgrad.ones(2, 3)
    assert x.fill_(2.5).tolist() == [[2.5] * 3] * 2
    assert x[:, 1].fill_(fastgrad.tensor(7)).tolist() == [7, 7]
    assert x.t().zero_().sum() == 0
    assert x.copy_(fastgrad.arange(3)).tolist() == [[0, 1, 2]] * 2
    assert fastgrad.zeros(2, dtype=fastgrad.int64).copy_(fastgrad.tensor([1.7, -1.7])).tolist() == [1, -1]
    assert fastgrad.zeros(2, dtype=fastgrad.uint8).fill_(-1).tolist() == [255, 255]


def test_changes_through_detach_count_and_through_data_do_not():
    x = fastgrad.ones(2, requires_grad=True)
    y = (x * 3).exp()
    y.data.mul_(2)
    y.sum().backward(retain_graph=True)  # nobody saw it
    y.detach().mul_(2)
    with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
        y.sum().backward()


def test_a_scalar_tensor_changes_through_its_views():
    x = fastgrad.tensor(1.0)
    x.view(1)[0] = 5
    assert x.item() == 5
    x += 1
    assert x.item() == 6
