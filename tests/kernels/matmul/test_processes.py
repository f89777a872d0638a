"""Forked children, many threads at once, calls inside calls, other instruction sets: in processes."""

from __future__ import annotations

import os
import platform

import pytest
from fastgrad.kernels import jit

pytestmark = pytest.mark.skipif(jit.interpreted(), reason="NumPy stands for the engine in the interpreter")

COMMON = """
import sys, os, threading
sys.path.insert(0, os.getcwd())
import numpy as np
from fastgrad.kernels import pool
from tests.kernels.matmul.raw import product
pool.set_num_threads(4)
rng = np.random.default_rng(0)
a, b = rng.integers(-4, 5, (300, 400)).astype('f4'), rng.integers(-4, 5, (400, 350)).astype('f4')
exact = a.astype('f8') @ b.astype('f8')
def check(times):
    for _ in range(times):
        for x, y in ((a, b), (np.asfortranarray(a), b), (a, np.asfortranarray(b))):
            assert (product(x, y, np.full((300, 350), np.nan, 'f4')) == exact).all()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_forked_children(run_python):
    code = (
        COMMON
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
for first in (False, True):
    for _ in range(3):
        child = os.fork()
        if child == 0:
            check(5)
            os._exit(0)
        check(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    )
    run_python("-c", code)


def test_eight_threads_at_once(run_python):
    code = (
        COMMON
        + """
wrong = []
def work():
    try:
        check(20)
    except BaseException as error:
        wrong.append(error)
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
assert not wrong, wrong
"""
    )
    run_python("-c", code)


def test_a_product_called_from_within_a_region(run_python):
    code = (
        COMMON
        + """
from fastgrad.kernels import launcher
import ctypes
# A row whose every task is a product of its own: called on the pool's threads while the pool is taken, and on the caller.
wrong, threads, met = [], set(), threading.Event()
caller = threading.get_ident()
@ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
def row(args, lo, hi):
    threads.add(threading.get_ident())
    if caller in threads and len(threads) > 1:
        met.set()
    try:
        assert met.wait(300)  # the caller and a thread of the pool are both inside, however late one of them comes
        for _ in range(lo, hi):
            check(1)
    except BaseException as error:
        wrong.append(error)
for _ in range(5):
    launcher.launch(ctypes.cast(row, ctypes.c_void_p).value, 12, 1)
assert not wrong, wrong
"""
    )
    run_python("-c", code)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names an x86 processor")
def test_the_grid_on_the_oldest_processor(run_python, tmp_path):
    """Vectors of 16 bytes and no fused multiply-add. AVX2 has a part of its own in .ci/run."""
    if os.environ.get("NUMBA_CPU_NAME"):
        pytest.skip("is inside such a run already")
    files = [f"tests/kernels/matmul/test_{name}.py" for name in ("grid", "special", "assembly")]
    run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", *files,
               NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES="", FASTGRAD_CACHE_DIR=str(tmp_path))  # fmt: skip


def test_blas_as_the_second_engine(run_python):
    files = ["tests/kernels/matmul/test_grid.py", "tests/kernels/matmul/test_special.py"]
    run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", *files, FASTGRAD_MATMUL="blas")
