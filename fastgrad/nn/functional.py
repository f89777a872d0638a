"""The functions behind the layers, with PyTorch's names and arguments: usually imported as `F`."""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

from fastgrad._suggest import suggest
from fastgrad._tensor import Tensor
from fastgrad.nn._reduction import reduction_name
from fastgrad.ops import activation as _activation
from fastgrad.ops import linear as _linear
from fastgrad.ops import loss as _loss
from fastgrad.ops import random as _random

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dropout",
    "elu",
    "gelu",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)


# -- layers --------------------------------------------------------------------------------------------------


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`input @ weight.T + bias`: (*, in) with weight (out, in) and bias (out,) -> (*, out).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.linear(torch.ones(1, 2), torch.tensor([[1.0, 2.0]]), torch.tensor([0.5]))
    tensor([[3.5000]])
    """
    return _linear.linear(input, weight, bias)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element is zero with probability `p`, and 1 / (1 - p) times itself otherwise; `training=False`
    returns it.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.dropout(torch.ones(3), training=False)
    tensor([1., 1., 1.])
    """
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return _into(input, _random.dropout(input, p, training), inplace)


# -- activations ---------------------------------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x), elementwise; the gradient at 0 is 0.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return _activation.relu_(input) if inplace else _activation.relu(input)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), elementwise.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.sigmoid(torch.zeros(1))
    tensor([0.5000])
    """
    return _activation.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, elementwise.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.tanh(torch.zeros(1))
    tensor([0.])
    """
    return _activation.tanh(input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution's cumulative function; `approximate="tanh"` takes the tanh formula.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.gelu(torch.tensor([1.0]))
    tensor([0.8413])
    """
    return _activation.gelu(input, approximate=approximate)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x), elementwise.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.silu(torch.tensor([1.0]))
    tensor([0.7311])
    """
    return _into(input, _activation.silu(input), inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, otherwise negative_slope * x.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.leaky_relu(torch.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return _into(input, _activation.leaky_relu(input, negative_slope=negative_slope), inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, otherwise alpha * (exp(x) - 1).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _into(input, _activation.elu(input, alpha=alpha), inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.softplus(torch.zeros(1))
    tensor([0.6931])
    """
    return _activation.softplus(input, beta=beta, threshold=threshold)


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) over its sum along `dim`; `dtype` converts first.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.softmax(torch.zeros(1, 2), dim=1)
    tensor([[0.5000, 0.5000]])
    """
    dim = _softmax_dim("softmax", input, dim, _stacklevel)
    return _activation.softmax(input if dtype is None else input.to(dtype), dim)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of softmax, computed without overflow.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.log_softmax(torch.zeros(1, 2), dim=1)
    tensor([[-0.6931, -0.6931]])
    """
    dim = _softmax_dim("log_softmax", input, dim, _stacklevel)
    return _activation.log_softmax(input if dtype is None else input.to(dtype), dim)


def _softmax_dim(name: str, input: Tensor, dim: int | None, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input.dim() in (0, 1, 3) else 1


def _into(input: Tensor, result: Tensor, inplace: bool) -> Tensor:
    """`result`, or `input` holding it."""
    return input.copy_(result) if inplace else result


# -- losses: `reduction` is "mean", "sum" or "none"; `size_average` and `reduce` are its deprecated forms ----


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
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    squares = _loss.mse_loss(input, target, reduction="none") * weight
    if reduction == "none":
        return squares
    return squares.sum() if reduction == "sum" else squares.sum() / weight.sum()


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """|input - target|.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.l1_loss(torch.tensor([1.0, -2.0]), torch.tensor([0.0, 0.0]))
    tensor(1.5000)
    """
    _warn_of_broadcasting(input, target)
    return _loss.l1_loss(input, target, reduction=reduction_name(reduction, size_average, reduce))


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
    return _loss.cross_entropy(
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
    return _loss.nll_loss(input, target, weight, ignore_index=ignore_index, reduction=reduction)


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
    """Binary cross-entropy of logits, computed without overflow; `pos_weight` multiplies the positive
    examples' part.

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
