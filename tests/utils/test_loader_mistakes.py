"""What a loader refuses and warns of: PyTorch's texts."""

import warnings

import pytest

import fastgrad
from tests.utils.test_data import Squares

MISTAKES = {
    "fewer than none": {"num_workers": -1},
    "a negative time": {"timeout": -1},
    "prefetching alone": {"prefetch_factor": 2},
    "negative prefetching": {"prefetch_factor": -1, "num_workers": 1},
    "persistent and alone": {"persistent_workers": True},
    "a context alone": {"multiprocessing_context": "spawn"},
    "no such context": {"multiprocessing_context": "spoon", "num_workers": 1},
    "a context of another kind": {"multiprocessing_context": 3, "num_workers": 1},
    "shuffle and sampler": {"shuffle": True, "sampler": [0]},
    "batch sampler and size": {"batch_sampler": [[0]], "batch_size": 2},
    "no batches to drop": {"batch_size": None, "drop_last": True},
    "a batch of none": {"batch_size": 0},
}
STREAM_MISTAKES = {
    "a shuffled stream": {"shuffle": True},
    "a sampled stream": {"sampler": [0, 1]},
    "a stream with batches of its own": {"batch_sampler": [[0, 1]]},
}


@pytest.mark.parametrize("mistake", [*MISTAKES, *STREAM_MISTAKES])
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    def make(library):
        if mistake in MISTAKES:
            return library.utils.data.DataLoader(Squares(3), **MISTAKES[mistake])
        return library.utils.data.DataLoader(library.utils.data.ChainDataset([]), **STREAM_MISTAKES[mistake])

    with pytest.raises(Exception) as theirs:
        make(torch)
    with pytest.raises(type(theirs.value)) as ours:
        make(fastgrad)
    assert str(ours.value) == str(theirs.value)


def test_a_stream_longer_than_it_says(torch):
    def run(library):
        class Short(library.utils.data.IterableDataset):
            def __iter__(self):
                return iter(range(3))

            def __len__(self):
                return 2

            def __str__(self):
                return "Short"

        loader = library.utils.data.DataLoader(Short())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            length = len(loader)
            batches = [batch.tolist() for batch in loader]
        return length, batches, [str(warning.message) for warning in caught]

    assert run(fastgrad) == run(torch)
