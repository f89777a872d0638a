"""Elementwise launches on float tensors of one dtype; the kernels stand in `kernels/cpu/elementwise.py`."""

from __future__ import annotations

from .._dtype import bool_
from .core import binary, unary

add = binary("elementwise.add")
add_scaled = binary("elementwise.add_scaled")
sub = binary("elementwise.sub")
mul = binary("elementwise.mul")
div = binary("elementwise.div")
add_scalar = unary("elementwise.add_scalar")
rsub_scalar = unary("elementwise.rsub_scalar")
mul_scalar = unary("elementwise.mul_scalar")
div_scalar = unary("elementwise.div_scalar")
neg = unary("elementwise.neg")
reciprocal = unary("elementwise.reciprocal")
exp = unary("elementwise.exp")
log = unary("elementwise.log")
sqrt = unary("elementwise.sqrt")
square = unary("elementwise.square")
cube = unary("elementwise.cube")
power = binary("elementwise.power")
power_scalar = unary("elementwise.power_scalar")
absolute = unary("elementwise.absolute")
sign = unary("elementwise.sign")
maximum = binary("elementwise.maximum")
minimum = binary("elementwise.minimum")
clamp = unary("elementwise.clamp")
clamp_backward = binary("elementwise.clamp_backward")
eq = binary("elementwise.eq", bool_)
ne = binary("elementwise.ne", bool_)
lt = binary("elementwise.lt", bool_)
le = binary("elementwise.le", bool_)
gt = binary("elementwise.gt", bool_)
ge = binary("elementwise.ge", bool_)
