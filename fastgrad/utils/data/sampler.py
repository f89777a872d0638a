"""Samplers: the order in which a loader reads a data set.

A sampler is iterated index by index, as in PyTorch. The two standard ones also give their order in blocks
(int64 arrays), from which the loader cuts whole batches; a block is drawn when its first index is wanted, as
PyTorch draws it, because drawing moves the random generator on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from fastgrad import _dtype
from fastgrad._generator import Generator
from fastgrad.ops.create import empty
from fastgrad.ops.data import as_tensor
from fastgrad.ops.random import randint, random_, randperm

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

Item = TypeVar("Item", covariant=True)


def draw_seed(generator: Generator | None = None) -> int:
    """A seed from a stream, drawn as PyTorch draws it: two words, of which 63 bits count."""
    return int(random_(empty((), dtype=_dtype.int64), generator=generator).item())


class Sampler(Generic[Item]):
    """Base of samplers: a subclass gives `__iter__`, and `__len__` where the length is known."""

    def __iter__(self) -> Iterator[Item]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ...

    >>> import fastgrad as torch
    >>> list(torch.utils.data.SequentialSampler(range(3)))
    [0, 1, 2]
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def _blocks(self) -> Iterator[Any]:
        yield np.arange(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A random order: of every index once, or with `replacement` of `num_samples` independent ones.

    >>> import fastgrad as torch
    >>> sorted(torch.utils.data.RandomSampler(range(3)))
    [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={self.num_samples}"
            )

    @property
    def num_samples(self) -> int:
        """How many indices one iteration gives: the data set's length unless told otherwise."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        for block in self._blocks():
            yield from block.tolist()

    def _blocks(self) -> Iterator[Any]:
        n, wanted = len(self.data_source), self.num_samples
        generator = self.generator
        if generator is None:
            generator = Generator().manual_seed(draw_seed())
        # The sizes are PyTorch's, down to the last block that may be empty: each one moves the generator.
        if self.replacement:
            for size in (*[32] * (wanted // 32), wanted % 32):
                yield randint(n, (size,), generator=generator).numpy()
        else:
            for _ in range(wanted // n):
                yield randperm(n, generator=generator).numpy()
            yield randperm(n, generator=generator).numpy()[: wanted % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a random order.

    >>> import fastgrad as torch
    >>> sorted(torch.utils.data.SubsetRandomSampler([5, 3, 8]))
    [3, 5, 8]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for place in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[place]

    def _blocks(self) -> Iterator[Any]:
        order = randperm(len(self.indices), generator=self.generator).numpy()
        yield np.array(self.indices, np.int64)[order]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` random indices, i with a probability in proportion to weights[i]; each at most once without
    `replacement`.

    >>> import fastgrad as torch
    >>> list(torch.utils.data.WeightedRandomSampler([0.0, 1.0, 0.0], 4))
    [1, 1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = as_tensor(weights, dtype=_dtype.float64)
        if self.weights.dim() != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for block in self._blocks():
            yield from block.tolist()

    def _blocks(self) -> Iterator[Any]:
        yield self.weights.multinomial(self.num_samples, self.replacement, generator=self.generator).numpy()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler; `drop_last` leaves out a shorter last one.

    >>> import fastgrad as torch
    >>> list(torch.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def _runs(self, rows_of: Callable[[Any], Any]) -> Iterator[tuple[int, int]]:
        """The same batches as runs of int64: (address, count), to be read before the next is asked for.

        `rows_of` translates a block of indices; blocks are as long as possible, so that it is seldom called.
        """
        if type(self.sampler) not in _IN_BLOCKS:
            for batch in self:
                rows = np.ascontiguousarray(rows_of(np.array(batch, np.int64)))
                yield rows.ctypes.data, len(rows)
            return
        size = self.batch_size
        waiting = np.empty(0, np.int64)
        for block in self.sampler._blocks():  # type: ignore[attr-defined]
            rows = rows_of(block)
            waiting = np.concatenate([waiting, rows]) if len(waiting) else np.ascontiguousarray(rows)
            whole = len(waiting) - len(waiting) % size
            address = waiting.ctypes.data
            for start in range(0, whole, size):
                yield address + 8 * start, size
            waiting = waiting[whole:]
        if len(waiting) and not self.drop_last:
            yield waiting.ctypes.data, len(waiting)

    def __len__(self) -> int:
        length = len(self.sampler)  # type: ignore[arg-type]
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)


# Samplers that give their order in blocks; a subclass may have an order of its own.
_IN_BLOCKS = (SequentialSampler, RandomSampler, SubsetRandomSampler, WeightedRandomSampler)
