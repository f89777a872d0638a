"""What a loader's worker does, in a thread or in a process of its own: fetch batches, and pass on what goes wrong."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import random
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad import _generator
from fastgrad.utils.data.dataset import IterableDataset
from fastgrad.utils.data.memory import in_memory, taken

__all__ = ["END", "Failure", "WorkerInfo", "fetcher", "get_worker_info", "serve", "serve_in_process"]

END = "no more samples"  # what a worker answers when its part of an IterableDataset is read
_LOOK_AFTER = 5.0  # seconds between a process's looks whether its parent still lives


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is: its number, of how many, its seed, and its own (shallow) copy of the data set."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    worker_method: str = "thread"


_here = threading.local()  # of a thread that is a worker
_process: list[WorkerInfo] = []  # of a process that is a worker


def get_worker_info() -> WorkerInfo | None:
    """The worker that calls, inside a `DataLoader`'s worker; None elsewhere.

    >>> import fastgrad as torch
    >>> torch.utils.data.get_worker_info() is None
    True
    """
    found: WorkerInfo | None = getattr(_here, "info", None)
    return found or (_process[0] if _process else None)


class _KeyErrorText(str):
    """A text that KeyError shows as it is, instead of its repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Failure:
    """An exception of a worker, as its type and its traceback's text, which can go anywhere."""

    def __init__(self, where: str) -> None:
        found = sys.exc_info()
        self.kind = kind = found[0] or RuntimeError
        self.text = f"Caught {kind.__name__} {where}.\nOriginal {''.join(traceback.format_exception(*found))}"

    def reraise(self) -> None:
        """Raise it again, with the original traceback in its text; a RuntimeError where its type takes no text."""
        text = _KeyErrorText(self.text) if self.kind is KeyError else self.text
        try:
            error: BaseException = self.kind(text)
        except Exception:
            error = RuntimeError(self.text)
        raise error from None


def fetcher(loader: Any, dataset: Any) -> Callable[[Any], Any]:
    """A function from what the sampler gives to a batch, or to a sample where the loader makes no batches.

    For an IterableDataset it starts a new pass, and raises StopIteration at its end.
    """
    collate, batched, drop_last = loader.collate_fn, loader.batch_sampler is not None, loader.drop_last
    if isinstance(dataset, IterableDataset):
        samples = iter(dataset)
        if not batched:
            return lambda _: collate(next(samples))

        def following(places: list[Any]) -> Any:
            batch = list(itertools.islice(samples, len(places)))
            if not batch or (drop_last and len(batch) < len(places)):
                raise StopIteration
            return collate(batch)

        return following
    if not batched:
        return lambda index: collate(dataset[index])
    many = getattr(dataset, "__getitems__", None)
    one_by_one = many if callable(many) else lambda indices: [dataset[index] for index in indices]
    found = in_memory(dataset, collate)
    if found is None:
        return lambda indices: collate(one_by_one(indices))
    tensors, rows_of = found

    def gathered(indices: Any) -> Any:
        places = np.asarray(indices)
        if places.ndim != 1 or places.dtype.kind not in "iu":  # whatever a sampler of one's own gives
            return collate(one_by_one(indices))
        return taken(tensors, rows_of(places.astype(np.int64)))

    return gathered


def serve(loader: Any, info: WorkerInfo, receive: Callable[[], Any], send: Callable[[Any], None]) -> None:
    """Answer tasks (round, number, indices) with (round, number, worker, batch) until there is None.

    With each round a new pass begins. Whatever goes wrong is sent as a Failure, in place of a batch.
    """
    where = f"in DataLoader worker {'process' if info.worker_method == 'multiprocessing' else 'thread'} {info.id}"
    fetch, broken, current, ended = None, None, -1, False
    try:
        if loader.worker_init_fn is not None:
            loader.worker_init_fn(info.id)
    except Exception:
        broken = Failure(where)
    while (task := receive()) is not None:
        turn, number, indices = task
        made: Any = broken
        if broken is None:
            try:
                if turn != current:
                    current, ended, fetch = turn, False, fetcher(loader, info.dataset)
                if ended or fetch is None:
                    continue
                made = fetch(indices)
            except StopIteration:
                if isinstance(info.dataset, IterableDataset):
                    made, ended = END, True
                else:
                    made = Failure(where)
            except Exception:
                made = Failure(where)
        send((turn, number, info.id, made))
        del task, indices, made  # a waiting worker holds no batch


def serve_in_thread(loader: Any, info: WorkerInfo, inbox: Any, outbox: Any) -> None:
    """A worker thread: it has a stream of random numbers of its own, so that batches do not depend on who is first."""
    _here.info = info
    _generator.use_in_this_thread(_generator.Generator().manual_seed(info.seed))
    serve(loader, info, inbox.get, outbox.put)


def serve_in_process(loader: Any, info: WorkerInfo, inbox: Any, outbox: Any) -> None:
    """A worker process, started afresh: seeded as PyTorch's are, with one thread for kernels."""
    import pickle

    _process.append(info)
    random.seed(info.seed)
    _generator.manual_seed(info.seed)
    base = info.seed - info.id
    np.random.seed(np.random.SeedSequence([info.id, base & 0xFFFFFFFF, base >> 32, 0]).generate_state(4))
    os.environ["OMP_NUM_THREADS"] = "1"  # of kernels: there are as many workers as were asked for
    parent = os.getppid()

    def receive() -> Any:
        while True:
            try:
                return inbox.get(timeout=_LOOK_AFTER)
            except queue.Empty:
                if os.getppid() != parent:  # killed: nobody is left to answer
                    return None

    def send(answer: Any) -> None:
        try:
            packed = pickle.dumps(answer)
        except Exception:
            failure = Failure(f"in DataLoader worker process {info.id}")
            failure.kind = RuntimeError
            packed = pickle.dumps((*answer[:3], failure))
        outbox.put(packed)

    with contextlib.suppress(KeyboardInterrupt):  # the parent gets it too, and raises it
        serve(loader, info, receive, send)
