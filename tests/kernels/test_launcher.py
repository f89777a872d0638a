"""`launch(row, total, grain, *args)`: how arguments arrive, how work is cut, and what it refuses."""

import sys
import threading
import time

import numpy as np
import pytest
from fastgrad.kernels import jit, launcher, pool

from tests.kernels import pool_rows
from tests.kernels.rows import launch


@pytest.mark.plain
@pytest.mark.parametrize("grain", [1, 3, 7, 10, 100])
@pytest.mark.parametrize("total", [0, 1, 9, 10, 11])
def test_every_task_runs_once(total, grain):
    out = np.zeros(12, np.float64)
    launch("elementwise.fill", np.float64, total, grain, out, 1.5)
    assert out.tolist() == [1.5] * total + [0] * (12 - total)


@pytest.mark.plain
def test_integers_go_by_value_and_floats_by_slot():
    out, x = np.empty(3), np.array([1.0, 2.0, 3.0])
    launch("elementwise.clamp", np.float64, 3, 10, 3, 0, out, x, 1.5, 2.5)
    assert out.tolist() == [1.5, 2, 2.5]
    launch("elementwise.mul_scalar", np.float64, 3, 10, 3, 0, out, x, float("inf"))
    assert out.tolist() == [float("inf")] * 3
    launch("elementwise.mul_scalar", np.float64, 3, 10, 3, 0, out, x, -1.0)  # -1 as an integer is also the error of C
    assert out.tolist() == [-1, -2, -3]


@pytest.mark.plain
def test_scalars_are_rounded_to_the_kernel_s_type():
    for dtype in (np.float32, np.float64):
        out = np.empty(1, dtype)
        launch("elementwise.fill", dtype, 1, 1, out, 0.1)
        assert out[0] == dtype(0.1)


@pytest.mark.plain
def test_large_integers_arrive_whole():
    """A layout's address, and sizes, are 64 bits."""
    blocks = 3
    out, x = np.zeros(blocks), np.arange(5.0)
    launch("reduce.sum_runs", np.float64, 1, 1, out, x, 5, 2**40)
    assert out.tolist() == [10, 0, 0]


class Odd(float):
    """A subclass is no float to C."""


def test_refuses_what_is_no_number():
    row = jit.address("elementwise.fill", "float64")
    out = np.zeros(1)
    for bad in ("1", None, Odd(1), np.float64(1), 1j, [1]):
        with pytest.raises(TypeError):
            launcher.launch(row, 1, 1, out.ctypes.data, bad)
    with pytest.raises(OverflowError):
        launcher.launch(row, 1, 1, out.ctypes.data, 2**63)
    assert out[0] == 0


def test_refuses_too_many_and_too_few_arguments():
    row = jit.address("elementwise.fill", "float64")
    with pytest.raises(TypeError, match="takes a row and up to 40 arguments"):
        launcher.entry()(row, 1)
    with pytest.raises(TypeError, match="takes a row and up to 40 arguments"):
        launcher.entry()(row, 1, 1, *[0] * 50)


def test_leaks_no_references():
    row = jit.address("elementwise.fill", "float64")
    out, entry = np.zeros(4), launcher.entry()
    address, value = out.ctypes.data, 2.5
    before = sys.getrefcount(value), sys.getrefcount(address), sys.getrefcount(None)
    for _ in range(1000):
        entry(row, 4, 100, address, value)
        with pytest.raises(TypeError):
            entry(row, 4, 100, address, "x")
    assert sys.getrefcount(value) == before[0]
    assert sys.getrefcount(address) == before[1]
    assert abs(sys.getrefcount(None) - before[2]) < 500


@pytest.mark.parametrize("threads", [1, 2])
def test_long_work_lets_other_threads_run(threads):
    """Work of more than one chunk gives the interpreter lock away: here it ends when another thread of Python says so."""
    cells, row = np.array([0, 0, 100_000]), pool_rows.row(pool_rows.wait)

    def say():
        while not cells[0]:
            time.sleep(0.001)
        cells[1] = 1

    other = threading.Thread(target=say)
    other.start()
    pool.set_num_threads(threads)
    launcher.launch(row, 2, 1, cells.ctypes.data)
    told = cells[1]
    cells[0] = 1
    other.join()
    assert told
