"""Categories by their weights. Random numbers come in as a tensor, drawn by a kernel; NumPy does the rest."""

from __future__ import annotations

import numpy as np

from .._recording import host
from .._tensor import Tensor
from .arrays import new


@host
def with_replacement(weights: Tensor, uniform: Tensor) -> Tensor:
    """(rows, categories) weights and (rows, n) float64 in [0, 1) -> (rows, n) int64: where the running share of the weights
    reaches each number. The shares are summed in the weights' own dtype, as PyTorch sums them.
    """
    shares = np.cumsum(weights._array(), axis=-1, dtype=weights.dtype.numpy)
    shares /= shares[:, -1:]
    shares[:, -1] = 1
    drawn = [np.searchsorted(share.astype(np.float64), row) for share, row in zip(shares, uniform._array())]
    return new(np.array(drawn, np.int64).reshape(uniform.shape))


@host
def without_replacement(weights: Tensor, uniform: Tensor, n: int) -> Tensor:
    """(rows, categories) weights and as many float64 in [0, 1) -> (rows, n) int64: the largest weight / exponential number,
    which draws one after the other in proportion (Efraimidis and Spirakis, 2006).
    """
    exponential = -np.log1p(-uniform._array())
    with np.errstate(divide="ignore", invalid="ignore"):
        keys = weights._array() / exponential.astype(weights.dtype.numpy)
    return new(np.argsort(-keys, axis=-1, kind="stable")[:, :n])
