"""Kernels of integers and bools, and conversions, against NumPy; in the interpreter too."""

import numpy as np
import pytest
from fastgrad.kernels import jit

from fastgrad._geometry import layout
from fastgrad._launch.core import KERNELS
from tests.kernels.rows import launch, reference
from tests.ops.test_integers import SELDOM, dtypes, layouts, numbers

OF_ALL = ("add", "sub", "mul", "neg", "square", "copy", "eq", "ne", "lt", "le", "gt", "ge")  # written for floats as well
NAMES = [name for name in KERNELS if name.startswith("integers.") and jit.declared(name).types[:2] == ["int", "i64*"]]
NAMES += [f"elementwise.{name}" for name in OF_ALL] + [f"mathematics.logical_{name}" for name in ("and", "or", "xor", "not")]
CONVERSIONS = [name for name in KERNELS if name.startswith("convert.")]


class _Numpy:
    """`layouts` on arrays."""

    @staticmethod
    def from_numpy(array):
        class Strided(np.ndarray):
            def t(self):
                return self.T

            def expand(self, *shape):
                return np.broadcast_to(self, shape)

        return array.view(Strided)


def check(name, dtype, inputs, out_dtype):
    """A kernel on arrays of any strides, into memory of any strides."""
    shape = np.broadcast_shapes(*[x.shape for x in inputs])
    wanted = np.empty(shape, out_dtype)
    reference(name)(wanted, *inputs)
    for out in (np.empty(shape, out_dtype), np.empty((*shape, 2), out_dtype)[..., 0]):
        strides = [tuple(step // x.itemsize for step in x.strides) for x in (out, *inputs)]
        plan = layout(strides[0], *[(x.shape, own) for x, own in zip(inputs, strides[1:])])
        kind = "uint8" if dtype == "bool" else dtype
        launch(name, kind, out.size, 7, out.size, plan.address, out, *inputs)
        np.testing.assert_array_equal(out, wanted)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", dtypes("float32", "float64"))
@pytest.mark.parametrize("name", NAMES)
def test_kernels(name, dtype):
    if dtype == "bool" and name.partition(".")[2] in ("add", "sub", "mul", "neg", "square", "left_shift", "right_shift",
                                                      "sign", "absolute", "bitwise_not"):  # fmt: skip
        return  # bools have kernels of their own for these, or none
    kernel = jit.declared(name)
    out = np.bool_ if kernel.types[2] == "u8*" else dtype
    inputs = [list(layouts(numbers(dtype, (5, 9), seed))) for seed in range(kernel.types[3:].count("F*"))]
    for makers in zip(*inputs, strict=True):
        check(name, dtype, [np.asarray(make(_Numpy)) for make in makers], out)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", dtypes())
@pytest.mark.parametrize("name", CONVERSIONS)
def test_conversions(name, dtype):
    target = name.rpartition("_")[2]
    if dtype in SELDOM and target in SELDOM:
        return
    for make in layouts(numbers(dtype, (5, 9))):
        check(name, dtype, [np.asarray(make(_Numpy))], target)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", dtypes("float32", "float64"))
def test_fill(dtype):
    kind = "uint8" if dtype == "bool" else dtype
    for number in (0, 1, -1 if dtype not in ("bool", "uint8") else 1, 100 if dtype != "bool" else 1):
        out = np.zeros(20, dtype)
        launch("integers.fill", kind, 18, 7, out[1:], number)
        assert (out[1:-1] == number).all()
        assert out[0] == out[-1] == 0


# --- counts and totals ------------------------------------------------------------------------------------------------

OUT = {"sum": np.int64, "count": np.int64, "any": np.uint8, "all": np.uint8}


@pytest.mark.plain
@pytest.mark.parametrize("dtype", dtypes("float32", "float64"))
@pytest.mark.parametrize("name", ["sum", "count", "any", "all", "max", "min"])
def test_tallies(name, dtype):
    kind = np.dtype("uint8" if dtype == "bool" else dtype)
    for x in (numbers(dtype, (3, 7, 5)), np.ones((3, 7, 5), dtype), np.zeros((3, 7, 5), dtype)):
        x = x.view(kind)
        for block in (1, 3, 7):
            out = np.empty((3, -(-7 // block), 5), OUT.get(name, kind))
            wanted = np.empty_like(out)
            launch(f"tally.{name}_columns", kind, out.size // 5, 2, out, x, 7, 5, block)
            reference(f"tally.{name}_columns")(wanted, x, 7, 5, block)
            np.testing.assert_array_equal(out, wanted)
        for block in (1, 10, 105):
            out = np.empty(-(-105 // block), OUT.get(name, kind))
            wanted = np.empty_like(out)
            launch(f"tally.{name}_runs", kind, out.size, 2, out, x, 105, block)
            reference(f"tally.{name}_runs")(wanted, x.reshape(-1), 105, block)
            np.testing.assert_array_equal(out, wanted)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", dtypes("float32", "float64"))
@pytest.mark.parametrize("name", ["max_index", "min_index"])
def test_places(name, dtype):
    kind = np.dtype("uint8" if dtype == "bool" else dtype)
    for shape in ((3, 7, 5), (4, 9, 1), (1, 1, 1)):
        x = np.resize(numbers(dtype, (3, 7, 5)), shape).view(kind)
        made = [(np.empty((shape[0], shape[2]), kind), np.empty((shape[0], shape[2]), np.int64)) for _ in range(2)]
        launch(f"tally.{name}", kind, shape[0], 1, *made[0], x, *shape[1:])
        reference(f"tally.{name}")(*made[1], x, *shape[1:])
        for ours, wanted in zip(*made, strict=True):
            np.testing.assert_array_equal(ours, wanted)


@pytest.mark.plain
def test_differ():
    a = numbers("uint8", (5000,))
    for place in (None, 0, 4999):
        b = a.copy()
        if place is not None:
            b[place] ^= 1
        made, wanted = np.zeros(1, np.uint8), np.zeros(1, np.uint8)
        launch("tally.differ", "uint8", 5, 1, made, a, b, 5000, 1000)
        reference("tally.differ")(wanted, a, b, 5000, 1000)
        assert made[0] == wanted[0] == (place is not None)
