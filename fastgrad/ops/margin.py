"""Losses with a margin: of pairs, of classes, of vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _dtype
from .._launch import loss as launch
from .._launch import margin as class_launch
from .._tensor import Tensor
from ..autograd.modes import state
from .activation import sigmoid
from .byproduct import times
from .choose import clamp_min, minimum, where
from .class_loss import _each
from .compare import eq, ne
from .convert import to_dtype
from .distance import _cosine, _together, pairwise_distance
from .gather import gather
from .loss import _floats, _Loss, _reduced
from .op import op
from .shape import reshape


def _hinge_slope(x: Tensor, t: Tensor, margin: float) -> Tensor:
    one = x * 0 + 1
    return where(eq(t, -1), 0.0, one) - where(ne(t, 1) & (x <= margin), one, 0.0)


_hinge = _Loss("Add", launch.hinge, _hinge_slope, lambda x, t, p: x * 0, composed=True)
_soft = _Loss("SoftMarginLoss", launch.soft, lambda x, t, p: -t * sigmoid(-t * x), lambda x, t, p: -x * sigmoid(-t * x))
_ranking = _Loss(
    "ClampMin", launch.ranking, lambda x, t, p: where(t * x <= p, -t, 0.0), lambda x, t, p: where(t * x <= p, -x, 0.0),
    composed=True,
)  # fmt: skip
_match = _Loss(
    "Add", launch.match, lambda x, t, p: where(eq(t, 1), x * 0 - 1, where(eq(t, -1) & (x >= p), x * 0 + 1, 0.0)),
    lambda x, t, p: x * 0, composed=True,
)  # fmt: skip


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """input where target is 1, max(0, margin - input) where it is -1."""
    made: Tensor = _hinge.operation(reduction, float(margin))(*_floats("hinge_embedding_loss", input, target.detach()))
    return made


def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """log(1 + e**(-target input)), with targets 1 and -1."""
    if target._requires_grad and state.enabled:
        raise RuntimeError(
            "The function 'soft_margin_loss' is not differentiable with respect to argument 'target'. This input cannot "
            "have requires_grad True."
        )
    if input.dtype.category != 2 and target.dtype.category == 2:
        wanted, given = target.dtype.scalar_name, input.dtype.scalar_name
        raise RuntimeError(f"result type {wanted} can't be cast to the desired output type {given}")
    made: Tensor = _soft.operation(reduction)(*_floats("soft_margin_loss", input, target))
    return made


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """max(0, margin - target (input1 - input2)), with targets 1 and -1."""
    made: Tensor = _ranking.operation(reduction, float(margin))(*_floats("margin_ranking_loss", input1 - input2, target))
    return made


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """1 - cosine where target is 1, max(0, cosine - margin) where it is -1.

    Of (N, D), (N, D) and (N,), or (D,), (D,) and (); RuntimeError for other shapes."""
    ndim = len(target.shape)
    if ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if len(input1.shape) != ndim + 1 or len(input2.shape) != ndim + 1:
        raise RuntimeError(
            f"{ndim}D target tensor expects {ndim + 1}D input tensors, but found inputs with sizes {list(input1.shape)} and "
            f"{list(input2.shape)}."
        )
    cosine = _cosine(True, 1e-12)(*_together(input1, input2))
    made: Tensor = _match.operation(reduction, float(margin))(cosine, to_dtype(target.detach(), cosine.dtype))
    return made


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float, distance: Callable[[Tensor, Tensor], Tensor],
    swap: bool, *, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, margin + distance(anchor, positive) - distance(anchor, negative)); with `swap` the negative's distance is that
    to the anchor or to the positive, whichever is less. Balntas et al. (2016)."""
    dims = [len(x.shape) for x in (anchor, positive, negative)]
    if len(set(dims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor "
            f"{dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return _reduced(clamp_min(margin + near - far, 0.0), reduction)


def triplet_distance(p: float, eps: float) -> Callable[[Tensor, Tensor], Tensor]:
    """The p-norm as a distance."""
    return lambda a, b: pairwise_distance(a, b, p, eps)


# --- over classes -------------------------------------------------------------------------------------------------------


@op(name="MultiMarginLoss", scalar=True)
def _multi_margin(ctx: Any, x: Tensor, attributes: Any) -> Tensor:
    target, weight, square, margin, reduction = attributes
    ctx.save(x, target, weight)
    ctx.extra = attributes
    y, ctx.scratch = class_launch.multi_margin(x, target, weight, square, margin, reduction, ctx.needs[0])
    return y


@_multi_margin.derivative
def multi_margin_derivative(ctx: Any, gy: Tensor) -> Tensor:
    target, weight, square, margin, reduction = ctx.extra
    if not (state.enabled and square):
        return times(ctx.scratch, _each(gy, reduction))  # of straight pieces: right for every order
    x = ctx.saved[0]
    rows, n = x.shape
    places = reshape(target, (rows, 1))
    others = ne(places, _columns(n)).to(x.dtype)
    beyond = clamp_min(margin - gather(x, 1, places) + x, 0.0) * others * (2 / n)
    if weight is not None:
        beyond = beyond * reshape(weight[target], (rows, 1))
    slope = beyond - (1 - others) * beyond.sum(1, keepdim=True)
    return slope * _each(gy / rows if reduction == "mean" else gy, reduction)


def _columns(n: int) -> Tensor:
    from .create import arange

    return reshape(arange(n), (1, n))


@op(name="MultilabelMarginLoss", scalar=True)
def _multilabel_margin(ctx: Any, x: Tensor, attributes: Any) -> Tensor:
    target, reduction = attributes
    ctx.save(x, target)
    ctx.extra = reduction
    y, ctx.scratch = class_launch.multilabel_margin(x, target, reduction, ctx.needs[0])
    return y


@_multilabel_margin.derivative
def multilabel_margin_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return times(ctx.scratch, _each(gy, ctx.extra))


def _rows_of(kernel: str, x: Tensor, target: Tensor) -> Tensor:
    """Scores as (rows, n); errors with PyTorch's texts."""
    if len(x.shape) > 2 or (not x._numel and 0 in x.shape[1:]):
        raise RuntimeError(f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(x.shape)}")
    if x.dtype.category != 2:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{x.dtype.scalar_name}'")
    if target.dtype is not _dtype.int64:
        raise RuntimeError(f"expected scalar type Long but found {target.dtype.scalar_name}")
    return x if len(x.shape) == 2 else reshape(x, (1, -1))


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int, margin: float, weight: Tensor | None, *, reduction: str = "mean"
) -> Tensor:
    """Sum over the other classes of weight[target] max(0, margin - x[target] + x[j])**p / classes: (N, C) and (N,).

    A mean divides by N. RuntimeError for a target that is no class.
    """
    rows = (len(input.shape) == 2 and input.shape[0]) or 1
    if len(input.shape) <= 2 and (len(target.shape) > 1 or target._numel != (rows if input._numel else 0)):
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). "
            f"Expected target size [{rows}], but got {list(target.shape)}. Input has shape {list(input.shape)}."
        )
    x = _rows_of("multi_margin_loss_cpu_kernel", input, target)
    if weight is not None:
        if weight.shape != (x.shape[1],):
            raise RuntimeError(f"inconsistent weight size, expected {x.shape[1]} but got {list(weight.shape)}")
        if weight.dtype is not x.dtype:
            raise RuntimeError(f"expected scalar type {x.dtype.scalar_name} but found {weight.dtype.scalar_name}")
    classes = target if target.shape else reshape(target, (1,))
    y: Tensor = _multi_margin(x, (classes, weight, p == 2, float(margin), reduction))
    return reshape(y, target.shape) if reduction == "none" and y.shape != target.shape else y


def multilabel_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Sum over a row's classes t and the others j of max(0, 1 - x[t] + x[j]) / classes: (N, C) and (N, C).

    The classes of a row stand before its first -1. RuntimeError for a target that is no class.
    """
    if len(input.shape) <= 2 and target.shape != input.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    x = _rows_of("multilabel_margin_loss_forward_out_frame", input, target)
    y: Tensor = _multilabel_margin(x, (reshape(target, x.shape), reduction))
    return reshape(y, input.shape[:-1]) if reduction == "none" and len(input.shape) < 2 else y
