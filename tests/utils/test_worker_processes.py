"""Workers that are processes of their own."""

import multiprocessing

import numpy as np
import pytest

PROGRAM = """
import multiprocessing, os, random, sys
import numpy, fastgrad
from fastgrad.utils import data

class Who(data.Dataset):
    def __getitem__(self, index):
        info = data.get_worker_info()
        random_numbers = fastgrad.rand(1).item(), random.random(), float(numpy.random.rand())
        return index, info.id, os.getpid(), info.seed, random_numbers, fastgrad.get_num_threads()
    def __len__(self):
        return 6

class Faulty(Who):
    def __getitem__(self, index):
        if index == 3:
            raise KeyError("no such row")
        return fastgrad.full((2,), float(index))

class Dying(Who):
    def __getitem__(self, index):
        os._exit(3)

def first(batch):
    return batch[0]

def begin(number):
    data.get_worker_info().dataset.begun = number

def main(method):
    (fastgrad.ones(600, 600) @ fastgrad.ones(600, 600)).sum()  # the pool runs
    fastgrad.manual_seed(0)
    loader = data.DataLoader(Who(), num_workers=2, multiprocessing_context=method, collate_fn=first, worker_init_fn=begin)
    rows = list(loader)
    assert [row[:2] for row in rows] == [(0, 0), (1, 1), (2, 0), (3, 1), (4, 0), (5, 1)], rows
    assert len({row[2] for row in rows} | {os.getpid()}) == 3
    assert rows[1][3] == rows[0][3] + 1
    assert {row[5] for row in rows} == {1}
    print(rows[0][3], [row[4] for row in rows])
    found = []
    try:
        for batch in data.DataLoader(Faulty(), num_workers=1, multiprocessing_context=method):
            found.append(batch.tolist())
    except KeyError as error:
        assert "Caught KeyError in DataLoader worker process 0." in str(error) and "no such row" in str(error), error
        assert "in __getitem__" in str(error)
    assert found == [[[0.0, 0.0]], [[1.0, 1.0]], [[2.0, 2.0]]], found
    try:
        list(data.DataLoader(Dying(), num_workers=1, multiprocessing_context=method))
    except RuntimeError as error:
        assert "exited unexpectedly" in str(error), error
    else:
        raise AssertionError("nobody missed the worker")

if __name__ == "__main__":
    main(sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_processes(run_python, tmp_path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("not on this platform")
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    assert run_python(script, method).stdout == run_python(script, method).stdout


def test_processes_make_the_batches_of_threads(run_python, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(
        "from fastgrad.utils import data\nimport fastgrad\n"
        "if __name__ == '__main__':\n"
        "    dataset = data.TensorDataset(fastgrad.arange(7), fastgrad.rand(7, 2))\n"
        "    for _ in range(2):\n"
        "        kinds = [{'multiprocessing_context': m} for m in (None, 'spawn')]\n"
        "        a, b = [list(data.DataLoader(dataset, 2, num_workers=1, **kind)) for kind in kinds]\n"
        "        assert all(fastgrad.equal(x, y) for p, q in zip(a, b, strict=True) for x, y in zip(p, q))\n"
    )
    run_python(script)


def test_what_numpy_draws_in_a_process_is_pytorchs(torch):
    from torch.utils.data._utils.worker import _generate_state

    for base, worker in ((12345678901234567, 3), (7, 0)):
        ours = np.random.SeedSequence([worker, base & 0xFFFFFFFF, base >> 32, 0]).generate_state(4)
        assert ours.tolist() == list(_generate_state(base, worker))
