"""The usual case of each step of an operation in compiled code, in the place of the Python functions.

The steps stand in `kernels/objects.py` and `kernels/tape.py`. `install` runs at the first launch: it measures where the
slots of our objects lie, by filling them and looking, makes a C callable for each function that is marked with
`has_native`, and puts it wherever the package holds that function, which from then on is what the C code falls back to. On
an interpreter other than CPython, and where kernels are interpreted, nothing happens: the Python functions are complete.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import sysconfig
from collections.abc import Callable
from typing import Any, TypeVar

from .. import _meta, _storage, _tensor
from .._differentiable import Differentiable
from .._storage import Storage
from .._tensor import Tensor
from ..autograd import graph, modes
from ..autograd.graph import Node
from ..kernels import jit

_Function = TypeVar("_Function", bound=Callable[..., Any])
# Function, step, and for a launch how many tensors and which rows; launches and operations add theirs.
STEPS: list[tuple[Any, ...]] = [
    (_tensor.new, "MAKE"), (graph._next_number, "COUNT"), (Node.save, "SAVE"), (Node.save_output, "SAVE_OUTPUT"),
    (Storage.__del__, "RELEASE"), (Differentiable.detach, "DETACH"),
]  # fmt: skip
_keep: list[Any] = []  # what compiled code knows the addresses of


def has_native(step: str, inputs: int = 0, rows: Any = None) -> Callable[[_Function], _Function]:
    """Mark a function that compiled code may stand in for: a step of `objects.py`; for a launch also how many tensors it
    takes and which rows it runs."""

    def mark(function: _Function) -> _Function:
        STEPS.append((function, step, inputs, rows))
        return function

    return mark


def possible() -> bool:
    """Whether objects look as CPython's have looked since 3.11: one word of count, one of type, and then what is theirs."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED") or jit.interpreted():
        return False
    probe = Node((), ())
    return struct.calcsize("P") == 8 and _words(probe, 2)[1] == id(Node) and bytes.__basicsize__ == 33


def _words(x: Any, count: int) -> Any:
    return (ctypes.c_int64 * count).from_address(id(x))


def slot(kind: type, name: str) -> int:
    """Where a slot lies in the objects of a class, in words: where an object that was put there is found."""
    x: Any = object.__new__(kind)
    mark: Any = (object(),)
    setattr(x, name, mark)
    (place,) = [k for k, word in enumerate(_words(x, kind.__basicsize__ // 8)) if word == id(mark)]
    if kind is Storage:
        x.block = (None, 0, 0, None, 0)
    return place


def _function(name: str) -> int:
    found = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
    assert found is not None
    return found


def _table(pairs: dict[Any, Any], grain: int) -> Any:
    """The words that `objects.py` asks for by number."""
    from ..kernels import tape as o

    t = (ctypes.c_int64 * o.TABLE_WORDS)()
    for place, name in {
        o.ALLOCATE: "PyType_GenericAlloc", o.BYTES_NEW: "PyBytes_FromStringAndSize", o.INT_NEW: "PyLong_FromLongLong",
        o.INT_VALUE: "PyLong_AsLongLong", o.INCREF: "Py_IncRef", o.DECREF: "Py_DecRef", o.TUPLE_NEW: "PyTuple_New",
        o.TUPLE_GET: "PyTuple_GetItem", o.LIST_NEW: "PyList_New", o.LIST_GET: "PyList_GetItem", o.LIST_SET: "PyList_SetItem",
        o.LIST_SIZE: "PyList_Size", o.LIST_CUT: "PyList_SetSlice", o.LIST_APPEND: "PyList_Append",
        o.DICT_GET: "PyDict_GetItem", o.CALL: "PyObject_Vectorcall", o.SUBTYPE: "PyType_IsSubtype",
    }.items():  # fmt: skip
        t[place] = _function(name)
    t[o.MEMSET] = ctypes.cast(ctypes.memset, ctypes.c_void_p).value or 0
    number, mark = 1.2345, object()
    pair = (mark, None)
    t[o.BYTES] = bytes.__basicsize__ - 1
    t[o.FLOAT] = 8 * list(_words(number, 3)).index(struct.unpack("q", struct.pack("d", number))[0])
    t[o.ITEMS] = list(_words(pair, tuple.__basicsize__ // 8 + 2)).index(id(mark))
    for place, thing in {
        o.TENSOR: Tensor, o.STORAGE: Storage, o.LIST: list, o.FLOAT_TYPE: float, o.NONE: None, o.TRUE: True, o.FALSE: False,
        o.ZERO: 0, o.MINUS_ONE: -1, o.EMPTY: (), o.UNTOUCHED: graph._UNTOUCHED, o.OUT: sys.intern("out"), o.PAIRS: pairs,
        o.NEW: _tensor.new,
    }.items():  # fmt: skip
        t[place] = id(thing)
        _keep.append(thing)
    for place, (kind, name) in {
        o.AT_STORAGE: (Tensor, "_storage"), o.AT_ADDRESS: (Tensor, "_address"), o.AT_META: (Tensor, "_meta"),
        o.AT_REQUIRES: (Tensor, "_requires_grad"), o.AT_GRAD: (Tensor, "_grad"), o.AT_NODE: (Tensor, "_node"),
        o.AT_OUTPUT: (Tensor, "_output"), o.AT_CELL: (Tensor, "_cell"), o.AT_BASE: (Tensor, "_base"),
        o.AT_HOOKS: (Tensor, "_hooks"), o.BLOCK: (Storage, "block"), o.FACTS: (_meta.Meta, "facts"),
        o.FREE: (_meta.Meta, "free"), o.NEEDS: (Node, "needs"), o.NEXT: (Node, "next"), o.NUMBER: (Node, "number"),
        o.SAVED: (Node, "saved"), o.VERSIONS: (Node, "versions"), o.EXTRA: (Node, "extra"),
    }.items():  # fmt: skip
        t[place] = slot(kind, name)
    t[o.UNUSUAL], _ = modes.unusual.buffer_info()
    t[o.COUNTER], t[o.GRAIN], t[o.FILL_WITH_NAN] = graph._next_number() + 1, grain, _storage.FILL_WITH_NAN
    return t


class _MethodDef(ctypes.Structure):
    """CPython's PyMethodDef: name, function, calling convention, docstring."""

    _fields_ = [
        ("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    ]  # fmt: skip


_FASTCALL_WITH_KEYWORDS = 0x80 | 0x02


def install(pairs: dict[Any, Any], grain: int) -> None:
    """Put compiled code in the place of every function that was marked."""
    if not possible() or _keep:
        return
    from ..kernels import tape as o
    from ..kernels import words as language

    table, code = _table(pairs, grain), language.address("native.tape", o.FUNCTIONS)
    _keep.append(table)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    method = ctypes.pythonapi.PyInstanceMethod_New
    method.restype, method.argtypes = ctypes.py_object, [ctypes.py_object]

    def native(function: Any, step: str, inputs: int = 0, rows: Any = None) -> Any:
        spec = bytes(8 * o.SPEC_WORDS)
        words = (ctypes.c_int64 * o.SPEC_WORDS).from_address(id(spec) + o.SPEC_BEGINS)
        words[: o.ROW32] = [ctypes.addressof(table), getattr(o, step), id(function), inputs]
        if rows is not None:
            rows.native = (ctypes.c_int64 * 2).from_address(ctypes.addressof(words) + 8 * o.ROW32)
        name = getattr(function, "__name__", step.lower())
        definition = _MethodDef(name.encode(), code, _FASTCALL_WITH_KEYWORDS, None)
        _keep.extend((spec, function, definition))
        return make(ctypes.addressof(definition), spec, None)

    made = {id(function): native(function, *rest) for function, *rest in STEPS}
    for name, module in list(sys.modules.items()):
        if name.startswith("fastgrad."):
            for key, value in list(vars(module).items()):
                if id(value) in made:
                    setattr(module, key, made[id(value)])
    for kind, name in ((Node, "save"), (Node, "save_output"), (Storage, "__del__"), (Differentiable, "detach")):
        setattr(kind, name, method(made[id(vars(kind)[name])]))
    before: Any = vars(Differentiable)["data"]
    getter = native(before.fget, "DATA")
    Differentiable.data = property(getter, before.fset, doc=before.__doc__)  # type: ignore[assignment, method-assign]
