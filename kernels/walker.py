"""`walk(table, count)`: a whole plan in one call from Python (see `pool.py` for the table).

A C function made in LLVM IR, as the launcher is, for the same reason: it costs 0.1 microseconds. The interpreter lock is
released meanwhile.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

from . import launcher, pool, store

_IR = """
@walker.walk = global ptr null
declare i64 @PyLong_AsLongLong(ptr)
declare ptr @PyLong_FromLongLong(i64)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)

define ptr @walker.call(ptr %self, ptr %args, i64 %count) {
  %first = load ptr, ptr %args
  %second_at = getelementptr ptr, ptr %args, i64 1
  %second = load ptr, ptr %second_at
  %table = call i64 @PyLong_AsLongLong(ptr %first)
  %rows = call i64 @PyLong_AsLongLong(ptr %second)
  %walk = load ptr, ptr @walker.walk
  %state = call ptr @PyEval_SaveThread()
  %done = call i64 %walk(i64 %table, i64 %rows)
  call void @PyEval_RestoreThread(ptr %state)
  %made = call ptr @PyLong_FromLongLong(i64 %done)
  ret ptr %made
}
"""
_keep: list[Any] = []


@functools.cache
def entry() -> Callable[[int, int], int]:
    """The function `walk(table, count)`, which gives how many rows were done."""
    import llvmlite.binding as llvm

    launcher.compiled_launch()  # it has told LLVM where most of Python's functions are
    for name in ("PyLong_AsLongLong", "PyLong_FromLongLong", "PyEval_SaveThread", "PyEval_RestoreThread"):
        llvm.add_symbol(name, ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value)
    engine = store.add_module(_IR)
    ctypes.c_void_p.from_address(engine.get_global_value_address("walker.walk")).value = pool.walk_address()
    definition = launcher._MethodDef(b"walk", engine.get_function_address("walker.call"), launcher._METH_FASTCALL, None)
    _keep.append(definition)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    made: Callable[[int, int], int] = make(ctypes.addressof(definition), None, None)
    return made
