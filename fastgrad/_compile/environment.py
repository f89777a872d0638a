"""What a step reaches beside its arguments: closures, globals, modules, optimizers; and whether it is still the same.

A plan is made for one environment. Tensors found here are known to the recorder by name; numbers and other immutable values
are guards, since they may have decided what was recorded.
"""

from __future__ import annotations

import collections
import functools
import sys
import types
from collections.abc import Iterator
from operator import is_
from typing import Any

import numpy as np

from .. import _recording
from .._tensor import Tensor
from ..nn.module import Module
from ..optim._hooks import _every_post_hook, _every_pre_hook
from ..optim.optimizer import Optimizer

_PLAIN = (int, float, complex, str, bytes, bool, type(None))
_DEPTH = 4  # how deep containers and objects are looked into
_MANY = 1000  # entries of a container


_CHANGING = (np.ndarray, bytearray, memoryview, collections.deque)
_ABSENT: Any = object()
_MEMBERS = frozenset(Module().__dict__)


def _is_foreign(module: Any) -> bool:
    """Whether code is not the user's: ours, Python's, NumPy's."""
    name = str(module or "").partition(".")[0]
    if name == __name__.partition(".")[0]:
        return True
    return name in ("", "numpy", "builtins") or (name in sys.stdlib_module_names and name != "__main__")


class Environment:
    """The environment of a function (and of objects among its arguments) at one moment."""

    def __init__(self, function: Any, objects: tuple[Any, ...] = ()) -> None:
        self.tensors: list[Tensor] = []
        self.modules: list[Module] = []
        self.optimizers: list[Optimizer] = []
        self.cells: list[tuple[Any, Any]] = []  # (cell, what it held)
        self.names: list[tuple[dict[str, Any], str, Any]] = []  # (globals or attributes, name, what stood there)
        self.containers: list[tuple[Any, list[Any]]] = []  # (list or dict, its members)
        self._objects = objects  # alive, so that their ids in a plan's key stay theirs
        self.slots: list[tuple[Any, str, Any]] = []  # (object, name, what getattr gave)
        self._seen: set[int] = set()
        self._classes: set[int] = set()
        self._asked_for: set[str] = set()  # names that the code may ask for with getattr and hasattr
        self._attributes: set[str] = set()  # every attribute name that the code mentions
        self.refused: list[str] = []  # what the step reaches, and nobody can look into
        known = -1
        while known != len(self._attributes):  # what is found names more: methods, functions of modules
            known = len(self._attributes)
            found: Any
            for found in (self.tensors, self.modules, self.optimizers, self.cells, self.names, self.slots, self.containers):
                found.clear()
            for found in (self.refused, self._seen, self._classes):
                found.clear()
            if isinstance(function, types.FunctionType):
                self._look_at_function(function, 0)
            else:
                self._look(function, 0)
            for value in objects:
                self._look(value, 0)
        self.changes = _recording.changes
        self.state = self._state()

    # -- looking around ------------------------------------------------------------------------------------------------

    def _look(self, value: Any, depth: int) -> None:
        if isinstance(value, _PLAIN) or id(value) in self._seen or depth > _DEPTH:
            return
        self._seen.add(id(value))
        if isinstance(value, Tensor):
            self.tensors.append(value)
        elif isinstance(value, Module):
            self._look_at_module(value, depth)
        elif isinstance(value, Optimizer):
            self.optimizers.append(value)
            for group in value.param_groups:
                for parameter in group["params"]:
                    self._look(parameter, depth)
            self._look_at_class(type(value), depth)
            for hook in (*value._optimizer_step_pre_hooks.values(), *value._optimizer_step_post_hooks.values()):
                self._look(hook, depth)
        elif isinstance(value, _CHANGING):
            self.refused.append(f"the step reaches a {type(value).__name__}, whose contents may change unnoticed")
        elif isinstance(value, functools.partial):
            self._look(value.func, depth)
            self._look([*value.args, *value.keywords.values()], depth)
        elif isinstance(value, (staticmethod, classmethod)):
            self._look(value.__func__, depth)
        elif isinstance(value, property):
            self._look(value.fget, depth)
        elif isinstance(value, functools.cached_property):
            self._look(value.func, depth)
        elif isinstance(value, types.ModuleType):
            if not _is_foreign(value.__name__):
                self._guard(value.__dict__, depth)
        elif isinstance(value, types.BuiltinMethodType):
            if not isinstance(value.__self__, types.ModuleType):
                self._look(value.__self__, depth)
        elif isinstance(value, types.MethodType):
            self._look(value.__self__, depth)
            self._look(value.__func__, depth)
        elif isinstance(value, types.FunctionType):
            if not _is_foreign(value.__module__):
                self._look_at_function(value, depth)
        elif isinstance(value, (list, tuple, set, dict)):
            if len(value) <= _MANY:
                members = list(value.values()) if isinstance(value, dict) else list(value)
                if not isinstance(value, tuple):
                    self.containers.append((value, members))
                for member in members:
                    self._look(member, depth + 1)
        elif hasattr(value, "__wrapped__"):  # a decorated function, a compiled step
            self._look(value.__wrapped__, depth)
        elif isinstance(value, type):
            self._look_at_class(value, depth)
        elif type(value).__module__ != "builtins":
            self._look_at_object(value, depth)

    def _look_at_module(self, module: Module, depth: int) -> None:
        for inner in module.modules():
            self._seen.add(id(inner))
            self.modules.append(inner)
            for name, value in list(inner.__dict__.items()):
                unnamed = name not in self._attributes and isinstance(value, _CHANGING)
                if isinstance(value, Module) or name in _MEMBERS or unnamed:
                    continue
                self._look(value, depth + 1)
            for hooks in (inner.__dict__.get(name) for name in _MEMBERS if name.endswith("_hooks")):
                for hook in list(hooks.values()) if isinstance(hooks, dict) else ():
                    self._look(hook, depth)
            forward = inner.__dict__.get("forward", type(inner).forward)
            if isinstance(forward, types.FunctionType) and not _is_foreign(forward.__module__):
                self._look(forward, depth)
            self._look_at_class(type(inner), depth)

    def _guard(self, names: Any, depth: int) -> None:
        """Values by name, of an object, a class or a module: those that the code mentions."""
        for name in self._attributes & names.keys():
            self.names.append((names, name, names[name]))
            self._look(names[name], depth + 1)

    def _look_at_class(self, kind: type, depth: int) -> None:
        for base in kind.__mro__:
            if _is_foreign(base.__module__) or id(base) in self._classes:
                continue
            self._classes.add(id(base))
            self._guard(base.__dict__, depth)
            for name, value in list(base.__dict__.items()):  # what syntax calls: `with`, `[]`, a call of the object
                if name.startswith("__") and isinstance(value, types.FunctionType):
                    self._look(value, depth)

    def _look_at_object(self, value: Any, depth: int) -> None:
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict):
            self._guard(attributes, depth)
            self.names += [(attributes, name, _ABSENT) for name in self._asked_for if name not in attributes]
        if _is_foreign(type(value).__module__):
            return
        self._look_at_class(type(value), depth)
        for base in type(value).__mro__:
            if _is_foreign(base.__module__):
                continue
            for name in self._attributes & base.__dict__.keys():
                if isinstance(base.__dict__[name], types.MemberDescriptorType):
                    now = getattr(value, name, _ABSENT)
                    self.slots.append((value, name, now))
                    self._look(now, depth + 1)
                elif isinstance(attributes, dict) and name not in attributes:
                    self.names.append((attributes, name, _ABSENT))

    def _look_at_function(self, function: types.FunctionType, depth: int) -> None:
        codes = list(_codes(function.__code__))
        for code in codes:
            self._attributes.update(code.co_names)
            if "getattr" in code.co_names or "hasattr" in code.co_names:
                self._asked_for.update(text for text in code.co_consts if isinstance(text, str) and text.isidentifier())
                self._attributes.update(self._asked_for)
        for cell in function.__closure__ or ():
            try:
                self.cells.append((cell, cell.cell_contents))
            except ValueError:  # not assigned yet
                continue
            self._look(cell.cell_contents, depth)
        for code in codes:
            for name in code.co_names:
                if name in function.__globals__:
                    value = function.__globals__[name]
                    if not isinstance(value, types.ModuleType):
                        self.names.append((function.__globals__, name, value))
                    self._look(value, depth)
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._look(value, depth)

    # -- is it still the same? -----------------------------------------------------------------------------------------

    def holds(self) -> bool:
        """Whether nothing that was found has been replaced; a microsecond."""
        for cell, value in self.cells:
            if cell.cell_contents is not value and not _equal(cell.cell_contents, value):
                return False
        for names, name, value in self.names:
            now = names.get(name, _ABSENT)
            if now is not value and not _equal(now, value):
                return False
        for owner, name, value in self.slots:
            now = getattr(owner, name, _ABSENT)
            if now is not value and not _equal(now, value):
                return False
        for container, members in self.containers:
            now = container.values() if container.__class__ is dict else container
            if len(members) != len(now):
                return False
            if not all(map(is_, now, members)) and not all(a is b or _equal(a, b) for a, b in zip(now, members)):
                return False
        if _recording.changes != self.changes:
            if self._state() != self.state:
                return False
            self.changes = _recording.changes
        return True

    def switches(self) -> list[tuple[Any, str, bool]]:
        """(object, name, value) of what is switched to and fro: the mode of modules, and which tensors want gradients."""
        parameters = [p for module in self.modules for p in module._parameters.values() if p is not None]
        wants = [(tensor, "_requires_grad", tensor._requires_grad) for tensor in (*self.tensors, *parameters)]
        return [*((module, "training", module.training) for module in self.modules), *wants]

    def _state(self) -> list[Any]:
        """What decides how modules compute: modes, members, hooks, options."""
        found: list[Any] = []
        for tensor in self.tensors:
            if tensor._hooks is not None:
                found.append([*map(id, tensor._hooks.before.values()), *map(id, tensor._hooks.after.values())])
        for optimizer in self.optimizers:
            for hooks in (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks):
                found.append([*map(id, hooks.values())])
        found.append([*map(id, (*_every_pre_hook.values(), *_every_post_hook.values()))])
        for module in self.modules:
            for name, value in module.__dict__.items():
                if isinstance(value, dict):
                    found.append((name, [*map(id, value), *map(id, value.values())]))
                else:
                    found.append((name, value if isinstance(value, _PLAIN) else id(value)))
        return found


def are_as(switches: list[tuple[Any, str, bool]]) -> bool:
    """Whether all of these are still what they were."""
    return all(getattr(owner, name) == value for owner, name, value in switches)


def same_switches(a: list[tuple[Any, str, bool]], b: list[tuple[Any, str, bool]]) -> bool:
    """Whether two recordings began with the same."""
    return len(a) == len(b) and all(x[0] is y[0] and x[1:] == y[1:] for x, y in zip(a, b, strict=True))


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and isinstance(a, _PLAIN) and (a == b or (a != a and b != b)) and repr(a) == repr(b)  # -0.0


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


__all__ = ["Environment", "are_as", "same_switches"]
