"""Matrix products. Every one, forward or backward, ends in `launch.matmul` or `launch.linear`; no operand is copied to
transpose it."""

from __future__ import annotations

from typing import Any

from .. import _launch as launch
from .._tensor import Tensor
from ..autograd.modes import state
from .op import op
from .reduce import sum_to
from .shape import _t, _transpose, reshape


@op(name="Addmm")
def _linear(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(n, k) @ (m, k).T + (m,)."""
    ctx.save(x, weight)
    return launch.linear(x, weight, bias)


@_linear.derivative
def linear_derivative(ctx: Any, gy: Tensor) -> Any:
    x, weight = ctx.saved
    need_x, need_weight, need_bias = ctx.needs
    gx = _mm(gy, weight) if need_x else None
    if need_weight and need_bias and not state.enabled:
        return (gx, *launch.weight_gradients(gy, x, True))
    return gx, _mm(_t(gy), x) if need_weight else None, sum_to(gy, gy.shape[1:]) if need_bias else None


@op(name="Mm")
def _mm(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.save(a, b)
    return launch.matmul(a, b)


@_mm.derivative
def mm_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.saved
    return _mm(gy, _t(b)) if ctx.needs[0] else None, _mm(_t(a), gy) if ctx.needs[1] else None


@op(name="Bmm")
def _bmm(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.save(a, b)
    return launch.matmul(a, b)


@_bmm.derivative
def bmm_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.saved
    return (
        sum_to(_bmm(gy, _swap(b)), a.shape) if ctx.needs[0] else None,
        sum_to(_bmm(_swap(a), gy), b.shape) if ctx.needs[1] else None,
    )


def _swap(x: Tensor) -> Tensor:
    return _transpose(x, first=x.ndim - 2, second=x.ndim - 1)


def _check_dtypes(a: Tensor, b: Tensor) -> None:
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_c_name(a)} != {_c_name(b)}"
        )


def _c_name(x: Tensor) -> str:
    names = {"Float": "float", "Double": "double", "Long": "long long", "Int": "int", "Bool": "bool"}
    return names.get(x.dtype.scalar_name, x.dtype.scalar_name.lower())


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias, with input (..., k), weight (m, k) or (k,), bias (m,).

    Raises RuntimeError where sizes or dtypes do not fit.
    """
    if weight.ndim == 1 and bias is None:
        return matmul(input, weight)
    if input.ndim == 2 and weight.ndim == 2:
        if input.shape[1] != weight.shape[1]:
            a, b = input.shape, weight.shape
            raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[1]}x{b[0]})")
        if input.dtype is not weight.dtype:
            raise RuntimeError(
                f"mat1 and mat2 must have the same dtype, but got {input.dtype.scalar_name} and {weight.dtype.scalar_name}"
            )
        if bias is not None and bias.shape != weight.shape[:1]:
            from .shape import expand

            bias = expand(bias, weight.shape[0])
        if input.dtype.category == 2:
            return _linear(input, weight, bias) if bias is not None else _mm(input, _t(weight))
        made = matmul(input, _t(weight))
        return made if bias is None else made + bias
    if weight.ndim != 2:
        raise RuntimeError(f"linear: weight must have 2 dimensions, but has shape {list(weight.shape)}")
    flat = reshape(input, -1, input.shape[-1]) if input.ndim > 1 else reshape(input, 1, -1)
    return reshape(linear(flat, weight, bias), *input.shape[:-1], weight.shape[0])


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """(n, k) @ (k, m)."""
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    a, b = input.shape, mat2.shape
    if a[1] != b[0]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[0]}x{b[1]})")
    _check_dtypes(input, mat2)
    return _mm(input, mat2) if input.dtype.category == 2 else _integers(input, mat2)


def _integers(a: Tensor, b: Tensor) -> Tensor:
    import numpy as np

    from .._launch import arrays

    return arrays.apply(np.matmul, a, b, dtype=a.dtype)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2); with beta = 0 `input` is not read."""
    if beta == 1 and alpha == 1 and input.ndim == 1 and mat2.ndim == 2 and mat1.ndim == 2:
        if input.dtype.category == 2 and input.shape == mat2.shape[1:] and mat1.shape[1] == mat2.shape[0]:
            _check_dtypes(mat1, mat2)
            return _linear(mat1, _t(mat2), input)
    made = mm(mat1, mat2)
    if alpha != 1:
        made = made * alpha
    return made if beta == 0 else made + (input if beta == 1 else input * beta)


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The product of vectors, matrices and batches of matrices, by NumPy's and PyTorch's rules.

    >>> import fastgrad as torch
    >>> torch.matmul(torch.ones(2, 3), torch.ones(3))
    tensor([3., 3.])
    """
    a, b = input, other
    if not isinstance(b, Tensor):
        return NotImplemented
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D"
        )
    if a.ndim == 2 and b.ndim == 2:
        return mm(a, b)
    if a.ndim == 1 and b.ndim == 1:
        return dot(a, b)
    if b.ndim == 1:
        if a.shape[-1] != b.shape[0]:
            raise RuntimeError(
                f"size mismatch, got input ({a.shape[0]}), mat ({a.shape[0]}x{a.shape[-1]}), vec ({b.shape[0]})"
            )
        return reshape(matmul(a, reshape(b, -1, 1)), *a.shape[:-1])
    if a.ndim == 1:
        made = matmul(reshape(a, 1, -1), b)
        return reshape(made, *made.shape[:-2], made.shape[-1])
    if a.shape[-1] != b.shape[-2]:
        if b.ndim == 2:
            rows = a._numel // max(1, a.shape[-1])
            raise RuntimeError(
                f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a.shape[-1]} and {b.shape[0]}x{b.shape[1]})"
            )
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {a.shape[-1]}] but got: "
            f"[{b.shape[0]}, {b.shape[-2]}]."
        )
    _check_dtypes(a, b)
    if b.ndim == 2:
        return reshape(mm(reshape(a, -1, a.shape[-1]), b), *a.shape[:-1], b.shape[1])
    return _bmm(a, b) if a.dtype.category == 2 else _integers(a, b)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """(b, n, k) @ (b, k, m)."""
    for x, which in ((input, "batch1"), (mat2, "batch2")):
        if x.ndim != 3:
            raise RuntimeError(f"{which} must be a 3D tensor")
    if input.shape[0] != mat2.shape[0]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.shape[0]}, {input.shape[2]}] but got: "
            f"[{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    return matmul(input, mat2)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.shape != tensor.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{input.shape[0]}] and src [{tensor.shape[0]}] to have the same "
            f"number of elements, but got {input.shape[0]} and {tensor.shape[0]} elements respectively"
        )
    return reshape(mm(reshape(input, 1, -1), reshape(tensor, -1, 1)))


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """(n, k) @ (k,)."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {vec.ndim}, {input.ndim}, {vec.ndim}")
    return matmul(input, vec)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Every product of an element of one vector with one of the other."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise RuntimeError("outer: Expected 1-D argument self and vec2")
    return reshape(input, -1, 1) * reshape(vec2, 1, -1)
