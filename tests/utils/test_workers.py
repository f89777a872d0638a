"""Loading with workers: the batches, the order and the random numbers of PyTorch, and what may go wrong."""

import gc
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import fastgrad
from fastgrad.utils import data
from tests.utils.test_data import Squares, passes, tensors


def waiting_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("DataLoader")]


@pytest.fixture(autouse=True)
def _every_worker_ends():
    yield
    gc.collect()
    deadline = time.monotonic() + 120
    while waiting_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not waiting_threads()


class Noisy(data.Dataset):
    """Samples with random numbers from the default stream."""

    library = fastgrad

    def __getitem__(self, index):
        return index, self.library.rand(2)

    def __len__(self):
        return 11


def noisy(library):
    made = Noisy()
    made.library = library
    return made


class Stream(data.IterableDataset):
    """0 ... length - 1; each worker reads a part, if asked to."""

    def __init__(self, length, shared=False):
        self.length, self.shared, self.start = length, shared, 0

    def __iter__(self):
        info = data.get_worker_info()
        if info is None or not self.shared:
            return iter(range(self.start, self.length))
        return iter(range(self.start + info.id, self.length, info.num_workers))


class Faulty(data.Dataset):
    def __init__(self, error):
        self.error = error

    def __getitem__(self, index):
        if index == 5:
            raise self.error
        return index

    def __len__(self):
        return 8


class TwoWords(Exception):
    def __init__(self, first, second):
        super().__init__(first, second)


OPTIONS = [
    {},
    {"shuffle": True, "batch_size": 4},
    {"shuffle": True, "batch_size": 4, "drop_last": True, "own": True},
    {"batch_size": 3, "persistent_workers": True, "shuffle": True},
    {"batch_size": 2, "prefetch_factor": 1},
    {"batch_size": 2, "prefetch_factor": 7},
    {"shuffle": True, "batch_size": 3, "own": True, "break_at": 1},
]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", ["tensors", "samples"])
def test_workers_give_pytorchs_batches(torch, options, kind, workers):
    def seen(library):
        whole = library.utils.data.TensorDataset(*tensors(library, 10))
        return passes(library, Squares(10) if kind == "samples" else whole, num_workers=workers, **options)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch about forks and the number of cores
        theirs = seen(torch)
    assert seen(fastgrad) == theirs


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("own", [False, True])
def test_random_numbers_in_workers_are_pytorchs(torch, workers, own):
    options = {"num_workers": workers, "batch_size": 3, "shuffle": True, "own": own}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch about forks and the number of cores
        theirs = passes(torch, noisy(torch), epochs=2, **options)
    assert passes(fastgrad, noisy(fastgrad), epochs=2, **options) == theirs


def test_a_worker_s_random_numbers_leave_the_main_stream_alone():
    fastgrad.manual_seed(3)
    loader = data.DataLoader(Noisy(), num_workers=2)
    first = [x.tolist() for _, x in loader]
    after = fastgrad.rand(1).item()
    fastgrad.manual_seed(3)
    assert [x.tolist() for _, x in loader] == first
    assert fastgrad.rand(1).item() == after


@pytest.mark.parametrize("options", [{}, {"batch_size": 4}, {"batch_size": 4, "drop_last": True}, {"batch_size": None}])
@pytest.mark.parametrize(("workers", "shared"), [(0, False), (1, False), (2, False), (2, True)])
def test_streams_are_pytorchs(torch, options, workers, shared):
    class Theirs(torch.utils.data.IterableDataset):
        def __iter__(self):
            info = torch.utils.data.get_worker_info()
            if info is None or not shared:
                return iter(range(11))
            return iter(range(info.id, 11, info.num_workers))

    def seen(library, dataset):
        loader = library.utils.data.DataLoader(dataset, num_workers=workers, **options)
        return [[b if isinstance(b, int) else b.tolist() for b in loader] for _ in range(2)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = seen(torch, Theirs())
    assert seen(fastgrad, Stream(11, shared)) == theirs


def test_workers_know_who_they_are_and_have_their_own_copy():
    seen = []

    def begin(number):
        info = data.get_worker_info()
        assert info.id == number
        info.dataset.start = 5 * number
        seen.append((info.num_workers, info.worker_method))

    loader = data.DataLoader(Stream(10), batch_size=5, num_workers=2, worker_init_fn=begin)
    assert [batch.tolist() for batch in loader] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [5, 6, 7, 8, 9]]
    assert seen == [(2, "thread")] * 2
    assert data.get_worker_info() is None


def test_persistent_workers_stay():
    begun = []
    loader = data.DataLoader(Squares(6), num_workers=2, worker_init_fn=begun.append, persistent_workers=True)
    expected = list(range(6))
    for _ in range(3):
        assert [x.item() for x, _ in loader] == expected
    next(iter(loader))  # a pass that is left
    assert [x.item() for x, _ in loader] == expected
    assert sorted(begun) == [0, 1]
    again = data.DataLoader(Squares(6), num_workers=2, worker_init_fn=begun.append)
    for _ in range(3):
        list(again)
    assert len(begun) == 8


ERRORS = [ValueError("bad sample"), KeyError("bad key"), TwoWords("two", "words"), IndexError("far"), StopIteration()]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_an_error_is_raised_with_its_traceback(error):
    loader = iter(data.DataLoader(Faulty(error), batch_size=2, num_workers=2))
    assert [next(loader).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    kind = RuntimeError if isinstance(error, (TwoWords, StopIteration)) else type(error)
    if isinstance(error, StopIteration):
        kind = StopIteration
    with pytest.raises(kind) as raised:
        next(loader)
    shown = str(raised.value)
    assert shown.startswith(f"Caught {type(error).__name__} in DataLoader worker thread 0.\nOriginal Traceback (most recent")
    assert "in __getitem__" in shown
    assert "raise self.error" in shown
    if not isinstance(error, StopIteration):
        assert next(loader).tolist() == [6, 7]  # the others go on


def test_an_error_at_the_start_of_a_worker_is_raised():
    def begin(number):
        raise OSError("no such disk")

    with pytest.raises(OSError, match=r"(?s)Caught OSError in DataLoader worker thread 0.*no such disk"):
        next(iter(data.DataLoader(Squares(3), num_workers=1, worker_init_fn=begin)))


class Slow(data.Dataset):
    """Four samples. The first takes until `ready`, which may be when another one is read."""

    def __init__(self, after=None):
        self.after, self.ready = after, threading.Event()

    def __getitem__(self, index):
        if index == self.after:
            self.ready.set()
        assert index or self.ready.wait(300)
        return index

    def __len__(self):
        return 4


def test_batches_come_in_order():
    dataset = Slow(after=1)
    assert [b.item() for b in data.DataLoader(dataset, num_workers=2)] == [0, 1, 2, 3]


def test_batches_come_as_they_are_ready():
    dataset, early = Slow(), []
    for batch in data.DataLoader(dataset, num_workers=2, in_order=False):
        early.append(batch.item())
        dataset.ready.set()
    assert sorted(early) == [0, 1, 2, 3]
    assert early[0] == 1


def test_a_worker_that_takes_too_long():
    dataset = Slow()
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0.05 seconds"):
        next(iter(data.DataLoader(dataset, num_workers=1, timeout=0.05)))
    dataset.ready.set()


def test_samples_without_batches_and_batches_of_ones_own():
    dataset = Squares(5)
    single = [x for x, _ in data.DataLoader(dataset, batch_size=None, num_workers=2)]
    assert single == [0, 1, 2, 3, 4]
    chosen = [[4, 0], [2], [1, 3, 3]]
    for workers in (0, 2):
        for whole in (dataset, data.TensorDataset(fastgrad.arange(5), fastgrad.arange(5))):
            loader = data.DataLoader(whole, batch_sampler=chosen, num_workers=workers)
            assert [x.tolist() for x, _ in loader] == chosen
            arrays = data.DataLoader(whole, batch_sampler=[np.array(c) for c in chosen], num_workers=workers)
            assert [x.tolist() for x, _ in arrays] == chosen


def test_work_with_kernels_in_threads_gives_the_same_bits():
    class Heavy(data.Dataset):
        def __getitem__(self, index):
            x = fastgrad.full((200, 300), index / 7)
            return (x @ x.t()).tanh().sum(0)

        def __len__(self):
            return 16

    one, two = (list(data.DataLoader(Heavy(), batch_size=2, num_workers=n)) for n in (0, 2))
    for a, b in zip(one, two, strict=True):
        assert fastgrad.equal(a, b)


def test_loading_with_workers_needs_no_main_guard(run_python):
    code = (
        "import fastgrad as t\n"
        "d = t.utils.data\n"
        "print([x.tolist() for x, in d.DataLoader(d.TensorDataset(t.arange(5)), batch_size=2, num_workers=2)])\n"
        "loader = iter(d.DataLoader(d.TensorDataset(t.arange(5)), num_workers=2))\n"
        "print(next(loader))\n"  # and it ends with a pass that was left
    )
    assert run_python("-c", code).stdout == "[[0, 1], [2, 3], [4]]\n[tensor([0])]\n"
    assert sys.version_info >= (3, 11)
