"""What several distributions share: broadcasting of parameters, probabilities and logits, the inverse of erf."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

from fastgrad import _dtype
from fastgrad._tensor import Tensor
from fastgrad.autograd.function import Function
from fastgrad.autograd.modes import enable_grad
from fastgrad.ops.choose import where
from fastgrad.ops.data import tensor
from fastgrad.ops.stretch import broadcast_tensors

__all__ = ["broadcast_all", "clamp_probs", "erfinv", "lazy_property", "logits_to_probs", "probs_to_logits"]


class lazy_property(cached_property):
    """An attribute that is computed when it is first wanted, with gradients recorded."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        def compute(instance: Any) -> Any:
            with enable_grad():
                return wrapped(instance)

        compute.__doc__ = wrapped.__doc__
        super().__init__(compute)


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of one shape; a number takes the dtype of the first tensor."""
    if not all(isinstance(value, (Tensor, int, float)) for value in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    dtype = next((value.dtype for value in values if isinstance(value, Tensor)), _dtype.get_default_dtype())
    made = [value if isinstance(value, Tensor) else tensor(value, dtype=dtype) for value in values]
    return tuple(broadcast_tensors(*made))


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of log-odds, or of (unnormalized) log-probabilities along the last dimension."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities inside (0, 1), by the dtype's epsilon."""
    eps: float = _dtype.finfo(probs.dtype).eps  # type: ignore[attr-defined]
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log-odds of probabilities, or their logarithms."""
    inside = clamp_probs(probs)
    return inside.log() - (-inside).log1p() if is_binary else inside.log()


class _Erfinv(Function):
    """The x with erf(x) = y: a rational guess, in the middle and in the tails, and two steps of Newton's method.

    The coefficients are those of the classic MATLAB routine, which PyTorch uses too.
    """

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        size = y.abs()
        z = y * y
        above = ((-0.140543331 * z + 0.914624893) * z - 1.645349621) * z + 0.886226899
        below = (((0.012229801 * z - 0.329097515) * z + 1.442710462) * z - 2.118377725) * z + 1
        middle = y * above / below
        z = (-((1 - size.clamp(max=1)) / 2).log()).sqrt()
        above = ((1.641345311 * z + 3.429567803) * z - 1.624906493) * z - 1.970840454
        tail = y.sign() * above / ((1.6370678 * z + 3.5438892) * z + 1)
        x = where(size <= 0.7, middle, tail)
        for _ in range(2):
            x = x - (x.erf() - y) / (2 / math.sqrt(math.pi) * (-x * x).exp())
        x = where(size < 1, x, where(size == 1, y * math.inf, y * math.nan))
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, gx: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gx * (x * x).exp() * (math.sqrt(math.pi) / 2)


def erfinv(y: Tensor) -> Tensor:
    """The inverse of erf on [-1, 1]; NaN outside."""
    found: Tensor = _Erfinv.apply(y)
    return found
