"""What a step reaches beside its arguments: closures, globals, modules, optimizers; and whether it is still the same.

A plan is made for one environment. Tensors found here are known to the recorder by name; numbers and other immutable values
are guards, since they may have decided what was recorded.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from operator import is_
from typing import Any

from .. import _recording
from .._tensor import Tensor
from ..nn.module import Module
from ..optim.optimizer import Optimizer

_PLAIN = (int, float, complex, str, bytes, bool, type(None))
_DEPTH = 4  # how deep containers and objects are looked into
_MANY = 1000  # entries of a container


def _is_ours(function: Any) -> bool:
    return (getattr(function, "__module__", None) or "").partition(".")[0] == __name__.partition(".")[0]


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
        self._seen: set[int] = set()
        self._attributes: set[str] = set()  # every attribute name that the code mentions
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
        elif isinstance(value, types.MethodType):
            self._look(value.__self__, depth)
            self._look(value.__func__, depth)
        elif isinstance(value, types.FunctionType):
            if not _is_ours(value):
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
        elif hasattr(value, "__dict__") and not isinstance(value, (type, types.ModuleType)):
            self._look_at_object(value, depth)

    def _look_at_module(self, module: Module, depth: int) -> None:
        for inner in module.modules():
            self._seen.add(id(inner))
            self.modules.append(inner)
            for name, value in list(inner.__dict__.items()):
                if not isinstance(value, Module) and not name.startswith("_"):
                    self._look(value, depth + 1)
            forward = type(inner).forward
            if isinstance(forward, types.FunctionType) and not _is_ours(forward):
                self._look(forward, depth)

    def _look_at_object(self, value: Any, depth: int) -> None:
        for name in self._attributes & value.__dict__.keys():
            self.names.append((value.__dict__, name, value.__dict__[name]))
            self._look(value.__dict__[name], depth + 1)

    def _look_at_function(self, function: types.FunctionType, depth: int) -> None:
        codes = list(_codes(function.__code__))
        for code in codes:
            self._attributes.update(code.co_names)
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
            now = names.get(name)
            if now is not value and not _equal(now, value):
                return False
        for container, members in self.containers:
            now = container.values() if container.__class__ is dict else container
            if len(members) != len(now) or not all(map(is_, now, members)):
                return False
        if _recording.changes != self.changes:
            if self._state() != self.state:
                return False
            self.changes = _recording.changes
        return True

    def _state(self) -> list[Any]:
        """What decides how modules compute: modes, members, hooks, options."""
        found: list[Any] = []
        for tensor in self.tensors:
            if tensor._hooks is not None:
                found.append([*map(id, tensor._hooks.before.values()), *map(id, tensor._hooks.after.values())])
        for module in self.modules:
            for name, value in module.__dict__.items():
                if isinstance(value, dict):
                    found.append((name, [*map(id, value), *map(id, value.values())]))
                else:
                    found.append((name, value if isinstance(value, _PLAIN) else id(value)))
        return found


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and isinstance(a, _PLAIN) and (a == b or (a != a and b != b))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


__all__ = ["Environment"]
