"""The state of an optimizer as dictionaries that tell when somebody changes them.

The update table holds addresses of state tensors, and users may put other tensors in their place
(`optimizer.state[p]["exp_avg"] = ...`). A look at every entry in every step would cost more than the step, so
every change counts up one number of the optimizer's, and the table is checked again when it has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["ParameterState", "State"]


def _counting(name: str) -> Callable[..., Any]:
    change = getattr(dict, name)

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.counter[0] += 1
        return change(self, *args, **kwargs)

    counted.__name__, counted.__doc__ = name, change.__doc__
    return counted


class ParameterState(dict[str, Any]):
    """The state of one parameter by name: `exp_avg`, `momentum_buffer`, ..."""

    __slots__ = ("counter",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.counter = [0]
        super().__init__(*args, **kwargs)

    def __reduce__(self) -> Any:
        return ParameterState, (dict(self),)


class State(dict[Any, ParameterState]):
    """The state of every parameter; empty for one that has none yet."""

    __slots__ = ("counter",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.counter = [0]  # how often this state, or that of one of its parameters, has been changed
        super().__init__(*args, **kwargs)

    def __reduce__(self) -> Any:
        return State.of, (dict(self),)

    @classmethod
    def of(cls, state: Mapping[Any, Any]) -> State:
        """The same entries, in dictionaries that count their changes."""
        made = cls()
        for parameter, values in state.items():
            plain = isinstance(values, dict) and not isinstance(values, ParameterState)
            made[parameter] = ParameterState(values) if plain else values
        return made

    def __setitem__(self, parameter: Any, values: Any) -> None:
        self.counter[0] += 1
        if isinstance(values, ParameterState):
            values.counter = self.counter
        super().__setitem__(parameter, values)

    def __missing__(self, parameter: Any) -> ParameterState:
        self[parameter] = made = ParameterState()
        return made


_CHANGES = ("__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update")
for _name in _CHANGES:
    setattr(State, _name, _counting(_name))
for _name in ("__setitem__", *_CHANGES):
    setattr(ParameterState, _name, _counting(_name))
