"""The normalisations of `fastgrad.nn.functional`."""

from __future__ import annotations

import math
from typing import Any

from fastgrad._tensor import Tensor
from fastgrad.ops import norm as _norm

__all__ = ["batch_norm", "group_norm", "layer_norm", "rms_norm"]


def _needs_several(size: Any, values: int) -> None:
    if values == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {size}")


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) * weight + bias for each channel of (N, C, *). Ioffe and Szegedy (2015).

    While training the statistics are the batch's, and move the running ones in place; else they are the running ones.
    ValueError for a single value in each channel while training.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.batch_norm(torch.tensor([[1.0], [3.0]]), None, None, training=True).flatten()
    tensor([-1.0000,  1.0000])
    """
    if training and len(input.shape) > 1:
        _needs_several(input.shape, math.prod((input.shape[0], *input.shape[2:])))
    return _norm.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) * weight + bias over the last dimensions. Ba et al. (2016).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.layer_norm(torch.tensor([1.0, 3.0]), (2,))
    tensor([-1.0000,  1.0000])
    """
    return _norm.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Layer norm of each group of channels of (N, C, *). Wu and He (2018).

    ValueError where a group has a single value.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.group_norm(torch.tensor([[1.0, 3.0, 5.0, 7.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    shape = input.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    # PyTorch counts all values of the batch in a group, and shows the groups as rows.
    _needs_several(list(shape), math.prod((shape[0] * shape[1] // num_groups, *shape[2:])))
    return _norm.group_norm(input, num_groups, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x**2) + eps) * weight over the last dimensions. Zhang and Sennrich (2019).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.rms_norm(torch.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    return _norm.rms_norm(input, normalized_shape, weight, eps)
