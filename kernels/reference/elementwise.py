"""Elementwise arithmetic in NumPy: what each kernel of `cpu/elementwise.py` computes."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def _make(function: Any) -> Any:
    def kernel(out: Array, *inputs: Any) -> None:
        with np.errstate(all="ignore"):
            out[...] = function(*inputs)

    return kernel


copy = _make(lambda x: x)
fill = _make(lambda value: value)
add = _make(np.add)
add_scaled = _make(lambda a, b, alpha: (b.astype(np.float64) * alpha + a) if a.dtype == np.float32 else b * alpha + a)
sub = _make(np.subtract)
mul = _make(np.multiply)
div = _make(np.divide)
add_scalar = _make(lambda x, value: x + x.dtype.type(value))
rsub_scalar = _make(lambda x, value: x.dtype.type(value) - x)
mul_scalar = _make(lambda x, value: x * x.dtype.type(value))
div_scalar = _make(lambda x, value: x / x.dtype.type(value))
neg = _make(np.negative)
reciprocal = _make(lambda x: 1 / x)
exp = _make(np.exp)
log = _make(np.log)
sqrt = _make(np.sqrt)
square = _make(np.square)
cube = _make(lambda x: x * x * x)
power = _make(np.power)
power_scalar = _make(lambda x, exponent: np.power(x, x.dtype.type(exponent)))
absolute = _make(np.abs)
sign = _make(lambda x: np.where(np.isnan(x), 0, np.sign(x)))
maximum = _make(np.maximum)
minimum = _make(np.minimum)
clamp = _make(lambda x, low, high: np.minimum(np.maximum(x, x.dtype.type(low)), x.dtype.type(high)))
clamp_backward = _make(lambda x, gy, low, high: np.where((x >= x.dtype.type(low)) & (x <= x.dtype.type(high)), gy, 0))
eq = _make(np.equal)
ne = _make(np.not_equal)
lt = _make(np.less)
le = _make(np.less_equal)
gt = _make(np.greater)
ge = _make(np.greater_equal)
