"""Checks of options that several optimizers share, with PyTorch's texts."""

from __future__ import annotations

from typing import Any

from fastgrad._tensor import Tensor

__all__ = ["at_least_zero", "below_one", "betas_below_one", "learning_rate", "one_implementation"]


def at_least_zero(name: str, value: Any) -> None:
    """ValueError for a negative number and for NaN."""
    if not value >= 0.0:
        raise ValueError(f"Invalid {name}: {value}")


def below_one(name: str, value: Any) -> None:
    """ValueError for what lies outside [0, 1)."""
    if not 0.0 <= value < 1.0:
        raise ValueError(f"Invalid {name}: {value}")


def betas_below_one(betas: Any) -> None:
    """ValueError where one of two betas lies outside [0, 1)."""
    for index in (0, 1):
        below_one(f"beta parameter at index {index}", betas[index])


def learning_rate(lr: Any) -> None:
    """ValueError for a negative learning rate and for a tensor of several."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    at_least_zero("learning rate", lr)


def one_implementation(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """RuntimeError where PyTorch would have to run two implementations at once."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
