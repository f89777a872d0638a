"""Hyperbolic functions and their inverses, and the exponential and logarithms to other bases. Branch-free."""

from ..formula import bits, copysign, dtype, fma, formula, select, sqrt
from .primitives import INFINITY, NAN, log1p, polynomial, power_of_two, split_logarithm, split_power
from .tables import TABLES

LN_2 = 0.6931471805599453


def _quarter_power(size):
    """(q, r, rest) with e**size = 4 q (1 + r + rest), for size >= 0; q cannot overflow before e**size / 2 does."""
    t = TABLES[dtype(size)]
    word, r, rest = split_power(select(size > t.sinh_highest, t.sinh_highest, size))
    return power_of_two(word, t, -2), r, rest


@formula(device="sinh")
def sinh(x):
    """(e**x - e**-x) / 2."""
    size = abs(x)
    q, r, rest = _quarter_power(size)
    half = 2.0 * fma(q, rest, fma(q, r, q - 0.25))  # (e**|x| - 1) / 2
    result = half + half / fma(half, 2.0, 1.0)
    return copysign(select(size > TABLES[dtype(x)].sinh_highest, INFINITY, result), x)


@formula(device="cosh")
def cosh(x):
    """(e**x + e**-x) / 2."""
    size = abs(x)
    q, r, rest = _quarter_power(size)
    quarter = fma(q, r + rest, q)
    result = fma(quarter, 2.0, 0.125 / quarter)
    return select(size > TABLES[dtype(x)].sinh_highest, INFINITY, result)


@formula(device="asinh")
def asinh(x):
    """log(x + sqrt(x**2 + 1)), odd."""
    t, size = TABLES[dtype(x)], abs(x)
    large = size > 2.0 ** (t.mantissa + 2)
    near = select(large, 1.0, size)
    square = near * near
    result = log1p(select(large, size, near + square / (1.0 + sqrt(1.0 + square))))
    return copysign(select(large, result + LN_2, result), x)


@formula(device="acosh")
def acosh(x):
    """log(x + sqrt(x**2 - 1)); NaN below 1."""
    t, less = TABLES[dtype(x)], x - 1.0
    large = x > 2.0 ** (t.mantissa + 2)
    near = select(large, 1.0, less)
    result = log1p(select(large, x, near + sqrt(fma(near, near, near * 2.0))))
    return select(x < 1.0, NAN, select(large, result + LN_2, result))


@formula(device="atanh")
def atanh(x):
    """log((1 + x) / (1 - x)) / 2."""
    size = abs(x)
    return copysign(0.5 * log1p((size * 2.0) / (1.0 - size)), x)


@formula(device="exp2")
def exp2(x):
    """2**x."""
    t = TABLES[dtype(x)]
    lowest, highest = -(t.bias + t.mantissa + 2.0), t.bias + 1.0
    inside = select(x < lowest, lowest, select(x > highest, highest, x))
    shifted = inside + t.round_shift
    d = inside - (shifted - t.round_shift)
    r = d * t.ln2_high
    rest = fma(r * r, polynomial(r, t.exp), fma(d, t.ln2_high, -r))
    low = x < 2.0 - t.bias  # made 2**64 times too large, and rounded to its place by one multiplication
    exponent = bits(shifted) << t.mantissa
    exponent = select(low, exponent + (64 << t.mantissa), exponent)
    result = bits(bits((r + rest) + 1.0) + exponent)
    result = select(low, result * 2.0**-64, result)
    return select(x != x, x, result)  # 2**highest is infinite


def _logarithm(x, part, scale_high, scale_low):
    """(e part + log(m)) in units of `scale`, for x = 2**e m: part in two floats, the product carried with its error."""
    t = TABLES[dtype(x)]
    subnormal = x < t.smallest_normal
    e, word = split_logarithm(select(subnormal, x * 2.0**64, x))
    e = select(subnormal, e - 64.0, e)
    f = bits((word & ((1 << t.mantissa) - 1)) + t.sqrt_half_bits) - 1.0
    rest = f * f * fma(f, polynomial(f, t.log), -0.5)
    p = f * scale_high
    p_low = fma(f, scale_high, -p) + fma(f, scale_low, rest * scale_high)
    whole = e * part[0]
    whole_low = fma(e, part[0], -whole) + e * part[1]
    total = whole + p
    result = total + ((p - (total - whole)) + (p_low + whole_low))
    result = select(x < INFINITY, result, x)
    return select(x < 0.0, NAN, select(x == 0.0, -INFINITY, result))


@formula(device="log2")
def log2(x):
    """The logarithm to base 2; exact for powers of two."""
    t = TABLES[dtype(x)]
    return _logarithm(x, (1.0, 0.0), *t.log2_e)


@formula(device="log10")
def log10(x):
    """The logarithm to base 10."""
    t = TABLES[dtype(x)]
    return _logarithm(x, t.log10_2, *t.log10_e)


__all__ = ["acosh", "asinh", "atanh", "cosh", "exp2", "log2", "log10", "sinh"]
