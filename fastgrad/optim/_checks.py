"""Checks of options that several optimizers share."""

from __future__ import annotations

from typing import Any

__all__ = ["at_least_zero", "below_one", "not_differentiable"]


def at_least_zero(name: str, value: Any) -> None:
    """ValueError for a negative number and for NaN."""
    if not value >= 0.0:
        raise ValueError(f"Invalid {name}: {value}")


def below_one(name: str, value: Any) -> None:
    """ValueError for what lies outside [0, 1)."""
    if not 0.0 <= value < 1.0:
        raise ValueError(f"Invalid {name}: {value}")


def not_differentiable(differentiable: bool) -> None:
    """The update is a kernel that the tape does not see, so a gradient cannot flow through a step."""
    if differentiable:
        raise NotImplementedError("differentiable=True: the tape does not record optimizer steps")
