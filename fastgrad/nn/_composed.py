"""Functions of `fastgrad.nn.functional` that are few lines on other operations."""

from __future__ import annotations

from typing import Any

from fastgrad._tensor import Tensor
from fastgrad.ops.choose import clamp_min
from fastgrad.ops.composed import pad
from fastgrad.ops.create import empty, zeros_like
from fastgrad.ops.drawn import exponential_
from fastgrad.ops.out import with_out
from fastgrad.ops.pointwise import log
from fastgrad.ops.softmax import softmax
from fastgrad.ops.spread import norm
from fastgrad.ops.stretch import expand_as

__all__ = ["gumbel_softmax", "normalize", "pad"]


@with_out
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """`input` over its p-norm along `dim`, or over `eps` where that is smaller.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return input / expand_as(clamp_min(norm(input, p, dim, keepdim=True), eps), input)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A draw from the categorical distribution of `logits`, softened by the temperature `tau`; with `hard`, one-hot numbers
    that have the soft ones' gradient. Jang et al. (2017).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.gumbel_softmax(torch.zeros(2, 3), hard=True).sum(1)
    tensor([1., 1.])
    """
    noise = -log(exponential_(empty(logits.shape, dtype=logits.dtype)))
    soft = softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    chosen: Any = zeros_like(logits.detach()).scatter_(dim, soft.argmax(dim, keepdim=True), 1.0)
    return chosen - soft.detach() + soft
