"""What the tests of single kernels share: calling a row, and the numbers and memory to call it on."""

import importlib

import numpy as np
from fastgrad.kernels import jit, launcher

from fastgrad._geometry import layout

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0])


def launch(name, dtype, total, grain, *args):
    """Run the row of a kernel: arrays go in as addresses, the rest as it is."""
    given = [a.ctypes.data if isinstance(a, np.ndarray) else a for a in args]
    launcher.launch(jit.address(name, np.dtype(dtype).name), total, grain, *given)


def reference(name):
    """The function of the same name in the NumPy specification."""
    family, _, function = name.rpartition(".")
    return getattr(importlib.import_module(f"fastgrad.kernels.reference.{family}"), function)


def is_elementwise(name):
    """Whether a kernel's arguments are (n, layout, out, inputs..., scalars...)."""
    return jit.declared(name).types[:2] == ["int", "i64*"]


def signature(name):
    """(dtype of the output or None for the kernel's, number of inputs, number of scalars) of an elementwise kernel."""
    types = jit.declared(name).types
    return np.bool_ if types[2] == "u8*" else None, types[3:].count("F*") + masks(name), types.count("F")


def masks(name):
    """How many inputs of an elementwise kernel, the first ones, are bools."""
    return jit.declared(name).types[3:].count("u8*")


def elementwise(name, dtype, inputs, scalars, out=None, grain=32768):
    """Run an elementwise kernel on arrays of any strides; the result has the inputs' broadcast shape."""
    shape = np.broadcast_shapes(*[x.shape for x in inputs])
    if out is None:
        out = np.empty(shape, signature(name)[0] or dtype)
    strides = [tuple(step // x.itemsize for step in x.strides) for x in (out, *inputs)]
    plan = layout(strides[0], *[(x.shape, own) for x, own in zip(inputs, strides[1:])])
    launch(name, dtype, out.size, grain, out.size, plan.address, out, *inputs, *scalars)
    return out


def normal(shape, dtype, seed=0, special=False):
    """Normal numbers; every fifth is NaN, infinite, zero or one if wanted."""
    rng = np.random.default_rng(seed)
    made = rng.normal(0, 2, shape)
    if special:
        flat = made.reshape(-1)
        flat[::5] = rng.choice(SPECIAL, len(flat[::5]))
    return made.astype(dtype)
