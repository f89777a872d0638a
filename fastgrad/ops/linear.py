"""The linear layer, input @ weight.T + bias, and its general form addmm: product and sum in one operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import Size
from .._tensor import Tensor
from ..autograd.modes import state
from .elementwise import _mul_scalar, mul
from .op import op
from .order import _t, t
from .out import with_same_out
from .product import _check_dtypes, _check_sizes, _integers, _mm, matmul
from .reduce import sum_to
from .shape import reshape
from .stretch import expand

# --- operations on float tensors of one dtype -------------------------------------------------------------------------


@op(name="Addmm", shown=(2, 0, 1))
def _linear(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """(n, k) @ (m, k).T + (m,)."""
    ctx.save_crosswise(x, weight)
    return launch.linear(x, weight, bias)


@_linear.derivative
def linear_derivative(ctx: Any, gy: Tensor) -> Any:
    need_x, need_weight, need_bias = ctx.needs
    saved: Any = ctx.saved or (None, None)  # for the bias alone nothing is kept
    x, weight = saved
    if not state.enabled:  # dX = dY @ W; dW = dY.T @ X and db in one call
        gx = launch.matmul(gy, weight) if need_x else None
        if need_weight:
            return gx, *launch.weight_gradients(gy, x, need_bias)
        return gx, None, sum_to(gy, bias_shape(gy)) if need_bias else None
    return (
        _mm(gy, weight) if need_x else None,
        _mm(_t(gy), x) if need_weight else None,
        sum_to(gy, bias_shape(gy)) if need_bias else None,
    )


def bias_shape(gy: Tensor) -> Size:
    """The shape of a bias behind an output of this shape."""
    return Size(gy.shape[1:])


@op(name="Mm")
def _linear_without_bias(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
    """(n, k) @ (m, k).T."""
    ctx.save_crosswise(x, weight)
    return launch.linear(x, weight, None)


@_linear_without_bias.derivative
def linear_without_bias_derivative(ctx: Any, gy: Tensor) -> Any:
    x, weight = ctx.saved
    need_x, need_weight = ctx.needs
    if not state.enabled:
        gx = launch.matmul(gy, weight) if need_x else None
        return gx, launch.weight_gradients(gy, x, False)[0] if need_weight else None
    return _mm(gy, weight) if need_x else None, _mm(_t(gy), x) if need_weight else None


@op(name="Addmm")
def _addmm(ctx: Any, x: Tensor, a: Tensor, b: Tensor, *, beta: float, alpha: float) -> Tensor:
    """beta x + alpha (a @ b), with x of any shape that broadcasts to the product's. With alpha = 0, as in BLAS, a and b
    are not read: NaN there is not seen."""
    _, need_a, need_b = ctx.needs[:3]
    ctx.extra = x.shape, beta, alpha
    if need_a or need_b:
        ctx.save(a if need_b else None, b if need_a else None)
    if alpha == 0:
        made = launch.fill(launch.empty(Size((a.shape[0], b.shape[1])), a.dtype), 0.0)
    else:
        made = launch.matmul(a, b)
    if alpha not in (0, 1):
        launch.mul_scalar(made, float(alpha), out=made)
    if beta == 0:
        return made
    scaled = x if beta == 1 else launch.mul_scalar(x, float(beta))
    return launch.add(made, scaled, out=made)


@_addmm.derivative
def addmm_derivative(ctx: Any, gy: Tensor) -> Any:
    (a, b), (shape, beta, alpha) = ctx.saved or (None, None), ctx.extra
    scaled = gy if alpha == 1 else _mul_scalar(gy, alpha)
    return (
        sum_to(gy if beta == 1 else _mul_scalar(gy, beta), shape) if ctx.needs[0] else None,
        _mm(scaled, _t(b)) if ctx.needs[1] else None,
        _mm(_t(a), scaled) if ctx.needs[2] else None,
    )


# --- public -----------------------------------------------------------------------------------------------------------


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias, with input (..., k), weight (m, k) or (k,), and bias (m,) or what broadcasts to the result.

    Raises RuntimeError where sizes or dtypes do not fit.
    """
    left, right = input._meta, weight._meta
    if len(left.shape) != 2 or len(right.shape) != 2:
        return _linear_of_any(input, weight, bias)
    (_, k), (m, own_k) = left.shape, right.shape
    if k != own_k:
        _check_sizes(left.shape, (own_k, m))
    made: Tensor
    if bias is None:
        if left.dtype is not right.dtype:
            _check_dtypes(input, weight)
        made = _linear_without_bias(input, weight) if left.dtype.category == 2 else _integers(input, _t(weight))
        return made
    beside = bias._meta
    # What follows reads the bias's memory as m numbers of the product's dtype: any other goes the general way.
    if beside.shape != (m,) or beside.dtype is not right.dtype or left.dtype is not right.dtype or left.dtype.category != 2:
        return addmm(bias, input, _t(weight))
    made = _linear(input, weight, bias)
    return made


def _linear_of_any(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`linear` for a vector, or for more dimensions than two in front."""
    if bias is None:
        return matmul(input, t(weight))
    if input.ndim == 2:  # and the weight is no matrix
        return addmm(bias, input, t(weight))
    if input.shape and weight.ndim <= 2 and (bias.ndim == 1 or bias.shape == (1, *weight.shape[:1])):
        rows = Size(input.shape[:-1]).numel()
        made = linear(reshape(input, rows, input.shape[-1]), weight, bias)
        return reshape(made, *input.shape[:-1], weight.shape[0])
    return matmul(input, t(weight)).add_(bias)


@with_same_out
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2); with beta = 0 `input` is not read, so NaN there is not seen, and with alpha = 0
    the matrices are not. For integers, beta and alpha are cut to integers. Errors are those of `mm`.

    >>> import fastgrad as torch
    >>> torch.addmm(torch.ones(2), torch.eye(2), torch.eye(2))
    tensor([[2., 1.],
            [1., 2.]])
    """
    for x, which in ((mat1, "mat1"), (mat2, "mat2")):
        if x.ndim != 2:
            raise RuntimeError(f"{which} must be a matrix, got {x.ndim}-D tensor")
    _check_sizes(mat1.shape, mat2.shape)
    if input.dtype is not mat2.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {input.dtype.scalar_name} and {mat2.dtype.scalar_name}"
        )
    if mat1.dtype is not mat2.dtype:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {mat1.dtype.scalar_name} and {mat2.dtype.scalar_name}"
        )
    beta, alpha = factors("addmm", input.dtype, beta, alpha)
    expand(input.detach(), mat1.shape[0], mat2.shape[1])  # RuntimeError where it does not fit
    if input.dtype.category == 2:
        if beta == 1 and alpha == 1 and input.shape == mat2.shape[1:]:
            made: Tensor = _linear(mat1, _t(mat2), input)
        else:
            made = _addmm(input, mat1, mat2, beta=beta, alpha=alpha)
        return made
    product = mul(_integers(mat1, mat2), alpha)
    return product if beta == 0 else product + mul(input, beta)


def factors(name: str, kind: _dtype.dtype, beta: Any, alpha: Any) -> tuple[Any, Any]:
    """beta and alpha as numbers of a dtype: for integers they are cut to integers. TypeError for what is no number,
    RuntimeError where one does not fit."""
    made = []
    for value, which in ((beta, "beta"), (alpha, "alpha")):
        if isinstance(value, Tensor) and not value.shape:
            value = value.item()
        if not isinstance(value, (int, float, np.number)):
            raise TypeError(f"{name}(): argument '{which}' must be Number, not {type(value).__name__}")
        made.append(_dtype.checked(value, kind))
    return made[0], made[1]


__all__ = ["addmm", "linear"]
