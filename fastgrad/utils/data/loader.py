"""`DataLoader`: batches of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from fastgrad._launch.rows import take_rows
from fastgrad._tensor import Tensor
from fastgrad.utils.data.collate import default_collate, default_convert
from fastgrad.utils.data.dataset import Subset, TensorDataset
from fastgrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed

__all__ = ["DataLoader"]

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader:
    """Iterates over batches of a data set, in order or, with `shuffle`, in a new random order each time.

    Samples are joined by `collate_fn` (default: `default_collate`); `batch_size=None` gives single samples. A
    TensorDataset is gathered whole batch by whole batch, without looking at single samples.

    >>> import fastgrad as torch
    >>> data = torch.utils.data.TensorDataset(torch.arange(5))
    >>> [batch[0].tolist() for batch in torch.utils.data.DataLoader(data, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

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
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
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
        if sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
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
        self.multiprocessing_context = multiprocessing_context
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and "_ready" in self.__dict__:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        # PyTorch draws a seed for its workers here, also when there are none: the numbers that follow depend
        # on it.
        draw_seed(self.generator)
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[index]) for index in self.sampler)
        if self.collate_fn is default_collate and type(self.batch_sampler) is BatchSampler:
            found = _in_memory(self.dataset)
            if found is not None:
                return _gathered(*found, self.batch_sampler)
        return _collated(self.dataset, self.batch_sampler, self.collate_fn)

    def __len__(self) -> int:
        """The number of batches."""
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]


def _collated(dataset: Any, batches: Iterable[Any], collate: Callable[[Any], Any]) -> Iterator[Any]:
    """Batches made of single samples."""
    many = getattr(dataset, "__getitems__", None)
    for indices in batches:
        yield collate(many(indices) if callable(many) else [dataset[index] for index in indices])


def _gathered(
    tensors: tuple[Tensor, ...], rows_of: Callable[[Any], Any], batches: BatchSampler
) -> Iterator[list[Tensor]]:
    """Batches gathered from tensors, each in memory of its own."""
    for address, count in batches._runs(rows_of):
        yield [take_rows(tensor, address, count) for tensor in tensors]


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
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
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    if num_workers > 0:
        raise ValueError(
            f"num_workers={num_workers}: worker processes are not supported yet; use num_workers=0, "
            "which reads in this process"
        )


def _in_memory(dataset: Any) -> tuple[tuple[Tensor, ...], Callable[[Any], Any]] | None:
    """The tensors that a data set lies in, and the function from its indices (an array) to their rows.

    None for a data set that lies elsewhere, or whose class reads samples in a way of its own.
    """
    kind = type(dataset)
    if isinstance(dataset, TensorDataset):
        if kind.__getitem__ is not TensorDataset.__getitem__ or hasattr(kind, "__getitems__"):
            return None
        if any(tensor.requires_grad for tensor in dataset.tensors):
            return None
        rows = len(dataset)
        return tuple([tensor.contiguous() for tensor in dataset.tensors]), lambda indices: _rows(
            indices, rows
        )
    if isinstance(dataset, Subset):
        whole = _in_memory(dataset.dataset)
        plain = kind.__getitem__ is Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__
        if whole is not None and plain:
            tensors, rows_of = whole
            chosen = rows_of(np.array(dataset.indices, np.int64))
            return tensors, lambda indices: chosen[_rows(indices, len(chosen))]
    return None


def _rows(indices: Any, rows: int) -> Any:
    """Row numbers for indices, of which negative ones count from the end; IndexError with PyTorch's text."""
    # A negative index is a huge number when read as unsigned: one pass over an order that has none.
    if indices.size and indices.view(np.uint64).max() >= rows:
        for index in indices.tolist():
            if not -rows <= index < rows:
                raise IndexError(f"index {index} is out of bounds for dimension 0 with size {rows}")
        return indices % rows
    return indices
