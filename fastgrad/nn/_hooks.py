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

__all__ = [
    "HOOKS", "Hook", "Hooks", "call_with_hooks", "register_module_forward_hook", "register_module_forward_pre_hook",
    "register_module_full_backward_hook", "register_module_full_backward_pre_hook",
]  # fmt: skip

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


# The hooks of all modules, which are called before a module's own.
_everywhere: dict[str, dict[int, Any]] = {name: {} for name in HOOKS[:4]}


def _add_everywhere(registry: str, hook: Any) -> Handle:
    Hooks._hooked = True  # from now on every module looks
    changed()
    return Handle(_everywhere[registry], hook)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, args)` before the `forward` of every module; what it returns, if anything, replaces the arguments.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> handle = nn.modules.module.register_module_forward_pre_hook(lambda module, args: print(type(module).__name__))
    >>> _ = nn.Flatten()(torch.ones(2, 2))
    Flatten
    >>> handle.remove()
    """
    return _add_everywhere("_forward_pre_hooks", Hook(hook))


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> Handle:
    """Call `hook(module, args, output)` after the `forward` of every module; what it returns replaces the output. The
    options are those of `Module.register_forward_hook`."""
    return _add_everywhere("_forward_hooks", Hook(hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, grad_output)` in the backward pass of every module; what it returns replaces the gradients."""
    return _add_everywhere("_backward_pre_hooks", hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> Handle:
    """Call `hook(module, grad_input, grad_output)` in the backward pass of every module; what it returns replaces
    `grad_input`."""
    return _add_everywhere("_backward_hooks", hook)


def _all(module: Module, registry: str) -> list[Any]:
    """The hooks of all modules, and a module's own."""
    return [*_everywhere[registry].values(), *getattr(module, registry).values()]


def _forward_hooks(module: Module) -> list[tuple[tuple[bool, int], Hook]]:
    """Those that are called after `forward`, each under a name."""
    everywhere = [((True, key), hook) for key, hook in _everywhere["_forward_hooks"].items()]
    return everywhere + [((False, key), hook) for key, hook in module._forward_hooks.items()]


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward` between its hooks, each of which may replace what it is given."""
    called: set[tuple[bool, int]] = set()
    result = None
    try:
        args, kwargs = _before(module, args, kwargs)
        backward = None
        full = list(_everywhere["_backward_hooks"].values())
        full += module._backward_hooks.values() if module._full_backward else []
        first = _all(module, "_backward_pre_hooks")
        if full or first:
            backward = BackwardHook(module, full, first)
            args = backward.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for key, hook in _forward_hooks(module):
            called.add(key)
            result = _after(hook, module, args, kwargs, result)
        if backward is not None:
            result = backward.watch_outputs(result)
        if module._backward_hooks and not module._full_backward:
            hook_last_node(module, list(module._backward_hooks.values()), args, result)
        return result
    except Exception:
        _call_the_persistent(module, args, kwargs, result, called)
        raise


def _before(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    for hook in _all(module, "_forward_pre_hooks"):
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
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, called: set[tuple[bool, int]]
) -> None:
    """After an error: the hooks with `always_call=True` that did not have their turn."""
    for key, hook in _forward_hooks(module):
        if hook.always_call and key not in called:
            try:
                result = _after(hook, module, args, kwargs, result)
            except Exception as error:
                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception "
                    f"that was silenced as another error was raised in forward: {error}",
                    stacklevel=3,
                )
