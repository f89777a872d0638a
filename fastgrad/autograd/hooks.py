"""Hooks: the user's functions on the way of a gradient, what they may return, and how they are taken away again.

At a node the order is PyTorch's: hooks on the tensors that it made (each may replace the tensor's gradient), tensors that
retain their gradient, hooks before the node, the derivative, hooks behind it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from .. import _recording
from .arithmetic import Arithmetic
from .modes import state


class Handle:
    """What registering a hook returns: `remove()` takes the hook away; also a context manager."""

    _ids = itertools.count()

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any], other: Handle | None = None) -> None:
        self.hooks, self.id, self.other = hooks, next(Handle._ids), other
        hooks[self.id] = hook
        _recording.changed()

    def remove(self) -> None:
        """Take the hook away; a second time changes nothing."""
        self.hooks.pop(self.id, None)
        _recording.changed()
        if self.other is not None:
            self.other.remove()

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def on_tensor(hooks: dict[int, Callable[..., Any]], gradient: Any) -> Any:
    """Call a tensor's hooks in turn; one that returns a tensor replaces the gradient."""
    call = on_gradient if _recording.active is None else _recording.active.hooks.on_tensor
    for hook in list(hooks.values()):
        gradient = call(hook, gradient)
    return gradient


def on_gradient(hook: Callable[..., Any], gradient: Any) -> Any:
    """Call a hook with a gradient; what is the gradient afterwards."""
    made = hook(gradient)
    if made is None:
        return gradient
    _check(hook, gradient, made)
    return made


def behind_grad(hook: Callable[..., Any], leaf: Any) -> None:
    """Call a hook of a leaf whose `.grad` has been added to."""
    made = hook(leaf)
    if made is not None:
        raise TypeError(f"expected Variable, but hook returned '{type(made).__name__}'")


def on_outputs(node: Any, gy: Any) -> Any:
    """The gradients of a node's outputs after the hooks of those tensors, which retain them where they were asked to."""
    values = _listed(node, gy)
    if state.anomaly and "trace" in node.hooks:
        node.hooks["trace"].enter(node)
    for index, registered in node.hooks.get("tensor", {}).items():
        if values[index] is not None:
            values[index] = on_tensor(registered, values[index])
    for index, reference in node.hooks.get("retain", {}).items():
        tensor, gradient = reference(), values[index]
        if tensor is not None and gradient is not None:
            have = tensor._grad
            tensor._grad = Arithmetic.copy(gradient) if have is None else Arithmetic.add(have, gradient)
    return values if node.outputs is not None else values[0]


def before_node(node: Any, gy: Any) -> Any:
    """The gradients of a node's outputs after the hooks that were registered before it."""
    values = _listed(node, gy)
    for hook in list(node.hooks.get("pre", {}).values()):
        values = _replaced(hook, values, hook(tuple(values)))
    return values if node.outputs is not None else values[0]


def after_node(node: Any, results: Any, gy: Any) -> Any:
    """The gradients of a node's inputs after the hooks behind it, which see those of its outputs too."""
    values = list(results) if results.__class__ is tuple else [results]
    values += [None] * (len(node.next) - len(values))
    for hook in list(node.hooks.get("post", {}).values()):
        values = _replaced(hook, values, hook(tuple(values), tuple(_listed(node, gy))))
    if state.anomaly and "trace" in node.hooks:
        node.hooks["trace"].check(node, values)
    return tuple(values)


def _listed(node: Any, gy: Any) -> list[Any]:
    return list(gy) if node.outputs is not None else [gy]


def _replaced(hook: Any, values: list[Any], made: Any) -> list[Any]:
    if made is None:
        return values
    if not isinstance(made, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(made).__name__}'")
    if len(made) != len(values):
        raise RuntimeError(
            f"hook '{_name(hook)}' has returned an incorrect number of values (got {len(made)}, but expected {len(values)})"
        )
    for before, now in zip(values, made, strict=True):
        if now is not None:
            _check(hook, before, now)
    return list(made)


def _check(hook: Any, before: Any, now: Any) -> None:
    """What a hook returns must fit in the place of what it was given."""
    if now is before:
        return
    if not hasattr(now, "_requires_grad"):
        raise TypeError(f"expected Variable, but hook returned '{type(now).__name__}'")
    if before is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if now.dtype is not before.dtype:
        raise RuntimeError(f"hook '{_name(hook)}' has changed the type of value (was {before.type()} got {now.type()})")
    if now.shape != before.shape:
        raise RuntimeError(f"hook '{_name(hook)}' has changed the size of value")


def _name(hook: Any) -> str:
    return getattr(hook, "__name__", "<unknown>")
