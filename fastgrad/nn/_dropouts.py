"""The dropouts of `fastgrad.nn.functional`, each by Bernoulli draws in PyTorch's order."""

from __future__ import annotations

from collections.abc import Callable

from fastgrad._tensor import Tensor
from fastgrad.ops import dropout as _dropout
from fastgrad.ops import noise as _noise
from fastgrad.ops.bend import write_over

__all__ = ["alpha_dropout", "dropout", "dropout1d", "feature_alpha_dropout"]


def _applied(
    function: Callable[[Tensor, float, bool], Tensor], input: Tensor, p: float, training: bool, inplace: bool
) -> Tensor:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not inplace:
        return function(input, p, training)
    return write_over(input, lambda x: function(x, p, training)) if training and p else input


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability `p`, multiply the others by 1 / (1 - p); nothing without `training`.

    Srivastava et al. (2014).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.dropout(torch.ones(3), training=False)
    tensor([1., 1., 1.])
    """
    return _applied(_dropout.dropout, input, p, training, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout for selu networks: keeps mean 0 and variance 1. Klambauer et al. (2017).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.alpha_dropout(torch.ones(3))
    tensor([1., 1., 1.])
    """
    return _applied(_noise.alpha_dropout, input, p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels of (N, C, ...); RuntimeError for fewer than 2 dimensions.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.feature_alpha_dropout(torch.ones(1, 3))
    tensor([[1., 1., 1.]])
    """
    return _applied(_noise.feature_alpha_dropout, input, p, training, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, L) or (C, L); RuntimeError for another number of dimensions.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.dropout1d(torch.ones(1, 3), training=False)
    tensor([[1., 1., 1.]])
    """
    ndim = len(input.shape)
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension "
            "(i.e. 2D or 3D inputs)."
        )
    if ndim == 3:
        return _applied(_noise.feature_dropout, input, p, training, inplace)
    return _applied(lambda x, p, train: _noise.feature_dropout(x[None], p, train)[0], input, p, training, inplace)
