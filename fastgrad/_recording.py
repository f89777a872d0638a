"""What the layers tell a recorder (`_compile/`) while it watches a step: one place, at the bottom, so that nobody below
imports it. With no recorder at work each of these costs a look at `active`.

Launches are seen by the hook of `_launch/core.py`, new memory by `_tensor.watch`. The rest is told here: launches that NumPy
serves (`host`), values that Python reads, gradients that reach leaves, optimizers that step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

active: Any = None  # the recorder at work, if any; it looks only at what its own thread does
changes = 0  # how often a module's attributes, members, modes or hooks have changed: plans look whether it moved


def changed() -> None:
    """Something that a plan may have been made from is different now."""
    global changes
    changes += 1


def refuse(what: str) -> None:
    """Something is done that a replay could not do again; the sentence is the user's warning."""
    if active is not None:
        active.refuse(what)


def paused() -> AbstractContextManager[None]:
    """What is made inside is not part of a step that is being recorded."""
    return nullcontext() if active is None else active.paused()


def host(function: F) -> F:
    """Mark a launch that NumPy serves: a function of tensors and plain values which computes with arrays. A compiled step
    calls it again between its rows; without the mark it could not tell what was computed, and would not be made."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if active is None:
            return function(*args, **kwargs)
        return active.host(function, args, kwargs)

    return call  # type: ignore[return-value]


def effect(function: F) -> F:
    """Mark a method that only changes Python's side of things (a learning-rate scheduler's step): a compiled step calls it
    again at each replay."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if active is None:
            return function(*args, **kwargs)
        return active.effect(function, args, kwargs)

    return call  # type: ignore[return-value]
