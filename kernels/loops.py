"""The loops around an elementwise kernel's scalar function.

A range [lo, hi) of the output's elements, in row-major order, is walked in segments: one segment when everything is
contiguous, else one for each run along the innermost dimension. A segment's loop is picked by the strides there: all 1
(which vectorises), one input held at stride 0 (broadcast), or any strides. With one input the generated source reads

    def segment(n, out, so, x0, s0):
        if so == 1 and s0 == 1:
            for i in range(n): store(out, i, f(load(x0, i)))
        else:
            for i in range(n): store(out, i * so, f(load(x0, i * s0)))

A layout is a block of int64: ndim, then ndim sizes, then ndim element strides for the output and for each input.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from . import jit


def row(
    function: Callable[..., Any], inputs: int, scalars: int, dtype: str, out: str, masks: int = 0, far: Any = None
) -> Callable[[Any, int, int], None]:
    """`row(args, lo, hi)` of an elementwise kernel for one float type."""
    from .formula import formula
    from .pointers import at, load, pointer, store

    kinds = jit._scalar_types()
    given: dict[str, Any] = {"pointer": pointer, "at": at, "load": load, "store": store, "i64": kinds["int64"]}
    given |= {"f64": kinds["float64"], "F": kinds[dtype], "O": kinds[{"bool": "uint8", "F": dtype}.get(out, out)]}
    given["B"] = kinds["uint8"]
    given["f"] = formula(all_positional(function))  # traced into the loop: no call is left, and literals take x's type
    if far is not None:
        given["beyond"], given["other"] = far
    text = _segment_with_far(inputs) if far is not None else _segment(inputs, scalars, masks)
    exec(compile(text, f"<segment of {function.__name__}>", "exec"), given)
    given["segment"] = jit.helper(given["segment"])
    exec(compile(_row(inputs, scalars, masks), f"<row of {function.__name__}>", "exec"), given)
    made: Callable[[Any, int, int], None] = given["row"]
    return made


def all_positional(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its keyword-only parameters made positional, which is what numba can call."""
    code: CodeType = function.__code__
    plain = code.replace(co_argcount=code.co_argcount + code.co_kwonlyargcount, co_kwonlyargcount=0)
    return FunctionType(plain, function.__globals__, function.__name__)


def _segment(inputs: int, scalars: int, masks: int = 0) -> str:
    names = [f"x{k}" for k in range(inputs)]
    constants = [f"a{k}" for k in range(scalars)]
    parameters = ", ".join(["n", "out", "so"] + [f"x{k}, s{k}" for k in range(inputs)] + constants)
    unit = " and ".join(["so == 1"] + [f"s{k} == 1" for k in range(inputs)])
    lines = [f"def segment({parameters}):"]

    def loop(condition: str, out_index: str, values: list[str], before: str = "pass") -> None:
        given = [f"{value} != 0" if k < masks else value for k, value in enumerate(values)]
        call = ", ".join(given + constants)
        lines.append(f"    {condition}:\n        {before}\n        for i in range(n):")
        lines.append(f"            store(out, {out_index}, f({call}))")

    loop(f"if {unit}", "i", [f"load({x}, i)" for x in names])
    if inputs == 2:
        loop("elif so == 1 and s0 == 1 and s1 == 0", "i", ["load(x0, i)", "v"], "v = load(x1, 0)")
        loop("elif so == 1 and s0 == 0 and s1 == 1", "i", ["v", "load(x1, i)"], "v = load(x0, 0)")
    if inputs == 3:  # one of two choices is a number
        loop("elif so == 1 and s0 == 1 and s1 == 1 and s2 == 0", "i", ["load(x0, i)", "load(x1, i)", "v"], "v = load(x2, 0)")
    loop("else", "i * so", [f"load({x}, i * s{k})" for k, x in enumerate(names)])
    return "\n".join(lines) + "\n"


def _segment_with_far(inputs: int) -> str:
    """The segment of a function that is left to another one for some numbers: a block without them is one vector loop."""
    names = [f"x{k}" for k in range(inputs)]
    strided = ", ".join([f"load({x}, i * s{k})" for k, x in enumerate(names)])
    forms = [[1] * inputs] + ([[1, 0], [0, 1]] if inputs == 2 else [])  # all side by side, or one of two a number
    lines = [f"def segment(n, out, so, {', '.join(f'{x}, s{k}' for k, x in enumerate(names))}):"]
    lines += [f"    v{k} = load({x}, 0)" for k, x in enumerate(names)]
    lines += [f"    for first in range(0, n, {BLOCK}):", f"        last, apart = min(n, first + {BLOCK}), 1"]
    for place, strides in enumerate(forms):
        values = ", ".join([f"load(x{k}, i)" if step else f"v{k}" for k, step in enumerate(strides)])
        unit = " and ".join(["so == 1"] + [f"s{k} == {step}" for k, step in enumerate(strides)])
        lines += [f"        {'elif' if place else 'if'} {unit}:", "            apart = 0"]
        lines += ["            for i in range(first, last):", f"                if beyond({values}):"]
        lines += ["                    apart = 1", "            if apart == 0:"]
        lines += ["                for i in range(first, last):"]
        lines += [f"                    store(out, i, f({values}))"]
    lines += ["        if apart:", "            for i in range(first, last):", f"                if beyond({strided}):"]
    lines += [f"                    store(out, i * so, other({strided}))", "                else:"]
    lines += [f"                    store(out, i * so, f({strided}))"]
    return "\n".join(lines) + "\n"


BLOCK = 512  # numbers looked at together for some that are left to the other function: they stay in the first-level cache


def _row(inputs: int, scalars: int, masks: int = 0) -> str:
    pointers = ["pointer(words[2], O)"] + [f"pointer(words[{3 + k}], {'B' if k < masks else 'F'})" for k in range(inputs)]
    constants = [f"F(pointer(words[{3 + inputs + k}], f64)[0])" for k in range(scalars)]
    tail = "".join(f", {value}" for value in constants)
    flat = ", ".join(f"at({p}, lo), 1" for p in pointers)
    names = ["o"] + [f"q{k}" for k in range(inputs)]
    last = [f"sizes[ndim * {k + 2} - 1]" for k in range(len(names))]  # innermost strides: the sizes come first
    lines = [
        "def row(args, lo, hi):",
        "    words = pointer(args, i64)",
        "    if words[1] == 0:",
        f"        segment(hi - lo, {flat}{tail})",
        "        return",
        "    layout = pointer(words[1], i64)",
        "    ndim = layout[0]",
        "    sizes = at(layout, 1)",
        "    inner = sizes[ndim - 1]",
        "    rows = sizes[ndim - 2]",  # 1 where there is one dimension: what stands before the sizes is ndim
        "    i = lo",
        "    while i < hi:",
        "        rest = i // inner",
        "        column = i - rest * inner",
        "        last = min(hi, (rest - rest % rows + rows) * inner)",
    ]
    lines += [f"        {n} = column * {s}" for n, s in zip(names, last, strict=True)]
    lines += ["        for back in range(2, ndim + 1):", "            d = ndim - back", "            k = rest % sizes[d]"]
    lines += ["            rest = rest // sizes[d]"]
    lines += [f"            {n} += k * sizes[ndim * {k + 1} + d]" for k, n in enumerate(names)]
    moved = ", ".join(f"at({p}, {n}), {s}" for p, n, s in zip(pointers, names, last, strict=True))
    lines += ["        while i < last:"]  # runs one below the other: no division is needed from one to the next
    lines += ["            run = min(inner - column, last - i)", f"            segment(run, {moved}{tail})"]
    lines += ["            i += run"]
    lines += [f"            {n} += sizes[ndim * {k + 2} - 2] - column * {last[k]}" for k, n in enumerate(names)]
    lines += ["            column = 0"]
    return "\n".join(lines) + "\n"
