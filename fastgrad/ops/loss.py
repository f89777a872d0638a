"""Losses. Those of two tensors element by element stand here, those over classes in `class_loss.py`.

A sum or mean makes its gradient in the same pass; with `create_graph` the derivative is written in operations instead.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from struct import Struct
from typing import Any

from .. import _dtype, _recording
from .._launch import loss as launch
from .._launch.places import check_probable
from .._tensor import Tensor
from ..autograd.modes import state
from .activation import sigmoid
from .byproduct import times
from .choose import clamp
from .class_loss import cross_entropy, nll_loss
from .convert import to_dtype
from .elementwise import _neg
from .op import op
from .piecewise import hardtanh
from .pointwise import abs as absolute
from .pointwise import log, sign
from .reduce import sum_to
from .smooth import log_sigmoid

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss", "l1_loss", "mse_loss",
    "nll_loss", "smooth_l1_loss",
]  # fmt: skip

Slope = Callable[[Tensor, Tensor, float], Tensor]


class _Loss:
    """A loss of pairs, by its slopes along x and along t (None: the negative of the other).

    `name` is the node's; where PyTorch composes the loss of operations (`composed`), a reduction's name is its last one."""

    def __init__(
        self, name: str, launched: launch.Pair, along_x: Slope, along_t: Slope | None = None, composed: bool = False
    ) -> None:
        self.name, self.launched, self.along_x, self.along_t = name, launched, along_x, along_t
        self.composed = {"mean": "Mean", "sum": "Sum"} if composed else {}
        self.operation = functools.lru_cache(maxsize=100)(self._operation)

    def _operation(self, reduction: str, p: float = 0.0) -> Any:
        """The operation f(x, t) for one reduction and one value of the parameter."""
        launched, mean, along_t = self.launched, reduction == "mean", self.along_t

        @op(name=self.composed.get(reduction, self.name))
        def loss(ctx: Any, x: Tensor, t: Tensor) -> Tensor:
            ctx.save(x, t)
            if reduction == "none":
                return launched.each(x, t, p)
            need_x, need_t = ctx.needs[:2]
            y, ctx.scratch = launched.total(x, t, mean, need_x or need_t, p)
            return y

        @loss.derivative
        def loss_derivative(ctx: Any, gy: Tensor) -> Any:
            x, t = ctx.saved
            need_x, need_t = ctx.needs
            if state.enabled or (need_t and along_t is not None):
                each = gy / max(ctx.scratch._numel, 1) if mean else gy
            if state.enabled:
                gx = self.along_x(x, t, p) * each
            else:
                gx = launched.backward(x, t, gy, p) if reduction == "none" else times(ctx.scratch, gy)
            gt = None
            if need_t:
                gt = sum_to(_neg(gx) if along_t is None else along_t(x, t, p) * each, t.shape)
            return sum_to(gx, x.shape) if need_x else None, gt

        return loss


_mse = _Loss("MseLoss", launch.mse, lambda x, t, p: (x - t) * 2)
_l1 = _Loss("L1Loss", launch.l1, lambda x, t, p: sign(x - t))
_smooth_l1 = _Loss("SmoothL1Loss", launch.smooth_l1, lambda x, t, beta: hardtanh((x - t) / beta))
_huber = _Loss("HuberLoss", launch.huber, lambda x, t, delta: hardtanh(x - t, -delta, delta))
_bce = _Loss(
    "BinaryCrossEntropy",
    launch.bce,
    lambda x, t, p: (x - t) / clamp((1 - x) * x, min=1e-12),
    lambda x, t, p: log(1 - x) - log(x),
)
_bce_logits = _Loss("BinaryCrossEntropyWithLogits", launch.bce_logits, lambda x, t, p: sigmoid(x) - t, lambda x, t, p: -x)


def _floats(name: str, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """Both operands in their common dtype; NotImplementedError, with PyTorch's text, where that is no float type."""
    kind = x.dtype
    if kind is not t.dtype:
        kind = _dtype.result(kind, not x.shape, t.dtype, not t.shape)
        x, t = to_dtype(x, kind), to_dtype(t, kind)
    if kind.category != 2:
        raise NotImplementedError(f"\"{name}\" not implemented for '{kind.scalar_name}'")
    return x, t


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """(input - target)**2, with broadcasting."""
    return _mse.operation(reduction)(*_floats("mse_cpu", input, target))


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """|input - target|, with broadcasting; integers are allowed, but have no mean."""
    if _dtype.promote_types(input.dtype, target.dtype).category != 2:
        return _reduced(absolute(input - target), reduction)
    return _l1.operation(reduction)(*_floats("abs_cpu", input, target))


def smooth_l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """d**2 / (2 beta) where d = |input - target| < beta, else d - beta / 2. RuntimeError for a negative beta."""
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return _smooth_l1.operation(reduction, float(beta))(*_floats("smooth_l1_cpu", input, target))


def huber_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """d**2 / 2 where d = |input - target| < delta, else delta (d - delta / 2). RuntimeError unless delta > 0."""
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    return _huber.operation(reduction, float(delta))(*_floats("huber_cpu", input, target))


def _reduced(each: Tensor, reduction: str) -> Tensor:
    return each if reduction == "none" else each.sum() if reduction == "sum" else each.mean()


# --- binary cross-entropy -----------------------------------------------------------------------------------------------

_READ = {_dtype.float32: Struct("f").unpack_from, _dtype.float64: Struct("d").unpack_from}


def _check_probabilities(loss: Tensor, input: Tensor, target: Tensor) -> None:
    """RuntimeError where input or target is no probability: the loss is NaN then."""
    if not loss._meta.shape and _recording.active is None:
        (value,) = _READ[loss._meta.dtype](loss._storage)  # type: ignore[arg-type]
        if value == value:
            return
    check_probable(loss, input, target)


def _check_constant(function: str, argument: str, weight: Tensor | None) -> None:
    if weight is not None and weight._requires_grad and state.enabled:
        raise RuntimeError(
            f"The function '{function}' is not differentiable with respect to argument '{argument}'. This input cannot "
            "have requires_grad True."
        )


def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean") -> Tensor:
    """-(target log input + (1 - target) log(1 - input)), logarithms not below -100, times `weight`, which is broadcast.

    Both tensors have one shape and one dtype. RuntimeError where something is no probability.
    """
    kind = input.dtype
    if kind.category != 2:
        raise NotImplementedError(f"\"binary_cross_entropy\" not implemented for '{kind.scalar_name}'")
    if target.dtype is not kind:
        raise RuntimeError(f"Found dtype {target.dtype.scalar_name} but expected {kind.scalar_name}")
    _check_constant("binary_cross_entropy", "weight", weight)
    y = _bce.operation(reduction if weight is None else "none")(input, target)
    _check_probabilities(y, input, target)
    return y if weight is None else _reduced(y * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross-entropy of sigmoid(input), finite for every finite input; both tensors have one shape.

    `pos_weight` multiplies the part of positive targets, `weight` all of an element; both are broadcast.
    """
    if target.dtype.category != 2 and input.dtype.category == 2:
        raise RuntimeError(
            f"result type {input.dtype.scalar_name} can't be cast to the desired output type {target.dtype.scalar_name}"
        )
    x, t = _floats("log_sigmoid_cpu", input, target)
    _check_constant("binary_cross_entropy_with_logits", "weight", weight)
    _check_constant("binary_cross_entropy_with_logits", "pos_weight", pos_weight)
    if weight is None and pos_weight is None:
        return _bce_logits.operation(reduction)(x, t)
    if pos_weight is None:
        y = _bce_logits.operation("none")(x, t)
    else:
        y = (1 - t) * x - ((pos_weight - 1) * t + 1) * log_sigmoid(x)
    return _reduced(y if weight is None else y * weight, reduction)
