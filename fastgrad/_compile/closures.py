"""Functions that a recording calls again: what their cells and defaults hold, and whether two of them do the same.

A function that a step makes in itself has cells of its own at each call. Tensors of the step that it holds are then those of
the recording: they become references, and a replay makes the function anew around its own tensors.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from .._tensor import Tensor
from .events import refs
from .memory import TensorRef

_BOUND = (types.MethodType, types.BuiltinMethodType)
_PLAIN = (int, float, complex, str, bytes, bool, type(None))


class Closure:
    """A function with what its cells and defaults held when it was called; tensors of the step are TensorRefs."""

    def __init__(self, function: types.FunctionType, encode: Callable[[Any], Any]) -> None:
        self.function, self.__name__ = function, function.__name__
        self.cells = [encode(cell.cell_contents) for cell in function.__closure__ or ()]
        self.defaults = [encode(value) for value in function.__defaults__ or ()]
        self.own = [_has_refs(value) for value in self.cells]  # cells that each call of the step has for itself

    def refs(self) -> Iterator[TensorRef]:
        for value in (*self.cells, *self.defaults):
            yield from value.refs() if isinstance(value, Closure) else refs(value)

    def made(self, decode: Callable[[TensorRef], Tensor]) -> Any:
        """The function for one replay."""
        function = self.function
        if not any(self.own) and not any(map(_has_refs, self.defaults)):
            return function
        cells = [
            types.CellType(_decoded(value, decode)) if own else cell
            for own, value, cell in zip(self.own, self.cells, function.__closure__ or (), strict=True)
        ]
        defaults = tuple([_decoded(value, decode) for value in self.defaults]) or None
        made = types.FunctionType(function.__code__, function.__globals__, function.__name__, defaults, tuple(cells))
        made.__kwdefaults__ = function.__kwdefaults__
        return made


def left_by(function: Any) -> set[str]:
    """Variables of functions that are running, which read them, and which a function that they made in themselves sets."""
    if not isinstance(function, types.FunctionType):
        return set()
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    found = {i.argval for i in dis.get_instructions(function.__code__) if i.opname == "STORE_DEREF" and i.argval in cells}
    read: set[str] = set()
    frame: Any = sys._getframe(1)
    while frame is not None:
        code, frame = frame.f_code, frame.f_back
        if found & set(code.co_cellvars):
            read |= {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_DEREF"}
    others = [cell.cell_contents for name, cell in cells.items() if name not in found]
    return (found & read).union(*[left_by(other) for other in others if other is not function])


def _has_refs(value: Any) -> bool:
    if isinstance(value, Closure):
        return any(value.own) or any(map(_has_refs, value.defaults))
    return any(True for _ in refs(value))


def _decoded(value: Any, decode: Callable[[TensorRef], Tensor]) -> Any:
    if isinstance(value, TensorRef):
        return decode(value)
    if isinstance(value, Closure):
        return value.made(decode)
    if type(value) is tuple:
        return tuple([_decoded(inner, decode) for inner in value])
    return value


def same_function(a: Any, b: Any, same: Callable[[Any, Any], bool]) -> bool:
    """Whether two hooks do the same. Cells that differ belong to one call of the step each; `b` makes them anew."""
    if isinstance(a, Closure) and isinstance(b, Closure):
        if a.function.__code__ is not b.function.__code__ or a.function.__kwdefaults__ != b.function.__kwdefaults__:
            return False
        for number, cells in enumerate(zip(a.function.__closure__ or (), b.function.__closure__ or (), strict=True)):
            if cells[0] is not cells[1]:
                b.own[number] = True
                if not _same(a.cells[number], b.cells[number], same):
                    return False
        return len(a.defaults) == len(b.defaults) and all(_same(x, y, same) for x, y in zip(a.defaults, b.defaults))
    return _same(a, b, same)


def _same(a: Any, b: Any, same: Callable[[Any, Any], bool]) -> bool:
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, TensorRef):
        return same(a, b)
    if isinstance(a, Closure):
        return same_function(a, b, same)
    if isinstance(a, _PLAIN):
        return repr(a) == repr(b)
    if type(a) is tuple:
        return len(a) == len(b) and all(_same(x, y, same) for x, y in zip(a, b, strict=True))
    if isinstance(a, _BOUND):
        own = a.__self__ is b.__self__ and a.__name__ == b.__name__
        return own and getattr(a, "__func__", None) is getattr(b, "__func__", None)
    if isinstance(a, functools.partial):
        return _same((a.func, a.args, *a.keywords.items()), (b.func, b.args, *b.keywords.items()), same)
    return False


__all__ = ["Closure", "same_function"]
