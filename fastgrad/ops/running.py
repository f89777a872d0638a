"""Running totals: cumsum, cumprod, logcumsumexp."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._geometry import wrap_dim
from .._launch import arrays, empty, fill, moments, size
from .._launch import reduce as launch
from .._tensor import Tensor
from ..autograd.modes import state
from . import fold, rearrange
from .choose import _where
from .elementwise import _div, _mul, _sub
from .gather import narrow
from .join import cat
from .op import op
from .out import numpy_names, with_out
from .pointwise import _exp, _log, as_tensor
from .reduce import _stretch, _sum


@op(name="Cumsum")
def _cumsum(ctx: Any, x: Tensor, *, dim: int) -> Tensor:
    ctx.extra = dim
    return moments.cumsum(x, dim)


@_cumsum.derivative
def cumsum_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _summed_from_the_end(gy, ctx.extra)


def _summed_from_the_end(gy: Tensor, dim: int) -> Tensor:
    if not gy.shape:
        return gy
    if not state.enabled:
        return moments.cumsum(gy, dim, 1)
    return rearrange.flip(_cumsum(rearrange.flip(gy, dim), dim=dim), dim)


@op(name="Cumprod")
def _cumprod(ctx: Any, x: Tensor, *, dim: int) -> Tensor:
    y = moments.cumprod(x, dim)
    ctx.save_output(y, x)
    ctx.extra = dim
    return y


@_cumprod.derivative
def cumprod_derivative(ctx: Any, gy: Tensor) -> Tensor:
    """Of y_i = x_0 ... x_i: the sum of gy_i y_i from each place on, over x; where some x is 0, factor by factor."""
    (y, x), dim = ctx.saved, ctx.extra
    if not x.shape:
        return gy
    if not size.has_zero(x):
        return _div(_summed_from_the_end(_mul(gy, y), dim), x)
    n, parts = x.shape[dim], []
    one = fold._ones(x.shape, dim, x.dtype)
    for k in range(n):
        before = fold._prod(narrow(x, dim, 0, k), dim=dim, keepdim=True) if k else one
        after = cat([one, _cumprod(narrow(x, dim, k + 1, n - k - 1), dim=dim)], dim) if k < n - 1 else one
        slope = _mul(narrow(gy, dim, k, n - k), _mul(_stretch(before, after.shape) if k else before, after))
        parts.append(_sum(slope, ((dim,), True)))
    return cat(parts, dim)


@op(name="Logcumsumexp")
def _logcumsumexp(ctx: Any, x: Tensor, *, dim: int) -> Tensor:
    y = moments.logcumsumexp(x, dim)
    ctx.save_output(y, x)
    ctx.extra = dim
    return y


@_logcumsumexp.derivative
def logcumsumexp_derivative(ctx: Any, gy: Tensor) -> Tensor:
    """The sum from each place on of gy_i e**(x - y_i); where that may overflow, by its logarithm, positive and negative gy
    apart."""
    (y, x), dim = ctx.saved, ctx.extra
    if not x.shape:
        return _mul(gy, _exp(_sub(x, y)))
    if arrays.apply(_is_narrow, y.detach()).item():
        most = launch.maximum.all(y.detach())
        return _mul(_exp(_sub(x, most)), _summed_from_the_end(_mul(gy, _exp(_sub(most, y))), dim))
    one, nothing = fill(empty(gy.shape, gy.dtype), 1), fill(empty(gy.shape, gy.dtype), np.finfo(gy.dtype.numpy).min)
    parts = []
    for sign, chosen in ((1.0, _is_positive), (-1.0, _is_negative)):
        side = arrays.apply(chosen, gy.detach())
        size = _where(side, _log(_where(side, gy * sign, one)), nothing)
        total = rearrange.flip(_logcumsumexp(rearrange.flip(_sub(size, y), dim), dim=dim), dim)
        parts.append(_exp(total + x) * sign)
    return parts[0] + parts[1]


def _is_narrow(y: Any) -> Any:
    return np.asarray(np.ptp(y) < 40 if y.size else True)


def _is_positive(x: Any) -> Any:
    return x > 0


def _is_negative(x: Any) -> Any:
    return x < 0


def _running(name: str, operation: Any, function: Any, doc: str, shown: str) -> Any:
    def running(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
        if function is None:
            x, kind = as_tensor(input, name), _dtype.float32
            if x.dtype.category != 2:
                raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for '{x.dtype.scalar_name}'")
        elif dtype is None and input.__class__ is Tensor and input._meta.dtype.category == 2:
            x, kind = input, input._meta.dtype
        else:
            x, kind = fold._totalled(as_tensor(input, name), dtype)
        axis = wrap_dim(dim, x.ndim)
        if kind.category == 2:
            made: Tensor = operation(x, dim=axis)
            return made
        return arrays.apply(lambda a: function(a, axis, kind.numpy).reshape(a.shape), x, dtype=kind)

    running.__name__ = running.__qualname__ = name
    running.__doc__ = f"""{doc}

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([1.0, 2.0, 3.0]), 0)
    {shown}
    """
    return with_out(numpy_names(running))


cumsum = _running("cumsum", _cumsum, np.cumsum, "Sums of all elements up to each along a dimension.", "tensor([1., 3., 6.])")
cumprod = _running("cumprod", _cumprod, np.cumprod, "Products of all elements up to each along a dimension.",
                   "tensor([1., 2., 6.])")  # fmt: skip
logcumsumexp = _running("logcumsumexp", _logcumsumexp, None, "log(cumsum(e**input)), without overflow.",
                        "tensor([1.0000, 2.3133, 3.4076])")  # fmt: skip

__all__ = ["cumprod", "cumsum", "logcumsumexp"]
