"""The name of a thing's type, as error texts give it."""

from __future__ import annotations

from typing import Any

__all__ = ["typename"]


def typename(thing: Any) -> str:
    """`torch.FloatTensor` for a tensor; the qualified name of a class or function, or of the class of
    anything else.

    >>> typename([1, 2])
    'list'
    """
    if hasattr(thing, "grad_fn"):  # a tensor, known by this so that every layer may use this file
        return str(thing.type())
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    module = named.__module__ or ""
    return named.__qualname__ if module in ("", "builtins") else f"{module}.{named.__qualname__}"
