"""Functions that are left to the C library, one call for each number; and power, which need not be for float32."""

import math

import numpy as np

from ..formula import Value, bits, copysign, dtype, floor, fma, formula, lit, select
from .primitives import INFINITY, NAN, polynomial, power_of_two, split_logarithm
from .tables import TABLES


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
    """x**y for any two numbers, as C defines it. float32 goes through a logarithm and an exponential in float64, which
    vectorise and have 7 bits to spare; float64 calls the library. Write squares, cubes, roots and reciprocals out."""
    if dtype(x) is not np.float32 or (isinstance(x, Value) and x.device == "cuda"):
        return _call("pow", x, y)
    wide = x.like(0.0, np.float64) if isinstance(x, Value) else np.float64(0)
    whole = floor(y) == y
    odd = whole & (floor(y * 0.5) * 2.0 != y)
    result = lit(_brief_exp2(lit(y, wide) * _brief_log2(lit(abs(x), wide))), x)
    result = select((y == 0.0) | (x == 1.0) | ((x == -1.0) & (abs(y) == INFINITY)), 1.0, result)
    result = copysign(result, select(odd, x, 1.0))
    return select((x < 0.0) & (x > -INFINITY) & ~whole & (y == y), NAN, result)


# Fitted as the tables are, with relative errors of 2**-37.8 and 2**-34.5.
_LOG2 = (2.8853900817900806, 0.9617966733503162, 0.577083583259527, 0.4116728263886813, 0.340728030470792)
_EXP2 = (
    0.9999999999616812, 0.6931471807284564, 0.24022651198164058, 0.0555041035342194, 0.00961802725276878,
    0.0013333922581830263, 0.00015469291438187024, 1.5201918002308995e-05,
)  # fmt: skip


def _brief_log2(a):
    """The logarithm to base 2 of a float64 that was a float32 and is not negative, to 37 bits: that of its fraction m is
    2 artanh((m - 1) / (m + 1)) / log(2)."""
    t = TABLES[np.float64]
    e, word = split_logarithm(a)
    f = bits((word & ((1 << t.mantissa) - 1)) + t.sqrt_half_bits) - 1.0
    s = f / (f + 2.0)
    result = fma(s, polynomial(s * s, _LOG2), e)
    return select(a == 0.0, -INFINITY, select(a < INFINITY, result, a))


def _brief_exp2(x):
    """2**x in float64, to 34 bits, where float32 has a number other than 0 and infinity."""
    t = TABLES[np.float64]
    x = select(x < -300.0, -300.0, select(x > 300.0, 300.0, x))
    shifted = x + t.round_shift
    return polynomial(x - (shifted - t.round_shift), _EXP2) * power_of_two(bits(shifted), t)
