"""Where a module keeps its parameters, buffers and children: in its own `__dict__`, under their names.

A registry beside the `__dict__` holds only names, so `self.weight` is an ordinary attribute read (0.01
microseconds where a `__getattr__` that searches dictionaries takes 0.4), there is one place to change, and
copying or pickling a module needs no code. `Members` is the dictionary of one kind of member, made when
somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, TypeVar

from fastgrad._recording import changed

__all__ = ["Members"]

Member = TypeVar("Member")


class Members(MutableMapping[str, Member]):
    """The members of one kind, by name and in order: a live view of what belongs to the module."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: dict[str, Any], values: dict[str, Any]) -> None:
        self._names, self._values = names, values

    def __getitem__(self, name: str) -> Member:
        if name not in self._names:
            raise KeyError(name)
        member: Member = self._values[name]
        return member

    def __setitem__(self, name: str, member: Member) -> None:
        changed()
        self._names.setdefault(name, True)
        self._values[name] = member

    def __delitem__(self, name: str) -> None:
        changed()
        del self._names[name]
        del self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))
