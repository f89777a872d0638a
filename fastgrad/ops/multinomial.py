"""Drawing categories by their weights: same seed, same numbers as PyTorch on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._launch import contiguous
from .._launch import multinomial as launch
from .._tensor import Tensor, empty
from .refill import stream, uniform_

__all__ = ["multinomial"]


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """`num_samples` categories of each row of `input`, (rows, categories) or (categories,), in proportion to its entries.

    Int64 of (rows, num_samples) or (num_samples,); without `replacement` a row has each category at most once. RuntimeError
    for entries that are negative, infinite or NaN, for a row of zeros, and for more samples than there are categories.

    >>> import fastgrad as torch
    >>> torch.multinomial(torch.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    generator = stream(generator, "multinomial")
    if input.dim() not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not input.is_floating_point():
        kind = input.dtype.scalar_name
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {kind}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    categories = input.size(-1)
    if not replacement and num_samples > categories:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    weights = contiguous(input.detach().reshape(-1, categories))
    by_key = not replacement or num_samples == 1
    _check(weights, by_key)
    shape = weights.shape if by_key else (weights.size(0), num_samples)
    uniform = uniform_(empty(shape, _dtype.float64), generator=generator)
    if by_key:
        drawn = launch.without_replacement(weights, uniform, num_samples)
    else:
        drawn = launch.with_replacement(weights, uniform)
    return drawn if input.dim() == 2 else drawn.reshape(num_samples)


def _check(weights: Tensor, by_key: bool) -> None:
    array = weights._array()
    if by_key and not ((array < np.inf) & (array >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (array < 0).any():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
    if not np.isfinite(array).all():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry = infinity or NaN)")
    if (array.sum(-1) <= 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
