"""Layers that add randomness while training: the dropouts, and Gaussian noise."""

from __future__ import annotations

from fastgrad._tensor import Tensor
from fastgrad.nn import functional as F
from fastgrad.nn.module import Module
from fastgrad.ops.random import randn_like

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "FeatureAlphaDropout", "GaussianNoise"]


class _Dropout(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """While training, each element is zero with probability `p` and 1 / (1 - p) times itself otherwise.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.Dropout(0.5).eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """While training, each channel of (N, C, L) or (C, L) is zero with probability `p`.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.Dropout1d().eval()(torch.ones(1, 2))
    tensor([[1., 1.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1, for selu networks.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.AlphaDropout().eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels of (N, C, ...).

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.FeatureAlphaDropout().eval()(torch.ones(1, 2))
    tensor([[1., 1.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)


class GaussianNoise(Module):
    """While training, adds normal numbers of mean 0 and deviation `std`, as `x + std * torch.randn_like(x)`.

    Bishop (1995): for small noise this is Tikhonov regularisation. ValueError for a negative deviation.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.GaussianNoise(0.1).eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, std: float = 0.1) -> None:
        super().__init__()
        if std < 0:
            raise ValueError(f"standard deviation has to be at least 0, but got {std}")
        self.std = std

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.std == 0:
            return input
        return input + self.std * randn_like(input)

    def extra_repr(self) -> str:
        return f"std={self.std}"
