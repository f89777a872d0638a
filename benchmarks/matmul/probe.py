"""The processor's limit: how many multiply-adds a second independent chains of full vectors reach."""

from __future__ import annotations

import ctypes
import functools
import threading
import time

CHAINS = 24
STEPS = 1 << 19
PAUSE = 0.1


@functools.cache
def _chains(dtype: str) -> ctypes._CFuncPtr:
    """void chains(pointer to a vector, steps): compiled by itself, next to the kernels."""
    import llvmlite.binding as llvm
    from fastgrad.kernels import store
    from fastgrad.kernels.cpu.matmul import bfloat, library, micro
    from fastgrad.kernels.cpu.matmul.vector import POINTER, WORD, VectorMemory, integer, item
    from llvmlite import ir

    kind, module = item(dtype), ir.Module()
    made = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, WORD]), f"probe_{dtype}")
    builder = ir.IRBuilder(made.append_basic_block())
    entry, again, done = (
        builder.block,
        builder.append_basic_block("again"),
        builder.append_basic_block("done"),
    )
    memory = VectorMemory(builder, kind)
    step = bfloat.dot if dtype == "bfloat16" else micro.multiply_add
    x = memory.load(made.args[0])
    builder.branch(again)
    builder.position_at_end(again)
    left = builder.phi(WORD)
    sums = [builder.phi(kind.vector) for _ in range(CHAINS)]
    new = [step(builder, kind, x, x, value) for value in sums]
    following = builder.sub(left, integer(1))
    for phi, first, later in [
        (left, made.args[1], following),
        *((p, x, v) for p, v in zip(sums, new, strict=True)),
    ]:
        phi.add_incoming(first, entry)
        phi.add_incoming(later, again)
    builder.cbranch(builder.icmp_signed(">", following, integer(0)), again, done)
    builder.position_at_end(done)
    total = new[0]
    for value in new[1:]:
        total = builder.fadd(total, value)
    memory.store(total, made.args[0])
    builder.ret_void()
    code = bytes(library._machine().emit_object(llvm.parse_assembly(str(module))))
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(store.load(f"probe_{dtype}", code))


def limit(threads: int, dtype: str = "float32") -> float:
    """GFLOP/s of `threads` threads together, best of five; of "bfloat16", by pairs."""
    from fastgrad.kernels.cpu.matmul.vector import item

    chains, flops = _chains(dtype), 2 * CHAINS * STEPS * item(dtype).lanes * (2 if dtype == "bfloat16" else 1)
    best = 0.0
    if threads > 1:
        time.sleep(PAUSE)
    for _ in range(5):
        buffers = [(ctypes.c_double * 16)() for _ in range(threads)]
        workers = [threading.Thread(target=chains, args=(buffer, STEPS)) for buffer in buffers[1:]]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        chains(buffers[0], STEPS)
        for worker in workers:
            worker.join()
        best = max(best, threads * flops / (time.perf_counter() - start) / 1e9)
    return best
