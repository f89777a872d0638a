"""The losses of `fastgrad.nn.functional` that are likelihoods, or have a margin; `_losses.py` has the others."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from fastgrad._tensor import Tensor
from fastgrad.nn._reduction import reduction_name
from fastgrad.ops import likelihood as _likelihood
from fastgrad.ops import loss as _loss
from fastgrad.ops import margin as _margin
from fastgrad.ops.create import ones_like
from fastgrad.ops.distance import cosine_similarity, pairwise_distance
from fastgrad.ops.shape import unsqueeze

__all__ = [
    "cosine_embedding_loss", "cosine_similarity", "gaussian_nll_loss", "hinge_embedding_loss", "kl_div",
    "margin_ranking_loss", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
    "pairwise_distance", "poisson_nll_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target * (log(target) - input), for log-probabilities `input`; `log_target`: the target is one too.

    `reduction="batchmean"` divides the sum by the first size, which is the divergence; "mean" warns.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.kl_div(torch.tensor([[-0.5, -1.0]]), torch.tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.5000)
    """
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    batch = size_average is None and reduce is None and reduction == "batchmean"
    reduction = "sum" if batch else reduction_name(reduction, size_average, reduce)
    made = _likelihood.kl_div(input, target, reduction=reduction, log_target=log_target)
    return made / input.shape[0] if batch and input.shape else made


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(input) - target * input, or input - target * log(input + eps) where the input is no logarithm.

    `full` adds Stirling's formula for the logarithm of target!.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.poisson_nll_loss(torch.zeros(1), torch.ones(1))
    tensor(1.)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    return _likelihood.poisson_nll_loss(input, target, log_input, full, eps, reduction=reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log(var) + (input - target)^2 / var) / 2, with variances `var` held above eps; `full` adds log(2 pi) / 2.

    ValueError for a negative variance, or where `var` does not fit the input.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.gaussian_nll_loss(torch.ones(1), torch.zeros(1), torch.ones(1))
    tensor(0.5000)
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * ones_like(input)
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    shape, given = input.shape, var.shape
    if given != shape:
        if shape[:-1] == given:
            var = unsqueeze(var, -1)
        elif len(shape) != len(given) or sum(b for a, b in zip(shape, given, strict=True) if a != b) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    return _likelihood.gaussian_nll_loss(input, target, var, full, eps, reduction=reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """input where the target is 1, max(0, margin - input) where it is -1.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.hinge_embedding_loss(torch.tensor([0.5, 0.25]), torch.tensor([1.0, -1.0]))
    tensor(0.6250)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    return _margin.hinge_embedding_loss(input, target, margin, reduction=reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-target * input)), with targets 1 and -1.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.soft_margin_loss(torch.zeros(1), torch.ones(1))
    tensor(0.6931)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    return _margin.soft_margin_loss(input, target, reduction=reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin - target * (input1 - input2)): which of two should be larger is 1 (the first) or -1.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.margin_ranking_loss(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([1.0]))
    tensor(2.)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    if not len(input1.shape) == len(input2.shape) == len(target.shape):
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return _margin.margin_ranking_loss(input1, input2, target, margin, reduction=reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cosine where the target is 1, max(0, cosine - margin) where it is -1: (N, D), (N, D) and (N,).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.cosine_embedding_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]), torch.tensor([1]))
    tensor(1.)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    return _margin.cosine_embedding_loss(input1, input2, target, margin, reduction=reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross-entropy of logits, averaged over the classes, which are the last dimension.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.multilabel_soft_margin_loss(torch.zeros(1, 2), torch.ones(1, 2))
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_name(reduction, size_average, reduce)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    classes = input.shape[-1] if input.shape else input.size(-1)
    if weight is None and reduction != "none" and input.shape == target.shape:
        total = _loss.binary_cross_entropy_with_logits(input, target, reduction=reduction)
        return total if reduction == "mean" else total / classes
    each = _loss.binary_cross_entropy_with_logits(input, target, weight, reduction="none").sum(-1) / classes
    return each if reduction == "none" else each.sum() if reduction == "sum" else each.mean()


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Sum of max(0, 1 - input[t] + input[j]) / C over a row's classes t, those before its first -1, and the others j.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.multilabel_margin_loss(torch.tensor([[0.0, 0.5]]), torch.tensor([[0, -1]]))
    tensor(0.7500)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    return _margin.multilabel_margin_loss(input, target, reduction=reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Sum of weight[t] * max(0, margin - input[t] + input[j])^p / C over the classes j other than the target's t.

    ValueError unless p is 1 or 2.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.multi_margin_loss(torch.tensor([[0.0, 0.5]]), torch.tensor([0]))
    tensor(0.7500)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and len(weight.shape) != 1:
        raise ValueError("weight must be one-dimensional")
    return _margin.multi_margin_loss(input, target, p, margin, weight, reduction=reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + |anchor - positive| - |anchor - negative|), with p-norms. ValueError unless margin > 0.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.triplet_margin_loss(torch.zeros(1, 2), torch.zeros(1, 2), torch.ones(1, 2), margin=2.0)
    tensor(0.5858)
    """
    reduction = reduction_name(reduction, size_average, reduce)
    _check_margin(margin)
    distance = _margin.triplet_distance(p, eps)
    return _margin.triplet_margin_loss(
        anchor, positive, negative, margin, distance, swap, reduction=reduction
    )


def _check_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with any distance, by default the Euclidean one.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.triplet_margin_with_distance_loss(torch.zeros(1, 2), torch.zeros(1, 2), torch.ones(1, 2), margin=2.0)
    tensor(0.5858)
    """
    reduction = reduction_name(reduction)
    _check_margin(margin)
    distance = distance_function or pairwise_distance
    return _margin.triplet_margin_loss(
        anchor, positive, negative, margin, distance, swap, reduction=reduction
    )
