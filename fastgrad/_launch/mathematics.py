"""Launches of elementwise mathematics on float tensors of one dtype; the kernels stand in `kernels/cpu/mathematics.py`."""

from __future__ import annotations

from typing import Any

from .._dtype import bool_
from .._tensor import Tensor
from . import core
from .core import GRAIN, Rows, binary, binary_scalars, ternary, unary, unary_scalars
from .native import Planned, has_native

sin = unary("mathematics.sin")
cos = unary("mathematics.cos")
tan = unary("mathematics.tan")
asin = unary("mathematics.asin")
acos = unary("mathematics.acos")
atan = unary("mathematics.atan")
sinh = unary("mathematics.sinh")
cosh = unary("mathematics.cosh")
asinh = unary("mathematics.asinh")
acosh = unary("mathematics.acosh")
atanh = unary("mathematics.atanh")
exp2 = unary("mathematics.exp2")
expm1 = unary("mathematics.expm1")
log2 = unary("mathematics.log2")
log10 = unary("mathematics.log10")
log1p = unary("mathematics.log1p")
erf = unary("mathematics.erf")
rsqrt = unary("mathematics.rsqrt")
floor = unary("mathematics.floor")
ceil = unary("mathematics.ceil")
trunc = unary("mathematics.trunc")
frac = unary("mathematics.frac")
round = unary("mathematics.round")
round_scaled = unary_scalars("mathematics.round_scaled")
round_coarse = unary_scalars("mathematics.round_coarse")
nan_to_num = unary_scalars("mathematics.nan_to_num")
atan2 = binary("mathematics.atan2")
fmod = binary("mathematics.fmod")
remainder = binary("mathematics.remainder")
floor_divide = binary("mathematics.floor_divide")
trunc_divide = binary("mathematics.trunc_divide")
lerp_scalar = binary_scalars("mathematics.lerp_scalar")
lerp = ternary("mathematics.lerp")
addcmul = ternary("mathematics.addcmul")
addcdiv = ternary("mathematics.addcdiv")
logical_and = binary_scalars("mathematics.logical_and", bool_, "")
logical_or = binary_scalars("mathematics.logical_or", bool_, "")
logical_xor = binary_scalars("mathematics.logical_xor", bool_, "")
isclose = binary_scalars("mathematics.isclose", bool_)
bounded = ternary("mathematics.bounded")
unless_below = ternary("mathematics.unless_below")
unless_above = ternary("mathematics.unless_above")
kept_from = ternary("mathematics.kept_from")
kept_below = ternary("mathematics.kept_below")
base_slope = ternary("mathematics.base_slope")
exponent_slope = ternary("mathematics.exponent_slope")


def _asked(name: str, integers: str | None = None) -> Any:
    """A launch function `f(x)` that gives a bool tensor."""
    rows, known = Rows(f"mathematics.{name}", integers, mixed=True), Planned(1)

    @has_native("PLANNED", known, rows)
    def call(x: Tensor) -> Tensor:
        out, n, address, plan = core._planned(None, bool_, x._meta)
        known.keep((x._meta,), out, n, address, plan)
        core.run(rows[x._meta.dtype], n, GRAIN, n, address, out._address, x._address)
        return out

    return call


isnan = _asked("isnan")
isinf = _asked("isinf")
isfinite = _asked("isfinite")
isposinf = _asked("isposinf")
isneginf = _asked("isneginf")
logical_not = _asked("logical_not", "")

_where = Rows("mathematics.where", "", mixed=True)
_masked_fill = Rows("mathematics.masked_fill", mixed=True)
_where_known, _masked_fill_known = Planned(3), Planned(2)


@has_native("PLANNED", _where_known, _where)
def where(condition: Tensor, a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """a where the condition (a bool tensor) holds, else b: tensors of one dtype."""
    kind = a._meta.dtype
    made, n, address, plan = core._planned(out, kind, condition._meta, a._meta, b._meta)
    if out is None:
        _where_known.keep((condition._meta, a._meta, b._meta), made, n, address, plan)
    core.run(_where[kind], n, GRAIN, n, address, made._address, condition._address, a._address, b._address)
    return made


@has_native("PLANNED", _masked_fill_known, _masked_fill)
def masked_fill(mask: Tensor, x: Tensor, value: float, out: Tensor | None = None) -> Tensor:
    """A number where the mask (a bool tensor) holds, else x."""
    kind = x._meta.dtype
    made, n, address, plan = core._planned(out, kind, mask._meta, x._meta)
    if out is None:
        _masked_fill_known.keep((mask._meta, x._meta), made, n, address, plan)
    core.run(_masked_fill[kind], n, GRAIN, n, address, made._address, mask._address, x._address, value)
    return made
