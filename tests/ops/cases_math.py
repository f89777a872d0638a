"""Rows of elementwise mathematics."""

import math

import numpy as np

from tests.ops.case import TWO, Family

UNIT = {"low": -0.95, "high": 0.95}
mathematics = Family({})
for name in ("sin", "cos", "sinh", "cosh", "exp2", "expm1"):
    mathematics(name, lambda t, x, name=name: getattr(t, name)(x), ulp=4)
mathematics("tan", lambda t, x: t.tan(x), ulp=6, low=-1.3, high=1.3)
mathematics("asin", lambda t, x: t.asin(x), np.arcsin, ulp=4, **UNIT)
mathematics("acos", lambda t, x: t.acos(x), np.arccos, ulp=4, **UNIT)
mathematics("atan", lambda t, x: t.atan(x), np.arctan, ulp=4)
mathematics("asinh", lambda t, x: t.asinh(x), np.arcsinh, ulp=4)
mathematics("acosh", lambda t, x: t.acosh(x), np.arccosh, ulp=4, low=1.1)
mathematics("atanh", lambda t, x: t.atanh(x), np.arctanh, ulp=4, **UNIT)
mathematics("log2", lambda t, x: t.log2(x), ulp=4, low=0.05)
mathematics("log10", lambda t, x: t.log10(x), ulp=4, low=0.05)
mathematics("log1p", lambda t, x: t.log1p(x), ulp=4, low=-0.9)
mathematics("erf", lambda t, x: t.erf(x), np.vectorize(math.erf, otypes=[np.float64]), ulp=4)
mathematics("rsqrt", lambda t, x: x.rsqrt(), lambda x: 1 / np.sqrt(x), low=0.05)
mathematics("floor", lambda t, x: t.floor(x))
mathematics("ceil", lambda t, x: t.ceil(x))
mathematics("trunc", lambda t, x: t.trunc(x))
mathematics("round", lambda t, x: x.round(), np.round)
mathematics("round to decimals",
    lambda t, x: t.round(x, decimals=2), lambda x: np.rint(x * x.dtype.type(100)) / x.dtype.type(100))
mathematics("round to hundreds", lambda t, x: (x * 100).round(decimals=-2),
            lambda x: np.rint(x * x.dtype.type(100) / x.dtype.type(100)) * x.dtype.type(100))  # fmt: skip
mathematics("frac", lambda t, x: t.frac(x), lambda x: x - np.trunc(x))
mathematics("nan_to_num", lambda t, x: t.nan_to_num(x))
mathematics("nan_to_num given",
    lambda t, x: t.nan_to_num(x, 1.5, 2.5, -3.5), lambda x: np.nan_to_num(x, nan=1.5, posinf=2.5, neginf=-3.5))
mathematics("fmod of a number", lambda t, x: t.fmod(x, 0.7), lambda x: np.fmod(x, x.dtype.type(0.7)))
mathematics("lerp by a number",
    lambda t, x: t.lerp(x, x * x, 0.3), lambda x: x + x.dtype.type(0.3) * (x * x - x), mixes=True)
mathematics("logical_not of floats", lambda t, x: t.logical_not(x), grad=False)
mathematics("isposinf", lambda t, x: t.isposinf(x), grad=False)
mathematics("fmod", lambda t, a, b: t.fmod(a, b), gap=0.3, shapes=TWO)
mathematics("atan2", lambda t, a, b: t.atan2(a, b), np.arctan2, gap=0.1, ulp=6, shapes=TWO)
THREE = (((4, 3), (3,), (3,)), ((7,), (), (7,)), ((2, 2), (2, 2), (1,)), ((0,), (1,), (1,)), ((), (2, 1), (3,)))
mathematics("lerp",
    lambda t, a, b, w: t.lerp(a, b, w), lambda a, b, w: a + w * (b - a), shapes=THREE, mixes=True, special=False)
mathematics("addcmul", lambda t, x, a, b: t.addcmul(x, a, b, value=0.5), lambda x, a, b: x + x.dtype.type(0.5) * a * b,
            shapes=THREE, mixes=True)  # fmt: skip
mathematics("addcdiv", lambda t, x, a, b: t.addcdiv(x, a, b, value=0.5), lambda x, a, b: x + x.dtype.type(0.5) * a / b,
            shapes=THREE, mixes=True, gap=0.4)  # fmt: skip
