"""Data sets made of data sets, and what they refuse."""

import pytest

import fastgrad
from fastgrad.utils import data
from tests.utils.test_data import tensors


def test_data_sets_of_data_sets(torch):
    def seen(library):
        d = library.utils.data

        class Count(d.IterableDataset):
            def __init__(self, n):
                self.n = n

            def __iter__(self):
                return iter(range(self.n))

            def __len__(self):
                return self.n

        x, y = tensors(library, 4)
        first, second = d.TensorDataset(x, y), d.TensorDataset(x[:3] + 100, y[:3] + 100)
        joined = first + second
        found = [[part.tolist() for part in joined[k]] for k in (0, 3, 4, 6, -1, -7)]
        found += [[part.tolist() for part in batch] for batch in d.DataLoader(joined, batch_size=3)]
        found += [len(joined), joined.cumulative_sizes]
        chain = Count(3) + Count(2)
        found += [list(chain), len(chain), [b.tolist() for b in d.DataLoader(chain, batch_size=2)]]
        for stacked in (d.StackDataset(y, d.Subset(y, [3, 2, 1, 0])), d.StackDataset(a=y, b=d.Subset(y, [3, 2, 1, 0]))):
            found += [len(stacked), str(stacked[1]), str(list(d.DataLoader(stacked, batch_size=3)))]
        return found

    assert seen(fastgrad) == seen(torch)


SET_MISTAKES = {
    "nothing joined": lambda t: t.utils.data.ConcatDataset([]),
    "a joined stream": lambda t: t.utils.data.ConcatDataset([t.utils.data.ChainDataset([])]),
    "a far index": lambda t: t.utils.data.ConcatDataset([[1, 2]])[-3],
    "no stream": lambda t: list(t.utils.data.ChainDataset([[1]])),
    "the length of no stream": lambda t: len(t.utils.data.ChainDataset([[1]])),
    "stacked in two ways": lambda t: t.utils.data.StackDataset([1], a=[2]),
    "nothing stacked": lambda t: t.utils.data.StackDataset(),
    "stacks of two heights": lambda t: t.utils.data.StackDataset([1], [2, 3]),
    "no item": lambda t: t.utils.data.Dataset()[0],
    "no samples": lambda t: t.utils.data.WeightedRandomSampler([1.0], 0),
    "no such replacement": lambda t: t.utils.data.WeightedRandomSampler([1.0], 1, replacement=1),
    "weights in a table": lambda t: t.utils.data.WeightedRandomSampler([[1.0]], 1),
    "more than there are": lambda t: list(t.utils.data.WeightedRandomSampler([1.0], 2, replacement=False)),
}


@pytest.mark.parametrize("mistake", SET_MISTAKES)
def test_mistakes_with_data_sets_raise_what_pytorch_raises(torch, mistake):
    with pytest.raises(Exception) as theirs:
        SET_MISTAKES[mistake](torch)
    with pytest.raises(type(theirs.value)) as ours:
        SET_MISTAKES[mistake](fastgrad)
    assert str(ours.value) == str(theirs.value)


def test_every_public_name_is_here(torch):
    pipes = {"DFIterDataPipe", "DataChunk", "IterDataPipe", "MapDataPipe", "DistributedSampler", "_DatasetKind"}
    pipes |= {"argument_validation", "functional_datapipe", "guaranteed_datapipes_determinism", "non_deterministic"}
    pipes |= {"runtime_validation", "runtime_validation_disabled"}
    assert set(torch.utils.data.__all__) - pipes == set(data.__all__)
