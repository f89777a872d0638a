"""Backward hooks of modules.

A module's inputs and outputs each pass through one node that changes nothing, so that the gradients of all of them come by
in one place: at the outputs' node they are noted, at the inputs' node the hooks are called with both.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastgrad._tensor import Tensor
from fastgrad.autograd.function import Function
from fastgrad.autograd.modes import state

if TYPE_CHECKING:
    from fastgrad.nn.module import Module

__all__ = ["BackwardHook", "hook_last_node"]

Hook = Callable[..., Any]


class BackwardHookFunction(Function):
    """Returns its inputs."""

    @staticmethod
    def forward(ctx: Any, *args: Tensor) -> Any:
        ctx.mark_non_differentiable(*[x for x in args if not x.requires_grad])
        return args

    @staticmethod
    def backward(ctx: Any, *args: Any) -> Any:
        return args


class BackwardHook:
    """The hooks of one call of a module."""

    def __init__(self, module: Module, hooks: list[Hook], pre_hooks: list[Hook]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.inputs: list[int] | None = None  # which of the arguments are tensors; None where no gradient is wanted
        self.number_inputs = 0

    def _watch(
        self, values: tuple[Any, ...], hook: Callable[[Any, Any], Any]
    ) -> tuple[tuple[Any, ...], list[int] | None]:
        """The values, those that are tensors passed through a node with this hook; and which they are."""
        places = [k for k, value in enumerate(values) if isinstance(value, Tensor)]
        if not (state.enabled and any(values[k].requires_grad for k in places)):
            return values, None
        passed = dict(zip(places, BackwardHookFunction.apply(*[values[k] for k in places]), strict=True))
        node = next(x.grad_fn for x in passed.values() if x.grad_fn is not None)
        node.register_hook(hook)
        made = [passed.get(k, value) for k, value in enumerate(values)]
        return tuple(made) if type(values) is tuple else type(values)(*made), places

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments for `forward`."""
        self.number_inputs = len(args)
        args, self.inputs = self._watch(args, self._at_inputs)
        return args

    def watch_outputs(self, result: Any) -> Any:
        """What `forward` returned, with the gradients watched."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                f"but received {type(result)}",
                stacklevel=4,
            )
        outputs = result if isinstance(result, tuple) else (result,)
        places: list[int] | None = None

        def at_outputs(_: Any, gradients: Any) -> Any:
            assert places is not None
            found = _spread(places, gradients, len(outputs))
            for hook in self.pre_hooks:
                found = _replaced(
                    found, hook(self.module, found), "Backward pre hook returned an invalid number of grad_output"
                )
            self.grad_outputs = found
            if self.inputs is None:
                self._without_inputs()
            return tuple([found[k] for k in places])

        made, places = self._watch(outputs, at_outputs)
        return made if isinstance(result, tuple) else made[0]

    def _at_inputs(self, gradients: Any, _: Any) -> Any:
        if self.grad_outputs is None or self.inputs is None:
            return None  # a gradient that came here by another way than through the outputs
        found = _spread(self.inputs, gradients, self.number_inputs)
        for hook in self.hooks:
            found = _replaced(
                found,
                hook(self.module, found, self.grad_outputs),
                "Backward hook returned an invalid number of grad_input",
            )
        self.grad_outputs = None
        return tuple([found[k] for k in self.inputs])

    def _without_inputs(self) -> None:
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
            "require gradients. See "
            "https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook "
            "for more details.",
            stacklevel=5,
        )
        for hook in self.hooks:
            made = hook(self.module, (None,) * self.number_inputs, self.grad_outputs)
            if made is not None and not (isinstance(made, tuple) and all(x is None for x in made)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )
        self.grad_outputs = None


def _spread(places: list[int], values: Any, size: int) -> tuple[Any, ...]:
    """The values at their places, None elsewhere."""
    by_place = dict(zip(places, values, strict=True))
    return tuple([by_place.get(k) for k in range(size)])


def _replaced(old: tuple[Any, ...], new: Any, text: str) -> tuple[Any, ...]:
    if new is None:
        return old
    new = new if isinstance(new, tuple) else (new,)
    if len(new) != len(old):
        raise RuntimeError(f"{text}, got {len(new)}, but expected {len(old)}")
    return new


def hook_last_node(module: Module, hooks: list[Hook], args: tuple[Any, ...], result: Any) -> None:
    """Hooks of the old kind: they see the gradients of the last node alone."""
    first = result
    while not isinstance(first, Tensor):
        if isinstance(first, dict):
            first = next(x for x in first.values() if isinstance(x, Tensor))
        else:
            first = first[0]
    node = first.grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(lambda gx, gy, hook=hook: hook(module, gx, gy))
    before = {x.grad_fn for x in args if isinstance(x, Tensor) and x.grad_fn is not None}
    if before != {pair[0] for pair in node.next_functions}:
        warnings.warn(
            "Using a non-full backward hook when the forward contains multiple autograd Nodes is deprecated and will be "
            "removed in future versions. This hook will be missing some grad_input. Please use "
            "register_full_backward_hook to get the documented behavior.",
            FutureWarning,
            stacklevel=4,
        )
