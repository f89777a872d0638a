"""Matrix products: every one goes through `gemm`, which takes any strides, so no operand is copied to transpose it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import Any

from .. import _meta
from .._geometry import Size, broadcast, expand_strides
from .._tensor import Tensor, empty, new
from . import core


def _first_gemm(*args: Any, **options: int) -> None:
    """The first product loads the engine, so that importing fastgrad need not."""
    global gemm
    from ..kernels.cpu.matmul.plan import gemm

    gemm(*args, **options)


gemm: Callable[..., None] = _first_gemm


def matmul(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """(..., n, k) @ (..., k, m) -> (..., n, m) for float tensors of one dtype, any strides; batches broadcast."""
    left, right = a._meta, b._meta
    if len(left.shape) != 2 or len(right.shape) != 2:
        return _batched(a, b)
    (n, k), (_, m) = left.shape, right.shape
    if out is None:
        out = new(_meta.contiguous((n, m), left.dtype))
    gemm(left.dtype.name, n, m, k, out._address, m, 1, a._address, *left.strides, b._address, *right.strides)
    return out


def _batched(a: Tensor, b: Tensor) -> Tensor:
    """Batches of matrices. A batch that is not one run of memory at equal steps is made so first."""
    lead = broadcast(a.shape[:-2], b.shape[:-2])
    n, k, m = a.shape[-2], a.shape[-1], b.shape[-1]
    out = empty(Size((*lead, n, m)), a.dtype)
    count = prod(lead)
    (a, a_step), (b, b_step) = _steps(a, lead), _steps(b, lead)
    gemm(
        a.dtype.name, n, m, k, out._address, m, 1, a._address, a._strides[-2], a._strides[-1], b._address,
        b._strides[-2], b._strides[-1], batch=count, out_batch=n * m, a_batch=a_step, b_batch=b_step,
    )  # fmt: skip
    return out


def _steps(x: Tensor, lead: Size) -> tuple[Tensor, int]:
    """The tensor, and the distance between its matrices; a contiguous copy where there is no single distance."""
    strides = expand_strides(x.shape[:-2], x._strides[:-2], lead)
    steps = [(size, step) for size, step in zip(lead, strides, strict=True) if size != 1]
    if not steps or all(step == 0 for _, step in steps):
        return x, 0
    for (_, outer), (size, inner) in pairwise(steps):
        if outer != size * inner:
            from .shape import expand

            return _steps(core.copy(expand(x, (*lead, *x.shape[-2:]))), lead)
    return x, steps[-1][1]


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(n, k) @ (m, k).T + (m,) -> (n, m)."""
    left, right = x._meta, weight._meta
    (n, k), (m, _) = left.shape, right.shape
    out = new(_meta.contiguous((n, m), left.dtype))
    (x_row, x_column), (w_row, w_column) = left.strides, right.strides
    if bias is not None and not bias._meta.contiguous:
        bias = core.copy(bias)
    gemm(
        left.dtype.name, n, m, k, out._address, m, 1, x._address, x_row, x_column, weight._address, w_column, w_row,
        bias=0 if bias is None else bias._address,
    )  # fmt: skip
    return out


def weight_gradients(gy: Tensor, x: Tensor, with_bias: bool) -> tuple[Tensor, Tensor | None]:
    """gy.T @ x for gy (n, m) and x (n, k), and the column sums of gy in the same call."""
    left, right = gy._meta, x._meta
    (n, m), (_, k) = left.shape, right.shape
    weight = new(_meta.contiguous((m, k), left.dtype))
    bias = new(_meta.contiguous((m,), left.dtype)) if with_bias else None
    gy_row, gy_column = left.strides
    gemm(
        left.dtype.name, m, k, n, weight._address, k, 1, gy._address, gy_column, gy_row, x._address, *right.strides,
        sums=0 if bias is None else bias._address,
    )  # fmt: skip
    return weight, bias
