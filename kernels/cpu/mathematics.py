"""Elementwise mathematics on floats: angles, hyperbolic functions, logarithms, rounding, remainders, mixtures, choices.

Each kernel is its scalar function, as in `elementwise.py`.
"""

from __future__ import annotations

from .. import math as m
from ..jit import elementwise

# --- functions of one number ------------------------------------------------------------------------------------------


@elementwise(far=(m.beyond_angles, m.far_sin))
def sin(x):
    return m.sin(x)


@elementwise(far=(m.beyond_angles, m.far_cos))
def cos(x):
    return m.cos(x)


@elementwise(far=(m.beyond_angles, m.far_tan))
def tan(x):
    return m.tan(x)


@elementwise
def asin(x):
    return m.asin(x)


@elementwise
def acos(x):
    return m.acos(x)


@elementwise
def atan(x):
    return m.atan(x)


@elementwise
def sinh(x):
    return m.sinh(x)


@elementwise
def cosh(x):
    return m.cosh(x)


@elementwise
def asinh(x):
    return m.asinh(x)


@elementwise
def acosh(x):
    return m.acosh(x)


@elementwise
def atanh(x):
    return m.atanh(x)


@elementwise
def exp2(x):
    return m.exp2(x)


@elementwise
def expm1(x):
    return m.expm1(x)


@elementwise
def log2(x):
    return m.log2(x)


@elementwise
def log10(x):
    return m.log10(x)


@elementwise
def log1p(x):
    return m.log1p(x)


@elementwise
def erf(x):
    return m.erf(x)


@elementwise
def rsqrt(x):
    return 1.0 / m.sqrt(x)


@elementwise
def floor(x):
    return m.floor(x)


@elementwise
def ceil(x):
    return m.ceil(x)


@elementwise
def trunc(x):
    return m.trunc(x)


@elementwise
def frac(x):
    return x - m.trunc(x)


@elementwise
def round(x):
    """To the nearest integer, of two the even one."""
    return m.rint(x)


@elementwise
def round_scaled(x, *, scale):
    """To a multiple of 1 / scale."""
    return m.rint(x * scale) / scale


@elementwise
def round_coarse(x, *, scale):
    """To a multiple of scale."""
    return m.rint(x / scale) * scale


@elementwise
def nan_to_num(x, *, nan, posinf, neginf):
    return m.select(x != x, nan, m.select(x == m.INFINITY, posinf, m.select(x == -m.INFINITY, neginf, x)))


@elementwise(out="bool")
def isnan(x):
    return x != x


@elementwise(out="bool")
def isinf(x):
    return abs(x) == m.INFINITY


@elementwise(out="bool")
def isfinite(x):
    return abs(x) < m.INFINITY


@elementwise(out="bool")
def isposinf(x):
    return x == m.INFINITY


@elementwise(out="bool")
def isneginf(x):
    return x == -m.INFINITY


@elementwise(out="bool")
def logical_not(x):
    return x == 0.0


# --- of two -----------------------------------------------------------------------------------------------------------


@elementwise
def atan2(y, x):
    return m.atan2(y, x)


@elementwise(far=(m.beyond_quotients, m.far_fmod))
def fmod(x, y):
    return m.fmod(x, y)


@elementwise(far=(m.beyond_quotients, m.far_remainder))
def remainder(x, y):
    return m.remainder(x, y)


@elementwise(far=(m.beyond_quotients, m.far_floor_divide))
def floor_divide(x, y):
    return m.floor_divide(x, y)


@elementwise
def trunc_divide(x, y):
    return m.trunc(x / y)


@elementwise(out="bool")
def logical_and(a, b):
    return (a != 0.0) & (b != 0.0)


@elementwise(out="bool")
def logical_or(a, b):
    return (a != 0.0) | (b != 0.0)


@elementwise(out="bool")
def logical_xor(a, b):
    return (a != 0.0) ^ (b != 0.0)


@elementwise(out="bool")
def isclose(a, b, *, rtol, atol, equal_nan):
    """|a - b| <= atol + rtol |b| and finite, or a == b, or both NaN where `equal_nan` is not 0."""
    distance = abs(a - b)
    near = (distance <= atol + abs(rtol * b)) & (distance < m.INFINITY)
    return near | (a == b) | ((equal_nan != 0.0) & (a != a) & (b != b))


@elementwise
def lerp_scalar(a, b, *, weight):
    """a + weight (b - a), from whichever end is nearer."""
    far = abs(weight) >= 0.5
    return m.fma(m.select(far, weight - 1.0, weight), b - a, m.select(far, b, a))


# --- of three ---------------------------------------------------------------------------------------------------------


@elementwise
def lerp(a, b, weight):
    """a + weight (b - a), from whichever end is nearer."""
    far = abs(weight) >= 0.5
    return m.fma(m.select(far, weight - 1.0, weight), b - a, m.select(far, b, a))


@elementwise
def addcmul(x, a, b, *, value):
    return x + value * a * b


@elementwise
def addcdiv(x, a, b, *, value):
    return x + value * a / b


@elementwise
def bounded(x, low, high):
    """min(max(x, low), high), NaN where one is NaN."""
    return m.minimum(m.maximum(x, low), high)


@elementwise
def unless_below(a, b, gy):
    """gy where a > b or one is NaN, half of it where they are equal, else 0."""
    return m.select(a == b, gy * 0.5, m.select(a < b, 0.0, gy))


@elementwise
def unless_above(a, b, gy):
    """gy where a < b or one is NaN, half of it where they are equal, else 0."""
    return m.select(a == b, gy * 0.5, m.select(a > b, 0.0, gy))


@elementwise
def kept_from(a, b, gy):
    """gy where a >= b, else 0."""
    return m.select(a >= b, gy, 0.0)


@elementwise
def kept_below(a, b, gy):
    """gy where a < b, else 0."""
    return m.select(a < b, gy, 0.0)


@elementwise
def base_slope(a, b, gy):
    """gy b a**(b - 1), and 0 where b is 0, even if a**-1 is infinite."""
    return m.select(b == 0.0, 0.0, gy * (b * m.power(a, b - 1.0)))


@elementwise
def exponent_slope(a, b, y):
    """y log(a), and 0 where a is 0 and b not negative."""
    return m.select((a == 0.0) & (b >= 0.0), 0.0, y * m.log(a))


@elementwise(masks=1)
def where(condition, a, b):
    return m.select(condition, a, b)


@elementwise(masks=1)
def masked_fill(mask, x, *, value):
    return m.select(mask, value, x)
