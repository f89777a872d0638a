"""Remainders and rounded quotients, as C and Python define them."""

from ..formula import copysign, dtype, floor, fma, formula, lit, select, trunc
from .library import remainder_by_library
from .tables import TABLES

INFINITY = float("inf")


@formula
def beyond_quotients(x, y):
    """Whether x / y is too large for its whole part to be exact, or y is infinite, or one is NaN."""
    size = abs(y)
    near = (abs(x) <= size * 2.0 ** (TABLES[dtype(x)].mantissa - 1)) & (size < INFINITY)
    return ~near


def _rest(x, y):
    """x - trunc(x / y) y, exactly. The rounded quotient can only be one too large: then the rest has the wrong sign."""
    rest = fma(-trunc(x / y), y, x)
    wrong = ((rest < 0.0) & (x > 0.0)) | ((rest > 0.0) & (x < 0.0))
    return copysign(select(wrong, rest + copysign(y, x), rest), x)


def _with_sign_of(rest, y):
    return select((rest != 0.0) & ((y < 0.0) ^ (rest < 0.0)), rest + y, rest)


def _floored(x, y, rest):
    """floor(x / y) from x, y and the rest of the division cut towards zero, as Python computes it."""
    down = (x - rest) / y
    down = select((rest != 0.0) & ((y < 0.0) ^ (rest < 0.0)), down - 1.0, down)
    whole = floor(down)
    whole = select(down - whole > 0.5, whole + 1.0, whole)
    result = select(down != 0.0, whole, copysign(lit(0.0, x), x / y))
    return select(y == 0.0, x / y, result)


@formula
def fmod(x, y):
    """What is left of x after whole multiples of y, with the sign of x."""
    return _rest(x, y)


@formula
def far_fmod(x, y):
    return remainder_by_library(x, y)


@formula
def remainder(x, y):
    """What is left of x after whole multiples of y, with the sign of y."""
    return _with_sign_of(_rest(x, y), y)


@formula
def far_remainder(x, y):
    return _with_sign_of(remainder_by_library(x, y), y)


@formula
def floor_divide(x, y):
    """The largest whole number of times that y goes into x."""
    return _floored(x, y, _rest(x, y))


@formula
def far_floor_divide(x, y):
    return _floored(x, y, remainder_by_library(x, y))
