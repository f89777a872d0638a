"""Hooks of optimizers: functions called before and after a step, and around saving and loading.

Every class that has a `step` of its own gets it wrapped here, once, when the class is made. The wrapper also notes that
a step was made, which the schedulers look at.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from fastgrad.autograd.graph import Handle

__all__ = ["Hooked", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

Hook = Callable[..., Any]
_every_pre_hook: dict[int, Hook] = {}
_every_post_hook: dict[int, Hook] = {}
_NONE: Mapping[int, Hook] = MappingProxyType({})


def register_optimizer_step_pre_hook(hook: Hook) -> Handle:
    """Call `hook(optimizer, args, kwargs)` before every step of every optimizer; it may return new (args, kwargs)."""
    return Handle(_every_pre_hook, hook)


def register_optimizer_step_post_hook(hook: Hook) -> Handle:
    """Call `hook(optimizer, args, kwargs)` after every step of every optimizer."""
    return Handle(_every_post_hook, hook)


class Hooked:
    """The hooks of an optimizer; the attributes' names are PyTorch's."""

    _optimizer_step_pre_hooks = _optimizer_step_post_hooks = _NONE
    _optimizer_state_dict_pre_hooks = _optimizer_state_dict_post_hooks = _NONE
    _optimizer_load_state_dict_pre_hooks = _optimizer_load_state_dict_post_hooks = _NONE
    _opt_called = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _between_hooks(cls.__dict__["step"])  # type: ignore[attr-defined]

    def register_step_pre_hook(self, hook: Hook) -> Handle:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return new (args, kwargs).

        >>> import fastgrad as torch
        >>> optimizer = torch.optim.SGD([torch.ones(1)])
        >>> handle = optimizer.register_step_pre_hook(lambda *_: print("about to step"))
        >>> optimizer.step()
        about to step
        >>> handle.remove()
        """
        return self._register("_optimizer_step_pre_hooks", hook)

    def register_step_post_hook(self, hook: Hook) -> Handle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return self._register("_optimizer_step_post_hooks", hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> Handle:
        """Call `hook(optimizer)` before `state_dict()` looks at anything."""
        return self._register("_optimizer_state_dict_pre_hooks", hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> Handle:
        """Call `hook(optimizer, state_dict)` on what `state_dict()` made; it may return another."""
        return self._register("_optimizer_state_dict_post_hooks", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> Handle:
        """Call `hook(optimizer, state_dict)` with a shallow copy of what is to be loaded; it may return another."""
        return self._register("_optimizer_load_state_dict_pre_hooks", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> Handle:
        """Call `hook(optimizer)` when `load_state_dict()` is done."""
        return self._register("_optimizer_load_state_dict_post_hooks", hook, prepend)

    def _register(self, name: str, hook: Hook, prepend: bool = False) -> Handle:
        hooks: dict[int, Hook] = self.__dict__.setdefault(name, {})
        others = dict(hooks) if prepend else {}
        handle = Handle(hooks, hook)
        for key in others:  # behind the new one
            hooks[key] = hooks.pop(key)
        return handle

    def _replaced(self, hooks: Mapping[int, Hook], state_dict: Any) -> Any:
        """A state dictionary after hooks that may each return another."""
        for hook in list(hooks.values()):
            made = hook(self, state_dict)
            if made is not None:
                state_dict = made
        return state_dict


def _between_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` as a method that calls the hooks around it."""
    if getattr(step, "hooked", False):  # the step of another class
        return step

    @functools.wraps(step)
    def stepped(self: Hooked, *args: Any, **kwargs: Any) -> Any:
        before, after = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
        if before or after or _every_pre_hook or _every_post_hook:
            for hook in [*_every_pre_hook.values(), *before.values()]:
                given = hook(self, (self, *args), kwargs)
                if given is not None:
                    if not (isinstance(given, tuple) and len(given) == 2):
                        raise RuntimeError(
                            f"{step} must return None or a tuple of (new_args, new_kwargs), but got {given}."
                        )
                    (_, *args), kwargs = given
            made = step(self, *args, **kwargs)
            for hook in [*after.values(), *_every_post_hook.values()]:
                hook(self, (self, *args), kwargs)
        else:
            made = step(self, *args, **kwargs)
        self._opt_called = True
        return made

    stepped.hooked = True  # type: ignore[attr-defined]
    return stepped
