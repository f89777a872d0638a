"""What a recording may hold that no plan could do: each a reason in words."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from .. import _dtype
from .._geometry import Size
from .._tensor import Tensor
from .calls import has_graph, returned
from .memory import TEMPORARY

_HERE = str(Path(__file__).resolve().parent)
_PACKAGE = str(Path(__file__).resolve().parents[1])
_OURS = tuple([str(Path(_HERE, name)) for name in ("record.py", "refusals.py")])
_KNOWN = (int, float, complex, str, bytes, bool, type(None), _dtype.dtype, Size)


def of_result(recorder: Any, result: Any) -> Iterator[str]:
    """Why what a step returned cannot be returned again."""
    strange = _strange(result)
    if strange is not None:
        yield f"it returns a {strange.__qualname__}: only tensors, plain values, and lists, tuples and dicts of them can be"
        return
    for tensor in returned(result):
        place = recorder.memory.find(tensor._address)
        if tensor._requires_grad and tensor._node is None and place is not None and place.kind == TEMPORARY:
            yield "it returns a leaf that it made itself"
        elif recorder.went_back and has_graph(tensor):
            yield "it returns a tensor whose graph can still go back"


def _strange(value: Any) -> type | None:
    """The first type in a result of which nothing is known."""
    inner: Any = ()
    if type(value) is dict:
        inner = [*value, *value.values()]
    elif type(value) in (list, tuple) or (isinstance(value, tuple) and hasattr(value, "_fields")):
        inner = value
    elif not isinstance(value, Tensor) and type(value) not in _KNOWN:
        return type(value)
    return next((found for one in inner if (found := _strange(one)) is not None), None)


def is_caught() -> bool:
    """Whether the step itself would catch an error that is raised now, or do something on its way out."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_HERE) and code.co_filename not in _OURS:
            return False  # who called the step
        if not code.co_filename.startswith(_PACKAGE) and _catches(code, frame.f_lasti):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _catches(code: CodeType, at: int) -> bool:
    """Whether an instruction lies in a `try`. A `with` is none, unless it suppresses errors."""
    table = dis._parse_exception_table(code)  # type: ignore[attr-defined]
    if not table:
        return False
    if "suppress" in code.co_names:
        return True
    instructions = {one.offset: one.opname for one in dis.get_instructions(code)}
    following = dict(zip(instructions, [*list(instructions)[1:], -1], strict=True))
    seen: set[int] = set()
    while at not in seen:
        seen.add(at)
        for entry in table:
            if entry.start <= at < entry.end:
                at = entry.target
                pushes = instructions.get(at) == "PUSH_EXC_INFO"
                if pushes and instructions.get(following[at]) != "WITH_EXCEPT_START":
                    return True
                break
    return False
