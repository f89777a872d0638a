"""The thread pool: every chunk once, whatever the number of threads and callers; how many threads there are.

`test_pool_processes.py` has the forks, signals and exits around it.
"""

import os
import threading
import time

import numpy as np
import pytest
from fastgrad.kernels import pool

from tests.kernels.pool_rows import entries, nested, row, threads_at_work, visit, visited, visits_of, walk_of


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
    entries()[0](row(visit), cells.ctypes.data, 5, 0)  # taken as 1
    assert visited(cells, 5, 1)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_as_many_threads_as_set(threads):
    pool.set_num_threads(threads)
    assert threads_at_work(threads) == threads


@pytest.mark.parametrize("threads", [2, 8])
def test_many_small_regions(threads):
    pool.set_num_threads(threads)
    cells = np.zeros(2 * 24, np.int64)
    parallel, address = entries()[0], row(visit)
    regions = 30_000 if threads == 2 else 5_000
    for _ in range(regions):
        parallel(address, cells.ctypes.data, 24, 3)
    assert visited(cells, 24, 3, times=regions)


def test_nested_regions_run_on_their_caller():
    pool.set_num_threads(3)
    inner = np.zeros((16, 2 * 50), np.int64)
    cells = np.array([row(visit), 50, 7, *(inner.ctypes.data + k * inner.strides[0] for k in range(16))])
    for _ in range(100):
        entries()[0](row(nested()), cells.ctypes.data, 16, 1)
    assert all(visited(line, 50, 7, times=100) for line in inner)


@pytest.mark.parametrize("callers", [2, 8])
def test_callers_in_many_threads(callers):
    pool.set_num_threads(2)

    def regions():
        assert all(visits_of(100, 3) for _ in range(1000))

    assert in_threads(callers, regions) == []


# Walks


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_a_row_sees_what_the_rows_before_it_wrote(threads):
    pool.set_num_threads(threads)
    rows = 500 if threads > pool.available_cores() else 5000
    assert (walk_of(rows) == rows).all()


def test_a_walk_alone_is_the_same():
    pool.set_num_threads(2)
    assert (walk_of(500, alone=1) == 500).all()


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
