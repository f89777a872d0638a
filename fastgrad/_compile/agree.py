"""Whether two recordings of a step say the same, so that the second may stand for every later call.

Only recordings that began with the same gradients present may (`Leaves.begins`). What may differ is which memory temporaries
got. A number that differs is a Python value that changes from call to call without being a slot: a plan would go on
using the old one.
"""

from __future__ import annotations

from itertools import zip_longest
from types import FunctionType
from typing import Any

from .closures import same_function
from .environment import same_switches
from .events import Check, Effect, HookCall, HostCall, Item, Output, Row, Update, View
from .memory import GRADIENT, TEMPORARY, Buffer, Pointer, TensorRef
from .record import Recorder

OTHER_GRADIENTS = "other gradients were there when it began"
OTHER_SWITCHES = "the mode of a module, or which tensors require grad, was another when it began"
UNLIKE = (OTHER_GRADIENTS, OTHER_SWITCHES)  # recordings that could not agree, whatever the step does


class _Pairs:
    """Which temporary of the first recording is which of the second."""

    def __init__(self, first: Recorder, second: Recorder) -> None:
        self.known: dict[int, Buffer] = {}
        self._leaves = first.leaves.all, second.leaves.all

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
        if a.kind != b.kind:
            return False
        if a.kind == GRADIENT:
            return self._leaves[0][a.index].tensor is self._leaves[1][b.index].tensor
        if a.kind != TEMPORARY:
            return a.index == b.index and (a.index >= 0 or a.address == b.address)
        if id(a) not in self.known:
            self.known[id(a)] = b
            return a.nbytes == b.nbytes and a.constant == b.constant
        return self.known[id(a)] is b


def difference(first: Recorder, second: Recorder) -> str | None:
    """None where the two agree, else where they differ, in words."""
    if not same_switches(first.switches, second.switches):
        return OTHER_SWITCHES
    if first.leaves.begins() != second.leaves.begins():
        return OTHER_GRADIENTS
    pairs = _Pairs(first, second)
    for a, b in zip_longest(first.events, second.events):
        if a is None or b is None or not _equal(a, b, pairs):
            return _say(a, b)
    ends = [[(*leaf.end(), leaf.after) for leaf in r.leaves.all if leaf.asked] for r in (first, second)]
    if not pairs.same(*ends):
        return "not every call leaves the same gradients"
    if not _same_result(first.result, second.result, pairs):
        return "the step returns something else at each call (a number, or another structure)"
    return None


def _equal(a: Any, b: Any, pairs: _Pairs) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, Row):
        return (a.address, a.total, a.grain) == (b.address, b.total, b.grain) and pairs.same(a.args, b.args)
    elif isinstance(a, HostCall):
        return a.function is b.function and pairs.same(_of_call(a), _of_call(b))
    elif isinstance(a, Check):
        return a.function is b.function and pairs.same(_of_check(a), _of_check(b))
    elif isinstance(a, Update):
        return a.optimizer is b.optimizer and pairs.same(a.gradients, b.gradients)
    elif isinstance(a, HookCall):
        return pairs.same(_of_hook(a), _of_hook(b)) and same_function(a.function, b.function, pairs.same)
    return isinstance(a, Effect) and (a.function, a.args, a.kwargs) == (b.function, b.args, b.kwargs)


def _of_check(check: Check) -> list[Any]:
    return [check.flag, check.args, [(id(leaf.tensor), ref) for leaf, ref in check.grads]]


def _of_call(call: HostCall) -> list[Any]:
    return [call.args, call.kwargs, call.result, [(id(leaf.tensor), ref) for leaf, ref in call.grads]]


def _of_hook(call: HookCall) -> list[Any]:
    leaf = call.leaf and id(call.leaf.tensor)
    return [call.gradient, call.result, leaf, [(id(leaf.tensor), ref) for leaf, ref in call.grads]]


def _same_result(a: Any, b: Any, pairs: _Pairs) -> bool:
    if isinstance(a, Output) and isinstance(b, Output):
        return a.requires_grad == b.requires_grad and _same_identity(a, b) and pairs.same(a.ref, b.ref)
    if isinstance(a, Item) and isinstance(b, Item):
        return (a.read, a.convert) == (b.read, b.convert) and pairs.same(a.ref, b.ref)
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(_same_result(x, y, pairs) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same_result(a[key], b[key], pairs) for key in a)
    return pairs.same(a, b)


def _same_identity(a: Output, b: Output) -> bool:
    return a.identity is b.identity or (isinstance(a.identity, View) and a.identity == b.identity)


def _say(a: Any, b: Any) -> str:
    event = b if b is not None else a
    if isinstance(a, Row) and isinstance(b, Row) and a.name == b.name and len(a.args) == len(b.args):
        for x, y in zip(a.args, b.args, strict=True):
            if not isinstance(x, Pointer) and not isinstance(y, Pointer) and x != y:
                return f"a number changes from call to call ({x!r}, then {y!r}) in {a.name} at {b.line}"
        return f"{a.name} at {b.line} works on other memory at each call"
    return f"not every call does the same: {event.name} at {event.line}"


__all__ = ["UNLIKE", "difference"]
