"""Data sets, samplers and loaders: PyTorch's order for the same seed, and every rule of batching."""

from collections import namedtuple

import numpy as np
import pytest

import fastgrad
from fastgrad.utils import data

Pair = namedtuple("Pair", "x y")


class Squares(data.Dataset):
    """A data set that is no tensor: (i, i * i)."""

    def __init__(self, length):
        self.length = length

    def __getitem__(self, index):
        if not 0 <= index < self.length:
            raise IndexError(index)
        return index, float(index * index)

    def __len__(self):
        return self.length


def tensors(library, n):
    x = np.arange(3 * n, dtype="f4").reshape(n, 3)
    return library.from_numpy(x), library.from_numpy(np.arange(n))


def passes(library, dataset, epochs=3, own=False, break_at=None, **options):
    """Everything that some epochs give, and the next number of the default stream."""
    library.manual_seed(11)
    if own:
        options["generator"] = library.Generator().manual_seed(5)
    loader = library.utils.data.DataLoader(dataset, **options)
    seen = []
    for _ in range(epochs):
        for number, batch in enumerate(loader):
            if number == break_at:
                break
            seen.append([part.tolist() for part in batch])
    return seen, len(loader), library.rand(1).item()


OPTIONS = [
    {},
    {"shuffle": True},
    {"shuffle": True, "batch_size": 4},
    {"shuffle": True, "batch_size": 5},
    {"shuffle": True, "batch_size": 4, "drop_last": True},
    {"shuffle": True, "batch_size": 4, "own": True},
    {"shuffle": True, "batch_size": 5, "own": True},
    {"shuffle": True, "batch_size": 5, "own": True, "break_at": 1},
    {"batch_size": 100, "shuffle": True},
    {"batch_size": 3, "drop_last": True},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", ["tensors", "subset", "samples"])
def test_loaders_give_pytorchs_batches(torch, options, kind):
    def dataset(library):
        if kind == "samples":
            return Squares(10)
        whole = library.utils.data.TensorDataset(*tensors(library, 10))
        return library.utils.data.Subset(whole, [9, 2, 5, 0, 7, 3, 3]) if kind == "subset" else whole

    assert passes(fastgrad, dataset(fastgrad), **options) == passes(torch, dataset(torch), **options)


SAMPLERS = [
    {},
    {"num_samples": 4},
    {"num_samples": 25},
    {"replacement": True},
    {"replacement": True, "num_samples": 70},
    {"replacement": True, "num_samples": 64},
]


@pytest.mark.parametrize("options", SAMPLERS)
def test_random_samplers_give_pytorchs_order(torch, options):
    def order(library, own):
        library.manual_seed(3)
        generator = library.Generator().manual_seed(9) if own else None
        sampler = library.utils.data.RandomSampler(range(10), generator=generator, **options)
        orders = [list(sampler), list(sampler)]
        batches = library.utils.data.DataLoader(
            library.utils.data.TensorDataset(library.arange(10)), sampler=sampler, batch_size=4
        )
        return orders, [batch[0].tolist() for batch in batches], len(sampler), library.rand(1).item()

    for own in (False, True):
        assert order(fastgrad, own) == order(torch, own)


def test_random_split_is_pytorchs(torch):
    def parts(library, lengths, **options):
        library.manual_seed(4)
        return [list(part) for part in library.utils.data.random_split(range(11), lengths, **options)]

    for lengths in ([7, 4], [0.5, 0.25, 0.25], [11]):
        assert parts(fastgrad, lengths) == parts(torch, lengths)
    assert parts(fastgrad, [5, 6], generator=fastgrad.Generator().manual_seed(1)) == parts(
        torch, [5, 6], generator=torch.Generator().manual_seed(1)
    )
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        data.random_split(range(1), [0.9, 0.1])


def test_batches_are_copies():
    x, y = tensors(fastgrad, 6)
    for shuffle in (False, True):
        for bx, _ in data.DataLoader(data.TensorDataset(x, y), batch_size=2, shuffle=shuffle):
            bx.zero_()
    assert x.sum().item() == sum(range(18))


def test_tensors_of_every_layout_dtype_and_gradient():
    x = fastgrad.arange(12.0).reshape(3, 4).t()
    w = fastgrad.ones(4, 2, requires_grad=True)
    flags = fastgrad.tensor([True, False, True, False])
    loader = data.DataLoader(data.TensorDataset(x, w, flags, x.double()), batch_size=3)
    first = next(iter(loader))
    assert first[0].tolist() == x[:3].tolist()
    assert first[0].is_contiguous()
    assert first[2].dtype is fastgrad.bool
    assert first[3].dtype is fastgrad.float64
    first[1].sum().backward()
    assert w.grad.tolist() == [[1.0, 1.0]] * 3 + [[0.0, 0.0]]


def test_a_subclass_that_reads_differently_is_asked_sample_by_sample():
    class Doubled(data.TensorDataset):
        def __getitem__(self, index):
            return tuple(2 * part for part in super().__getitem__(index))

    dataset = Doubled(fastgrad.arange(3))
    assert next(iter(data.DataLoader(dataset, batch_size=3)))[0].tolist() == [0, 2, 4]
    assert next(iter(data.DataLoader(data.Subset(dataset, [2, 1]), batch_size=3)))[0].tolist() == [4, 2]


def test_samplers_and_batch_samplers_of_ones_own():
    dataset = data.TensorDataset(fastgrad.arange(5))
    loader = data.DataLoader(dataset, sampler=[4, -1, 0], batch_size=2)
    assert [batch[0].tolist() for batch in loader] == [[4, 4], [0]]
    loader = data.DataLoader(dataset, batch_sampler=[[0, 1], [4]])
    assert [batch[0].tolist() for batch in loader] == [[0, 1], [4]]
    assert len(loader) == 2
    with pytest.raises(IndexError, match="index 5 is out of bounds for dimension 0 with size 5"):
        list(data.DataLoader(dataset, sampler=[0, 5], batch_size=2))
    with pytest.raises(IndexError, match="index -6 is out of bounds"):
        list(data.DataLoader(dataset, sampler=[0, -6], batch_size=2))
    with pytest.raises(IndexError, match="index 9 is out of bounds"):
        list(data.DataLoader(data.Subset(dataset, [0, 9]), batch_size=2))


def test_batch_size_none_gives_samples():
    samples = list(data.DataLoader(data.TensorDataset(*tensors(fastgrad, 2)), batch_size=None))
    assert samples[1][0].tolist() == [3.0, 4.0, 5.0]
    assert list(data.DataLoader(Squares(2), batch_size=None)) == [[0, 0.0], [1, 1.0]]
    assert len(data.DataLoader(Squares(2), batch_size=None)) == 2


def test_many_samples_may_be_read_at_once():
    class Whole(Squares):
        def __getitems__(self, indices):
            return [(index, 0.5) for index in indices]

    batch = next(iter(data.DataLoader(Whole(4), batch_size=4)))
    assert batch[0].tolist() == [0, 1, 2, 3]
    assert batch[1].dtype is fastgrad.float64


def test_collate_fn_takes_the_samples():
    loader = data.DataLoader(data.TensorDataset(fastgrad.arange(3)), batch_size=2, collate_fn=len)
    assert list(loader) == [2, 1]


def collated(library):
    t = library.tensor
    return [
        [1, 2],
        [True, False],
        [0.5, 1.5],
        [np.float32(1), np.float32(2)],
        [np.int16(1), np.int16(2)],
        [np.ones(2), np.zeros(2)],
        ["a", "b"],
        [b"a", b"b"],
        [t([1.0]), t([2.0])],
        [(1, t([2])), (3, t([4]))],
        [[1, 2.0], [3, 4.0]],
        [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        [Pair(1, 2.0), Pair(3, 4.0)],
        [[(1, {"k": 2})], [(3, {"k": 4})]],
    ]


def plain(value):
    """A batch with tensors as (dtype, list), to compare between libraries."""
    if hasattr(value, "dtype"):
        return str(value.dtype), value.tolist()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(part) for part in value]
    return value


def test_collating_and_converting_are_pytorchs(torch):
    for ours, theirs in zip(collated(fastgrad), collated(torch)):
        assert plain(data.default_collate(ours)) == plain(torch.utils.data.default_collate(theirs))
        assert plain(data.default_convert(ours)) == plain(torch.utils.data.default_convert(theirs))


MISTAKES = {
    "workers": lambda d: d.DataLoader(range(3), num_workers=-1),
    "timeout": lambda d: d.DataLoader(range(3), timeout=-1),
    "prefetch": lambda d: d.DataLoader(range(3), prefetch_factor=2),
    "persistent": lambda d: d.DataLoader(range(3), persistent_workers=True),
    "sampler and shuffle": lambda d: d.DataLoader(range(3), sampler=[0], shuffle=True),
    "batch sampler and batch size": lambda d: d.DataLoader(range(3), batch_sampler=[[0]], batch_size=2),
    "single samples and drop_last": lambda d: d.DataLoader(range(3), batch_size=None, drop_last=True),
    "batch size": lambda d: d.DataLoader(range(3), batch_size=0),
    "drop_last": lambda d: d.BatchSampler(range(3), 1, 1),
    "nothing to shuffle": lambda d: d.DataLoader([], shuffle=True),
    "replacement": lambda d: d.RandomSampler(range(3), replacement=1),
    "changed later": lambda d: setattr(d.DataLoader(range(3)), "batch_size", 2),
    "split": lambda d: d.random_split(range(3), [1, 1]),
    "fractions": lambda d: d.random_split(range(3), [1.5, -0.5]),
    "base": lambda d: d.Dataset()[0],
    "uneven": lambda d: d.default_collate([(1, 2), (3,)]),
    "objects": lambda d: d.default_collate([object(), object()]),
    "arrays of text": lambda d: d.default_collate([np.array(["a"]), np.array(["b"])]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    with pytest.raises(Exception) as theirs:
        MISTAKES[mistake](torch.utils.data)
    with pytest.raises(type(theirs.value)) as ours:
        MISTAKES[mistake](data)
    assert str(ours.value) == str(theirs.value)


def test_tensors_of_other_lengths_are_refused():
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        data.TensorDataset(fastgrad.ones(2), fastgrad.ones(3))


def test_every_sample_comes_once_and_the_order_changes():
    loader = data.DataLoader(data.TensorDataset(fastgrad.arange(1000)), batch_size=64, shuffle=True)
    orders = [[index for batch in loader for index in batch[0].tolist()] for _ in range(2)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(1000))
    assert orders[0] != orders[1]


@pytest.mark.strict
def test_a_pass_is_twenty_times_as_fast_as_pytorchs(torch):
    import time

    def best(library):
        x, y = library.zeros(20_000, 20), library.zeros(20_000, dtype=library.int64)
        loader = library.utils.data.DataLoader(
            library.utils.data.TensorDataset(x, y), batch_size=64, shuffle=True
        )
        times = []
        for _ in range(3):
            start = time.perf_counter()
            for _ in loader:
                pass
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(torch) > 20 * best(fastgrad)


WEIGHTS = [0.1, 0.9, 0.4, 0.0, 3.0, 0.6]
ORDERS = {
    "a subset": lambda d, g: d.SubsetRandomSampler([7, 3, 9, 1, 4], generator=g),
    "weights": lambda d, g: d.WeightedRandomSampler(WEIGHTS, 20, generator=g),
    "weights once": lambda d, g: d.WeightedRandomSampler(WEIGHTS, 4, replacement=False, generator=g),
}


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("case", ORDERS)
def test_other_samplers_give_pytorchs_order(torch, case, own):
    def order(library):
        library.manual_seed(3)
        sampler = ORDERS[case](library.utils.data, library.Generator().manual_seed(9) if own else None)
        whole = library.utils.data.TensorDataset(library.arange(10))
        batches = library.utils.data.DataLoader(whole, sampler=sampler, batch_size=4)
        return [list(sampler), list(sampler)], [b[0].tolist() for b in batches], len(sampler), library.rand(1).item()

    assert order(fastgrad) == order(torch)
