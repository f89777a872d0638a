"""The compiled micro-kernels: fused multiply-adds on whole vectors, and nothing on the stack."""

from __future__ import annotations

import re

import pytest
from fastgrad.kernels import jit
from fastgrad.kernels.cpu.matmul import bfloat, blocks, library, micro, vector

REGISTER = {"avx512": "zmm", "avx2": "ymm"}

pytestmark = pytest.mark.skipif(jit.interpreted(), reason="nothing is compiled in the interpreter")


def body_of(assembly, name):
    start = assembly.index(f"\n{name}:")
    return assembly[start : assembly.index("\n.Lfunc_end", start)]


def innermost_loop(body, instruction="vfmadd"):
    """The lines of the loop that holds the multiply-adds."""
    lines = body.splitlines()
    labels = {line.split(":")[0]: k for k, line in enumerate(lines) if line.startswith(".L")}
    for k, line in enumerate(lines):
        jump = re.match(r"\s+j\w+\s+(\.L\w+)", line)
        if jump and labels.get(jump[1], k) < k:
            loop = lines[labels[jump[1]] : k]
            if any(instruction in each for each in loop):
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


@pytest.mark.skipif(not bfloat.available(), reason="no bfloat16 instructions")
def test_inner_loops_of_pairs_are_one_instruction_a_vector_in_registers():
    sizes, assembly = blocks.blocks(), library.assembly("bfloat16")
    for vectors in range(1, sizes.vectors + 1):
        for rows in range(1, sizes.rows + 1):
            loop = innermost_loop(body_of(assembly, f"fastgrad_bfloat16_tile_{rows}x{vectors}"), "vdpbf16ps")
            dots = [line for line in loop if "vdpbf16ps" in line]
            assert len(dots) == rows * vectors, (rows, vectors)
            assert all("%zmm" in line for line in dots)
            assert not any("%rsp" in line for line in loop), (rows, vectors)
            assert not any("vfmadd" in line or "vmulps" in line or "vaddps" in line for line in loop)


def test_neon_assembly_is_fused_whole_vectors_in_registers(monkeypatch):
    """Emitted and read, never run: no such processor is at hand where these tests are made."""
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple("aarch64-unknown-linux-gnu")
    except RuntimeError:
        pytest.skip("this LLVM does not write for aarch64")
    for module in (blocks, library, micro, vector):
        monkeypatch.setattr(module, "blocks", lambda: blocks._TABLE["neon"])
    machine = target.create_target_machine(cpu="neoverse-n1", features="+neon", opt=3)
    assembly = str(machine.emit_assembly(llvm.parse_assembly(library.module_text("float32"))))
    lines = body_of(assembly, "fastgrad_float32_tile_12x2").splitlines()
    fused = [k for k, line in enumerate(lines) if re.search(r"fmla\s+v\d+\.4s", line)]
    assert len(fused) == 24
    loop = lines[fused[0] : fused[-1]]
    assert not any("[sp" in line or "\tfmul" in line or "\tfadd" in line for line in loop)
    assert not any(re.match(r"\s+(tb|cb|b\.)", line) for line in loop)
