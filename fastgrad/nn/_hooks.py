"""Hooks of modules: functions called before and after `forward`, and when gradients pass."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from fastgrad._recording import changed
from fastgrad.autograd.graph import Handle
from fastgrad.nn._backward_hooks import BackwardHook, hook_last_node

if TYPE_CHECKING:
    from fastgrad.nn.module import Module

__all__ = ["HOOKS", "Hook", "Hooks", "call_with_hooks"]

# Where a module keeps its hooks, by the order in which they were registered.
HOOKS = (
    "_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks", "_state_dict_pre_hooks",
    "_state_dict_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
)  # fmt: skip


class Hook(NamedTuple):
    """A registered function and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


class Hooks:
    """Registering a module's hooks. Each method returns a handle whose `remove()` takes the hook away."""

    _hooked = False  # whether a call has to look for hooks
    _full_backward: bool | None = None  # which kind of backward hook is registered
    _forward_pre_hooks: dict[int, Hook]
    _forward_hooks: dict[int, Hook]
    _backward_pre_hooks: dict[int, Callable[..., Any]]
    _backward_hooks: dict[int, Callable[..., Any]]

    def _add_hook(self, registry: str, hook: Any, prepend: bool) -> Handle:
        self.__dict__["_hooked"] = True
        changed()
        return _add(getattr(self, registry), hook, prepend)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """Call `hook(module, args)` before `forward`; what it returns, if anything, replaces the arguments.

        With `with_kwargs` it is `hook(module, args, kwargs)` and returns `(args, kwargs)` or None.
        """
        return self._add_hook("_forward_pre_hooks", Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> Handle:
        """Call `hook(module, args, output)` after `forward`; what it returns replaces the output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`; with `always_call` also when `forward`
        raises.
        """
        return self._add_hook("_forward_hooks", Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call `hook(module, grad_output)` when the gradients of all outputs are there; what it returns
        replaces them."""
        return self._add_hook("_backward_pre_hooks", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the positional inputs are there.

        Both are tuples, with None for what is no tensor; what the hook returns replaces `grad_input`.
        """
        self._take_backward_kind(True)
        return self._add_hook("_backward_hooks", hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> Handle:
        """The old form: `hook(module, grad_input, grad_output)` of the last operation in `forward` alone."""
        self._take_backward_kind(False)
        return self._add_hook("_backward_hooks", hook, False)

    def _take_backward_kind(self, full: bool) -> None:
        if self._full_backward is not None and self._full_backward != full:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a "
                "single Module. Please use only one of them."
            )
        self.__dict__["_full_backward"] = full


def _add(hooks: dict[int, Any], hook: Any, prepend: bool = False) -> Handle:
    """Append `hook`, or put it before those that are there."""
    others = dict(hooks) if prepend else {}
    for key in others:
        del hooks[key]
    handle = Handle(hooks, hook)
    hooks.update(others)
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward` between its hooks, each of which may replace what it is given."""
    called: set[int] = set()
    result = None
    try:
        args, kwargs = _before(module, args, kwargs)
        backward = None
        full = list(module._backward_hooks.values()) if module._full_backward else []
        if full or module._backward_pre_hooks:
            backward = BackwardHook(module, full, list(module._backward_pre_hooks.values()))
            args = backward.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for key, hook in list(module._forward_hooks.items()):
            called.add(key)
            result = _after(hook, module, args, kwargs, result)
        if backward is not None:
            result = backward.watch_outputs(result)
        elif module._backward_hooks:
            hook_last_node(module, list(module._backward_hooks.values()), args, result)
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
