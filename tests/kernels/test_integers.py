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
