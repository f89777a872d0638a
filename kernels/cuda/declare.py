"""Declaring and launching CUDA kernels.

A kernel is declared as for the CPU (see `kernels/jit.py`), with the same closed list of argument types, the same name
"family.kernel" and the same arguments. What differs is who does the tasks:

    @kernel("F* out, F value")                    a thread does the tasks lo, lo + step, ... below hi
    def fill(out, value, lo, hi, step):
        for i in range(lo, hi, step):
            out[i] = value

    @kernel("...", per="block", threads=128)      a block of 128 threads does them together, each of its threads at once
    @kernel("...", times="inner")                 there are `inner` times as many tasks as the launch says
    @kernel("...", blocks=1)                      at most one block of threads is started

Numbers (`float`, `F`) are passed by value. How many blocks are started changes no bit; how many threads a block has may
decide a sum's order, and is a constant.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

from .. import jit
from . import _target

THREADS = 16 if _target.simulated else 256  # of a block
BLOCKS = 2 if _target.simulated else 4096  # at most: a million threads, four times what the largest GPU runs at once
_FIRST = {
    "thread": "cuda.grid(1), total, cuda.gridsize(1)",
    "block": "i64(cuda.blockIdx.x), total, i64(cuda.gridDim.x)",
}

_lock = threading.RLock()
_declared: dict[str, Kernel] = {}
_rows: dict[tuple[str, str], Row] = {}


class Kernel:
    """A declared kernel: its source function, its argument types, and how its tasks are spread over threads."""

    def __init__(
        self, function: Callable[..., None], types: list[str], name: str, per: str = "thread", threads: int = THREADS,
        blocks: int = BLOCKS, times: int | None = None,
    ) -> None:  # fmt: skip
        self.function, self.types, self.name = function, types, name
        self.per, self.threads, self.blocks, self.times = per, threads, blocks, times

    def signature(self) -> str:
        """The row's types for the compiler: every pointer is an address, every number a float64."""
        kinds = ["float64" if kind in ("float", "F") else "int64" for kind in self.types if kind != "type"]
        return f"void({', '.join([*kinds, 'int64'])})"

    def source(self, dtype: str) -> Callable[..., None]:
        """The function `row(*args, total)`: turns the arguments into pointers and numbers, and calls the loop."""
        scalar: dict[str, Any] = _target.scalar_types
        given: dict[str, Any] = {"body": _target.helper(self.function), "pointer": _target.pointer}
        given |= {"cuda": _target.cuda, "i64": scalar["int64"], "F": scalar[dtype]}
        names, unpacked = [], []
        for position, kind in enumerate(self.types):
            if kind == "type":
                unpacked.append("F")
                continue
            name = f"a{position}"
            names.append(name)
            if kind.endswith("*"):
                target = jit.POINTERS[kind] or dtype
                given[target] = scalar[target]
                unpacked.append(f"pointer({name}, {target})")
            else:
                unpacked.append(f"F({name})" if kind == "F" else name)
        call = ", ".join([*unpacked, _FIRST[self.per]])
        text = f"def row({', '.join([*names, 'total'])}):\n    body({call})\n"
        exec(compile(text, f"<row of {self.name}>", "exec"), given)
        made: Callable[..., None] = given["row"]
        return made


class Row:
    """One kernel compiled for one float type."""

    __slots__ = ("compiled", "kernel")

    def __init__(self, kernel: Kernel, dtype: str) -> None:
        self.kernel = kernel
        self.compiled = _target.compile_row(kernel.source(dtype), kernel.signature())


def kernel(declaration: str, per: str = "thread", times: str = "", **geometry: int) -> Callable[..., Kernel]:
    """Declare a kernel; see the top of this file."""

    def declare(function: Callable[..., None]) -> Kernel:
        pairs = [part.split() for part in declaration.split(",")]
        types, names = [kind for kind, _ in pairs], [name for _, name in pairs]
        actual = list(function.__code__.co_varnames[: function.__code__.co_argcount])
        if [*names, "lo", "hi", "step"] != actual:
            raise TypeError(f"kernel {function.__name__} declares {names} but takes {actual}")
        for kind in types:
            if kind not in jit.POINTERS and kind not in ("int", "float", "F", "type"):
                raise TypeError(f"kernel {function.__name__}: {kind!r} is not on the closed list of argument types")
        name = f"{function.__module__.partition('kernels.cuda.')[2]}.{function.__name__}"
        factor = names.index(times) if times else None
        return _declared.setdefault(name, Kernel(function, types, name, per, times=factor, **geometry))

    return declare


def declared(name: str) -> Kernel:
    """The kernel of this name: one of this folder, or the CPU's elementwise kernel made for this device."""
    if name not in _declared:
        family = name.rpartition(".")[0]
        module = f"{__package__}.{family}"
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    if name not in _declared:
        from .elementwise import from_cpu

        _declared[name] = from_cpu(jit.declared(name))
    return _declared[name]


def row(name: str, dtype: str) -> Row:
    """A kernel's row for one float type. LookupError for an unknown name, RuntimeError where there is no device."""
    found = _rows.get((name, dtype))
    if found is None:
        with _lock:
            found = _rows.get((name, dtype)) or _rows.setdefault((name, dtype), Row(declared(name), dtype))
    return found


def launch(row: Row, total: int, grain: int, *args: float) -> None:
    """Run a row over the tasks [0, total). `grain` is what the CPU cuts tasks by; here each task has threads of its own.

    Integers are sizes and addresses of device memory, floats are numbers; their order is the declaration's.
    """
    kernel = row.kernel
    tasks = total if kernel.times is None else total * int(args[kernel.times])
    wanted = tasks if kernel.per == "block" else -(-tasks // kernel.threads)
    row.compiled[max(1, min(wanted, kernel.blocks)), kernel.threads](*args, tasks)
