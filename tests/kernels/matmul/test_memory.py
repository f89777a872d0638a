"""What a product reads: no byte outside its operands, and no scratch that it has not written."""

import os

import numpy as np
import pytest
from fastgrad.kernels import jit
from fastgrad.kernels.cpu.matmul import blocks, plain, plan, scratch

from tests.kernels.matmul.raw import product

compiled = pytest.mark.skipif(jit.interpreted(), reason="NumPy stands for the engine in the interpreter")

GUARDED = """
import ctypes, mmap, sys
import numpy as np
from tests.kernels.matmul.raw import product

page = mmap.PAGESIZE
protect = ctypes.CDLL(None, use_errno=True).mprotect
protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
keep = []


def guarded(values, at_end):
    # An array that ends, or begins, where memory that may not be touched begins, or ends.
    size = -(-max(values.nbytes, 1) // page) * page
    memory = mmap.mmap(-1, size + 2 * page)
    keep.append(memory)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    first = page + (size - values.nbytes if at_end else 0)
    made = np.frombuffer(memory, values.dtype, values.size, first).reshape(values.shape)
    made[...] = values
    for place in (start, start + page + size):
        assert protect(place, page, 0) == 0
    return made

rng = np.random.default_rng(0)
for dtype in ("f4", "f8"):
    for m, n, k in [(1, 5, 40), (1, 70, 33), (1, 300, 600), (3, 1, 70), (5, 7, 3), (15, 33, 9), (31, 65, 70), (70, 40, 530)]:
        for a_turned in (False, True):
            for b_turned in (False, True):
                for at_end in (False, True):
                    a = guarded(rng.integers(-4, 5, (k, m) if a_turned else (m, k)).astype(dtype), at_end)
                    b = guarded(rng.integers(-4, 5, (n, k) if b_turned else (k, n)).astype(dtype), at_end)
                    a, b = a.T if a_turned else a, b.T if b_turned else b
                    bias = guarded(np.ones(n, dtype), at_end)
                    out = product(a, b, guarded(np.zeros((m, n), dtype), at_end), bias=bias)
                    np.testing.assert_array_equal(out, a @ b + 1)
"""


@compiled
@pytest.mark.skipif(os.name != "posix", reason="protects pages as POSIX does")
def test_no_operand_is_read_beyond_its_ends(run_python):
    run_python("-c", GUARDED)


@compiled
def test_new_scratch_is_nan_in_the_debug_mode(run_python):
    code = """
import ctypes
import numpy as np
from fastgrad.kernels.cpu.matmul import scratch
first = scratch.address() + scratch.HEAD_BYTES
for slot in (0, scratch.SLOTS - 1):
    words = (ctypes.c_float * 1000).from_address(first + slot * scratch.SLOT_BYTES)
    assert np.isnan(np.ctypeslib.as_array(words)).all()
assert not any((ctypes.c_char * scratch.HEAD_BYTES).from_address(scratch.address()).raw)
"""
    run_python("-c", code, FASTGRAD_DEBUG_MEMORY="nan")


def test_scratch_holds_what_is_packed():
    assert blocks.columns() <= blocks.blocks().columns
    assert blocks.columns() % (blocks.blocks().bytes * blocks.blocks().vectors) == 0
    assert max(blocks.PANEL.values()) * blocks.blocks().columns < scratch.SLOT_BYTES


@compiled
@pytest.mark.parametrize("columns", [256, 512])
def test_a_small_cache_changes_no_bit(columns, monkeypatch):
    a, b = (np.random.default_rng(0).standard_normal(shape).astype("f4") for shape in ((70, 600), (600, 700)))
    before = product(a, b, np.zeros((70, 700), "f4"))
    monkeypatch.setattr(plan, "columns", lambda: columns)
    plan._ready.cache_clear()
    try:
        assert plan.plan(70, 700, 600, 1, "float32", 1)[3] <= columns // 4
        np.testing.assert_array_equal(product(a, b, np.zeros((70, 700), "f4")), before)
    finally:
        plan._ready.cache_clear()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("cascadelake", "avx512"), ("tigerlake", "avx512"), ("graniterapids", "avx512"), ("znver3", "avx2"), ("x86-64", "sse")],
)
def test_processors_by_name(name, kind, monkeypatch):
    llvm = pytest.importorskip("llvmlite.binding")
    if not llvm.get_default_triple().startswith("x86_64"):
        pytest.skip("names x86 processors")
    monkeypatch.delenv("NUMBA_CPU_FEATURES", raising=False)
    monkeypatch.setattr(blocks, "processor", lambda: (name, ""))
    assert blocks.target.__wrapped__() == kind
    monkeypatch.setattr(blocks, "processor", lambda: ("nothing-like-it", ""))
    with pytest.warns(UserWarning, match="what a nothing-like-it can do is not known"):
        assert blocks.target.__wrapped__() == "sse"


def test_the_second_engine_has_one_name():
    assert [plain._wanted(word) for word in ("", "own", "blas")] == [False, False, True]
    with pytest.raises(ValueError, match="FASTGRAD_MATMUL names an engine for matrix products, own or blas, not 'BLAS'"):
        plain._wanted("BLAS")
