"""Elementwise launches on float tensors of one dtype; the kernels stand in `kernels/cpu/elementwise.py`."""

from __future__ import annotations

from .._dtype import bool_
from .core import binary, binary_scalars, unary, unary_scalars

add = binary("elementwise.add")
add_scaled = binary_scalars("elementwise.add_scaled")
sub = binary("elementwise.sub")
mul = binary("elementwise.mul")
div = binary("elementwise.div")
add_scalar = unary_scalars("elementwise.add_scalar")
rsub_scalar = unary_scalars("elementwise.rsub_scalar")
mul_scalar = unary_scalars("elementwise.mul_scalar")
div_scalar = unary_scalars("elementwise.div_scalar")
neg = unary("elementwise.neg")
reciprocal = unary("elementwise.reciprocal")
exp = unary("elementwise.exp")
log = unary("elementwise.log")
sqrt = unary("elementwise.sqrt")
square = unary("elementwise.square")
cube = unary("elementwise.cube")
power = binary("elementwise.power")
power_scalar = unary_scalars("elementwise.power_scalar")
absolute = unary("elementwise.absolute")
sign = unary("elementwise.sign")
maximum = binary("elementwise.maximum")
minimum = binary("elementwise.minimum")
clamp = unary_scalars("elementwise.clamp")
clamp_backward = binary_scalars("elementwise.clamp_backward")
eq = binary_scalars("elementwise.eq", bool_)
ne = binary_scalars("elementwise.ne", bool_)
lt = binary_scalars("elementwise.lt", bool_)
le = binary_scalars("elementwise.le", bool_)
gt = binary_scalars("elementwise.gt", bool_)
ge = binary_scalars("elementwise.ge", bool_)
