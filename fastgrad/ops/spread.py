"""Variances, standard deviations, and norms."""

from __future__ import annotations

import math
from typing import Any

from .. import _launch as launches
from .._geometry import Size
from .._launch import mathematics as maths
from .._launch import moments
from .._launch import reduce as launch
from .._launch import size as sizes
from .._tensor import Tensor
from ..autograd.modes import state
from . import singular
from .choose import _where
from .convert import to_dtype
from .elementwise import _div, _mul, _mul_scalar, _sub
from .fold import shared_slope
from .op import op
from .out import numpy_names, with_out
from .pointwise import _abs, _sign, as_tensor, zeros
from .power import _pow_scalar
from .reduce import _mean, _stretch, _with_dims, dims_of

# --- variances --------------------------------------------------------------------------------------------------------


def _degrees(x: Tensor, dims: tuple[int, ...], correction: float) -> float:
    shape = x._meta.shape
    n = x._meta.numel if len(dims) == len(shape) else math.prod([shape[d] for d in dims])
    return max(n - correction, 0)


def _spread(x: Tensor, dims: tuple[int, ...], keepdim: bool, correction: float) -> tuple[Tensor, Tensor]:
    """The variance and the mean (contiguous, a number for each variance)."""
    both = moments.variance(x, dims, keepdim, float(_degrees(x, dims, correction)))
    if both is not None:
        return both
    mean = launch.sum_dims(x, dims, keepdim)
    count = float(Size([x.shape[d] for d in dims]).numel())
    launches.div_scalar(mean, count, out=mean)
    made = moments.distances(x, mean, dims, keepdim, "squared")
    return launches.div_scalar(made, float(_degrees(x, dims, correction)), out=made), mean


@op(name="Var0")
def _var(ctx: Any, x: Tensor, *, dims: tuple[int, ...], keepdim: bool, correction: float) -> Tensor:
    ctx.save(x)
    ctx.extra = dims, keepdim, correction
    y, ctx.scratch = _spread(x, dims, keepdim, correction)
    return y


@_var.derivative
def var_derivative(ctx: Any, gy: Tensor) -> Tensor:
    (x,), (dims, keepdim, correction) = ctx.saved, ctx.extra
    return _var_slope(gy, x, dims, keepdim, correction, ctx.scratch)


def _var_slope(
    gy: Tensor, x: Tensor, dims: tuple[int, ...], keepdim: bool, correction: float, mean: Tensor
) -> Tensor:
    """2 / (n - correction) (x - mean) gy; the mean is a by-product of the forward."""
    degrees = _degrees(x, dims, correction)
    if not state.enabled:
        if len(dims) < len(x.shape):
            gy, mean = _with_dims(gy, x.shape, dims, keepdim), _with_dims(mean, x.shape, dims, keepdim)
        return sizes.spread(x, mean, gy, 2 / degrees if degrees else math.inf)
    centred = _sub(x, _mean(x, dims=dims, keepdim=True))
    return _mul(_mul_scalar(_with_dims(gy, x.shape, dims, keepdim), 2 / degrees if degrees else math.inf), centred)


@op(name="Std0")
def _std(ctx: Any, x: Tensor, *, dims: tuple[int, ...], keepdim: bool, correction: float) -> Tensor:
    made, ctx.scratch = _spread(x, dims, keepdim, correction)
    y = launches.sqrt(made, out=made)
    ctx.save_output(y, x)
    ctx.extra = dims, keepdim, correction
    return y


@_std.derivative
def std_derivative(ctx: Any, gy: Tensor) -> Tensor:
    """The variance's derivative over 2 std, and 0 where that is 0."""
    (y, x), (dims, keepdim, correction) = ctx.saved, ctx.extra
    share = _unless_zero(y, _div(gy, _mul_scalar(y, 2)))
    return _var_slope(share, x, dims, keepdim, correction, ctx.scratch)


def _unless_zero(y: Tensor, value: Tensor) -> Tensor:
    """A tensor, with 0 where y is 0."""
    made: Tensor = _where(maths.logical_not(y.detach()), zeros(value), value)
    return made


def _arguments(
    name: str, input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any
) -> tuple[Tensor, dict[str, Any]]:
    """What the two forms mean: (dim, unbiased, keepdim), and `var(x, False)`."""
    x = as_tensor(input, name)
    if dim.__class__ is bool:
        dim, unbiased = None, dim
    if x.dtype.category != 2:
        raise RuntimeError(f"{name}: only support floating point and complex dtypes")
    degrees = 1 if unbiased is None else int(unbiased)
    if correction is not None:
        degrees = correction
    return x, {"dims": ordered(dim, len(x._meta.shape)), "keepdim": keepdim, "correction": degrees}


def ordered(dim: Any, ndim: int) -> tuple[int, ...]:
    """Dimensions counted from the front, ascending."""
    dims = dims_of(dim, ndim)
    return dims if len(dims) < 2 or dim is None else tuple(sorted(dims))


def _public(name: str, operation: Any, doc: str, shown: str) -> Any:
    def spread(
        input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
    ) -> Tensor:
        x, given = _arguments(name, input, dim, unbiased, keepdim, correction)
        made: Tensor = operation(x, **given)
        return made

    spread.__name__ = spread.__qualname__ = name
    spread.__doc__ = f"""{doc} of all elements, or over dimensions; the sum is divided by their number less `correction`,
    which is 1 unless given.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([1.0, 2.0, 3.0]))
    {shown}
    """
    return with_out(numpy_names(spread))


var = _public("var", _var, "The variance", "tensor(1.)")
std = _public("std", _std, "The standard deviation", "tensor(1.)")


def _with_mean(name: str, operation: Any) -> Any:
    def both(
        input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
    ) -> tuple[Tensor, Tensor]:
        x, given = _arguments(name, input, dim, unbiased, keepdim, correction)
        if not x._requires_grad:
            made, mean = _spread(x, **given)
            return launches.sqrt(made, out=made) if name == "std_mean" else made, mean
        return operation(x, **given), _mean(x, dims=given["dims"], keepdim=keepdim)

    both.__name__ = both.__qualname__ = name
    both.__doc__ = f"""`({name[:3]}(input), mean(input))`; see `{name[:3]}`.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return with_out(numpy_names(both))


var_mean, std_mean = _with_mean("var_mean", _var), _with_mean("std_mean", _std)

# --- norms ------------------------------------------------------------------------------------------------------------


@op(name="LinalgVectorNorm")
def _vector_norm(ctx: Any, x: Tensor, *, p: float, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    y = _norm_value(x, p, dims, keepdim)
    ctx.save_output(y, x)
    ctx.extra = p, dims, keepdim
    return y


def _norm_value(x: Tensor, p: float, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    if p in (0, 1, 2):
        return sizes.sizes.of(x, dims, keepdim, int(p))
    size = launches.absolute(x)
    if abs(p) == math.inf:
        return (launch.maximum if p > 0 else launch.minimum).dims(size, dims, keepdim)
    total = launch.sum_dims(launches.power_scalar(size, float(p)), dims, keepdim)
    return launches.power_scalar(total, 1 / p)


@_vector_norm.derivative
def vector_norm_derivative(ctx: Any, gy: Tensor) -> Tensor | None:
    """sign(x) (|x| / norm)**(p - 1) gy, and 0 where the norm is 0."""
    (y, x), (p, dims, keepdim) = ctx.saved, ctx.extra
    if p == 2 and not state.enabled and len(dims) == len(x.shape):
        return sizes.length(x, y, gy)
    gy, y = _with_dims(gy, x.shape, dims, keepdim), _with_dims(y, x.shape, dims, keepdim)
    if p == 0:
        return None
    if p == 1:
        return _mul(_sign(x), gy)
    if p == 2:
        if not state.enabled:
            return sizes.length(x, y, gy)
        return _mul(gy, _unless_zero(_stretch(y, x.shape), _div(x, y)))
    if abs(p) == math.inf:
        return _mul(_sign(x), shared_slope(gy, y, _abs(x), dims))
    if p < 2:
        scaled = _mul(_sign(x), _pow_scalar(_abs(x), p - 1))
        if p < 1:
            return _mul(_mul(_unless_zero(x, scaled), gy), _pow_scalar(y, 1 - p))
    else:
        scaled = _mul(x, _pow_scalar(_abs(x), p - 2))
    return _mul(scaled, _unless_zero(y, _div(gy, _pow_scalar(y, p - 1))))


def vector_norm(x: Tensor, p: float, dim: Any, keepdim: bool, name: str, dtype: Any = None) -> Tensor:
    """The p-norm over dimensions, of float tensors."""
    x = as_tensor(x, name)
    x = x if dtype is None else to_dtype(x, dtype)
    if x.dtype.category != 2:
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {x.dtype.scalar_name}"
        )
    dims = ordered(dim, len(x._meta.shape))
    if x._numel == 0 and (p < 0 or p == math.inf):
        raise RuntimeError(
            f"{name} cannot compute the {p} norm on an empty tensor because the operation does not have an identity"
        )
    made: Tensor = _vector_norm(x, p=float(p), dims=dims, keepdim=keepdim)
    return made


@with_out
@numpy_names
def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The p-norm of all elements, or over dimensions: (sum |x|**p)**(1/p); "fro" is 2, inf the largest size, 0 counts.

    >>> import fastgrad as torch
    >>> torch.norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if p is None or p == "fro":
        p = 2.0
        if dtype is None and input.__class__ is Tensor and input._meta.dtype.category == 2:
            made: Tensor = _vector_norm(input, p=p, dims=ordered(dim, len(input._meta.shape)), keepdim=keepdim)
            return made
    elif isinstance(p, str):
        if p == "nuc":
            if input.ndim < 2:
                raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
            rows, columns = (-2, -1) if dim is None else dim
            return singular.matrix_norm(input if dtype is None else to_dtype(input, dtype), p, (rows, columns), keepdim)
        raise RuntimeError(f"only valid string values are 'fro' and 'nuc', found: {p}")
    return vector_norm(input, p, dim, keepdim, "linalg.vector_norm", dtype)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other.

    >>> import fastgrad as torch
    >>> torch.dist(torch.tensor([3.0, 4.0]), torch.zeros(2))
    tensor(5.)
    """
    if input.__class__ is Tensor and other.__class__ is Tensor and p in (1, 2) and input._meta is other._meta:
        recorded = (input._requires_grad or other._requires_grad) and state.enabled
        if not recorded and input._contiguous and input._meta.numel and input._meta.dtype.category == 2:
            return sizes.gap(input, other, int(p))
    return norm(input - other, p)


__all__ = ["dist", "norm", "std", "std_mean", "var", "var_mean"]
