"""Singular values of matrices, which some norms are made of."""

from __future__ import annotations

from typing import Any

from .._launch.decompose import svd
from .._tensor import Tensor
from .create import eye, zeros_like
from .elementwise import mul
from .fold import amax, amin
from .op import op
from .order import transpose
from .pieces import movedim
from .product import matmul
from .rearrange import diag_embed
from .reduce import sum
from .shape import unsqueeze


@op(name="LinalgSvd")
def _svd(ctx: Any, x: Tensor) -> Any:
    ctx.save(x)
    return svd(x)


@_svd.derivative
def svd_derivative(ctx: Any, gradients: Any) -> Tensor:
    """Townsend, Differentiating the singular value decomposition (2016). Values that are equal have no derivative beyond
    the first."""
    (x,) = ctx.saved
    gu, gs, gvh = gradients
    u, s, vh = _svd(x)  # once more, so that a second derivative finds a graph under them
    rows, columns, count = x.shape[-2], x.shape[-1], s.shape[-1]
    uh, v = transpose(u, -2, -1), transpose(vh, -2, -1)
    middle = diag_embed(zeros_like(s) if gs is None else gs)
    if gu is not None or gvh is not None:
        one = eye(count, dtype=x.dtype)
        square = mul(s, s)
        apart = (1 - one) / (unsqueeze(square, -2) - unsqueeze(square, -1) + one)
    if gu is not None:
        turned = matmul(uh, gu)
        middle = middle + (turned - transpose(turned, -2, -1)) * apart * unsqueeze(s, -2)
    if gvh is not None:
        turned = matmul(vh, transpose(gvh, -2, -1))
        middle = middle + unsqueeze(s, -1) * ((turned - transpose(turned, -2, -1)) * apart)
    gx = matmul(matmul(u, middle), vh)
    if gu is not None and rows > count:
        gx = gx + matmul((gu - matmul(u, matmul(uh, gu))) / unsqueeze(s, -2), vh)
    if gvh is not None and columns > count:
        gx = gx + matmul(u / unsqueeze(s, -2), gvh - matmul(matmul(gvh, v), vh))
    return gx


def matrix_norm(x: Tensor, ord: Any, dims: tuple[int, int], keepdim: bool) -> Tensor:
    """The norm of matrices that lie in two dimensions: 2 and -2 (largest and smallest singular value), "nuc" (their sum)."""
    if not x.dtype.is_floating_point:
        raise RuntimeError(
            f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {x.dtype.scalar_name}"
        )
    values = svdvals(movedim(x, dims, (-2, -1)))
    if ord == "nuc" or not values._numel:
        made: Tensor = sum(values, -1)
    else:
        made = (amax if ord > 0 else amin)(values, -1)
    for d in sorted(d % x.ndim for d in dims) if keepdim else ():
        made = unsqueeze(made, d)
    return made


def svdvals(A: Tensor) -> Tensor:
    """The singular values of (..., m, n) matrices, (..., min(m, n)), largest first.

    >>> import fastgrad as torch
    >>> torch.linalg.svdvals(torch.tensor([[3.0, 0.0], [0.0, -4.0]]))
    tensor([4., 3.])
    """
    if A.ndim < 2:
        raise RuntimeError("linalg.svd: The input tensor A must have at least 2 dimensions.")
    if not A.dtype.is_floating_point:
        raise RuntimeError(
            f"linalg.svd: Expected a floating point or complex tensor as input. Got {A.dtype.scalar_name}"
        )
    values: Tensor = _svd(A)[1]
    return values
