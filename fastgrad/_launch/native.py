"""The usual case of each step of an operation in compiled code, in the place of the Python functions.

The steps stand in `kernels/objects.py` and beside it. `install` runs at the first launch: it measures where the
slots of our objects lie, by filling them and looking, makes a C callable for each function that is marked with
`has_native`, and puts it wherever the package holds that function, which from then on is what the C code falls back to. On
an interpreter other than CPython, and where kernels are interpreted, nothing happens: the Python functions are complete.
"""

from __future__ import annotations

import contextlib
import ctypes
import inspect
import struct
import sys
from collections.abc import Callable
from operator import methodcaller
from typing import Any, TypeVar

from .. import _dtype, _meta, _storage, _tensor
from .._differentiable import Differentiable
from .._storage import Storage
from .._tensor import Tensor
from ..autograd import engine, graph, modes
from ..autograd.graph import Node
from ..kernels import jit

_Function = TypeVar("_Function", bound=Callable[..., Any])
# What compiled code stands in for: a function, the step that does its work, what the step needs to know (how many tensors a
# launch takes, the launch that a step makes, or the shape of its result), and the rows that it runs. Launches, operations
# and methods add theirs.
_data: Any = vars(Differentiable)["data"]
STEPS: list[tuple[Any, ...]] = [
    (_tensor.new, "MAKE"), (graph._next_number, "COUNT"), (Node.save, "SAVE"), (Node.save_output, "SAVE_OUTPUT"),
    (Node.save_crosswise, "SAVE_CROSSWISE"),
    (Storage.__del__, "RELEASE"), (Differentiable.detach, "DETACH"), (_data.fget, "DATA"), (_data.fset, "SET_DATA"),
    (Tensor._bump, "BUMP"), (_tensor.window, "WINDOW"), (engine._run_to_leaves, "RUN_TO_LEAVES"),
]  # fmt: skip
_keep: list[Any] = []  # what compiled code knows the addresses of


class Planned:
    """A launch of so many tensors whose layouts are looked up in a dict, by the tensors' metas."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.plans: dict[Any, Any] = {}

    def keep(self, metas: tuple[Any, ...], made: Any, n: int, address: int, layout: Any) -> None:
        """Remember the plan of an output that was made: its meta, elements, the layout's address, and the layout."""
        if len(self.plans) > 10_000:
            self.plans.clear()
        self.plans[metas] = made._meta, n, address, layout


def has_native(step: str, about: Any = 0, rows: Any = None) -> Callable[[_Function], _Function]:
    """Mark a function that compiled code may stand in for: a row of STEPS."""

    def mark(function: _Function) -> _Function:
        STEPS.append((function, step, about, rows))
        return function

    return mark


def possible() -> bool:
    """Whether objects look as CPython's have looked since 3.11: one word of count, one of type, and then what is theirs."""
    if sys.implementation.name != "cpython" or "t" in getattr(sys, "abiflags", "") or jit.interpreted():
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
    from ..kernels import steps as o

    t = (ctypes.c_int64 * o.TABLE_WORDS)()
    for place, name in {
        o.ALLOCATE: "PyType_GenericAlloc", o.BYTES_NEW: "PyBytes_FromStringAndSize", o.INT_NEW: "PyLong_FromLongLong",
        o.INT_VALUE: "PyLong_AsLongLong", o.INCREF: "Py_IncRef", o.DECREF: "Py_DecRef", o.TUPLE_NEW: "PyTuple_New",
        o.TUPLE_GET: "PyTuple_GetItem", o.TUPLE_SIZE: "PyTuple_Size", o.LIST_NEW: "PyList_New", o.LIST_GET: "PyList_GetItem",
        o.LIST_SET: "PyList_SetItem", o.LIST_SIZE: "PyList_Size", o.LIST_CUT: "PyList_SetSlice",
        o.LIST_APPEND: "PyList_Append", o.DICT_NEW: "PyDict_New", o.DICT_GET: "PyDict_GetItem", o.DICT_SET: "PyDict_SetItem",
        o.DICT_REMOVE: "PyDict_DelItem", o.DICT_NEXT: "PyDict_Next", o.SET_NEW: "PySet_New", o.CALL: "PyObject_Vectorcall",
        o.SUBTYPE: "PyType_IsSubtype", o.GET_ATTRIBUTE: "PyObject_GetAttr", o.SET_ATTRIBUTE: "PyObject_SetAttr",
        o.MEMORY: "PyMem_RawRealloc", o.MEMORY_FREE: "PyMem_RawFree", o.ERROR_TAKE: "PyErr_Fetch",
        o.ERROR_PUT: "PyErr_Restore", o.WEAK_NEW: "PyWeakref_NewRef",
    }.items():  # fmt: skip
        t[place] = _function(name)
    t[o.MEMSET] = ctypes.cast(ctypes.memset, ctypes.c_void_p).value or 0
    number, mark = 1.2345, object()
    pair = (mark, None)
    t[o.BYTES] = bytes.__basicsize__ - 1
    t[o.FLOAT] = 8 * list(_words(number, 3)).index(struct.unpack("q", struct.pack("d", number))[0])
    t[o.ITEMS] = list(_words(pair, tuple.__basicsize__ // 8 + 2)).index(id(mark))
    for place, thing in {
        o.TENSOR: Tensor, o.STORAGE: Storage, o.LIST: list, o.TUPLE: tuple, o.FLOAT_TYPE: float, o.INT_TYPE: int,
        o.NONE: None, o.TRUE: True, o.FALSE: False, o.ZERO: 0, o.MINUS_ONE: -1, o.NOUGHT: 0.0, o.EMPTY: (),
        o.UNTOUCHED: graph._UNTOUCHED, o.FREED: graph.FREED, o.OUT: (sys.intern("out"),), o.PAIRS: pairs,
        o.STATE: modes.state, o.ENABLED: sys.intern("enabled"), o.OPERATION: sys.intern("record"),
        o.DERIVATIVE: sys.intern("derivative"), o.MEAN: sys.intern("mean"),
        o.NEW: _tensor.new, o.ADD: engine._add, o.ADD_INTO: engine.Arithmetic.add_into, o.ARRIVE: engine._arrive,
        o.WITH_HOOKS: engine._with_hooks, o.CHECK: Node.unpack, o.LET_GO: methodcaller("release"),
        o.ACCUMULATE: engine._accumulate, o.ACQUIRE: engine._adding.acquire, o.LEAVE: engine._adding.release,
    }.items():  # fmt: skip
        t[place] = id(thing)
        _keep.append(thing)
    for kind, places in {
        Tensor: {
            o.AT_STORAGE: "_storage", o.AT_ADDRESS: "_address", o.AT_META: "_meta", o.AT_REQUIRES: "_requires_grad",
            o.AT_GRAD: "_grad", o.AT_NODE: "_node", o.AT_OUTPUT: "_output", o.AT_CELL: "_cell", o.AT_BASE: "_base",
            o.AT_HOOKS: "_hooks",
        },
        Storage: {o.BLOCK: "block"},
        _meta.Meta: {o.FACTS: "facts", o.FREE: "free"},
        Node: {
            o.NEEDS: "needs", o.NEXT: "next", o.NUMBER: "number", o.SAVED: "saved", o.VERSIONS: "versions", o.EXTRA: "extra",
            o.SCRATCH: "scratch", o.OUTPUTS: "outputs", o.NODE_HOOKS: "hooks",
        },
    }.items():  # fmt: skip
        for place, name in places.items():
            t[place] = slot(kind, name)
    t[o.UNUSUAL], _ = modes.unusual.buffer_info()
    t[o.WAITING_BYTES], _ = _storage.waiting.buffer_info()
    t[o.COUNTER], t[o.GRAIN], t[o.FILL_WITH_NAN] = graph._next_number() + 1, grain, _storage.FILL_WITH_NAN
    return t


class _MethodDef(ctypes.Structure):
    """CPython's PyMethodDef: name, function, calling convention, docstring."""

    _fields_ = [
        ("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    ]  # fmt: skip


_FASTCALL_WITH_KEYWORDS = 0x80 | 0x02


def _text(function: Any, name: str) -> bytes:
    """A C function's docstring, which begins with its signature, as `help` wants it."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return b""
    listed = ", ".join([str(p.replace(annotation=p.empty)) for p in parameters])
    return f"{name}($spec, {listed})\n--\n\n{inspect.getdoc(function) or ''}".encode()


def install(pairs: dict[Any, Any], grain: int) -> None:
    """Put compiled code in the place of every function that was marked."""
    if not possible() or _keep:
        return
    from ..kernels import steps as o
    from ..kernels import words as language

    table, code = _table(pairs, grain), language.address("native.steps", o.FUNCTIONS)
    _keep.append(table)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    method = ctypes.pythonapi.PyInstanceMethod_New
    method.restype, method.argtypes = ctypes.py_object, [ctypes.py_object]
    specs: dict[int, int] = {}  # by the function's id
    made: dict[int, Any] = {}

    def native(function: Any, step: str, about: Any = 0, rows: Any = None) -> None:
        spec = bytes(8 * o.SPEC_WORDS)
        words = (ctypes.c_int64 * o.SPEC_WORDS).from_address(id(spec) + o.SPEC_BEGINS)
        words[: o.INPUTS] = [ctypes.addressof(table), getattr(o, step), id(function)]
        if isinstance(about, tuple):  # Size
            metas = [_meta.contiguous(about, kind) for kind in _dtype.FLOATING]
            words[o.META32 : o.ROW32] = list(map(id, metas))
            _keep.append(metas)
        elif isinstance(about, _meta.Meta):
            words[o.META32 : o.ROW32] = [id(about)] * 2
            _keep.append(about)
        elif isinstance(about, Planned):
            words[o.INPUTS], words[o.META32] = about.inputs, id(about.plans)
            _keep.append(about)
        else:
            words[o.INPUTS] = about if isinstance(about, int) else specs[id(about)]
        if rows is not None:
            rows.tell((ctypes.c_int64 * o.KINDS).from_address(ctypes.addressof(words) + 8 * o.ROW32))
        name = getattr(function, "__name__", step.lower())
        definition = _MethodDef(name.encode(), code, _FASTCALL_WITH_KEYWORDS, _text(function, name))
        _keep.extend((spec, function, definition))
        specs[id(function)] = ctypes.addressof(words)
        made[id(function)] = make(ctypes.addressof(definition), spec, None)

    for function, *rest in sorted(STEPS, key=lambda row: callable(row[2:] and row[2])):  # launches before who makes them
        native(function, *rest)
    seen: set[int] = set()

    def within(function: Any) -> None:
        """The functions that a function of a function was given."""
        cells = getattr(function, "__closure__", None)
        if not cells or id(function) in seen:
            return
        seen.add(id(function))
        for cell in cells:
            with contextlib.suppress(ValueError):  # nothing in it yet
                value = cell.cell_contents
                if id(value) in made:
                    cell.cell_contents = made[id(value)]
                else:
                    within(value)
                    within(getattr(value, "derivative", None))

    for name, module in list(sys.modules.items()):
        if name.startswith("fastgrad."):
            for key, value in list(vars(module).items()):
                if id(value) in made:
                    setattr(module, key, made[id(value)])
                elif ".ops." in name:
                    within(value)
    for kind in (Tensor, Differentiable, Node, Storage):
        for key, value in list(vars(kind).items()):
            if id(value) in made:
                setattr(kind, key, method(made[id(value)]))
            elif inspect.isfunction(value):
                within(value)
            elif isinstance(value, property) and id(value.fget) in made:
                setattr(kind, key, property(made[id(value.fget)], made.get(id(value.fset)), doc=value.__doc__))
