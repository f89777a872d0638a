"""Products of vectors, matrices and batches of matrices. No operand is copied to transpose it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import Size, broadcast, view_strides
from .._launch import arrays
from .._tensor import Tensor
from ..autograd.modes import state
from .elementwise import _mul, mul
from .op import op
from .order import _t, _transpose
from .out import c_name, with_out, with_same_out
from .reduce import sum_to
from .shape import reshape, unsafe_view, unsqueeze

# --- operations on float tensors of one dtype -------------------------------------------------------------------------


@op(name="Mm")
def _mm(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.save_crosswise(a, b)
    return launch.matmul(a, b)


@_mm.derivative
def mm_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.saved
    need_a, need_b = ctx.needs
    if not state.enabled:  # dA = dY @ B.T, dB = A.T @ dY, without making the transposed views
        ga = launch.linear(gy, b, None) if need_a else None
        return ga, launch.weight_gradients(a, gy, False)[0] if need_b else None
    return _mm(gy, _t(b)) if need_a else None, _mm(_t(a), gy) if need_b else None


@op(name="Bmm")
def _bmm(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.save_crosswise(a, b)
    return launch.matmul(a, b)


@_bmm.derivative
def bmm_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.saved
    return (
        sum_to(_bmm(gy, _swap(b)), (ctx.extra if a is None else a).shape) if ctx.needs[0] else None,
        sum_to(_bmm(_swap(a), gy), (ctx.extra if b is None else b).shape) if ctx.needs[1] else None,
    )


def _swap(x: Tensor) -> Tensor:
    return _transpose(x, first=x.ndim - 2, second=x.ndim - 1)


@op(name="Mv")
def _mv(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.save_crosswise(a, b)
    out = launch.empty(a.shape[:1], a.dtype)
    launch.matmul(a, launch.unsqueeze(b, 1), out=launch.unsqueeze(out, 1))
    return out


@_mv.derivative
def mv_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.saved
    return _mul(unsqueeze(gy, 1), b) if ctx.needs[0] else None, _mv(_t(a), gy) if ctx.needs[1] else None


@op(name="Dot")
def _dot(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
    ctx.save_crosswise(a, b)
    return launch.sum_all(launch.mul(a, b))


@_dot.derivative
def dot_derivative(ctx: Any, gy: Tensor) -> Any:
    a, b = ctx.saved
    return _mul(gy, b) if ctx.needs[0] else None, _mul(gy, a) if ctx.needs[1] else None


# --- public -----------------------------------------------------------------------------------------------------------


def _check_dtypes(a: Tensor, b: Tensor) -> None:
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {c_name(a.dtype)} != {c_name(b.dtype)}")


def _check_batches(a: Tensor, b: Tensor) -> None:
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected scalar type {a.dtype.scalar_name} but found {b.dtype.scalar_name}")


def _check_sizes(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    if a[1] != b[0]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[0]}x{b[1]})")


def _integers(a: Tensor, b: Tensor, kernel: str = "addmm_impl_cpu_") -> Tensor:
    """A product of integers; for bool there is none, and the error has the name of PyTorch's kernel."""
    if a.dtype is _dtype.bool_:
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")
    return arrays.apply(np.matmul, a, b, dtype=a.dtype)


@with_same_out
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """(n, k) @ (k, m), for matrices only. RuntimeError where sizes or dtypes do not fit.

    >>> import fastgrad as torch
    >>> torch.mm(torch.ones(2, 3), torch.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    _check_sizes(input.shape, mat2.shape)
    _check_dtypes(input, mat2)
    return _mm(input, mat2) if input.dtype.category == 2 else _integers(input, mat2)


@with_same_out
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The product of vectors, matrices and batches of matrices, by NumPy's and PyTorch's rules.

    Raises RuntimeError where sizes or dtypes do not fit, and for tensors without dimensions.

    >>> import fastgrad as torch
    >>> torch.matmul(torch.ones(2, 3), torch.ones(3))
    tensor([3., 3.])
    """
    if not isinstance(other, Tensor):
        raise TypeError(f"matmul(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
    a, b = input, other
    n, m = a.ndim, b.ndim
    if n == 2 and m == 2:
        return mm(a, b)
    if n == 0 or m == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D")
    if n == 1 and m == 1:
        return dot(a, b)
    if m == 1:
        if n == 2:
            return mv(a, b)
        if _lies_in_matrices(a, b):
            return unsafe_view(matmul(a, unsqueeze(b, 1)), shape=Size(a.shape[:-1]))
        made = mv(reshape(a, Size(a.shape[:-1]).numel(), a.shape[-1]), b)
        return unsafe_view(made, shape=Size(a.shape[:-1]))
    if n == 1:
        made = matmul(unsqueeze(a, 0), b)
        shape = Size((*made.shape[:-2], made.shape[-1]))
        return _squeeze_product(made, shape=shape) if m == 2 else unsafe_view(made, shape=shape)
    if m == 2 and not _lies_in_matrices(a, b):
        rows = Size(a.shape[:-1]).numel()
        _check_sizes((rows, a.shape[-1]), b.shape)
        made = mm(reshape(a, rows, a.shape[-1]), b)
        return unsafe_view(made, shape=Size((*a.shape[:-1], b.shape[1])))
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{_batches(a, b)}, {a.shape[-1]}] but got: "
            f"[{_batches(a, b)}, {b.shape[-2]}]."
        )
    _check_batches(a, b)
    if a.dtype.category != 2:
        return _integers(a, b, "bmm")
    made = _bmm(a, b)
    return unsafe_view(made, shape=made.shape)


def _lies_in_matrices(a: Tensor, b: Tensor) -> bool:
    """Whether the rows of a batch would have to be copied to be one matrix, for a product that goes as well without.

    Where `b` wants a gradient the copy is made, as in PyTorch: that gradient is one product too, then.
    """
    if b._requires_grad and state.enabled:
        return False
    return view_strides(a.shape, a._strides, (Size(a.shape[:-1]).numel(), a.shape[-1])) is None


@op(name="Squeeze4")
def _squeeze_product(ctx: Any, x: Tensor, *, shape: Size) -> Tensor:
    """The product of a vector and a matrix, of which nobody else will ever see the matrix form."""
    ctx.extra = x.shape
    made = launch.reshape(x, shape)
    made._base = None
    return made


@_squeeze_product.derivative
def squeeze_product_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return reshape(gy, ctx.extra)


def _batches(a: Tensor, b: Tensor) -> int:
    return broadcast(a.shape[:-2], b.shape[:-2]).numel()


def matmul_operator(x: Tensor, other: Any) -> Any:
    """`x @ other`; Python asks the other operand where that is no tensor."""
    return matmul(x, other) if isinstance(other, Tensor) else NotImplemented


@with_same_out
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """(b, n, k) @ (b, k, m): matrix by matrix. RuntimeError where sizes or dtypes do not fit.

    >>> import fastgrad as torch
    >>> torch.bmm(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).tolist()
    [[[3.0]], [[3.0]]]
    """
    for x, which in ((input, "batch1"), (mat2, "batch2")):
        if x.ndim != 3:
            raise RuntimeError(f"{which} must be a 3D tensor")
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.shape[0]}, {input.shape[2]}] but got: "
            f"[{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    _check_batches(input, mat2)
    return _bmm(input, mat2) if input.dtype.category == 2 else _integers(input, mat2, "bmm")


@with_out
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors. RuntimeError where sizes or dtypes do not fit.

    >>> import fastgrad as torch
    >>> torch.dot(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.dtype is not tensor.dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{input.dtype.scalar_name} and {tensor.dtype.scalar_name}"
        )
    if input.shape != tensor.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{input.shape[0]}] and src [{tensor.shape[0]}] to have the same "
            f"number of elements, but got {input.shape[0]} and {tensor.shape[0]} elements respectively"
        )
    if input.dtype.name == "bool":
        raise NotImplementedError("\"dot\" not implemented for 'Bool'")
    return _dot(input, tensor) if input.dtype.category == 2 else _integers(input, tensor)


@with_same_out
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """(n, k) @ (k,). RuntimeError where sizes or dtypes do not fit.

    >>> import fastgrad as torch
    >>> torch.mv(torch.eye(2), torch.tensor([3.0, 4.0]))
    tensor([3., 4.])
    """
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    if input.shape[1] != vec.shape[0]:
        n, k = input.shape
        raise RuntimeError(f"size mismatch, got input ({n}), mat ({n}x{k}), vec ({vec.shape[0]})")
    if input.dtype is not vec.dtype:
        kind, other = input.dtype.scalar_name, vec.dtype.scalar_name
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {other}, {kind}, and {other}")
    return _mv(input, vec) if input.dtype.category == 2 else _integers(input, vec, "addmv_impl_cpu")


@with_out
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Every product of an element of one vector with one of the other.

    >>> import fastgrad as torch
    >>> torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    for x, name in ((input, "self"), (vec2, "vec2")):
        if x.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x.ndim}-D")
    return mul(reshape(input, -1, 1) if input._numel else reshape(input, 0, 1), vec2)


__all__ = ["bmm", "dot", "matmul", "mm", "mv", "outer"]
