"""Activation functions of straight pieces; the kernels stand in `kernels/cpu/piecewise.py`. Integers go to NumPy."""

from __future__ import annotations

import numpy as np

from .._tensor import Tensor
from . import arrays
from .core import binary, binary_scalars, ternary, unary, unary_scalars

hardtanh = unary_scalars("piecewise.hardtanh")
hardtanh_backward = binary_scalars("piecewise.hardtanh_backward")
hardsigmoid = unary("piecewise.hardsigmoid")
hardsigmoid_backward = binary("piecewise.hardsigmoid_backward")
hardswish = unary("piecewise.hardswish")
hardswish_backward = binary("piecewise.hardswish_backward")
hardshrink = unary_scalars("piecewise.hardshrink")
softshrink = unary_scalars("piecewise.softshrink")
shrink_backward = binary_scalars("piecewise.shrink_backward")
threshold = unary_scalars("piecewise.threshold")
threshold_backward = binary_scalars("piecewise.threshold_backward")
prelu = binary("piecewise.prelu")
prelu_backward = ternary("piecewise.prelu_backward")
prelu_weight_backward = binary("piecewise.prelu_weight_backward")


def hardtanh_of_integers(x: Tensor, low: int, high: int) -> Tensor:
    """x held within [low, high]."""
    return arrays.apply(lambda a: np.clip(a, low, high), x, dtype=x.dtype)


def threshold_of_integers(x: Tensor, limit: float, value: int) -> Tensor:
    """`value` where x <= limit, else x."""
    return arrays.apply(lambda a: np.where(a <= limit, value, a), x, dtype=x.dtype)
