"""Functions that are left to the C library, one call for each number; and power, which need not be for float32."""

import math

import numpy as np

from ..formula import Value, copysign, dtype, floor, formula, lit, select
from .primitives import INFINITY, NAN, exp, log


def _call(name, *arguments):
    """The library's function in float64, whatever the arguments' type: so float32 results round correctly."""
    x = arguments[0]
    if not isinstance(x, Value):
        try:
            return dtype(x)(getattr(math, name)(*map(float, arguments)))
        except (ValueError, OverflowError):  # Python raises where C gives infinity or NaN
            ufunc = {"sin": np.sin, "cos": np.cos, "tan": np.tan, "pow": np.power, "fmod": np.fmod}[name]
            return dtype(x)(ufunc(*map(np.float64, arguments)))
    if x.device == "cuda":
        return x.library(name, *arguments[1:])
    wide = x.like(0.0, np.float64)
    given = [lit(y, wide) for y in arguments]
    if name == "fmod":  # LLVM has an instruction for it, and no intrinsic
        return lit(wide.like(wide.builder.frem(given[0].ir, wide.match(given[1]).ir)), x)
    return lit(given[0].intrinsic(f"llvm.{name}", *given[1:]), x)


@formula
def sine(x):
    """The sine of any angle."""
    return _call("sin", x)


@formula
def cosine(x):
    """The cosine of any angle."""
    return _call("cos", x)


@formula
def tangent(x):
    """The tangent of any angle."""
    return _call("sin", x) / _call("cos", x)


@formula
def remainder_by_library(x, y):
    """C's fmod(x, y)."""
    return _call("fmod", x, y)


@formula
def power(x, y):
    """x**y for any two numbers, as C defines it. float32 goes through the logarithm and exponential of float64, which
    vectorise and leave 20 bits to spare; float64 calls the library. Write squares, cubes, roots and reciprocals out."""
    if dtype(x) is not np.float32 or (isinstance(x, Value) and x.device == "cuda"):
        return _call("pow", x, y)
    wide = x.like(0.0, np.float64) if isinstance(x, Value) else np.float64(0)
    a, b = lit(x, wide), lit(y, wide)
    whole = floor(b) == b
    odd = whole & (floor(b * 0.5) * 2.0 != b)
    result = exp(b * log(abs(a)))
    result = select((b == 0.0) | (a == 1.0) | ((a == -1.0) & (abs(b) == INFINITY)), 1.0, result)
    result = copysign(result, select(odd, a, 1.0))
    result = select((a < 0.0) & (a > -INFINITY) & ~whole & (b == b), NAN, result)
    return lit(result, x)
