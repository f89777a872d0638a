"""Uniform numbers made normal, in float32 to the bit as PyTorch makes them on processors with AVX2.

G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates" (1958): with u in (0,
1] and v in [0, 1), sqrt(-2 log u) times cos(2 pi v) and times sin(2 pi v) are two independent normal
numbers.

The float32 logarithm, sine and cosine are those of S. L. Moshier's Cephes library (logf, sinf, cosf),
every multiply-add fused. They stand here and not in `math` because their last bits are the contract, and
because they are valid only for what Box-Muller asks of them: u a positive normal number, angles in [0, 2
pi]. float64 takes the C library's functions, as PyTorch does.
"""

import math

import numpy as np

from ..formula import Value, bits, dtype, fma, formula, lit, select, sqrt

TAU = 2 * math.pi
SQRT_HALF = 0.707106781186547524
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4  # log 2 in two parts: an exponent times the first is exact
QUARTER_PI = 0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8  # pi / 4 in three such parts
# Highest power first.
LOG = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
       -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)  # fmt: skip
SINE = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
COSINE = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)


@formula
def radius(u):
    """sqrt(-2 log u)."""
    return sqrt(-2.0 * (_log(u) if dtype(u) is np.float32 else library("log", u)))


@formula
def sine(angle):
    """sin(angle)."""
    if dtype(angle) is not np.float32:
        return library("sin", angle)
    octant, x = _reduced(angle)
    value = select((octant & 2) == 0, _sine(x), _cosine(x))
    return select((octant & 4) == 0, value, -value)


@formula
def cosine(angle):
    """cos(angle)."""
    if dtype(angle) is not np.float32:
        return library("cos", angle)
    octant, x = _reduced(angle)
    value = select((octant & 2) == 0, _cosine(x), _sine(x))
    return select(((octant + 2) & 4) == 0, value, -value)


def library(name, x):
    """A function of the C library."""
    return x.intrinsic(f"llvm.{name}") if isinstance(x, Value) else np.float64(getattr(math, name)(x))


def _log(u):
    word = bits(u)
    exponent = lit((word >> 23) - 126, u)
    fraction = bits((word & 0x7FFFFF) | 0x3F000000)  # u = fraction * 2**exponent, fraction in [1/2, 1)
    low = fraction < SQRT_HALF
    x = fraction - 1.0 + select(low, fraction, 0.0)
    exponent = exponent - select(low, lit(1.0, u), 0.0)
    square = x * x
    tail = fma(_horner(x, LOG) * x, square, exponent * LN2_LOW) - 0.5 * square
    return fma(exponent, LN2_HIGH, x + tail)


def _reduced(angle):
    """(octant, x): angle = octant * pi / 4 + x with an even octant and |x| at most pi / 4."""
    octant = (lit(angle * (4 / math.pi), bits(angle)) + 1) & -2
    count, x = lit(octant, angle), angle
    for part in QUARTER_PI:
        x = fma(count, -part, x)
    return octant, x


def _sine(x):
    square = x * x
    return fma(_horner(square, SINE) * square, x, x)


def _cosine(x):
    square = x * x
    return fma(_horner(square, COSINE) * square, square, -0.5 * square) + 1.0


def _horner(x, coefficients):
    total = fma(x, coefficients[0], coefficients[1])
    for c in coefficients[2:]:
        total = fma(total, x, c)
    return total
