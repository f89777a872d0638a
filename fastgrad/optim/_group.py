"""A parameter group: a dictionary which a recorder can watch."""

from __future__ import annotations

import sys
from typing import Any

from fastgrad import _recording


class Group(dict[str, Any]):
    """The parameters and options of one group."""

    __slots__ = ()

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


class WatchedGroup(Group):
    """The same while a step is recorded: tells who reads and who sets an option. Groups change their class to and fro."""

    __slots__ = ()

    def _read(self, name: Any) -> None:
        if name != "params" and name in self and _recording.active is not None:
            _recording.active.options.read(self, name, sys._getframe(2))

    def _set(self, name: Any, value: Any) -> None:
        if _recording.active is not None:
            _recording.active.options.set(self, name, value)

    def __getitem__(self, name: Any) -> Any:
        self._read(name)
        return super().__getitem__(name)

    def get(self, name: Any, default: Any = None) -> Any:
        self._read(name)
        return super().get(name, default)

    def _read_all(self) -> None:
        for name in self:
            self._read(name)

    def items(self) -> Any:
        self._read_all()
        return super().items()

    def values(self) -> Any:
        self._read_all()
        return super().values()

    def copy(self) -> Any:
        self._read_all()
        return super().copy()

    def __setitem__(self, name: Any, value: Any) -> None:
        self._set(name, value)
        super().__setitem__(name, value)

    def update(self, *given: Any, **options: Any) -> None:
        for name, value in dict(*given, **options).items():
            self[name] = value

    def __ior__(self, given: Any) -> Any:  # type: ignore[misc]
        self.update(given)
        return self

    def setdefault(self, name: Any, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def pop(self, name: Any, *default: Any) -> Any:
        self._set(name, self)
        return super().pop(name, *default)

    def __delitem__(self, name: Any) -> None:
        self._set(name, self)
        super().__delitem__(name)

    def popitem(self) -> Any:
        self._set("params", self)
        return super().popitem()

    def clear(self) -> None:
        self._set("params", self)
        super().clear()


__all__ = ["Group", "WatchedGroup"]
