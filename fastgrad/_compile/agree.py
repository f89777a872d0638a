"""Whether two recordings of a step say the same, so that the second may stand for every later call.

What may differ: which memory temporaries got; and what only a first step does, which is to fill state, and (the other way
round) to add to gradients that were not there before. A number that differs is a Python value that changes from call to
call without being a slot: a plan would go on using the old one.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from .events import Check, Effect, HostCall, Item, Output, Row, Update
from .memory import GRADIENT, TEMPORARY, Buffer, Pointer, TensorRef
from .record import Recorder


class _Pairs:
    """Which temporary of the first recording is which of the second."""

    def __init__(self) -> None:
        self.known: dict[int, Buffer] = {}

    def same(self, a: Any, b: Any) -> bool:
        """Whether two arguments mean the same; temporaries that meet for the first time become a pair."""
        if isinstance(a, Pointer) and isinstance(b, Pointer):
            return a.offset - a.buffer.shift == b.offset - b.buffer.shift and self._same_buffer(a.buffer, b.buffer)
        if isinstance(a, TensorRef) and isinstance(b, TensorRef):
            return a.meta is b.meta and self.same(a.pointer, b.pointer)
        if type(a) is not type(b):
            return False
        if isinstance(a, (list, tuple)):
            return len(a) == len(b) and all(map(self.same, a, b))
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(self.same(a[key], b[key]) for key in a)
        if isinstance(a, FunctionType):
            cells = [[cell.cell_contents for cell in f.__closure__ or ()] for f in (a, b)]
            return a.__code__ is b.__code__ and self.same(*cells)
        if a is b:
            return True
        try:
            return bool(a == b) or (a != a and b != b)
        except (TypeError, ValueError):
            return False

    def _same_buffer(self, a: Buffer, b: Buffer) -> bool:
        if GRADIENT in (a.kind, b.kind):
            return True if a.kind == b.kind else {a.kind, b.kind} == {GRADIENT, TEMPORARY}
        if a.kind != b.kind:
            return False
        if a.kind != TEMPORARY:
            return a.index == b.index and (a.index >= 0 or a.address == b.address)
        if id(a) not in self.known:
            self.known[id(a)] = b
            return a.nbytes == b.nbytes and a.constant == b.constant
        return self.known[id(a)] is b


def difference(first: Recorder, second: Recorder) -> str | None:
    """None where the two agree, else where they differ, in words."""
    pairs = _Pairs()
    earlier = list(first.events)
    position = 0
    for event in second.events:
        while position < len(earlier) and _only_first(earlier[position]) and not _equal(earlier[position], event, pairs):
            position += 1
        if position < len(earlier) and _equal(earlier[position], event, pairs):
            position += 1
        elif not _adds_to_gradient(event):
            return _say(earlier[position] if position < len(earlier) else None, event)
    rest = [event for event in earlier[position:] if not _only_first(event)]
    if rest:
        return _say(rest[0], None)
    if not _same_result(first.result, second.result, pairs):
        return "the step returns something else at each call (a number, or another structure)"
    return None


def _equal(a: Any, b: Any, pairs: _Pairs) -> bool:
    if type(a) is not type(b):
        return False
    before = dict(pairs.known)
    if isinstance(a, Row):
        same = (a.address, a.total, a.grain) == (b.address, b.total, b.grain) and pairs.same(a.args, b.args)
    elif isinstance(a, HostCall):
        same = a.function is b.function and pairs.same([a.args, a.kwargs, a.result], [b.args, b.kwargs, b.result])
    elif isinstance(a, Check):
        same = a.function is b.function and pairs.same([a.flag, a.args], [b.flag, b.args])
    elif isinstance(a, Update):
        same = a.optimizer is b.optimizer and len(a.gradients) == len(b.gradients)
    else:
        same = isinstance(a, Effect) and (a.function, a.args, a.kwargs) == (b.function, b.args, b.kwargs)
    if not same:
        pairs.known = before
    return same


def _only_first(event: Any) -> bool:
    """What a step may do the first time only: copy a gradient instead of adding to one."""
    return isinstance(event, Row) and event.name.startswith("elementwise.copy")


def _adds_to_gradient(event: Any) -> bool:
    if not isinstance(event, Row):
        return False
    out = next(event.pointers(), None)
    if out is None or out.buffer.kind != GRADIENT:
        return False
    zeros = event.name.startswith("elementwise.fill.") and event.args[1] == 0.0
    return zeros or event.name.startswith("elementwise.add.")


def _same_result(a: Any, b: Any, pairs: _Pairs) -> bool:
    if isinstance(a, Output) and isinstance(b, Output):
        return a.requires_grad == b.requires_grad and a.identity is b.identity and pairs.same(a.ref, b.ref)
    if isinstance(a, Item) and isinstance(b, Item):
        return pairs.same(a.ref, b.ref)
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(_same_result(x, y, pairs) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same_result(a[key], b[key], pairs) for key in a)
    return pairs.same(a, b)


def _say(a: Any, b: Any) -> str:
    event = b if b is not None else a
    if isinstance(a, Row) and isinstance(b, Row) and a.name == b.name and len(a.args) == len(b.args):
        for x, y in zip(a.args, b.args, strict=True):
            if not isinstance(x, Pointer) and not isinstance(y, Pointer) and x != y:
                return f"a number changes from call to call ({x!r}, then {y!r}) in {a.name} at {b.line}"
        return f"{a.name} at {b.line} works on other memory at each call"
    return f"not every call does the same: {event.name} at {event.line}"


__all__ = ["difference"]
