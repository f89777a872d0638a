"""`DataLoader`: batches of a data set."""

from __future__ import annotations

import math
import multiprocessing
import multiprocessing.context
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastgrad._launch.rows import take_rows
from fastgrad._tensor import Tensor
from fastgrad.utils.data.collate import default_collate, default_convert
from fastgrad.utils.data.crew import WorkerIterator
from fastgrad.utils.data.dataset import IterableDataset
from fastgrad.utils.data.memory import in_memory
from fastgrad.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed
from fastgrad.utils.data.worker import fetcher

__all__ = ["DataLoader"]

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader:
    """Iterates over batches of a data set, in order or, with `shuffle`, in a new random order each time.

    Samples are joined by `collate_fn` (default: `default_collate`); `batch_size=None` gives single samples. A
    TensorDataset is gathered whole batch by whole batch, without looking at single samples.

    With `num_workers` batches are made ahead by that many threads: good for data sets that wait for files or compute in
    NumPy. With `multiprocessing_context="spawn"` or "forkserver" they are processes, for data sets that compute in
    Python; these, `collate_fn` and `worker_init_fn` must then be picklable, and the program needs `if __name__ ==
    "__main__":`. "fork" is taken for "forkserver": a fork of a process that has threads may hang. Every worker has a
    stream of random numbers of its own, so that the same seed gives the same batches. An error in a worker is raised
    here, with the worker's traceback in its text. `pin_memory` has no meaning here.

    >>> import fastgrad as torch
    >>> data = torch.utils.data.TensorDataset(torch.arange(5))
    >>> [batch[0].tolist() for batch in torch.utils.data.DataLoader(data, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    _iterator: WorkerIterator | None = None

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        prefetch_factor = _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        context = _checked_context(multiprocessing_context, num_workers)
        streamed = isinstance(dataset, IterableDataset)
        if streamed:
            given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
            for name, value in given.items():
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive "
                    "with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
            )
        if streamed:
            sampler = _Endless()
        elif sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)  # type: ignore[arg-type]
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.drop_last = drop_last
        self.collate_fn = collate_fn
        self.generator = generator
        self.num_workers = num_workers
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = context
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self._said_length: int | None = None
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and "_ready" in self.__dict__:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def _index_sampler(self) -> Any:
        """What is iterated: batches of indices, or indices where there are no batches."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        batches = self._with_workers() if self.num_workers else self._alone()
        return _counted(self, batches) if self._said_length is not None else batches

    def _with_workers(self) -> Iterator[Any]:
        if not self.persistent_workers:
            return WorkerIterator(self)
        if self._iterator is None:
            self._iterator = WorkerIterator(self)
        else:
            self._iterator.begin()
        return self._iterator

    def _alone(self) -> Iterator[Any]:
        # PyTorch draws a seed for its workers here, also when there are none: the numbers that follow depend
        # on it.
        draw_seed(self.generator)
        if type(self.batch_sampler) is BatchSampler and not isinstance(self.dataset, IterableDataset):
            found = in_memory(self.dataset, self.collate_fn)
            if found is not None:
                return _gathered(*found, self.batch_sampler)
        return _fetched(fetcher(self, self.dataset), self._index_sampler)

    def __len__(self) -> int:
        """The number of batches; of an IterableDataset as far as its own length tells."""
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        length = self._said_length = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)


class _Endless(Sampler[None]):
    """The places of samples that come one after the other: None without end."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def _fetched(fetch: Callable[[Any], Any], places: Iterable[Any]) -> Iterator[Any]:
    """Batches made of single samples."""
    for place in places:
        try:
            made = fetch(place)
        except StopIteration:  # the end of an IterableDataset
            return
        yield made


def _gathered(
    tensors: tuple[Tensor, ...], rows_of: Callable[[Any], Any], batches: BatchSampler
) -> Iterator[list[Tensor]]:
    """Batches gathered from tensors, each in memory of its own."""
    for address, count in batches._runs(rows_of):
        yield [take_rows(tensor, address, count) for tensor in tensors]


def _counted(loader: DataLoader, batches: Iterator[Any]) -> Iterator[Any]:
    """Warn, as PyTorch does, where an IterableDataset gives more than the length that it said."""
    for number, batch in enumerate(batches, 1):
        if loader._said_length is not None and number > loader._said_length:
            text = (
                f"Length of IterableDataset {loader.dataset} was reported to be {loader._said_length}"
                f"(when accessing len(dataloader)), but {number} samples have been fetched. "
            )
            if loader.num_workers:
                text += (
                    "For multiprocessing data-loading, this could be caused by not properly configuring the IterableDataset "
                    "replica at each worker. Please see "
                    "https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for examples."
                )
            warnings.warn(text, stacklevel=2)
        yield batch


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> int | None:
    """ValueError, with PyTorch's texts, for options that do not fit; the number of batches made ahead."""
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    return 2 if num_workers and prefetch_factor is None else prefetch_factor


def _checked_context(context: Any, num_workers: int) -> Any:
    """A multiprocessing context, from its name too."""
    if context is None:
        return None
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
            f"num_workers={num_workers}"
        )
    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {methods!r}, but got "
                f"multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, but "
            f"got multiprocessing_context={context}"
        )
    return context
