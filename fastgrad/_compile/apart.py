"""Do arguments overlap? The order of a plan's rows is the step's only while memory that was apart when it was recorded stays
apart; that matters where a row writes memory from outside, and is asked for nothing else."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from .._meta import Meta
from .fuse import out_of
from .memory import ARGUMENT, GRADIENT, OUTSIDE, TEMPORARY


class Apart:
    """What must be apart at each call; `early` are places that rows write before their turn."""

    def __init__(self, recorder: Any, early: list[tuple[int, int]]) -> None:
        events = recorder.events
        outs = [out.buffer for event in events if (out := out_of(event)) is not None]
        written = {buffer for buffer in outs if buffer.kind != TEMPORARY}
        touched = {pointer.buffer for event in events for pointer in event.pointers()} | written
        self._outside = [(b.address, b.address + b.nbytes, b in written) for b in touched if b.kind == OUTSIDE]
        self._outside += [(low, high, True) for low, high in early]
        self._leaves = [
            (leaf.tensor, *_span(leaf.meta), leaf.place is None)
            for leaf in recorder.leaves.all
            if leaf.matters and leaf.had and (leaf.place is None or leaf.place[0] is not None)
        ] if any(b.kind == GRADIENT for b in touched) else []  # fmt: skip
        shares = recorder.shares
        own = {b.index for b in written if b.kind == ARGUMENT}
        self._arguments = [(*_span(meta), shares[k] in own) for k, meta in enumerate(recorder.metas)]
        self._pairs = [
            (i, j) for j in range(len(shares)) for i in range(j)
            if shares[i] != shares[j] and (shares[i] in own or shares[j] in own)
        ]  # fmt: skip
        self.is_needed = bool(written or early) and bool(self._arguments or self._leaves)
        self._bound: list[tuple[Any, int]] = []  # leaves, and where their gradients are
        self._is_good = False  # whether these overlap nothing
        self._all: list[int] = []  # edges of what the plan touches,
        self._written: list[int] = []  # and of what it writes
        self._look_at([])

    def holds(self, tensors: Any) -> bool:
        """Whether these arguments, the gradients and what else the plan writes lie in memory of their own."""
        for leaf, address in self._bound:
            if leaf._grad._address != address:
                self._look_at([leaf._grad._address for leaf, _, _, _ in self._leaves])
                break
        if not self._is_good:
            return False
        for tensor, (low, high, mine) in zip(tensors, self._arguments):
            edges, address = self._all if mine else self._written, tensor._address
            at = bisect_right(edges, address + low)
            if at & 1 or edges[at] < address + high:
                return False
        for i, j in self._pairs:
            a, b = tensors[i]._address, tensors[j]._address
            if (
                a + self._arguments[i][0] < b + self._arguments[j][1]
                and b + self._arguments[j][0] < a + self._arguments[i][1]
            ):
                return False
        return True

    def _look_at(self, gradients: list[int]) -> None:
        """Put gradients, which rows add to, among what is written."""
        spans = [(at + low, at + high, own) for at, (_, low, high, own) in zip(gradients, self._leaves)]
        outside, own = _edges([(a, b) for a, b, _ in self._outside]), sorted([(a, b) for a, b, mine in spans if mine])
        self._is_good = all(before[1] <= after[0] for before, after in pairwise(own))
        for low, high in own:
            at = bisect_right(outside, low)
            self._is_good = self._is_good and not at & 1 and outside[at] >= high
        self._all = _edges([(a, b) for a, b, _ in (*self._outside, *spans)])
        self._written = _edges([(a, b) for a, b, mine in self._outside if mine] + [(a, b) for a, b, _ in spans])
        self._bound = [(leaf, at) for (leaf, _, _, _), at in zip(self._leaves, gradients or [0] * len(self._leaves))]


def _span(meta: Meta) -> tuple[int, int]:
    """From where to where a tensor reaches, in bytes from its address."""
    if not meta.numel:
        return 0, 0
    ends = [(size - 1) * step for size, step in zip(meta.shape, meta.strides, strict=True)]
    size = meta.dtype.itemsize
    return sum(min(0, end) for end in ends) * size, (sum(max(0, end) for end in ends) + 1) * size


def _edges(ranges: Iterable[tuple[int, int]]) -> list[int]:
    """Beginnings and ends in turn, of ranges that do not overlap, and what lies behind all of them."""
    edges: list[int] = []
    for low, high in sorted(ranges):
        if edges and low <= edges[-1]:
            edges[-1] = max(edges[-1], high)
        elif low < high:
            edges += [low, high]
    return [*edges, 1 << 64]
