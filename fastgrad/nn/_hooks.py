"""Hooks of modules: functions called before and after `forward`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from fastgrad.autograd.graph import Handle

if TYPE_CHECKING:
    from fastgrad.nn.module import Module

__all__ = ["Hook", "add_hook", "call_with_hooks"]


class Hook(NamedTuple):
    """A registered function and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


def add_hook(hooks: dict[int, Any], hook: Hook, prepend: bool) -> Handle:
    """Append `hook`, or put it before those that are there."""
    others = dict(hooks) if prepend else {}
    for key in others:
        del hooks[key]
    handle = Handle(hooks, hook)  # type: ignore[arg-type]
    hooks.update(others)
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward` between its hooks, each of which may replace what it is given."""
    called: set[int] = set()
    result = None
    try:
        args, kwargs = _before(module, args, kwargs)
        result = module.forward(*args, **kwargs)
        for key, hook in list(module._forward_hooks.items()):
            called.add(key)
            result = _after(hook, module, args, kwargs, result)
        return result
    except Exception:
        _call_the_persistent(module, args, kwargs, result, called)
        raise


def _before(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    for hook in list(module._forward_pre_hooks.values()):
        if hook.with_kwargs:
            replaced = hook.function(module, args, kwargs)
            if replaced is not None:
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple "
                        f"of (new_args, new_kwargs), but got {replaced}."
                    )
                args, kwargs = replaced
        else:
            replaced = hook.function(module, args)
            if replaced is not None:
                args = replaced if isinstance(replaced, tuple) else (replaced,)
    return args, kwargs


def _after(hook: Hook, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    if hook.with_kwargs:
        replaced = hook.function(module, args, kwargs, result)
    else:
        replaced = hook.function(module, args, result)
    return result if replaced is None else replaced


def _call_the_persistent(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, called: set[int]
) -> None:
    """After an error: the hooks with `always_call=True` that did not have their turn."""
    for key, hook in list(module._forward_hooks.items()):
        if hook.always_call and key not in called:
            try:
                result = _after(hook, module, args, kwargs, result)
            except Exception as error:
                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception "
                    f"that was silenced as another error was raised in forward: {error}",
                    stacklevel=3,
                )
