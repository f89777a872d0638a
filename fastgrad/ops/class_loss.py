"""Losses over classes: cross-entropy of scores, and negative log-likelihood of log-probabilities.

Whatever the shape, the work is done on rows: x (rows, classes), and for each row a class or a probability for each class.
"""

from __future__ import annotations

from typing import Any

from .. import _dtype
from .. import _launch as launched
from .._launch import class_loss as launch
from .._tensor import Tensor, empty
from ..autograd.modes import state
from .byproduct import times
from .convert import to_dtype
from .elementwise import _mul
from .op import op
from .order import permute
from .pointwise import zeros
from .reduce import sum_to
from .shape import reshape
from .softmax import log_softmax, softmax


def _each(gy: Tensor, reduction: str) -> Tensor:
    """The gradient of the loss, in a shape that multiplies rows."""
    return reshape(gy, (gy._meta.numel, 1)) if reduction == "none" else gy


# The attributes of these are one tuple, (target, weight, ignored, reduction): x (rows, n), target (rows,) int64.


@op(name="NllLoss", scalar=True)
def _cross_entropy(ctx: Any, x: Tensor, attributes: Any) -> Tensor:
    target, weight, ignored, reduction = attributes
    ctx.save(x, target, weight)
    ctx.extra = attributes
    y, ctx.scratch = launch.cross_entropy(x, target, weight, ignored, reduction, ctx.needs[0])
    return y


@_cross_entropy.derivative
def cross_entropy_derivative(ctx: Any, gy: Tensor) -> Tensor:
    target, weight, ignored, reduction = ctx.extra
    if not state.enabled:
        return times(ctx.scratch, _each(gy, reduction))
    x = ctx.saved[0]
    slope = launch.nll_loss(x, target, weight, ignored, reduction, True)[1]
    assert slope is not None
    return (slope - softmax(x, 1) * slope.sum(1, keepdim=True)) * _each(gy, reduction)


@op(name="CrossEntropy", scalar=True)
def _smooth_cross_entropy(ctx: Any, x: Tensor, attributes: Any) -> Tensor:
    """With a last attribute: how much of each target is spread evenly over all classes (times their weights)."""
    target, weight, ignored, reduction, smoothing = attributes
    n = x.shape[1]
    spread = launched.fill(empty((n,), x.dtype), smoothing / max(n, 1))
    if weight is not None:
        spread = launched.mul(spread, weight)
    ctx.save(x, target, weight)
    ctx.extra = attributes, spread
    y, ctx.scratch = launch.smooth_cross_entropy(
        x, target, weight, ignored, reduction, ctx.needs[0], spread, 1.0 - smoothing
    )  # fmt: skip
    return y


@_smooth_cross_entropy.derivative
def smooth_cross_entropy_derivative(ctx: Any, gy: Tensor) -> Tensor:
    (_, _, ignored, reduction, smoothing), spread = ctx.extra
    if not state.enabled:
        return times(ctx.scratch, _each(gy, reduction))
    x, target, weight = ctx.saved
    # What each class of each row counts, negative: constants, of which the derivative of log_softmax is made.
    own, used = [launch.nll_loss(x, target, w, ignored, "sum", True)[1] for w in (weight, None)]
    assert own is not None
    assert used is not None
    slope = own * (1.0 - smoothing) + used.sum(1, keepdim=True) * spread
    if reduction == "mean":
        whole = -own.sum()
        none = whole == 0  # then there is no mean, and no gradient
        slope = slope * ~none / (whole + none)
    return (slope - softmax(x, 1) * slope.sum(1, keepdim=True)) * _each(gy, reduction)


@op(name="NllLoss", scalar=True)
def _nll_loss(ctx: Any, x: Tensor, attributes: Any) -> Tensor:
    target, weight, ignored, reduction = attributes
    ctx.save(x, target, weight)
    ctx.extra = reduction
    y, ctx.scratch = launch.nll_loss(x, target, weight, ignored, reduction, ctx.needs[0])
    return y


@_nll_loss.derivative
def nll_loss_derivative(ctx: Any, gy: Tensor) -> Tensor:
    if not state.enabled:
        return times(ctx.scratch, _each(gy, ctx.extra))
    return nll_loss_backward(ctx.saved[0], _each(gy, ctx.extra), slope=ctx.scratch)


@op
def nll_loss_backward(ctx: Any, x: Tensor, gy: Tensor, *, slope: Tensor) -> Tensor:
    ctx.extra = gy.shape, slope
    return launched.mul(slope, gy)


@nll_loss_backward.derivative
def nll_loss_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    """The slope is a constant."""
    shape, slope = ctx.extra
    need_x, need_gy = ctx.needs
    return zeros(ggx) if need_x else None, sum_to(_mul(ggx, slope), shape) if need_gy else None


@op(name="CrossEntropy")
def _soft_cross_entropy(ctx: Any, x: Tensor, target: Tensor, *, reduction: str, total: float) -> Tensor:
    """x and target (rows, n): -sum(target log_softmax(x)); a mean divides by `total`."""
    ctx.save(x, target)
    ctx.extra = reduction, total
    y, ctx.scratch = launch.soft_cross_entropy(x, target, total, reduction, ctx.needs[0])
    return y


@_soft_cross_entropy.derivative
def soft_cross_entropy_derivative(ctx: Any, gy: Tensor) -> Any:
    x, target = ctx.saved
    reduction, total = ctx.extra
    need_x, need_target = ctx.needs
    gy = _each(gy, reduction)
    each = gy * (1 / total if total else 0.0) if reduction == "mean" and (need_target or state.enabled) else gy
    gx = None
    if need_x and state.enabled:
        gx = (softmax(x, 1) * target.sum(1, keepdim=True) - target) * each
    elif need_x:
        gx = times(ctx.scratch, gy)
    return gx, -log_softmax(x, 1) * each if need_target else None


# --- public: any shape --------------------------------------------------------------------------------------------------


def _as_rows(x: Tensor) -> Tensor:
    """(n,), (rows, n) or (rows, n, *others) as (all rows, n)."""
    ndim = len(x.shape)
    if ndim == 2:
        return x
    if ndim == 1:
        return reshape(x, (1, -1))
    return reshape(permute(x, (0, *range(2, ndim), 1)), (-1, x.shape[1])) if x._numel else reshape(x, (0, x.shape[1]))


def _check_indices(x: Tensor, target: Tensor, weight: Tensor | None) -> None:
    """What PyTorch refuses, with its texts."""
    shape, given = x.shape, target.shape
    if not shape:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if len(shape) > 1 and shape[:1] != given[:1]:
        raise ValueError(f"Expected input batch_size ({shape[0]}) to match target batch_size ({given[0] if given else 0}).")
    if len(shape) <= 2 and len(given) > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if len(shape) == 1 and target._numel != 1:
        raise RuntimeError(f"size mismatch (got input: {list(shape)}, target: {list(given)})")
    if len(shape) > 2 and given != shape[:1] + shape[2:]:
        raise RuntimeError(f"Expected target size {[shape[0], *shape[2:]]}, got {list(given)}")
    if target.dtype not in (_dtype.int64, _dtype.uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype.scalar_name}")
    if weight is not None:
        n = shape[0] if len(shape) == 1 else shape[1]
        _check_weight("", weight, n)
        if weight.dtype is not x.dtype:
            raise RuntimeError(f"expected scalar type {x.dtype.scalar_name} but found {weight.dtype.scalar_name}")
        if weight._requires_grad and state.enabled:
            raise RuntimeError(
                "The function 'nll_loss_forward' is not differentiable with respect to argument 'weight'. This input cannot "
                "have requires_grad True."
            )


def _check_weight(function: str, weight: Tensor, n: int) -> None:
    if weight.shape != (n,):
        raise RuntimeError(
            f"{function}weight tensor should be defined either for all {n} classes or no classes but got weight tensor of "
            f"shape: {list(weight.shape)}"
        )


def _of_indices(
    operation: Any, x: Tensor, target: Tensor, weight: Tensor | None, ignored: int, reduction: str, *more: float
) -> Tensor:
    _check_indices(x, target, weight)
    rows = target if len(target.shape) == 1 else reshape(target, (-1,))
    y = operation(_as_rows(x), (to_dtype(rows, _dtype.int64), weight, ignored, reduction, *more))
    return y if reduction != "none" or y.shape == target.shape else reshape(y, target.shape)


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """-weight[target] * input[target] for log-probabilities (n,), (rows, n) or (rows, n, *others), and class indices.

    Rows whose target is `ignore_index` do not count; a mean divides by the sum of the weights of those that do.
    IndexError for a target that is no class.
    """
    meta, given = input._meta, target._meta
    usual = weight is None and meta.dtype.category == 2 and given.dtype is _dtype.int64
    if usual and len(meta.shape) == 2 and given.shape == meta.shape[:1]:
        return _nll_loss(input, (target, None, ignore_index, reduction))
    if input.dtype.category != 2:
        raise NotImplementedError(f"\"nll_loss_out_frame\" not implemented for '{input.dtype.scalar_name}'")
    return _of_indices(_nll_loss, input, target, weight, ignore_index, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """nll_loss of log_softmax(input), in one pass. A target of the input's shape holds a probability for each class.

    `label_smoothing` spreads so much of each target evenly over all classes.
    """
    if target.__class__ is not Tensor and not isinstance(target, Tensor):
        raise TypeError(f"cross_entropy_loss(): argument 'target' (position 2) must be Tensor, not {type(target).__name__}")
    meta, given = input._meta, target._meta
    if label_smoothing == 0.0 and weight is None and meta.dtype.category == 2:
        shape = meta.shape
        if len(shape) == 2 and given.shape == shape[:1] and given.dtype is _dtype.int64:  # the usual case
            return _cross_entropy(input, (target, None, ignore_index, reduction))
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    if given.shape == meta.shape:
        return _of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    if meta.dtype.category != 2:
        raise NotImplementedError(f"\"log_softmax_lastdim_kernel_impl\" not implemented for '{meta.dtype.scalar_name}'")
    if label_smoothing == 0.0:
        return _of_indices(_cross_entropy, input, target, weight, ignore_index, reduction)
    return _of_indices(_smooth_cross_entropy, input, target, weight, ignore_index, reduction, label_smoothing)


def _of_probabilities(
    x: Tensor, target: Tensor, weight: Tensor | None, ignored: int, reduction: str, smoothing: float
) -> Tensor:
    if target.dtype.category != 2:
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got {target.dtype.scalar_name}"
        )
    if ignored >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if not x.shape:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    shape = x.shape
    rows, parts = _as_rows(x), _as_rows(target)
    n = rows.shape[1]
    if smoothing:
        parts = parts * (1 - smoothing) + smoothing / max(n, 1)
    if weight is not None:
        _check_weight("cross_entropy: ", weight, n)
        parts = parts * weight
    kind = _dtype.promote_types(x.dtype, parts.dtype)
    y = _soft_cross_entropy(
        to_dtype(rows, kind), to_dtype(parts, kind), reduction=reduction, total=float(rows.shape[0] if n else 0)
    )
    return reshape(y, shape[:1] + shape[2:] if len(shape) > 1 else ()) if reduction == "none" else y
