"""The thread pool: every chunk once, whatever the threads, callers, forks and exits around it.

What could hang or kill the process runs as a scenario: a function of this file that a fresh interpreter calls, and
that prints "done".
"""

import ctypes
import functools
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from fastgrad.kernels import pool, workers

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")


# What the tests call, and the rows that are called back


@functools.cache
def entries():
    word = ctypes.c_int64
    parallel = ctypes.CFUNCTYPE(None, word, word, word, word)(pool.parallel_address())
    walk = ctypes.CFUNCTYPE(None, word, word)(pool.walk_address())
    return parallel, walk


@functools.cache
def row(name):
    """The C address of a compiled row; its args are an array of int64."""
    import numba

    compiled = numba.cfunc("void(CPointer(int64), int64, int64)")(_ROWS[name]())
    _keep.append(compiled)
    return compiled.address


_keep = []
_ROWS = {}


def makes_row(function):
    _ROWS[function.__name__] = function
    return function


@makes_row
def visit():
    def visit(cells, lo, hi):  # a chunk counts its visits and notes its end, at its beginning
        cells[2 * lo] += 1
        cells[2 * lo + 1] = hi

    return visit


@makes_row
def rotate():
    def rotate(
        cells, lo, hi
    ):  # cells: n, target, source, and two buffers of n; reads what other chunks wrote
        n = cells[0]
        for i in range(lo, hi):
            cells[3 + cells[1] * n + i] = cells[3 + cells[2] * n + (7 * i + 3) % n] + 1

    return rotate


@makes_row
def swap():
    def swap(cells, lo, hi):  # a serial row between two of `rotate`
        cells[1], cells[2] = cells[2], cells[1]

    return swap


@makes_row
def sleep():
    usleep = ctypes.CDLL(None).usleep
    usleep.argtypes, usleep.restype = [ctypes.c_uint], ctypes.c_int
    self = ctypes.CDLL(None).pthread_self
    self.argtypes, self.restype = [], ctypes.c_int64

    def sleep(cells, lo, hi):  # cells: microseconds, and then who ran which task
        for i in range(lo, hi):
            usleep(cells[0])
            cells[1 + i] = self()

    return sleep


@makes_row
def nested():
    parallel, _ = entries()

    def nested(
        cells, lo, hi
    ):  # cells: an inner row, its total and grain, and then the address of each task's args
        for i in range(lo, hi):
            parallel(cells[0], cells[3 + i], cells[1], cells[2])

    return nested


def visits_of(total, grain):
    """Run one region and say that it visited every chunk once."""
    cells = np.zeros(2 * max(total, 1), np.int64)
    entries()[0](row("visit"), cells.ctypes.data, total, grain)
    return visited_once(cells, total, grain)


def visited_once(cells, total, grain, times=1):
    expected = np.zeros_like(cells)
    starts = np.arange(0, total, grain)
    expected[2 * starts] = times
    expected[2 * starts + 1] = np.minimum(starts + grain, total)
    return np.array_equal(cells, expected)


def sleeping(tasks, microseconds):
    """Run `tasks` chunks that sleep; the ids of the threads that ran them."""
    cells = np.zeros(1 + tasks, np.int64)
    cells[0] = microseconds
    entries()[0](row("sleep"), cells.ctypes.data, tasks, 1)
    assert cells[1:].all()
    return set(cells[1:].tolist())


def in_threads(count, function):
    """Call `function` in `count` Python threads at once; the exceptions they ended with."""
    failures = []
    together = threading.Barrier(count)

    def run():
        together.wait()
        try:
            function()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


@pytest.fixture(autouse=True)
def restored_threads():
    before = pool.get_num_threads()
    yield
    pool.set_num_threads(before)


@pytest.fixture
def scenario(run_python):
    def run(function, timeout=60, **variables):
        path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        done = run_python(__file__, function.__name__, timeout=timeout, PYTHONPATH=path, **variables)
        assert done.stdout == "done\n", done.stdout + done.stderr

    return run


# Regions


SHAPES = [
    (0, 1),
    (1, 1),
    (2, 1),
    (3, 2),
    (5, 10),
    (10, 10),
    (11, 10),
    (64, 1),
    (1000, 7),
    (1000, 999),
    (4096, 64),
]


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize(("total", "grain"), SHAPES)
def test_every_chunk_once(total, grain, threads):
    pool.set_num_threads(threads)
    assert all(visits_of(total, grain) for _ in range(20))


def test_grain_of_any_size():
    pool.set_num_threads(2)
    assert visits_of(5, 2**63 - 1)
    cells = np.zeros(10, np.int64)
    entries()[0](row("visit"), cells.ctypes.data, 5, 0)  # taken as 1
    assert visited_once(cells, 5, 1)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_as_many_threads_as_set(threads):
    pool.set_num_threads(threads)
    assert len(sleeping(10 * threads, 2000)) == threads


@pytest.mark.parametrize("threads", [2, 8])
def test_many_small_regions(threads):
    pool.set_num_threads(threads)
    cells = np.zeros(2 * 24, np.int64)
    parallel, address = entries()[0], row("visit")
    regions = 30_000 if threads == 2 else 5_000
    for _ in range(regions):
        parallel(address, cells.ctypes.data, 24, 3)
    assert visited_once(cells, 24, 3, times=regions)


def test_nested_regions_run_on_their_caller():
    pool.set_num_threads(3)
    inner = np.zeros((16, 2 * 50), np.int64)
    cells = np.array([row("visit"), 50, 7, *(inner.ctypes.data + k * inner.strides[0] for k in range(16))])
    for _ in range(100):
        entries()[0](row("nested"), cells.ctypes.data, 16, 1)
    assert all(visited_once(line, 50, 7, times=100) for line in inner)


@pytest.mark.parametrize("callers", [2, 8])
def test_callers_in_many_threads(callers):
    pool.set_num_threads(2)

    def regions():
        assert all(visits_of(100, 3) for _ in range(1000))

    assert in_threads(callers, regions) == []


# Walks


def walk_of(rows, tasks=64):
    """`rows` times: rotate from one buffer to the other in chunks of 3, then swap the two on the caller alone."""
    cells = np.zeros(3 + 2 * tasks, np.int64)
    cells[:3] = tasks, 1, 0
    step = [[row("rotate"), cells.ctypes.data, tasks, 3], [row("swap"), cells.ctypes.data, 1, 1]]
    table = np.tile(np.array(step, np.int64), (rows, 1))
    entries()[1](table.ctypes.data, len(table))
    return cells[3 + cells[2] * tasks :][:tasks]


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_a_row_sees_what_the_rows_before_it_wrote(threads):
    pool.set_num_threads(threads)
    rows = 500 if threads > pool.available_cores() else 5000
    assert (walk_of(rows) == rows).all()


def test_empty_walk():
    entries()[1](0, 0)


def test_walks_and_regions_in_many_threads():
    pool.set_num_threads(2)

    def both():
        for _ in range(20):
            assert (walk_of(100) == 100).all()
            assert visits_of(100, 3)

    assert in_threads(4, both) == []


# The number of threads


@pytest.mark.plain
def test_set_num_threads():
    for count in (1, 3, np.int64(2)):
        pool.set_num_threads(count)
        assert pool.get_num_threads() == count
        assert type(pool.get_num_threads()) is int


@pytest.mark.plain
@pytest.mark.parametrize("count", [0, -1])
def test_set_num_threads_below_one(count):
    with pytest.raises(RuntimeError, match="^set_num_threads expects a positive integer$"):
        pool.set_num_threads(count)


@pytest.mark.plain
@pytest.mark.parametrize("count", [1.0, "2", None, True])
def test_set_num_threads_of_another_type(count):
    kind = type(count).__name__
    with pytest.raises(TypeError, match=f"^set_num_threads expects an int, but got {kind}$"):
        pool.set_num_threads(count)


@pytest.mark.plain
@pytest.mark.parametrize(
    ("asked", "threads"), [("1", 1), ("5", 5), (" 4,2", 4), ("0", 0), ("none", 0), ("", 0)]
)
def test_omp_num_threads(run_python, asked, threads):
    code = "from fastgrad.kernels import pool; print(pool.get_num_threads(), pool.available_cores())"
    got, cores = run_python("-c", code, OMP_NUM_THREADS=asked).stdout.split()
    assert got == (str(threads) if threads else cores)


@pytest.mark.plain
def test_available_cores_follow_the_affinity_mask(run_python):
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("no affinity masks here")
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    code += "from fastgrad.kernels import pool; print(pool.available_cores())"
    assert run_python("-c", code).stdout == "1\n"


@pytest.mark.plain
@pytest.mark.parametrize(
    ("membership", "files", "quotas"),
    [
        ("0::/a/b", {"a/b/cpu.max": "150000 100000", "a/cpu.max": "max 100000"}, [2]),
        ("0::/a/b", {"a/b/cpu.max": "400000 100000", "a/cpu.max": "100000 100000"}, [4, 1]),
        ("0::/host/path", {"cpu.max": "50000 100000"}, [1]),
        (
            "4:cpu,cpuacct:/a\n0::/",
            {"cpu/a/cpu.cfs_quota_us": "250000", "cpu/a/cpu.cfs_period_us": "100000"},
            [3],
        ),
        ("1:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, []),
        ("1:memory:/", {}, []),
    ],
)
def test_quota_of_the_control_group(tmp_path, membership, files, quotas):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    (tmp_path / "membership").write_text(membership + "\n")
    assert pool._quotas(str(tmp_path / "membership"), str(tmp_path)) == quotas
    assert pool._quotas(str(tmp_path / "absent"), str(tmp_path)) == []


@linux
def test_resizing_starts_and_ends_workers(scenario):
    scenario(resize_and_count)


def resize_and_count():
    def native_threads():
        return len(os.listdir("/proc/self/task"))

    def settle(count):
        limit = time.monotonic() + 10
        while native_threads() != count and time.monotonic() < limit:
            time.sleep(0.001)
        assert native_threads() == count

    row("visit"), entries()
    alone = native_threads()
    for threads in (1, 2, 8, 3, 1, 5, 1024, 2):
        pool.set_num_threads(threads)
        assert visits_of(1000, 10)
        settle(alone + threads - 1)


def test_resizing_while_regions_run():
    stop = threading.Event()

    def resize():
        while not stop.is_set():
            for threads in (1, 2, 8, 3):
                pool.set_num_threads(threads)
                time.sleep(0.0005)

    resizer = threading.Thread(target=resize)
    resizer.start()
    try:
        assert all(visits_of(200, 3) for _ in range(3000))
        assert (walk_of(500) == 500).all()
    finally:
        stop.set()
        resizer.join()


# Processes: import, fork, signals, exit


@pytest.mark.plain
def test_importing_compiles_nothing(run_python):
    code = "import sys; from fastgrad.kernels import pool; pool.set_num_threads(3); print(pool.get_num_threads(),"
    code += " 'numba' in sys.modules, 'llvmlite' in sys.modules)"
    for interpreted in "01":
        assert run_python("-c", code, NUMBA_DISABLE_JIT=interpreted).stdout == "3 False False\n"


def child_works():
    """Fork; the child must get regions and walks done, and leave."""
    child = os.fork()
    if child == 0:
        fine = all(visits_of(100, 3) for _ in range(200)) and (walk_of(50) == 50).all()
        os._exit(0 if fine and len(sleeping(20, 2000)) == 2 else 1)
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
        assert len(sleeping(20, 2000)) == 2


@forks
def test_fork_while_another_thread_is_in_a_region(scenario):
    scenario(fork_inside_a_region)


def fork_inside_a_region():
    row("visit"), row("sleep"), row("rotate"), row("swap"), entries()  # no compiler survives a fork
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
    started = time.monotonic()
    for _ in range(3):
        scenario(exit_inside_a_region)
    assert time.monotonic() - started < 60  # the regions would go on for minutes


def exit_inside_a_region():
    pool.set_num_threads(3)
    row("visit"), row("sleep"), row("rotate"), row("swap"), entries()
    for work in (
        lambda: sleeping(1000, 200_000),
        lambda: walk_of(10**7),
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
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        try:
            time.sleep(30)
        except KeyboardInterrupt:
            pass
        assert time.monotonic() - started < 10  # no worker took the signal
    assert visits_of(100, 3)


def test_no_pthreads(scenario):
    scenario(no_pthreads)


def no_pthreads():
    workers._PTHREAD += ("a_function_that_no_system_has",)
    assert pool.get_num_threads() == 1
    pool.set_num_threads(2)
    assert visits_of(100, 3)
    assert (walk_of(100) == 100).all()
    assert len(sleeping(10, 100)) == 1


def test_the_system_refuses_threads(scenario):
    scenario(refused_threads)


def refused_threads():
    refuse = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 4)(lambda *_: 11)
    symbols = workers.symbols
    workers.symbols = lambda: symbols() | {"pthread_create": ctypes.cast(refuse, ctypes.c_void_p).value}
    pool.set_num_threads(4)
    assert all(visits_of(100, 3) for _ in range(10))
    assert len(sleeping(10, 100)) == 1


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("done", flush=True)
