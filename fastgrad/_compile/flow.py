"""Where a number goes that `.item()` has just given: straight into what the step returns, or anywhere else.

A replay fills in such a number only after its walk, so nothing before may have used it. The byte code of the function that
called `.item()` tells: from there to its `return` it may be put into local variables, tuples, lists and dictionaries.
A call, a comparison, a jump, another function: the answer is no.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from .events import replaced

_HERE = str(Path(__file__).resolve().parents[1])
_CALLERS = ("_record", "_recorded")  # who calls a step while it is recorded

# How many values an instruction takes. Of others it is not known: they may take any.
_TAKES = {
    "NOP": 0, "RESUME": 0, "CACHE": 0, "PRECALL": 0, "KW_NAMES": 0, "PUSH_NULL": 0, "EXTENDED_ARG": 0, "POP_BLOCK": 0,
    "LOAD_CONST": 0, "LOAD_SMALL_INT": 0, "LOAD_GLOBAL": 0, "LOAD_DEREF": 0, "LOAD_CLOSURE": 0, "LOAD_FAST": 0,
    "LOAD_FAST_CHECK": 0, "LOAD_FAST_BORROW": 0, "LOAD_ATTR": 1, "LOAD_METHOD": 1, "BINARY_OP": 2, "BINARY_SUBSCR": 2,
    "COMPARE_OP": 2, "POP_TOP": 1, "UNARY_NEGATIVE": 1, "UNARY_NOT": 1, "UNARY_INVERT": 1, "STORE_ATTR": 2,
    "STORE_SUBSCR": 3, "STORE_DEREF": 1, "STORE_GLOBAL": 1, "CONTAINS_OP": 2, "IS_OP": 2, "DELETE_FAST": 0,
}  # fmt: skip
_TAKES_MORE: dict[str, Callable[[int], int]] = {  # and gives one
    "CALL": lambda n: n + 2, "CALL_KW": lambda n: n + 3, "BUILD_TUPLE": lambda n: n, "BUILD_LIST": lambda n: n,
    "BUILD_MAP": lambda n: 2 * n, "BUILD_CONST_KEY_MAP": lambda n: n + 1,
}  # fmt: skip
_PUTS_TOGETHER = ("BUILD_TUPLE", "BUILD_LIST", "BUILD_MAP", "BUILD_CONST_KEY_MAP")


class _Float(float):
    """A number that `.item()` gave while a step was recorded, told from all others by what it is."""


class _Int(int):
    """The same of an integer."""


_MARKED: dict[type, Any] = {float: _Float, int: _Int}  # True and False are the same objects everywhere
_PLAIN: dict[type, Any] = {_Float: float, _Int: int}


def marked(value: Any, frame: FrameType) -> Any:
    """A number for this frame that is like no other; None if more than returning it may be done with it."""
    made = _MARKED.get(type(value))
    return None if made is None or not _goes_straight_out(frame) else made(value)


def unmarked(result: Any) -> Any:
    """A step's result with plain numbers."""
    return replaced(result, (_Float, _Int), lambda value: _PLAIN[type(value)](value))


def _goes_straight_out(frame: FrameType) -> bool:
    """Whether the number that `.item()` is about to give to this frame is returned by the step, and nothing else is done
    with it."""
    if frame.f_code.co_filename.startswith(_HERE):  # float(tensor), format(tensor), `if tensor:` ...
        return False
    above = frame.f_back
    while above is not None and above.f_code.co_filename.startswith(_HERE):
        if above.f_code.co_name in _CALLERS:
            return _returned(frame)
        above = above.f_back
    return False  # a helper of the step


def _returned(frame: FrameType) -> bool:
    code = [i for i in dis.get_instructions(frame.f_code) if i.opname not in ("CACHE", "EXTENDED_ARG")]
    at = sum(i.offset <= frame.f_lasti for i in code) - 1  # it may point at what the instruction keeps behind itself
    before = [i for i in code[max(at - 2, 0) : at] if i.opname != "PRECALL"]
    if at < 0 or code[at].opname != "CALL" or code[at].arg != 0 or not before or before[-1].argval != "item":
        return False
    ours: set[Any] = set()  # local variables that hold the number
    stack = [True]  # and where on the stack it lies; what is below is not ours
    for i in code[at + 1 :]:
        name, arg = i.opname, i.arg or 0
        if name == "RETURN_VALUE":
            return stack[-1:] == [True] and not any(stack[:-1])
        if name in ("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW"):
            stack.append(i.argval in ours)
        elif name in ("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"):
            stack += [local in ours for local in i.argval]
        elif name in ("STORE_FAST", "STORE_FAST_STORE_FAST"):
            for local in i.argval if name == "STORE_FAST_STORE_FAST" else (i.argval,):
                (ours.add if stack and stack.pop() else ours.discard)(local)
        elif name in ("SWAP", "COPY"):
            stack[:0] = [False] * (arg - len(stack))
            if name == "COPY":
                stack.append(stack[-arg])
            else:
                stack[-1], stack[-arg] = stack[-arg], stack[-1]
        else:
            takes = _TAKES_MORE[name](arg) if name in _TAKES_MORE else _TAKES.get(name)
            if takes is None:  # a jump, or what is not known here
                return False
            taken = [stack.pop() for _ in range(min(takes, len(stack)))]
            if any(taken) and name not in _PUTS_TOGETHER:
                return False
            gives = 1 if name in _TAKES_MORE else 0 if name == "PRECALL" else dis.stack_effect(i.opcode, i.arg) + takes
            stack += [any(taken)] if name in _PUTS_TOGETHER else [False] * gives
    return False


__all__ = ["marked", "unmarked"]
