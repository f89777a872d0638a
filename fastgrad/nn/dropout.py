"""`Dropout`: zeroes elements at random while training."""

from __future__ import annotations

from fastgrad._tensor import Tensor
from fastgrad.nn import functional as F
from fastgrad.nn.module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """While training, each element is zero with probability `p` and 1 / (1 - p) times itself otherwise.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.Dropout(0.5).eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
