"""The loss functions of `fastgrad.nn.functional`.

`reduction` is "mean", "sum" or "none" everywhere; `size_average` and `reduce` are its deprecated forms.
"""

from __future__ import annotations

import warnings

from fastgrad._tensor import Tensor
from fastgrad.nn._reduction import reduction_name
from fastgrad.ops import class_loss as _class_loss
from fastgrad.ops import loss as _loss

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
]


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2; with `weight` each square counts that much, and the mean is over the weights' sum.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0]))
    tensor(2.5000)
    """
    _warn_of_broadcasting(input, target)
    reduction = reduction_name(reduction, size_average, reduce)
    if weight is None:
        return _loss.mse_loss(input, target, reduction=reduction)
    return _weighted(_loss.mse_loss(input, target, reduction="none"), input, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|; with `weight` each counts that much, and the mean is over the weights' sum.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.l1_loss(torch.tensor([1.0, -2.0]), torch.tensor([0.0, 0.0]))
    tensor(1.5000)
    """
    _warn_of_broadcasting(input, target)
    reduction = reduction_name(reduction, size_average, reduce)
    if weight is None:
        return _loss.l1_loss(input, target, reduction=reduction)
    return _weighted(_loss.l1_loss(input, target, reduction="none"), input, weight, reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d^2 / 2 where d = |input - target| < delta, otherwise delta * (d - delta / 2). Huber (1964).

    With `weight` each counts that much; the mean is over their number.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.huber_loss(torch.tensor([0.5, 3.0]), torch.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    _warn_of_broadcasting(input, target)
    reduction = reduction_name(reduction)
    if weight is None:
        return _loss.huber_loss(input, target, reduction=reduction, delta=delta)
    _check_weight(input, weight)
    each = _loss.huber_loss(input, target, reduction="none", delta=delta) * weight
    return each if reduction == "none" else each.sum() if reduction == "sum" else each.mean()


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d^2 / (2 beta) where d = |input - target| < beta, otherwise d - beta / 2.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.smooth_l1_loss(torch.tensor([0.5, 3.0]), torch.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    _warn_of_broadcasting(input, target)
    return _loss.smooth_l1_loss(
        input, target, beta=beta, reduction=reduction_name(reduction, size_average, reduce)
    )


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Negative log-likelihood of logits `input` (N, C): target is class indices (N,) or probabilities (N, C).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.cross_entropy(torch.zeros(1, 2), torch.tensor([0]))
    tensor(0.6931)
    """
    return _class_loss.cross_entropy(
        input,
        target,
        weight,
        ignore_index=ignore_index,
        reduction=reduction_name(reduction, size_average, reduce),
        label_smoothing=label_smoothing,
    )


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability `input` (N, C) of each class index in `target` (N,).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.nll_loss(torch.tensor([[-0.5, -1.0]]), torch.tensor([1]))
    tensor(1.)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    return _class_loss.nll_loss(input, target, weight, ignore_index=ignore_index, reduction=reduction)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log p + (1 - t) log(1 - p)) of probabilities `input`; logarithms below -100 count as -100.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.binary_cross_entropy(torch.tensor([0.5]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is "
            "deprecated. Please ensure they have the same size."
        )
    return _loss.binary_cross_entropy(input, target, weight, reduction=reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross-entropy of logits, without overflow; `pos_weight` multiplies the positive examples' part.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.binary_cross_entropy_with_logits(torch.zeros(1), torch.ones(1))
    tensor(0.6931)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    return _loss.binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction=reduction)


def _warn_of_broadcasting(input: Tensor, target: Tensor) -> None:
    if target.shape != input.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). "
            "This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=3,
        )


def _check_weight(input: Tensor, weight: Tensor) -> None:
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")


def _weighted(each: Tensor, input: Tensor, weight: Tensor, reduction: str) -> Tensor:
    _check_weight(input, weight)
    each = each * weight
    if reduction == "none":
        return each
    return each.sum() if reduction == "sum" else each.sum() / weight.sum()
