"""Options of optimizers that a step reads or sets itself, beside the optimizers' own reading.

What the program reads is a guard: it may have decided something. What it sets is set again at each replay. Optimizers with a
table read their options when they step, replayed or not; where there is no table, what was read is a number in the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..optim._group import Group, WatchedGroup
from ..optim.optimizer import Optimizer
from .events import Effect, Update

if TYPE_CHECKING:
    from .record import Recorder

_HERE = str(Path(__file__).resolve().parents[1])
_PLAIN = (int, float, str, bool, type(None))


class Options:
    """What happened to options in one recording."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._read: dict[tuple[int, str], tuple[Any, str, Any, bool]] = {}
        self._set: set[tuple[int, str]] = set()

    @contextmanager
    def watched(self, optimizers: list[Optimizer]) -> Iterator[None]:
        """Every group of these optimizers tells what is done to it."""
        groups: list[Any] = [group for optimizer in optimizers for group in optimizer.param_groups]
        if not all(type(group) is Group for group in groups):
            self._recorder.broken.append("a group of an optimizer was put into `param_groups` by hand")
            yield
            return
        try:
            for group in groups:
                group.__class__ = WatchedGroup
            yield
        finally:
            for group in groups:
                group.__class__ = Group

    def read(self, group: Any, name: str, frame: FrameType) -> None:
        """An option is read."""
        if self._recorder.looks_away():
            return
        key = (id(group), name)
        ours = frame.f_code.co_filename.startswith(_HERE)
        if key not in self._set and (key not in self._read or self._read[key][3]):
            self._read[key] = group, name, dict.get(group, name), ours

    def set(self, group: Any, name: str, value: Any) -> None:
        """An option is set."""
        if self._recorder.looks_away():
            return
        line = self._recorder.line()
        parts = value if isinstance(value, tuple) else (value,)
        if name == "params" or not all(type(part) in _PLAIN for part in parts):
            self._recorder.broken.append(f"the option {name!r} of an optimizer is given no plain value, at {line}")
        self._set.add((id(group), name))
        self._recorder.events.append(Effect(dict.__setitem__, (group, name, value), {}, line))

    def guards(self) -> list[tuple[Any, str, Any]]:
        """(group, name, value) of the options that decided what was recorded."""
        updates = [event.optimizer for event in self._recorder.events if isinstance(event, Update)]
        slots = {id(group) for optimizer in updates for group in optimizer.param_groups}
        return [(g, name, value) for g, name, value, ours in self._read.values() if not (ours and id(g) in slots)]


__all__ = ["Options"]
