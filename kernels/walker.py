"""`walk(table, count, known)`: a whole plan in one call from Python (see `pool.py` for the table, `pace.py` for what is
known of it); and what goes with it.

A C function made in LLVM IR, as the launcher is, for the same reason: it costs 0.1 microseconds. The interpreter lock is
released meanwhile.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

from . import launcher, pace, store

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
  %third_at = getelementptr ptr, ptr %args, i64 2
  %third = load ptr, ptr %third_at
  %table = call i64 @PyLong_AsLongLong(ptr %first)
  %rows = call i64 @PyLong_AsLongLong(ptr %second)
  %known = call i64 @PyLong_AsLongLong(ptr %third)
  %walk = load ptr, ptr @walker.walk
  %state = call ptr @PyEval_SaveThread()
  %done = call i64 %walk(i64 %table, i64 %rows, i64 %known)
  call void @PyEval_RestoreThread(ptr %state)
  %made = call ptr @PyLong_FromLongLong(i64 %done)
  ret ptr %made
}

define ptr @walker.same(ptr %self, ptr %args, i64 %given) { ; given: pairs (where a word stands, what it was), how many
entry:
  %first = load ptr, ptr %args
  %second_at = getelementptr ptr, ptr %args, i64 1
  %second = load ptr, ptr %second_at
  %pairs_word = call i64 @PyLong_AsLongLong(ptr %first)
  %count = call i64 @PyLong_AsLongLong(ptr %second)
  %pairs = inttoptr i64 %pairs_word to ptr
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k1, %equal ]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %look, label %done
look:
  %place_at = getelementptr [2 x i64], ptr %pairs, i64 %k, i64 0
  %then_at = getelementptr [2 x i64], ptr %pairs, i64 %k, i64 1
  %place_word = load i64, ptr %place_at
  %then = load i64, ptr %then_at
  %place = inttoptr i64 %place_word to ptr
  %now = load i64, ptr %place
  %same = icmp eq i64 %now, %then
  br i1 %same, label %equal, label %done
equal:
  %k1 = add i64 %k, 1
  br label %next
done:
  %all = icmp eq i64 %k, %count
  %one = zext i1 %all to i64
  %made = call ptr @PyLong_FromLongLong(i64 %one)
  ret ptr %made
}

define void @walker.chain(i64 %args, i64 %lo, i64 %hi) {  ; args: pairs (where row and args stand), how many, strip
entry:
  %words = inttoptr i64 %args to ptr
  %pairs_word = load i64, ptr %words
  %pairs = inttoptr i64 %pairs_word to ptr
  %count_at = getelementptr i64, ptr %words, i64 1
  %count = load i64, ptr %count_at
  %strip_at = getelementptr i64, ptr %words, i64 2
  %strip = load i64, ptr %strip_at
  br label %next
next:
  %first = phi i64 [ %lo, %entry ], [ %last, %stripped ]
  %more = icmp slt i64 %first, %hi
  br i1 %more, label %begin, label %done
begin:
  %far = add i64 %first, %strip
  %within = icmp slt i64 %far, %hi
  %last = select i1 %within, i64 %far, i64 %hi
  br label %each
each:
  %k = phi i64 [ 0, %begin ], [ %k1, %each ]
  %row_at = getelementptr [2 x i64], ptr %pairs, i64 %k, i64 0
  %own_at = getelementptr [2 x i64], ptr %pairs, i64 %k, i64 1
  %row_word = load i64, ptr %row_at
  %own = load i64, ptr %own_at
  %row = inttoptr i64 %row_word to ptr
  call void %row(i64 %own, i64 %first, i64 %last)
  %k1 = add i64 %k, 1
  %again = icmp slt i64 %k1, %count
  br i1 %again, label %each, label %stripped
stripped:
  br label %next
done:
  ret void
}

define void @walker.jobs(i64 %args, i64 %lo, i64 %hi) {  ; args: jobs (row, args, lo, hi); where each task's jobs begin
entry:
  %words = inttoptr i64 %args to ptr
  %jobs_word = load i64, ptr %words
  %jobs = inttoptr i64 %jobs_word to ptr
  %begin_at = getelementptr i64, ptr %words, i64 1
  %first_at = getelementptr i64, ptr %begin_at, i64 %lo
  %end_at = getelementptr i64, ptr %begin_at, i64 %hi
  %first = load i64, ptr %first_at
  %end = load i64, ptr %end_at
  br label %next
next:
  %k = phi i64 [ %first, %entry ], [ %k1, %job ]
  %more = icmp slt i64 %k, %end
  br i1 %more, label %job, label %done
job:
  %row_at = getelementptr [4 x i64], ptr %jobs, i64 %k, i64 0
  %own_at = getelementptr [4 x i64], ptr %jobs, i64 %k, i64 1
  %from_at = getelementptr [4 x i64], ptr %jobs, i64 %k, i64 2
  %to_at = getelementptr [4 x i64], ptr %jobs, i64 %k, i64 3
  %row_word = load i64, ptr %row_at
  %own = load i64, ptr %own_at
  %from = load i64, ptr %from_at
  %to = load i64, ptr %to_at
  %row = inttoptr i64 %row_word to ptr
  call void %row(i64 %own, i64 %from, i64 %to)
  %k1 = add i64 %k, 1
  br label %next
done:
  ret void
}
"""
_keep: list[Any] = []


def entry() -> Callable[[int, int, int], int]:
    """`walk(table, count, known)`, which gives how many rows were done. `known`: the address of a `pace.unknown()`."""
    return _made()[0]


def same() -> Callable[[int, int], int]:
    """The function `same(pairs, count)`: whether each of the words at some addresses is what it was; a nanosecond a word.

    The pairs are (address, word as it was). A plan looks so at the slots of hundreds of objects.
    """
    return _made()[1]


def chain_address() -> int:
    """The machine address of a row that runs other rows, all of them over one strip after the other.

    Its arguments: the address of pairs (row, args), their number, and the elements of a strip.
    """
    return _made()[2]


def jobs_address() -> int:
    """The machine address of a row whose tasks are lists of jobs: parts of other rows, run in order.

    Its arguments: the address of the jobs (row, args, lo, hi), and then for each task the number of its first job, and at
    last the number of jobs.
    """
    return _made()[3]


@functools.cache
def _made() -> tuple[Callable[..., int], Callable[..., int], int, int]:
    import llvmlite.binding as llvm

    launcher.compiled_launch()  # it has told LLVM where most of Python's functions are
    for name in ("PyLong_AsLongLong", "PyLong_FromLongLong", "PyEval_SaveThread", "PyEval_RestoreThread"):
        llvm.add_symbol(name, ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value)
    engine = store.add_module(_IR)
    ctypes.c_void_p.from_address(engine.get_global_value_address("walker.walk")).value = pace.address()
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    callables: list[Callable[..., int]] = []
    for called, symbol in ((b"walk", "walker.call"), (b"same", "walker.same")):
        definition = launcher._MethodDef(called, engine.get_function_address(symbol), launcher._METH_FASTCALL, None)
        _keep.append(definition)
        callables.append(make(ctypes.addressof(definition), None, None))
    rows = [engine.get_function_address(name) for name in ("walker.chain", "walker.jobs")]
    return callables[0], callables[1], rows[0], rows[1]
