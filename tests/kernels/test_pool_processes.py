"""The thread pool and what happens to a process: import, fork, Ctrl-C, exit, a system that gives no threads.

Each scenario is a function of this file that a fresh interpreter calls, because it could hang or kill its
process; it has passed when the process ends, in time and without an error, with the word "done".
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from fastgrad.kernels import pool, workers

from tests.kernels import pool_rows
from tests.kernels.pool_rows import entries, row, sleeping, threads_at_work, visits_of, walk_of

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")


@pytest.fixture
def scenario(run_python):
    def run(function, **variables):
        done = run_python("-m", "tests.kernels.test_pool_processes", function.__name__, **variables)
        assert done.stdout == "done\n", done.stdout + done.stderr

    return run


def compile_everything():
    """Before threads and forks: a compiler that another thread is in does not survive a fork."""
    entries()
    for function in (pool_rows.visit, pool_rows.sleep, pool_rows.rotate, pool_rows.swap):
        row(function)


@linux
def test_resizing_starts_and_ends_workers(scenario):
    scenario(resize_and_count)


def resize_and_count():
    def native_threads():
        return len(os.listdir("/proc/self/task"))

    def settle(count):
        limit = time.monotonic() + 120
        while native_threads() != count and time.monotonic() < limit:
            time.sleep(0.001)
        assert native_threads() == count

    compile_everything()
    alone = native_threads()
    for threads in (1, 2, 8, 3, 1, 5, 1024, 2):
        pool.set_num_threads(threads)
        assert visits_of(1000, 10)
        settle(alone + threads - 1)


@linux
def test_workers_take_no_signals_and_keep_off_the_callers_core(scenario):
    scenario(signals_and_cores)


def signals_and_cores():
    compile_everything()
    before = set(os.listdir("/proc/self/task"))
    pool.set_num_threads(2)
    assert threads_at_work(2) == 2
    (worker,) = set(os.listdir("/proc/self/task")) - before
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/self/task/{worker}/status").read_text().splitlines()
    )
    blocked = int(status["SigBlk"], 16)
    assert blocked >> (signal.SIGINT - 1) & 1
    assert not blocked >> (signal.SIGSEGV - 1) & 1  # faulthandler's
    ours, theirs = os.sched_getaffinity(0), os.sched_getaffinity(int(worker))
    assert len(ours - theirs) == (1 if pool.available_cores() > 1 else 0)


@pytest.mark.plain
def test_importing_compiles_nothing(run_python):
    code = "import sys; from fastgrad.kernels import pool; pool.set_num_threads(3)\n"
    code += "print(pool.get_num_threads(), 'numba' in sys.modules, 'llvmlite' in sys.modules)"
    for interpreted in "01":
        assert run_python("-c", code, NUMBA_DISABLE_JIT=interpreted).stdout == "3 False False\n"


def child_works():
    """Fork; the child must get regions and walks done, and leave."""
    child = os.fork()
    if child == 0:
        fine = all(visits_of(100, 3) for _ in range(200)) and (walk_of(50) == 50).all()
        os._exit(0 if fine and threads_at_work(2) == 2 else 1)
    assert os.waitpid(child, 0)[1] == 0


@forks
def test_fork_before_first_use(scenario):
    scenario(fork_before_first_use)


def fork_before_first_use():
    pool.set_num_threads(2)
    child_works()
    assert visits_of(100, 3)


@forks
def test_fork_after_first_use(scenario):
    scenario(fork_after_first_use)


def fork_after_first_use():
    pool.set_num_threads(2)
    for pause in (0, 0.01):  # workers look for work; workers are parked
        assert visits_of(100, 3)
        time.sleep(pause)
        child_works()
        assert threads_at_work(2) == 2


@forks
def test_fork_while_another_thread_is_in_a_region(scenario):
    scenario(fork_inside_a_region)


def fork_inside_a_region():
    compile_everything()
    pool.set_num_threads(2)
    stop = threading.Event()

    def regions():
        while not stop.is_set():
            sleeping(8, 500)
            assert all(visits_of(64, 1) for _ in range(20))

    thread = threading.Thread(target=regions)
    thread.start()
    for _ in range(30):
        child_works()
    stop.set()
    thread.join()


@forks
def test_a_child_of_a_child(scenario):
    scenario(fork_twice)


def fork_twice():
    pool.set_num_threads(2)
    assert visits_of(100, 3)
    child = os.fork()
    if child == 0:
        child_works()
        assert visits_of(100, 3)
        child_works()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("pause", ["0", "0.05"])
def test_exit_with_idle_workers(scenario, pause):
    scenario(exit_with_idle_workers, PAUSE=pause)


def exit_with_idle_workers():
    pool.set_num_threads(8)
    assert visits_of(100, 1)
    time.sleep(float(os.environ["PAUSE"]))


def test_exit_inside_a_region(scenario):
    for _ in range(3):
        scenario(exit_inside_a_region)  # the regions would go on for an hour


def exit_inside_a_region():
    pool.set_num_threads(3)
    compile_everything()
    for work in (
        lambda: sleeping(100_000, 200_000),
        lambda: walk_of(10**6),
        lambda: [visits_of(64, 1) for _ in range(10**9)],
    ):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.1)


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
def test_ctrl_c_between_regions(scenario):
    scenario(ctrl_c_between_regions)


def ctrl_c_between_regions():
    pool.set_num_threads(4)
    for _ in range(20):
        assert visits_of(100, 3)
        started = time.monotonic()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
            time.sleep(300)
        assert time.monotonic() - started < 200  # no worker took the signal
    assert visits_of(100, 3)


def test_no_pthreads(scenario):
    scenario(no_pthreads)


def no_pthreads():
    workers._PTHREAD += ("a_function_that_no_system_has",)
    assert pool.get_num_threads() == 1
    pool.set_num_threads(2)
    assert visits_of(100, 3)
    assert (walk_of(100) == 100).all()
    assert threads_at_work(1) == 1


def test_the_system_refuses_threads(scenario):
    scenario(refused_threads)


def refused_threads():
    refuse = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 4)(lambda *_: 11)
    symbols = workers.symbols
    workers.symbols = lambda: symbols() | {"pthread_create": ctypes.cast(refuse, ctypes.c_void_p).value}
    pool.set_num_threads(4)
    assert all(visits_of(100, 3) for _ in range(10))
    assert threads_at_work(1) == 1


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("done", flush=True)
