"""Layers that are linear or do nothing: `Linear`, `Identity`, `Flatten`."""

from __future__ import annotations

import math
from typing import Any

from fastgrad._tensor import Tensor
from fastgrad.nn import init
from fastgrad.nn.module import Module
from fastgrad.nn.parameter import Parameter
from fastgrad.ops.create import empty
from fastgrad.ops.linear import linear

__all__ = ["Flatten", "Identity", "Linear"]


class Linear(Module):
    """`x @ weight.T + bias`: (*, in_features) -> (*, out_features).

    Weight (out_features, in_features) and bias (out_features,) start uniform in +-1/sqrt(in_features).

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.Linear(20, 30)(torch.ones(128, 20)).shape
    torch.Size([128, 30])
    """

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        # kaiming_uniform with a = sqrt(5) is uniform in +-1/sqrt(in_features); PyTorch's call, for the same
        # last bit.
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


class Identity(Module):
    """Returns its input; takes and ignores any arguments, to stand in for a layer that was removed.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.Identity(54, unused=True)(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Flatten(Module):
    """Joins the dimensions `start_dim` to `end_dim`: (N, 8, 8) -> (N, 64).

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.Flatten()(torch.ones(2, 8, 8)).shape
    torch.Size([2, 64])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
