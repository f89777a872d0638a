"""Distances and cosines of vectors, with broadcasting."""

from __future__ import annotations

import functools
import math
from typing import Any

from .. import _dtype
from .._geometry import broadcast, wrap_dim
from .._launch import distance as launch
from .._tensor import Tensor
from ..autograd.modes import state
from .choose import clamp, where
from .compare import eq, ne
from .convert import to_dtype
from .op import op
from .order import permute
from .pointwise import abs as absolute
from .pointwise import sqrt
from .shape import reshape, unsqueeze
from .stretch import expand


def _together(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both in their common dtype and shape."""
    kind = a.dtype
    if kind is not b.dtype:
        kind = _dtype.result(kind, not a.shape, b.dtype, not b.shape)
        a, b = to_dtype(a, kind), to_dtype(b, kind)
    if a.shape == b.shape:
        return a, b
    shape = broadcast(a.shape, b.shape)
    return expand(a, shape), expand(b, shape)


@functools.lru_cache(maxsize=100)
def _distance(eps: float) -> Any:
    """The operation |a - b + eps|."""

    @op(name="Norm1")
    def distance(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        y = launch.distance(a, b, eps)
        ctx.save(a, b)
        ctx.scratch = y
        return y

    @distance.derivative
    def distance_derivative(ctx: Any, gy: Tensor) -> Any:
        a, b = ctx.saved
        need_a, need_b = ctx.needs
        if state.enabled:
            d = a - b + eps
            y = sqrt((d * d).sum(-1))
            along = d * unsqueeze(where(eq(y, 0), 0.0, gy / y), -1)
        else:
            along = launch.distance_backward(a, b, ctx.scratch, gy, eps)
        return along if need_a else None, -along if need_b else None

    return distance


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension.

    >>> import fastgrad as torch
    >>> torch.pairwise_distance(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2))
    tensor([5.0000])
    """
    a, b = _together(x1, x2)
    if a.dtype.category != 2:
        kind = _dtype.get_default_dtype()
        a, b = to_dtype(a, kind), to_dtype(b, kind)
    if p == 2 and a.shape and a._numel:
        y: Tensor = _distance(float(eps))(a, b)
        return unsqueeze(y, -1) if keepdim else y
    d = absolute(a - b + eps)
    if p == math.inf:
        return d.max(-1, keepdim=keepdim)[0]
    if p == 0:
        return ne(d, 0).to(d.dtype).sum(-1, keepdim=keepdim)
    return (d**p).sum(-1, keepdim=keepdim) ** (1 / p) if p != 1 else d.sum(-1, keepdim=keepdim)


def _cosines(a: Tensor, b: Tensor, inside: bool, eps: float) -> Any:
    """In operations: the cosine, the two norms that it was divided by, and what they were before they were held up."""
    squares = [(x * x).sum(-1, keepdim=True) for x in (a, b)]
    lengths = [sqrt(square + eps if inside else square) for square in squares]
    held = lengths if inside else [clamp(length, min=eps) for length in lengths]
    return (a * b).sum(-1, keepdim=True) / (held[0] * held[1]), held, lengths


@functools.lru_cache(maxsize=100)
def _cosine(inside: bool, eps: float) -> Any:
    """The operation a . b / (|a| |b|) along the last dimension: norms not below eps, or roots of squares plus eps."""

    @op(name="Div" if inside else "Sum1")
    def cosine(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save(a, b)
        y, ctx.scratch = launch.cosine(a, b, inside, eps)
        return y

    @cosine.derivative
    def cosine_derivative(ctx: Any, gy: Tensor) -> Any:
        a, b = ctx.saved
        need_a, need_b = ctx.needs
        if not state.enabled:
            return (
                launch.cosine_backward(a, b, ctx.scratch, gy, 1) if need_a else None,
                launch.cosine_backward(b, a, ctx.scratch, gy, 2) if need_b else None,
            )
        value, held, lengths = _cosines(a, b, inside, eps)
        gy = unsqueeze(gy, -1)
        share = gy / (held[0] * held[1])
        ga = share * b - gy * value * a / (held[0] * lengths[0]) if need_a else None
        return ga, share * a - gy * value * b / (held[1] * lengths[1]) if need_b else None

    return cosine


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (|x1| |x2|) along `dim`, with norms not below eps.

    IndexError for a dimension that is not there, RuntimeError for integers.

    >>> import fastgrad as torch
    >>> torch.cosine_similarity(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    kind = _dtype.result(x1.dtype, not x1.shape, x2.dtype, not x2.shape)
    if kind.category != 2:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {kind.scalar_name}")
    a, b = _together(x1, x2)
    ndim = len(a.shape)
    dim = wrap_dim(dim, ndim)
    if not ndim:
        one: Tensor = _cosine(False, float(eps))(reshape(a, (1,)), reshape(b, (1,)))
        return reshape(one, ())
    if not a.shape[dim]:
        return (a * b).sum(dim)
    if dim != ndim - 1:
        order = (*[d for d in range(ndim) if d != dim], dim)
        a, b = permute(a, order), permute(b, order)
    y: Tensor = _cosine(False, float(eps))(a, b)
    return y
