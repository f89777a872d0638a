"""The functions behind the layers, with PyTorch's names and arguments: usually imported as `F`."""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

from fastgrad._suggest import suggest
from fastgrad._tensor import Tensor
from fastgrad.nn._losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from fastgrad.ops import activation as _activation
from fastgrad.ops import dropout as _dropout
from fastgrad.ops import smooth as _smooth
from fastgrad.ops import softmax as _softmax
from fastgrad.ops.activation import sigmoid, tanh
from fastgrad.ops.linear import linear

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


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability `p`, multiply the others by 1 / (1 - p); nothing without `training`.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.dropout(torch.ones(3), training=False)
    tensor([1., 1., 1.])
    """
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return _into(input, _dropout.dropout(input, p, training), inplace)


# -- activations ---------------------------------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x), elementwise; the gradient at 0 is 0.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return _activation.relu_(input) if inplace else _activation.relu(input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution's cumulative function; `approximate="tanh"` takes the tanh formula.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.gelu(torch.tensor([1.0]))
    tensor([0.8413])
    """
    return _smooth.gelu(input, approximate=approximate)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x), elementwise.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.silu(torch.tensor([1.0]))
    tensor([0.7311])
    """
    return _into(input, _smooth.silu(input), inplace)


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
    return _into(input, _smooth.elu(input, alpha=alpha), inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.softplus(torch.zeros(1))
    tensor([0.6931])
    """
    return _smooth.softplus(input, beta=beta, threshold=threshold)


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) over its sum along `dim`; `dtype` converts first.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.softmax(torch.zeros(1, 2), dim=1)
    tensor([[0.5000, 0.5000]])
    """
    dim = _softmax_dim("softmax", input, dim, _stacklevel)
    return _softmax.softmax(input, dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of softmax, computed without overflow.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.log_softmax(torch.zeros(1, 2), dim=1)
    tensor([[-0.6931, -0.6931]])
    """
    dim = _softmax_dim("log_softmax", input, dim, _stacklevel)
    return _softmax.log_softmax(input, dim, dtype)


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
