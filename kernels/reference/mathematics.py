"""Elementwise mathematics in NumPy: what each kernel of `cpu/mathematics.py` computes."""

from __future__ import annotations

import math

import numpy as np

from .elementwise import _make

for _name in (
    "sin cos tan sinh cosh exp2 expm1 log2 log10 log1p floor ceil trunc isnan isinf isfinite isposinf isneginf"
    " logical_not logical_and logical_or logical_xor fmod floor_divide"
).split():
    globals()[_name] = _make(getattr(np, _name))
for _name in ("asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2"):
    globals()[_name] = _make(getattr(np, f"arc{_name[1:]}"))
erf = _make(np.vectorize(math.erf, otypes=[np.float64]))
rsqrt = _make(lambda x: 1 / np.sqrt(x))
frac = _make(lambda x: x - np.trunc(x))
round = _make(np.rint)
round_scaled = _make(lambda x, scale: np.rint(x * scale) / scale)
round_coarse = _make(lambda x, scale: np.rint(x / scale) * scale)
nan_to_num = _make(lambda x, nan, posinf, neginf: np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf))


def _floored(x, y):
    rest = np.fmod(x, y)
    return np.where((rest != 0) & ((y < 0) != (rest < 0)), rest + y, rest)


remainder = _make(_floored)
trunc_divide = _make(lambda x, y: np.trunc(x / y))


def _mixed(a, b, weight):
    return np.where(np.abs(weight) < 0.5, a + weight * (b - a), b - (b - a) * (1 - weight))


isclose = _make(lambda a, b, rtol, atol, equal_nan: np.isclose(a, b, rtol, atol, equal_nan != 0))
lerp = lerp_scalar = _make(_mixed)
addcmul = _make(lambda x, a, b, value: x + value * a * b)
addcdiv = _make(lambda x, a, b, value: x + value * a / b)
bounded = _make(lambda x, low, high: np.minimum(np.maximum(x, low), high))
unless_below = _make(lambda a, b, gy: np.where(a == b, gy * 0.5, np.where(a < b, 0, gy)))
unless_above = _make(lambda a, b, gy: np.where(a == b, gy * 0.5, np.where(a > b, 0, gy)))
kept_from = _make(lambda a, b, gy: np.where(a >= b, gy, 0))
kept_below = _make(lambda a, b, gy: np.where(a < b, gy, 0))
base_slope = _make(lambda a, b, gy: np.where(b == 0, 0, gy * (b * np.power(a, b - 1))))
exponent_slope = _make(lambda a, b, y: np.where((a == 0) & (b >= 0), 0, y * np.log(a)))
where = _make(np.where)
masked_fill = _make(lambda mask, x, value: np.where(mask, value, x))
