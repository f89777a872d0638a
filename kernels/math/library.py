"""Functions that are left to the C library, one call for each number: sin, cos, power."""

import math

import numpy as np

from ..formula import Value, dtype, formula, lit


def _call(name, *arguments):
    """The library's function in float64, whatever the arguments' type: so float32 results round correctly."""
    x = arguments[0]
    if not isinstance(x, Value):
        try:
            return dtype(x)(getattr(math, name)(*map(float, arguments)))
        except (ValueError, OverflowError):  # Python raises where C gives infinity or NaN
            ufunc = {"sin": np.sin, "cos": np.cos, "pow": np.power}[name]
            return dtype(x)(ufunc(*map(np.float64, arguments)))
    if x.device == "cuda":
        return x.library(name, *arguments[1:])
    wide = x.like(0.0, np.float64)
    return lit(lit(x, wide).intrinsic(f"llvm.{name}", *(lit(y, wide) for y in arguments[1:])), x)


@formula
def sin(x):
    """The sine."""
    return _call("sin", x)


@formula
def cos(x):
    """The cosine."""
    return _call("cos", x)


@formula
def power(x, y):
    """x**y for any two numbers. Write squares, cubes, roots and reciprocals out instead: they vectorise."""
    return _call("pow", x, y)
