"""Sines and arcs: sin, cos, tan, asin, acos, atan, atan2. Branch-free, within 2 units in the last place.

Reduction of an angle to |r| <= pi/4 takes three fused steps with a pi/2 in three parts (Cody and Waite, Software Manual for
the Elementary Functions, 1980), which is exact enough for |x| <= angle_limit. Beyond, kernels call the library, which has
the bits of pi that it takes; see `far` in `kernels/jit.py`. The arcs' reductions are those of Cephes (Moshier, 1989).
"""

import math

from ..formula import bits, copysign, dtype, fma, formula, lit, select, sqrt
from .library import cosine, sine, tangent
from .primitives import polynomial
from .tables import TABLES

TWO_OVER_PI = 2 / math.pi
NAN = float("nan")


def _angle(x):
    """(r, q) with x = q pi/2 + r, |r| <= pi/4 and a little; q in the low bits of an integer."""
    t = TABLES[dtype(x)]
    shifted = fma(x, TWO_OVER_PI, t.round_shift)
    n = shifted - t.round_shift
    r = x
    for part in t.half_pi:
        r = fma(n, -part, r)
    return r, bits(shifted)


def _sine_and_cosine(r):
    t, z = TABLES[dtype(r)], r * r
    return fma(r * z, polynomial(z, t.sin), r), fma(z * z, polynomial(z, t.cos), fma(z, -0.5, 1.0))


@formula
def beyond_angles(x):
    """Whether an angle is too large for the fast reduction."""
    return abs(x) > TABLES[dtype(x)].angle_limit


@formula(device="sin")
def sin(x):
    """The sine of an angle that is not beyond."""
    r, q = _angle(x)
    s, c = _sine_and_cosine(r)
    result = select((q & 1) != 0, c, s)
    result = select((q & 2) != 0, -result, result)
    return select(x == 0.0, x, result)


@formula(device="cos")
def cos(x):
    """The cosine of an angle that is not beyond."""
    r, q = _angle(x)
    s, c = _sine_and_cosine(r)
    result = select((q & 1) != 0, s, c)
    return select(((q + 1) & 2) != 0, -result, result)


@formula(device="tan")
def tan(x):
    """The tangent of an angle that is not beyond."""
    r, q = _angle(x)
    s, c = _sine_and_cosine(r)
    odd = (q & 1) != 0
    result = select(odd, -c, s) / select(odd, s, c)
    return select(x == 0.0, x, result)


def _small_arcsine(z, r):
    """The arc whose sine is r, with z = r**2 <= 1/4."""
    return fma(r * z, polynomial(z, TABLES[dtype(r)].asin), r)


def _arcsine_parts(x):
    """(whether |x| > 1/2, p): p is asin(|x|), or there asin(sqrt((1 - |x|) / 2)), of which asin and acos are made."""
    size = abs(x)
    outer = size > 0.5
    z = select(outer, fma(size, -0.5, 0.5), x * x)
    return outer, _small_arcsine(z, select(outer, sqrt(z), size))


@formula(device="asin")
def asin(x):
    """The arc in [-pi/2, pi/2] whose sine is x."""
    high, low, _ = TABLES[dtype(x)].half_pi
    outer, p = _arcsine_parts(x)
    return copysign(select(outer, fma(p, -2.0, high) + low, p), x)


@formula(device="acos")
def acos(x):
    """The arc in [0, pi] whose cosine is x."""
    high, low, _ = TABLES[dtype(x)].half_pi
    outer, p = _arcsine_parts(x)
    ends = select(x > 0.0, p * 2.0, fma(p, -2.0, 2.0 * high) + 2.0 * low)
    return select(outer, ends, (high - copysign(p, x)) + low)


def _arc_of(num, den, turn):
    """atan(num / den) + turn pi/4, for |num / den| <= tan(pi/8); turn is 0, 1 or 2."""
    t = TABLES[dtype(num)]
    high, low, _ = t.half_pi
    y = num / den
    z = y * y
    return turn * (0.5 * high) + (fma(y * z, polynomial(z, t.atan), y) + turn * (0.5 * low))


@formula(device="atan")
def atan(x):
    """The arc in [-pi/2, pi/2] whose tangent is x."""
    size = abs(x)
    steep, middle = size > 2.414213562373095, size > 0.41421356237309503  # tan(3 pi/8) and tan(pi/8)
    num = select(steep, -1.0, select(middle, size - 1.0, size))
    den = select(steep, size, select(middle, size + 1.0, lit(1.0, x)))
    return copysign(_arc_of(num, den, select(steep, 2.0, select(middle, 1.0, lit(0.0, x)))), x)


@formula(device="atan2")
def atan2(y, x):
    """The angle of the point (x, y), in [-pi, pi]."""
    high, low, _ = TABLES[dtype(x)].half_pi
    a, b = abs(y), abs(x)
    swapped = a > b
    small, large = select(swapped, b, a), select(swapped, a, b)
    ratio = select(small == large, select(large == 0.0, large, 1.0), small / large)
    middle = ratio > 0.41421356237309503
    num = select(middle, ratio - 1.0, ratio)
    den = select(middle, ratio + 1.0, lit(1.0, x))
    arc = _arc_of(num, den, select(middle, 1.0, lit(0.0, x)))
    arc = select(swapped, (high - arc) + low, arc)
    arc = select(copysign(lit(1.0, x), x) < 0.0, (2.0 * high - arc) + 2.0 * low, arc)
    return select((x != x) | (y != y), NAN, copysign(arc, y))


far_sin, far_cos, far_tan = sine, cosine, tangent

__all__ = [
    "acos", "asin", "atan", "atan2", "beyond_angles", "cos", "far_cos", "far_sin", "far_tan", "sin", "tan",
]  # fmt: skip
