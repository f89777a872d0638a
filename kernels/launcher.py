"""`launch(row_address, total, grain, *args)`: the one call from Python into compiled rows.

It is a C function made here in LLVM IR, because the usual ways in cost more than small kernels do: numba's dispatcher takes
0.15 to 0.26 microseconds, ctypes 0.37, this 0.05. Integers (addresses, sizes, strides) go into the argument block as they
are; a Python float goes into a slot on the stack, and the slot's address into the block. When there is more than one
chunk of work the GIL is released and the pool runs the chunks; otherwise the row runs at once, on the caller.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from . import jit, store

MOST_ARGUMENTS = 40  # two digits: the text in the IR has its length written out

_IR = """
%object = type { i64, ptr }
@parallel = global ptr null
@PyFloat_Type = external global i8
@PyExc_TypeError = external global ptr
@_Py_NoneStruct = external global i8
@too_many = private constant [43 x i8] c"launch: takes a row and up to MM arguments\\00"
declare i64 @PyLong_AsLongLong(ptr)
declare double @PyFloat_AsDouble(ptr)
declare ptr @PyErr_Occurred()
declare void @PyErr_SetString(ptr, ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_IncRef(ptr)

define ptr @launch(ptr %self, ptr %args, i64 %count) {
entry:
  %block = alloca [MM x i64], align 16
  %slots = alloca [MM x double], align 16
  %enough = icmp sge i64 %count, 3
  %fits = icmp sle i64 %count, MM
  %good = and i1 %enough, %fits
  br i1 %good, label %next, label %wrong
wrong:
  %type_error = load ptr, ptr @PyExc_TypeError
  call void @PyErr_SetString(ptr %type_error, ptr @too_many)
  ret ptr null
next:                                     ; every argument, converted into its place in the block
  %k = phi i64 [ 0, %entry ], [ %k1, %stored ]
  %place = getelementptr i64, ptr %block, i64 %k
  %given = getelementptr ptr, ptr %args, i64 %k
  %item = load ptr, ptr %given
  %kind_at = getelementptr %object, ptr %item, i32 0, i32 1
  %kind = load ptr, ptr %kind_at
  %is_float = icmp eq ptr %kind, @PyFloat_Type
  br i1 %is_float, label %float, label %integer
float:
  %number = call double @PyFloat_AsDouble(ptr %item)
  %slot = getelementptr double, ptr %slots, i64 %k
  store double %number, ptr %slot
  %slot_address = ptrtoint ptr %slot to i64
  br label %stored_value
integer:
  %whole = call i64 @PyLong_AsLongLong(ptr %item)
  %minus = icmp eq i64 %whole, -1
  br i1 %minus, label %check, label %stored_value
check:
  %raised = call ptr @PyErr_Occurred()
  %clean = icmp eq ptr %raised, null
  br i1 %clean, label %stored_value, label %failed
failed:
  ret ptr null
stored_value:
  %word = phi i64 [ %slot_address, %float ], [ %whole, %integer ], [ -1, %check ]
  store i64 %word, ptr %place
  br label %stored
stored:
  %k1 = add i64 %k, 1
  %more = icmp slt i64 %k1, %count
  br i1 %more, label %next, label %run
run:
  %row_word = load i64, ptr %block
  %row = inttoptr i64 %row_word to ptr
  %total_at = getelementptr i64, ptr %block, i64 1
  %total = load i64, ptr %total_at
  %grain_at = getelementptr i64, ptr %block, i64 2
  %grain = load i64, ptr %grain_at
  %first = getelementptr i64, ptr %block, i64 3
  %row_args = ptrtoint ptr %first to i64
  %small = icmp sle i64 %total, %grain
  br i1 %small, label %here, label %chunks
here:
  call void %row(i64 %row_args, i64 0, i64 %total)
  br label %done
chunks:
  %state = call ptr @PyEval_SaveThread()
  %pool = load ptr, ptr @parallel
  call void %pool(i64 %row_word, i64 %row_args, i64 %total, i64 %grain)
  call void @PyEval_RestoreThread(ptr %state)
  br label %done
done:
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  ret ptr @_Py_NoneStruct
}
""".replace("MM", str(MOST_ARGUMENTS))


class _MethodDef(ctypes.Structure):
    """CPython's PyMethodDef: name, function, calling convention, docstring."""

    _fields_ = [
        ("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    ]  # fmt: skip


_METH_FASTCALL = 0x80
_keep: list[Any] = []  # a PyMethodDef must outlive the function made of it


_lock = store.lock
_compiled: Callable[..., None] | None = None


def compiled_launch() -> Callable[..., None]:
    """The C function, made at the first call."""
    global _compiled
    with _lock:
        if _compiled is None:
            _compiled = _make()
    return _compiled


@store.undisturbed()
def _make() -> Callable[..., None]:
    """Compile the C function, tell it where the pool's entry is, and wrap it for Python."""
    import llvmlite.binding as llvm

    from . import pool

    for name in ("PyFloat_Type", "PyExc_TypeError", "_Py_NoneStruct"):
        llvm.add_symbol(name, ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name)))
    for name in ("PyLong_AsLongLong", "PyFloat_AsDouble", "PyErr_Occurred", "PyErr_SetString",
                 "PyEval_SaveThread", "PyEval_RestoreThread", "Py_IncRef"):  # fmt: skip
        function = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
        assert function is not None
        llvm.add_symbol(name, function)
    engine = store.add_module(_IR)
    cell = ctypes.c_void_p.from_address(engine.get_global_value_address("parallel"))
    cell.value = pool.parallel_address()
    definition = _MethodDef(b"launch", engine.get_function_address("launch"), _METH_FASTCALL, None)
    _keep.append(definition)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    made: Callable[..., None] = make(ctypes.addressof(definition), None, None)
    return made


_interpreted: list[Callable[[Any, int, int], None]] = []


def register_interpreted(row: Callable[[Any, int, int], None]) -> int:
    """A number, not 0, that stands for a row's address while kernels run in the interpreter."""
    _interpreted.append(row)
    return len(_interpreted)


def interpreted_launch(row: int, total: int, grain: int, *args: float) -> None:
    """The same call in the interpreter, chunk after chunk on the caller."""
    block = (ctypes.c_int64 * max(1, len(args)))()
    slots = (ctypes.c_double * max(1, len(args)))()
    for k, value in enumerate(args):
        if isinstance(value, float):
            slots[k] = value
            block[k] = ctypes.addressof(slots) + 8 * k
        else:
            block[k] = value
    with np.errstate(all="ignore"):  # NumPy's scalars warn where compiled code gives inf or NaN in silence
        for lo in range(0, total, max(1, min(grain, total))):
            _interpreted[row - 1](ctypes.addressof(block), lo, min(lo + grain, total))


def launch(row: int, total: int, grain: int, *args: float) -> None:
    """Run `row` over the tasks [0, total): on the caller, or on the pool in chunks of `grain` when `total > grain`."""
    entry()(row, total, grain, *args)


def entry() -> Callable[..., None]:
    """The callable behind `launch`, for callers that keep it."""
    return interpreted_launch if jit.interpreted() else compiled_launch()
