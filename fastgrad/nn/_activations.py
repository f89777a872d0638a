"""The activation functions of `fastgrad.nn.functional`. With `inplace=True` the result is written over the input."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from fastgrad._caller import user_frame
from fastgrad._tensor import Tensor
from fastgrad.ops import activation as _activation
from fastgrad.ops import gated as _gated
from fastgrad.ops import noise as _noise
from fastgrad.ops import piecewise as _piecewise
from fastgrad.ops import smooth as _smooth
from fastgrad.ops import softmax as _softmax
from fastgrad.ops.activation import relu_, sigmoid, tanh
from fastgrad.ops.bend import write_over
from fastgrad.ops.gated import glu, softsign, tanhshrink
from fastgrad.ops.piecewise import hardshrink, prelu, softshrink
from fastgrad.ops.smooth import logsigmoid

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_",
    "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "relu_", "rrelu", "rrelu_",
    "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
    "threshold", "threshold_",
]  # fmt: skip


def _apply(function: Callable[[Tensor], Tensor], input: Tensor, inplace: bool) -> Tensor:
    return write_over(input, function) if inplace else function(input)


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
    return _apply(_smooth.silu, input, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, otherwise negative_slope * x. Maas et al. (2013).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.leaky_relu(torch.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return _apply(lambda x: _activation.leaky_relu(x, negative_slope), input, inplace)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Leaky relu whose slope is drawn from [lower, upper) for each element while training, else their mean.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.rrelu(torch.tensor([-1.0, 2.0]), 0.2, 0.4)
    tensor([-0.3000,  2.0000])
    """
    return _apply(lambda x: _noise.rrelu(x, lower, upper, training), input, inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, otherwise alpha * (exp(x) - 1). Clevert et al. (2015).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _apply(lambda x: _gated.elu(x, alpha), input, inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, otherwise alpha * (exp(x / alpha) - 1). Barron (2017). RuntimeError for alpha 0.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.celu(torch.tensor([-1.0, 2.0]), 2.0)
    tensor([-0.7869,  2.0000])
    """
    return _apply(lambda x: _gated.celu(x, alpha), input, inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 elu(x) with alpha 1.6733, which keeps mean 0 and variance 1. Klambauer et al. (2017).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.selu(torch.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return _apply(_gated.selu, input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x)). Misra (2019).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.mish(torch.tensor([1.0]))
    tensor([0.8651])
    """
    return _apply(_gated.mish, input, inplace)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x held within [min_val, max_val]. ValueError for crossed bounds.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.hardtanh(torch.tensor([-3.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """
    return _apply(lambda x: _piecewise.hardtanh(x, min_val, max_val), input, inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x held within [0, 6].

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.relu6(torch.tensor([-1.0, 9.0]))
    tensor([0., 6.])
    """
    return hardtanh(input, 0, 6, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """x / 6 + 1 / 2, held within [0, 1].

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.hardsigmoid(torch.tensor([-4.0, 0.0]))
    tensor([0.0000, 0.5000])
    """
    return _apply(_piecewise.hardsigmoid, input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x). Howard et al. (2019).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.hardswish(torch.tensor([-4.0, 3.0]))
    tensor([-0., 3.])
    """
    return _apply(_piecewise.hardswish, input, inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, otherwise value.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.threshold(torch.tensor([0.2, 1.0]), 0.5, 9.0)
    tensor([9., 1.])
    """
    return _apply(lambda x: _piecewise.threshold(x, threshold, value), input, inplace)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place."""
    return leaky_relu(input, negative_slope, True)


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """`rrelu` in place."""
    return rrelu(input, lower, upper, training, True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place."""
    return elu(input, alpha, True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` in place."""
    return celu(input, alpha, True)


def selu_(input: Tensor) -> Tensor:
    """`selu` in place."""
    return selu(input, True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place."""
    return hardtanh(input, min_val, max_val, True)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place."""
    return _apply(lambda x: _piecewise.threshold(x, threshold, value), input, True)


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
    dim = _softmax_dim("softmax", input, dim)
    return _softmax.softmax(input, dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of softmax, computed without overflow.

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.log_softmax(torch.zeros(1, 2), dim=1)
    tensor([[-0.6931, -0.6931]])
    """
    dim = _softmax_dim("log_softmax", input, dim)
    return _softmax.log_softmax(input, dim, dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x).

    >>> import fastgrad as torch
    >>> from fastgrad.nn import functional as F
    >>> F.softmin(torch.tensor([0.0, 1.0]), dim=0)
    tensor([0.7311, 0.2689])
    """
    dim = _softmax_dim("softmin", input, dim)
    return _softmax.softmax(-input, dim, dtype)


def _softmax_dim(name: str, input: Tensor, dim: int | None) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument.",
        stacklevel=user_frame()[1],
    )
    return 0 if input.dim() in (0, 1, 3) else 1
