"""The state of an optimizer as dictionaries that tell when somebody changes them.

The update table holds addresses of state tensors, and users may put other tensors in their place
(`optimizer.state[p]["exp_avg"] = ...`). A look at every entry in every step would cost more than the step, so
every change counts up one process-wide number, and the table is checked again when it has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["ParameterState", "State", "changes"]

_changes = 0


def changes() -> int:
    """How often any optimizer's state has been changed so far."""
    return _changes


def _counting(name: str) -> Callable[..., Any]:
    change = getattr(dict, name)

    def counted(self: dict[Any, Any], *args: Any, **kwargs: Any) -> Any:
        global _changes
        _changes += 1
        return change(self, *args, **kwargs)

    counted.__name__, counted.__doc__ = name, change.__doc__
    return counted


class ParameterState(dict[str, Any]):
    """The state of one parameter by name: `exp_avg`, `momentum_buffer`, ..."""


class State(dict[Any, ParameterState]):
    """The state of every parameter; empty for one that has none yet."""

    @classmethod
    def of(cls, state: Mapping[Any, Any]) -> State:
        """The same entries, in dictionaries that count their changes."""
        made = cls()
        for parameter, values in state.items():
            plain = isinstance(values, dict) and not isinstance(values, ParameterState)
            made[parameter] = ParameterState(values) if plain else values
        return made

    def __missing__(self, parameter: Any) -> ParameterState:
        self[parameter] = made = ParameterState()
        return made


for _class in (ParameterState, State):
    for _name in ("__setitem__", "__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update"):
        setattr(_class, _name, _counting(_name))
