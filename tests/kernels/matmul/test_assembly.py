"""The compiled micro-kernels: fused multiply-adds on whole vectors, and nothing on the stack."""

from __future__ import annotations

import re

import pytest
from fastgrad.kernels import jit
from fastgrad.kernels.cpu.matmul import blocks, library

REGISTER = {"avx512": "zmm", "avx2": "ymm"}

pytestmark = pytest.mark.skipif(jit.interpreted(), reason="nothing is compiled in the interpreter")


def body_of(assembly, name):
    start = assembly.index(f"\n{name}:")
    return assembly[start : assembly.index("\n.Lfunc_end", start)]


def innermost_loop(body):
    """The lines of the loop that holds the multiply-adds."""
    lines = body.splitlines()
    labels = {line.split(":")[0]: k for k, line in enumerate(lines) if line.startswith(".L")}
    for k, line in enumerate(lines):
        jump = re.match(r"\s+j\w+\s+(\.L\w+)", line)
        if jump and labels.get(jump[1], k) < k:
            loop = lines[labels[jump[1]] : k]
            if any("vfmadd" in each for each in loop):
                return loop
    raise AssertionError("no loop with multiply-adds")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inner_loops_are_fused_whole_vectors_in_registers(dtype):
    kind = blocks.target()
    if kind not in REGISTER:
        pytest.skip("looks at x86 instructions with fused multiply-add")
    sizes, assembly = blocks.blocks(), library.assembly(dtype)
    suffix = "ps" if dtype == "float32" else "pd"
    for vectors in range(1, sizes.vectors + 1):
        for rows in range(1, sizes.rows + 1):
            loop = innermost_loop(body_of(assembly, f"fastgrad_{dtype}_tile_{rows}x{vectors}"))
            fused = [line for line in loop if re.search(rf"\bvfn?madd\d+{suffix}\b", line)]
            assert len(fused) % (rows * vectors) == 0, (rows, vectors)
            assert fused
            assert all(f"%{REGISTER[kind]}" in line for line in fused)
            assert not any("%rsp" in line for line in loop), (rows, vectors)
            assert not any(f"vmul{suffix}" in line or f"vadd{suffix}" in line for line in loop)
