"""Loading with workers: who they are, what each is asked for, and putting their batches in order.

Workers are threads unless the loader names a multiprocessing context. Processes are never forked from this one: it has
threads, whose locks a fork would copy in whatever state they are.
"""

from __future__ import annotations

import copy
import itertools
import multiprocessing
import queue
import threading
import weakref
from typing import Any

from fastgrad.utils.data.sampler import draw_seed
from fastgrad.utils.data.worker import END, Failure, WorkerInfo, serve_in_process, serve_in_thread

__all__ = ["WorkerIterator"]

_LOOK_AFTER = 5.0  # seconds between looks whether the processes still live


class WorkerIterator:
    """One pass after another over a loader's batches, made by its workers.

    Batches come in the sampler's order, or with `in_order=False` as they are ready. The numbers that samplers draw, and
    which worker makes which batch, are PyTorch's.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        seed = draw_seed(loader.generator)
        kind = _Threads if loader.multiprocessing_context is None else _Processes
        self._crew = kind(loader, seed)
        self._stop = weakref.finalize(self, self._crew.stop)
        self._round = -1
        self.begin()

    def begin(self) -> None:
        """Start a pass, and ask for the first batches."""
        count = self._loader.num_workers
        self._indices = iter(self._loader._index_sampler)
        self._round += 1
        self._asked = self._given = 0  # numbers of the batches that come next
        self._tasks: dict[int, int] = {}  # batch -> worker, of what is under way
        self._arrived: dict[int, Any] = {}
        self._active = set(range(count))
        self._turns = itertools.cycle(range(count))
        for _ in range(self._loader.prefetch_factor * count):
            self._ask()

    def _ask(self) -> None:
        """Ask the worker whose turn it is for the next batch, where there is one."""
        if not self._active:
            return
        try:
            indices = next(self._indices)
        except StopIteration:
            return
        worker = next(turn for turn in self._turns if turn in self._active)
        self._tasks[self._asked] = worker
        self._crew.inboxes[worker].put((self._round, self._asked, indices))
        self._asked += 1

    def __iter__(self) -> WorkerIterator:
        return self

    def __next__(self) -> Any:
        while True:
            while self._tasks and self._loader.in_order and self._ended(self._given):
                del self._tasks[self._given]
                self._given += 1
            if not any(not self._ended(number) for number in self._tasks):
                if not self._loader.persistent_workers:
                    self._stop()
                raise StopIteration
            number = self._given if self._loader.in_order else next(iter(self._arrived), -1)
            if number not in self._arrived:
                self._receive()
                continue
            made = self._arrived.pop(number)
            del self._tasks[number]
            self._given += 1
            self._ask()
            if isinstance(made, Failure):
                made.reraise()
            return made

    def _ended(self, number: int) -> bool:
        """Whether a batch will never come, because the worker has read its part of the data."""
        return number not in self._arrived and self._tasks[number] not in self._active

    def _receive(self) -> None:
        """Wait for an answer. RuntimeError when none comes in time, or when a worker is gone."""
        turn, number, worker, made = self._crew.receive(self._loader.timeout)
        if turn != self._round:  # of a pass that was left
            return
        if made is END:
            self._active.discard(worker)
            self._ask()
        else:
            self._arrived[number] = made


class _Threads:
    """Workers that are threads of this process."""

    method = "thread"

    def __init__(self, loader: Any, seed: int) -> None:
        self.inboxes: list[Any] = []
        self._start(loader, seed)

    def _start(self, loader: Any, seed: int) -> None:
        self.outbox: Any = queue.SimpleQueue()
        plan = _Plan(loader)
        for info in _infos(loader, seed, self.method):
            inbox: Any = queue.SimpleQueue()
            given = (plan, info, inbox, self.outbox)
            threading.Thread(target=serve_in_thread, args=given, daemon=True, name=f"DataLoader {info.id}").start()
            self.inboxes.append(inbox)

    def receive(self, timeout: float) -> Any:
        try:
            return self.outbox.get(timeout=timeout or None)
        except queue.Empty:
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds") from None

    def stop(self) -> None:
        for inbox in self.inboxes:
            inbox.put(None)


class _Processes(_Threads):
    """Workers that are processes of their own, started afresh."""

    method = "multiprocessing"

    def _start(self, loader: Any, seed: int) -> None:
        context = loader.multiprocessing_context
        if context.get_start_method() == "fork":
            context = multiprocessing.get_context("forkserver")
        self.outbox = context.Queue()
        self.processes: list[Any] = []
        plan = _Plan(loader)
        for info in _infos(loader, seed, self.method):
            inbox = context.Queue()
            inbox.cancel_join_thread()  # what nobody will read does not hold up the end of this process
            process = context.Process(
                target=serve_in_process, args=(plan, info, inbox, self.outbox), daemon=True
            )
            process.start()
            self.inboxes.append(inbox)
            self.processes.append(process)

    def receive(self, timeout: float) -> Any:
        import pickle

        while True:
            try:
                return pickle.loads(self.outbox.get(timeout=timeout or _LOOK_AFTER))
            except queue.Empty:
                gone = [str(process.pid) for process in self.processes if not process.is_alive()]
                if gone:
                    raise RuntimeError(
                        f"DataLoader worker (pid(s) {', '.join(gone)}) exited unexpectedly; its own error stands above. A "
                        "program that uses processes needs `if __name__ == '__main__':` around what it does"
                    ) from None
                if timeout:
                    raise RuntimeError(f"DataLoader timed out after {timeout} seconds") from None

    def stop(self) -> None:
        super().stop()
        for process in self.processes:
            process.join(timeout=1.0)
            if process.is_alive():
                process.terminate()


class _Plan:
    """What a worker needs to know of its loader; a loader itself holds its iterator, which cannot travel."""

    def __init__(self, loader: Any) -> None:
        self.collate_fn, self.drop_last = loader.collate_fn, loader.drop_last
        self.worker_init_fn = loader.worker_init_fn
        self.batch_sampler = None if loader.batch_sampler is None else True  # whether there are batches


def _infos(loader: Any, seed: int, method: str) -> list[WorkerInfo]:
    count = loader.num_workers
    return [WorkerInfo(k, count, seed + k, copy.copy(loader.dataset), method) for k in range(count)]
