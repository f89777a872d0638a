"""The place of `torch.nn.modules`: what `nn` has, and in `module` the hooks of all modules."""

from __future__ import annotations

from typing import Any

from fastgrad.nn.modules import module

__all__ = ["module"]


def __getattr__(name: str) -> Any:
    from fastgrad import nn

    return getattr(nn, name)
