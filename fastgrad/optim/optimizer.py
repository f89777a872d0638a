"""`Optimizer`: parameter groups, state, and what is saved of them."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastgrad import _recording
from fastgrad._differentiable import GRAD_NOT_KEPT
from fastgrad._suggest import NamingKeywords
from fastgrad._tensor import Tensor
from fastgrad._typename import typename
from fastgrad.optim._group import Group
from fastgrad.optim._hooks import Hooked, register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from fastgrad.optim._state import State

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer(Hooked, NamingKeywords):
    """Base of the optimizers. A subclass gives its options' `defaults` and implements `step`.

    `params` is an iterable of tensors, of (name, tensor) pairs, or of dictionaries: each of these is a group
    with its own options. `state[p]` holds what the optimizer remembers of a parameter.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {typename(params)}"
            )
        self.defaults = defaults
        self.state: Any = State()
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(dict(group))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of all parameters. A `closure` first computes the gradients; its loss is returned."""
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients, or with `set_to_none=False` fill them with zeros.

        >>> import fastgrad as torch
        >>> w = torch.ones(2, requires_grad=True)
        >>> w.sum().backward()
        >>> torch.optim.SGD([w], lr=0.1).zero_grad()
        >>> w.grad is None
        True
        """
        if _recording.active is not None:
            _recording.active.saw_leaves([p for group in self.param_groups for p in group["params"]], not set_to_none)
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter._grad
                if gradient is None:
                    if parameter._output == GRAD_NOT_KEPT:
                        parameter._output = 0  # a leaf again, of which nobody asks where its gradient went
                    continue
                if set_to_none:
                    parameter._grad = None
                    continue
                if gradient.requires_grad:
                    parameter._grad = gradient = gradient.detach()
                gradient.zero_()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, `{"params": tensors, option: value, ...}`; options that are not given are the
        defaults.

        Raises TypeError for what is no tensor, ValueError for non-leaves and for parameters that another
        group has.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        param_group["params"] = parameters = self._listed(param_group)
        for parameter in parameters:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {typename(parameter)}")
            if not self.defaults.get("differentiable") and not (parameter.is_leaf or parameter.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        if len(set(parameters)) != len(parameters):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; see "
                "github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        named = "param_names" in param_group
        if any(("param_names" in group) != named for group in self.param_groups):
            raise ValueError(
                "all optimizer param groups should be with/without names. "
                f"cannot add param group {'with names' if named else 'without names'} to the optimizer"
            )
        known = {p for group in self.param_groups for p in group["params"]}
        if not known.isdisjoint(parameters):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(Group(param_group))

    @staticmethod
    def _listed(param_group: dict[str, Any]) -> list[Any]:
        """The group's parameters as a list; names of (name, parameter) pairs go to `param_names`."""
        given = param_group["params"]
        if isinstance(given, Tensor):
            return [given]
        if isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but "
                "the ordering of tensors in sets will change between runs. Please use a list instead."
            )
        parameters = list(given)
        pairs = [p for p in parameters if isinstance(p, tuple)]
        if not pairs:
            return parameters
        if len(pairs) != len(parameters):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        param_group["param_names"] = [name for name, _ in pairs]
        return [parameter for _, parameter in pairs]

    def state_dict(self) -> dict[str, Any]:
        """The groups' options and the state, with a number in place of each parameter; nothing is copied.

        >>> import fastgrad as torch
        >>> w = torch.ones(2, requires_grad=True)
        >>> torch.optim.SGD([w], lr=0.1).state_dict()["param_groups"][0]["params"]
        [0]
        """
        for hook in list(self._optimizer_state_dict_pre_hooks.values()):
            hook(self)
        numbers: dict[int, int] = {}
        for group in self.param_groups:
            for parameter in group["params"]:
                numbers.setdefault(id(parameter), len(numbers))
        groups = [
            {name: value for name, value in group.items() if name != "params"}
            | {"params": [numbers[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        state = {
            numbers[id(key)] if isinstance(key, Tensor) else key: dict(value) if isinstance(value, dict) else value
            for key, value in self.state.items()
        }
        made: dict[str, Any] = self._replaced(
            self._optimizer_state_dict_post_hooks, {"state": state, "param_groups": groups}
        )
        return made

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict()` gave; parameters match by their order.

        Raises ValueError where the groups do not fit. State takes the dtype of its parameter.
        """
        state_dict = self._replaced(self._optimizer_load_state_dict_pre_hooks, dict(state_dict))
        groups = copy.deepcopy(state_dict["param_groups"])
        if len(groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(new["params"]) != len(old["params"]) for new, old in zip(groups, self.param_groups)):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
        parameters: dict[Any, Tensor] = {}
        for new, old in zip(groups, self.param_groups):
            parameters.update(zip(new["params"], old["params"]))
            new["params"] = old["params"]
            if "param_names" in old and "param_names" not in new:
                new["param_names"] = old["param_names"]
        state = State()
        for key, value in state_dict["state"].items():
            parameter = parameters.get(key)
            state[key if parameter is None else parameter] = _fitted(value, parameter)
        self.__setstate__({"state": State.of(state), "param_groups": groups})
        for hook in list(self._optimizer_load_state_dict_post_hooks.values()):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.param_groups = [Group(group) for group in self.param_groups]
        for group in self.param_groups:  # options that an older version did not have
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _fitted(value: Any, parameter: Tensor | None, name: Any = None) -> Any:
    """A loaded state value with the dtype of its parameter; a step count stays what it is."""
    if isinstance(value, dict):
        return {key: _fitted(inner, parameter, key) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_fitted(inner, parameter, name) for inner in value)
    if isinstance(value, Tensor) and parameter is not None and name != "step" and parameter.is_floating_point():
        return value.to(parameter.dtype)
    return value
