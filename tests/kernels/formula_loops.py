"""Loops over a scalar formula, compiled or interpreted, and numbers to try it on."""

import numba
import numpy as np
from fastgrad.kernels import math as m
from numba import types

INTERPRETED = bool(numba.config.DISABLE_JIT)
FLOATS = (np.float32, np.float64)


def loop(function, constants=(), inputs=1, pointers=None):
    """function over arrays, compiled as a kernel's loop is; or over pointers of a type, with no wrapper."""
    names = [f"x{k}" for k in range(inputs)]
    values = ", ".join([f"{name}[i]" for name in names] + [f"lit({c!r}, out)" for c in constants])
    given = {"f": function, "lit": m.lit}
    first = f"def run(out, {', '.join(names)}):\n    for i in range(out.size):\n"
    if pointers:
        first = f"def run(out, {', '.join(names)}, lo, hi):\n    for i in range(lo, hi):\n"
    exec(f"{first}        out[i] = f({values})\n", given)
    if not pointers:
        return numba.njit(error_model="numpy")(given["run"])
    signature = types.void(*[pointers] * (inputs + 1), types.int64, types.int64)
    options = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return numba.njit(signature, **options)(given["run"])


def apply(function, *arrays, constants=()):
    out = np.empty_like(arrays[0])
    loop(function, constants, len(arrays))(out, *arrays)
    return out


def interpret(function, *arrays, constants=()):
    """function called as plain Python on NumPy scalars."""
    kind = arrays[0].dtype.type
    fixed = [kind(c) for c in constants]
    results = [function(*row, *fixed) for row in zip(*arrays, strict=True)]
    assert all(type(r) is kind for r in results)
    return np.array(results)


def numbers(kind, count=200):
    """Zeros, infinities, NaN, subnormal numbers, every exponent, random ones, and both signs of each."""
    info, rng = np.finfo(kind), np.random.default_rng(7)
    exponents = np.arange(info.minexp - info.nmant, info.maxexp)
    step = max(1, len(exponents) // count)
    edges = [
        0.0,
        1.0,
        0.5,
        2.0,
        88.0,
        88.73,
        103.9,
        709.0,
        709.9,
        745.5,
        info.max,
        info.tiny,
        info.smallest_subnormal,
    ]
    with np.errstate(over="ignore"):
        powers = np.ldexp(rng.uniform(1, 2, len(exponents[::step])), exponents[::step])
        some = np.concatenate([edges, powers, rng.normal(size=count), 20 * rng.normal(size=count)]).astype(
            kind
        )
    return np.concatenate([some, -some, np.array([np.inf, -np.inf, np.nan], kind)])
