"""What programs ask about graphics processors before they use one: there is none, so they run on the processor.

>>> import fastgrad as torch
>>> torch.device("cuda" if torch.cuda.is_available() else "cpu")
device(type='cpu')
"""

from __future__ import annotations

from typing import Any

__all__ = ["current_device", "device_count", "empty_cache", "is_available", "manual_seed", "manual_seed_all", "synchronize"]


def is_available() -> bool:
    """False: tensors live in the processor's memory."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_device() -> int:
    """RuntimeError: there is no such device."""
    raise RuntimeError("fastgrad runs on the CPU: ask `cuda.is_available()` first")


def synchronize(device: Any = None) -> None:
    """RuntimeError: there is no such device."""
    current_device()


def manual_seed(seed: int) -> None:
    """Nothing: as in PyTorch where no device is there, so that programs need not ask."""


manual_seed_all = manual_seed


def empty_cache() -> None:
    """Nothing."""
