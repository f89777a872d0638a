"""The leaves of a recording: what their `.grad` was, whether that mattered, and what it is after the step.

What a step does to a gradient depends on whether one is there: it is added to, or made. So recordings are compared, and
plans used, only where the gradients that matter are alike. One that the step drops before anything looks at it does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._tensor import Tensor
from .events import Row, version
from .memory import ARGUMENT, GRADIENT, OUTSIDE, TEMPORARY, Memory, TensorRef

_DROPPED: Any = object()  # stands for a gradient that is let go of


class Leaf:
    """A leaf whose `.grad` the step may look at or change."""

    __slots__ = (
        "_before", "_version", "after", "asked", "had", "kept", "matters", "meta", "place", "tensor", "version",
    )  # fmt: skip

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, self._before = tensor, tensor._grad
        self._version = 0 if self._before is None else version(self._before)
        self.had = self._before is not None
        self.meta: Any = None if self._before is None else self._before._meta
        # Where a gradient lies that is no memory of its own: behind another leaf's (that leaf, how far), or at an address.
        self.place: tuple[Leaf | None, int] | None = None
        self.asked = False  # whether anything looked at its gradient, or was about to change it
        self.matters = False  # whether what was there before decides what the step does
        self.kept = False  # the same tensor before and after
        self.after: TensorRef | None = None
        self.version = 0  # of the tensor before, where it is kept: then by how much it rose; else of the one after

    def ask(self, matters: bool, memory: Memory) -> None:
        """Its gradient is looked at or about to change; one that is dropped may be freed, as in a step that is not
        recorded."""
        self.asked, self.matters = True, matters
        if self._before is not None and not matters:
            buffer = memory.find(self._before._address)
            if buffer is not None and buffer.kind == GRADIENT:
                buffer.owner = None
            self._before = _DROPPED

    def now(self, recorder: Any) -> Any:
        """What its gradient is now: False where it is as it was, None, or where it lies."""
        gradient = self.tensor._grad
        if gradient is self._before and (self.matters or not self.asked):
            return False
        return None if gradient is None else recorder.ref(gradient)

    def finish(self, recorder: Any) -> None:
        """Work out what the step leaves behind, and let go of what was there before."""
        now = self.tensor._grad
        self.kept = now is self._before and (self.matters or not self.asked)
        self.version = 0 if now is None else version(now) - (self._version if self.kept else 0)
        if now is not None and not self.kept:
            self.after = recorder.ref(now)
            if self.after.pointer.buffer.kind != TEMPORARY:
                recorder.broken.append("a .grad that the step did not make itself is assigned in it")
        self._before = None

    @property
    def ends_as_it_began(self) -> bool:
        """Whether a step may follow on this one with nothing to look at."""
        if not self.matters:
            return True
        if self.kept:
            return self.place is None
        return self.had and self.after is not None and self.after.meta is self.meta and self.place is None

    def end(self) -> tuple[Any, ...]:
        """What two recordings must agree on."""
        return id(self.tensor), self.matters, self.kept, self.after is None, self.version


class Leaves:
    """The leaves of one recording by identity, in the order in which they were seen."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.all: list[Leaf] = []
        self._by_id: dict[int, Leaf] = {}

    def known(self, tensor: Tensor) -> Leaf | None:
        """The leaf of a tensor from outside, added if it was not known; None where the step made the tensor itself."""
        leaf = self._by_id.get(id(tensor))
        if leaf is not None:
            return leaf
        found = self.memory.find(tensor._address)
        if found is not None and found.kind == TEMPORARY:
            return None
        leaf = self._by_id[id(tensor)] = Leaf(tensor)
        self.all.append(leaf)
        self.memory.add_tensor(OUTSIDE, tensor)
        gradient = tensor._grad
        if gradient is not None:
            buffer = self.memory.add_tensor(GRADIENT, gradient, len(self.all) - 1)
            if buffer.kind == GRADIENT and buffer.index < len(self.all) - 1:
                first = self.all[buffer.index]
                leaf.place = first, gradient._address - (buffer.address + buffer.shift)
            elif buffer.kind != GRADIENT:
                leaf.place = None, gradient._address
        return leaf

    def begins(self) -> dict[int, Any]:
        """What was there where it matters: two recordings that differ here are of different plans."""
        return {
            id(leaf.tensor): (leaf.meta, leaf.place and (leaf.place[0] and id(leaf.place[0].tensor), leaf.place[1]))
            for leaf in self.all if leaf.matters
        }  # fmt: skip

    def refusals(self, events: Iterable[Any]) -> list[str]:
        """Why what was done to gradients cannot be replayed."""
        found = []
        for leaf in self.all:
            place = self.memory.find(leaf.tensor._address)
            if place is not None and place.kind == ARGUMENT and leaf.asked:
                found.append("an argument gets a gradient, or shares memory with a parameter")
            if leaf.place is not None and leaf.place[0] is not None and not leaf.place[0].matters and leaf.matters:
                found.append("a gradient lies in the memory of another one that the step drops")
        for event in events:
            for pointer in event.pointers():
                if pointer.buffer.kind == GRADIENT and not self.all[pointer.buffer.index].matters:
                    line = event.line if isinstance(event, Row) else ""
                    found.append(f"a gradient is used in another way than through .grad {line}".strip())
        return found[:1]
