"""Elementwise kernels, made from the CPU's scalar functions: the loop over a thread's elements.

With two inputs and one scalar the generated source reads

    def loop(n, layout, out, x0, x1, a0, lo, hi, step):
        for i in range(lo, hi, step):
            o = q0 = q1 = i
            if layout != 0:
                ... o, q0, q1 from i, dimension by dimension, the innermost first
            out[o] = f(x0[q0], x1[q1], a0)

A layout is the block of int64 that `kernels/loops.py` describes, in device memory, known by its address; 0 means that
everything is contiguous. Neighbouring threads have neighbouring elements, so that contiguous memory is read in whole lines.
"""

from __future__ import annotations

from typing import Any

from .. import jit, loops
from ..formula import formula
from ._target import pointer, scalar_types
from .declare import Kernel, kernel


@kernel("F* out, F value")
def fill(out, value, lo, hi, step):
    """One number everywhere: tasks are elements."""
    for i in range(lo, hi, step):
        out[i] = value


def from_cpu(cpu: jit.Kernel) -> Kernel:
    """The CUDA kernel of an elementwise kernel of the CPU; LookupError for another one."""
    code = cpu.function.__code__
    inputs, scalars = code.co_argcount, code.co_kwonlyargcount
    if len(cpu.types) != 3 + inputs + scalars:  # a count, a layout, an output; a loop has `lo` and `hi` instead
        raise LookupError(f"no CUDA kernel is called {cpu.name!r}")
    given: dict[str, Any] = {"f": formula(loops.all_positional(cpu.function))}  # traced: it leaves no call
    given |= {"pointer": pointer, "i64": scalar_types["int64"]}
    exec(compile(_loop(inputs, scalars, cpu.types[3:].count("u8*")), f"<loop of {cpu.name}>", "exec"), given)
    types = ["int", "int", *cpu.types[2:]]
    return Kernel(given["loop"], types, cpu.name)


def _loop(inputs: int, scalars: int, masks: int) -> str:
    arrays, numbers = [f"x{k}" for k in range(inputs)], [f"a{k}" for k in range(scalars)]
    places = ["o", *(f"q{k}" for k in range(inputs))]
    values = [f"{x}[{q}]" + " != 0" * (k < masks) for k, (x, q) in enumerate(zip(arrays, places[1:], strict=True))] + numbers
    lines = [
        f"def loop({', '.join(['n', 'layout', 'out', *arrays, *numbers, 'lo', 'hi', 'step'])}):",
        "    for i in range(lo, hi, step):",
        f"        {' = '.join(places)} = i",
        "        if layout != 0:",
        "            table = pointer(layout, i64)",
        "            ndim = table[0]",
        f"            {' = '.join(places)} = 0",
        "            rest = i",
        "            for d in range(ndim, 0, -1):",
        "                k = rest % table[d]",
        "                rest = rest // table[d]",
        *(f"                {place} += k * table[ndim * {j + 1} + d]" for j, place in enumerate(places)),
        f"        out[o] = f({', '.join(values)})",
    ]
    return "\n".join(lines) + "\n"
