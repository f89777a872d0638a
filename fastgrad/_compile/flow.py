"""Where a value goes that `.item()`, `float()`, `int()`, `.tolist()` or `.numpy()` has just given: straight into what the
step returns, or anywhere else.

A replay reads such a value only after its walk, so nothing before may have used it. The byte code of the function that asked
for it tells: from there to its `return` it may be put into local variables, tuples, lists and dictionaries. A call, a
comparison, a jump, another function: the answer is no.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from .._tensor import Tensor
from .events import HookCall, Item, Update
from .memory import TEMPORARY

if TYPE_CHECKING:
    from .record import Recorder

_HERE = str(Path(__file__).resolve().parents[1])
_CALLERS = ("_record", "_recorded")  # who calls a step while it is recorded

# How many values an instruction takes. Of others it is not known: they may take any.
_TAKES = {
    "NOP": 0, "RESUME": 0, "CACHE": 0, "PRECALL": 0, "KW_NAMES": 0, "PUSH_NULL": 0, "EXTENDED_ARG": 0, "POP_BLOCK": 0,
    "LOAD_GLOBAL": 0, "LOAD_DEREF": 0, "LOAD_CLOSURE": 0, "LOAD_FAST": 0,
    "LOAD_FAST_CHECK": 0, "LOAD_FAST_BORROW": 0, "LOAD_ATTR": 1, "LOAD_METHOD": 1, "BINARY_OP": 2, "BINARY_SUBSCR": 2,
    "COMPARE_OP": 2, "POP_TOP": 1, "UNARY_NEGATIVE": 1, "UNARY_NOT": 1, "UNARY_INVERT": 1, "STORE_ATTR": 2,
    "STORE_SUBSCR": 3, "STORE_DEREF": 1, "STORE_GLOBAL": 1, "CONTAINS_OP": 2, "IS_OP": 2, "DELETE_FAST": 0,
}  # fmt: skip
_TAKES_MORE: dict[str, Callable[[int], int]] = {  # and gives one
    "CALL": lambda n: n + 2, "CALL_KW": lambda n: n + 3, "BUILD_TUPLE": lambda n: n, "BUILD_LIST": lambda n: n,
    "BUILD_MAP": lambda n: 2 * n, "BUILD_CONST_KEY_MAP": lambda n: n + 1,
}  # fmt: skip
_PUTS_TOGETHER = ("BUILD_TUPLE", "BUILD_LIST", "BUILD_MAP", "BUILD_CONST_KEY_MAP")
_CONVERSIONS = {"__float__": float, "__int__": int}
_METHODS = ("item", "tolist", "numpy")

Place = tuple[Any, ...]  # indices and keys that lead to a value
Paths = list[Place]  # all the places of a value in what is returned; none: it is no such value


class Flow:
    """The values that Python reads while a step is recorded."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.items: list[Item] = []

    def given(self, tensor: Tensor, read: str, value: Any, frame: FrameType) -> bool:
        """Whether a value of a tensor is returned by the step, and nothing else is done with it. `frame` called `read`."""
        convert: Any = None
        if frame.f_code.co_name == "_sole" and frame.f_back is not None and frame.f_back.f_back is not None:
            convert, frame = _CONVERSIONS.get(frame.f_back.f_code.co_name), frame.f_back.f_back  # float(x), int(x)
            if convert is int and tensor._meta.dtype.category == 2:  # int(nan) is an error
                return False
        paths = _places(frame, convert) if _is_the_step(frame) else []
        if paths:
            recorder = self._recorder
            value = value if convert is None else convert(value)
            made = Item(value, read, convert, paths, recorder.ref(tensor), recorder.line(), len(recorder.events))
            self.items.append(made)
        return bool(paths)

    def places(self, result: Any) -> dict[Place, Item]:
        """The values by their places in what the step returned."""
        found = {path: item for item in self.items for path in item.paths}
        for path, item in found.items():
            if not _is_at(result, path, item.value):
                self._recorder.broken.append(f"the value of a tensor is read by Python at {item.line}")
                return {}
        for item in self.items:
            buffer = item.ref.pointer.buffer
            for event in self._recorder.events[item.event :]:  # a replay looks when all is done
                outside = isinstance(event, (Update, HookCall)) and buffer.kind != TEMPORARY
                if outside or any(pointer.buffer is buffer for pointer in event.pointers()):
                    self._recorder.broken.append(f"the value of a tensor is read by Python at {item.line}")
                    break
        return found


def put(value: Any, found: dict[Place, Item], change: Callable[[Item], Any], path: Place = ()) -> Any:
    """What a step returned with something else in place of values of tensors."""
    if not found:
        return value
    if path in found:
        return change(found[path])
    if type(value) is dict:
        return {key: put(inner, found, change, (*path, key)) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)([put(inner, found, change, (*path, k)) for k, inner in enumerate(value)])
    return value


def _is_at(value: Any, path: Place, wanted: Any) -> bool:
    for key in path:
        if type(value) not in (list, tuple, dict):
            return False
        try:
            value = value[key]
        except (IndexError, KeyError):
            return False
    return value is wanted or (type(value) is type(wanted) in (int, float, bool) and repr(value) == repr(wanted))


def _is_the_step(frame: FrameType) -> bool:
    """Whether a frame is that of the step itself, and no helper's."""
    if frame.f_code.co_filename.startswith(_HERE):
        return False
    above = frame.f_back
    while above is not None and above.f_code.co_filename.startswith(_HERE):
        if above.f_code.co_name in _CALLERS:
            return True
        above = above.f_back
    return False


class _Constant:
    """A constant on the stack."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _asks(frame: FrameType, code: list[Any], at: int, convert: Any) -> bool:
    """Whether the instruction at `at` is `x.item()`, or `float(x)` for a conversion."""
    if at < 0 or code[at].opname != "CALL":
        return False
    if convert is None:
        before = [i for i in code[max(at - 2, 0) : at] if i.opname != "PRECALL"]
        return code[at].arg == 0 and bool(before) and before[-1].argval in _METHODS
    name = convert.__name__
    if code[at].arg != 1 or name in frame.f_globals or name in frame.f_locals:
        return False
    depth = 0
    for i in reversed(code[: at - (code[at - 1].opname == "PRECALL")]):
        if i.opcode in dis.hasjrel or i.opcode in dis.hasjabs:
            return False
        depth += dis.stack_effect(i.opcode, i.arg)
        if depth == 3:  # the argument, the function, and a place that is kept for methods
            return i.opname == "LOAD_GLOBAL" and i.argval == name
    return False


def _places(frame: FrameType, convert: Any) -> Paths:
    """All the places of the value in what is returned."""
    code = [i for i in dis.get_instructions(frame.f_code) if i.opname not in ("CACHE", "EXTENDED_ARG")]
    at = sum(i.offset <= frame.f_lasti for i in code) - 1  # it may point at what the instruction keeps behind itself
    if code[at].opname == "PRECALL":  # of Python 3.11, which calls built-in classes there
        at += 1
    if not _asks(frame, code, at, convert):
        return []
    ours: dict[Any, Paths] = {}  # local variables that hold the value
    stack: list[Any] = [[()]]  # and where on the stack it lies; what is below is not ours
    for i in code[at + 1 :]:
        name, arg = i.opname, i.arg or 0
        if name == "RETURN_VALUE":
            return stack[-1] if stack and isinstance(stack[-1], list) and not any(map(_holds, stack[:-1])) else []
        if name in ("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW"):
            stack.append(ours.get(i.argval))
        elif name in ("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"):
            stack += [ours.get(local) for local in i.argval]
        elif name in ("LOAD_CONST", "LOAD_SMALL_INT"):
            stack.append(_Constant(i.argval))
        elif name in ("STORE_FAST", "STORE_FAST_STORE_FAST"):
            for local in i.argval if name == "STORE_FAST_STORE_FAST" else (i.argval,):
                value: Any = stack.pop() if stack else None
                ours.pop(local, None)
                if _holds(value):
                    ours[local] = value
        elif name in ("SWAP", "COPY"):
            stack[:0] = [None] * (arg - len(stack))
            if name == "COPY":
                stack.append(stack[-arg])
            else:
                stack[-1], stack[-arg] = stack[-arg], stack[-1]
        else:
            takes = _TAKES_MORE[name](arg) if name in _TAKES_MORE else _TAKES.get(name)
            if takes is None:  # a jump, or what is not known here
                return []
            stack[:0] = [None] * (takes - len(stack))
            taken = [stack.pop() for _ in range(takes)][::-1]
            if any(map(_holds, taken)):
                made = _together(name, taken) if name in _PUTS_TOGETHER else []
                if not made:
                    return []
                stack.append(made)
                continue
            gives = 1 if name in _TAKES_MORE else 0 if name == "PRECALL" else dis.stack_effect(i.opcode, i.arg) + takes
            stack += [None] * gives
    return []


def _holds(value: Any) -> bool:
    return isinstance(value, list)


def _together(name: str, taken: list[Any]) -> Paths:
    """Where the value is in a container that is made of these."""
    if name == "BUILD_CONST_KEY_MAP":
        keys, values = taken[-1], taken[:-1]
        pairs = list(zip(keys.value, values, strict=True)) if isinstance(keys, _Constant) else []
    elif name == "BUILD_MAP":
        constant = all(isinstance(key, _Constant) for key in taken[::2])
        pairs = [(key.value, value) for key, value in zip(taken[::2], taken[1::2], strict=True)] if constant else []
    else:
        pairs = list(enumerate(taken))
    return [(key, *path) for key, value in pairs if _holds(value) for path in value]


__all__ = ["Flow", "put"]
