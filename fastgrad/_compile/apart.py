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

Ranges = tuple[list[int], list[int]]  # beginnings and ends, in order, none overlapping


class Apart:
    """What must be apart at each call."""

    def __init__(self, recorder: Any) -> None:
        events = recorder.events
        outs = [out.buffer for event in events if (out := out_of(event)) is not None]
        written = {buffer for buffer in outs if buffer.kind != TEMPORARY}
        touched = {pointer.buffer for event in events for pointer in event.pointers()} | written
        self._outside = [(b.address, b.address + b.nbytes, b in written) for b in touched if b.kind == OUTSIDE]
        self._leaves = [
            (leaf.tensor, *_span(leaf.meta), leaf.place is None)
            for leaf in recorder.leaves.all
            if leaf.matters and leaf.had and (leaf.place is None or leaf.place[0] is not None)
        ] if any(b.kind == GRADIENT for b in touched) else []  # fmt: skip
        shares = recorder.shares
        own = {b.index for b in written if b.kind == ARGUMENT}
        self._arguments = [(k, *_span(meta), shares[k] in own) for k, meta in enumerate(recorder.metas)]
        self._pairs = [
            (i, j) for j in range(len(shares)) for i in range(j)
            if shares[i] != shares[j] and (shares[i] in own or shares[j] in own)
        ]  # fmt: skip
        self.is_needed = bool(written) and bool(self._arguments or self._leaves)
        self._gradients: list[int] | None = None
        self._addresses: list[int] = []
        self._good = self._answer = False
        self._all: Ranges = [], []
        self._written: Ranges = [], []

    def holds(self, tensors: Any) -> bool:
        """Whether these arguments, the gradients and what else the plan writes lie in memory of their own."""
        gradients = [leaf._grad._address for leaf, _, _, _ in self._leaves]
        if gradients != self._gradients:
            self._gradients, self._addresses = gradients, []
            self._look_at(gradients)
        addresses = [tensor._address for tensor in tensors]
        if addresses != self._addresses:
            self._addresses, self._answer = addresses, self._good and self._look(addresses)
        return self._answer

    def _look_at(self, gradients: list[int]) -> None:
        """Put gradients, which rows add to, among what is written."""
        spans = [(at + low, at + high, own) for at, (_, low, high, own) in zip(gradients, self._leaves, strict=True)]
        outside, own = _merged([(a, b) for a, b, _ in self._outside]), sorted([(a, b) for a, b, mine in spans if mine])
        self._good = all(before[1] <= after[0] for before, after in pairwise(own))
        self._good = self._good and not any(_meets(outside, a, b) for a, b in own)
        self._all = _merged([(a, b) for a, b, _ in (*self._outside, *spans)])
        self._written = _merged([(a, b) for a, b, mine in self._outside if mine] + [(a, b) for a, b, _ in spans])

    def _look(self, addresses: list[int]) -> bool:
        spans = [(addresses[k] + low, addresses[k] + high) for k, low, high, _ in self._arguments]
        for (low, high), (_, _, _, mine) in zip(spans, self._arguments, strict=True):
            if _meets(self._all if mine else self._written, low, high):
                return False
        return not any(spans[i][0] < spans[j][1] and spans[j][0] < spans[i][1] for i, j in self._pairs)


def _span(meta: Meta) -> tuple[int, int]:
    """From where to where a tensor reaches, in bytes from its address."""
    if not meta.numel:
        return 0, 0
    ends = [(size - 1) * step for size, step in zip(meta.shape, meta.strides, strict=True)]
    size = meta.dtype.itemsize
    return sum(min(0, end) for end in ends) * size, (sum(max(0, end) for end in ends) + 1) * size


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    starts: list[int] = []
    ends: list[int] = []
    for low, high in sorted(ranges):
        if ends and low <= ends[-1]:
            ends[-1] = max(ends[-1], high)
        else:
            starts.append(low)
            ends.append(high)
    return starts, ends


def _meets(ranges: Ranges, low: int, high: int) -> bool:
    starts, ends = ranges
    at = bisect_right(starts, low)
    return (at > 0 and ends[at - 1] > low) or (at < len(starts) and starts[at] < high)
