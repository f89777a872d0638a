"""A plan: the words that compiled code walks, and what Python does around the walk.

Every row's arguments lie in one block of words. An address that stays is written once; one that changes from call to call
(an argument's, a returned tensor's, a gradient's) has its places listed, and is written again when it has changed.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from .. import _dtype, _meta
from .._storage import FILL_WITH_NAN, Memory, address_of, fill_with_nan
from .._tensor import Tensor, new
from ..kernels import pace, pool, walker
from . import layout
from .events import Check, Effect, HookCall, HostCall, Item, Output, Update, refs
from .fuse import STRIP, Chain, fuse
from .leaves import Leaf
from .memory import ARGUMENT, GRADIENT, TEMPORARY, Buffer, Pointer, TensorRef
from .record import Recorder
from .resident import make_present
from .share import Shared, shared
from .updates import Refresh, Rest, Updating, with_updates
from .visible import Visible

_BYTES = _dtype.uint8
Places = list[tuple[int, int]]  # (word, offset in bytes)


class Segment:
    """Rows that are walked in one call."""

    __slots__ = ("count", "first", "known", "pace", "table")

    def __init__(self, first: int) -> None:
        self.first, self.count, self.table = first, 0, 0

    def place(self, rows: Sequence[tuple[Any, ...]], start: int) -> None:
        """Find its rows, and begin to learn whether threads make them quicker; `start`: where the plan's table lies."""
        self.table = start + 32 * self.first
        wide = any(total > grain for _, _, total, grain in rows[self.first : self.first + self.count])
        self.pace = pace.unknown(wide and pool.get_num_threads() > 1)
        self.known, _ = self.pace.buffer_info()


class Plan:
    """What is replayed. Made from a recording that a second one has confirmed."""

    def __init__(
        self, recorder: Recorder, keep_grads: bool = True, kept: set[Buffer] | None = None, outer: Plan | None = None
    ) -> None:
        self.recorder, self.keep_grads = recorder, keep_grads
        self.kept = kept or set()  # temporaries that another plan reads afterwards,
        self.outer = outer  # and that plan's name for this one
        self.updates = [event for event in recorder.events if isinstance(event, Update)]
        self.checks: dict[int, Check] = {}  # by row of the table
        self.visible: dict[Buffer, Visible] = {}
        self._find_visible()
        self.refilled = [(seen, buffer.constant) for buffer, seen in self.visible.items() if buffer.constant is not None]
        self.events = recorder.events
        wanted = {*self.visible, *self.kept, *[item.ref.pointer.buffer for item in items(recorder.result)]}
        arguments = [buffer for buffer in recorder.memory.buffers if buffer.kind == ARGUMENT]
        steps = with_updates(fuse(recorder.events, wanted.__contains__), wanted.__contains__, arguments)
        self.early = [span for step in steps if isinstance(step, Updating) for span in step.spans]
        self.steps = shared(steps, pool.get_num_threads())
        self._place(self.steps)
        self._write(self.steps)
        make_present(self)

    # -- what is seen after the step -----------------------------------------------------------------------------------

    def _find_visible(self) -> None:
        """Buffers that users see: gradients that the step made, and what it returns."""
        for leaf in self.recorder.leaves.all:
            if leaf.after is not None and not self.uses_up(leaf):
                self._see(leaf.after).add(leaf.after, False, leaf)
        for output in outputs(self.recorder.result):
            if output.ref.pointer.buffer.kind == TEMPORARY and output.identity is None:
                output.identity = self._see(output.ref).add(output.ref, output.requires_grad, None)

    def uses_up(self, leaf: Leaf) -> bool:
        """Whether a gradient need not be kept: an optimizer has stepped with it."""
        if self.keep_grads or leaf.after is None:
            return False
        return any(leaf.after.pointer == pointer for update in self.updates for pointer in update.gradients)

    def _see(self, ref: TensorRef) -> Visible:
        buffer = ref.pointer.buffer
        if buffer not in self.visible:
            self.visible[buffer] = Visible(buffer)
        return self.visible[buffer]

    # -- memory --------------------------------------------------------------------------------------------------------

    def _place(self, steps: list[Any]) -> None:
        lives = layout.lifetimes(steps)
        for buffer in list(lives):
            if self.outer is not None and self.outer.has(buffer):
                del lives[buffer]
            elif buffer in self.kept:
                lives[buffer] = (lives[buffer][0], len(steps))
        for ref in refs([item.ref for item in items(self.recorder.result)]):  # read by Python after the walk
            if ref.pointer.buffer in lives:
                lives[ref.pointer.buffer] = (lives[ref.pointer.buffer][0], len(steps))
        self.constants: dict[Buffer, Memory] = {}
        self.rewritten: list[tuple[int, bytes]] = []  # memory that a replay begins with, and what it holds then
        for buffer in lives:
            if buffer.constant is not None and buffer not in self.visible:
                self.constants[buffer] = memory = bytes(bytearray(buffer.constant))
                self.rewritten.append((address_of(memory), buffer.constant))
        kept = {b: life for b, life in lives.items() if b not in self.visible and b not in self.constants}
        self.temporaries = len(kept)
        self.unshared_bytes = sum(buffer.nbytes for buffer in kept)
        self.offsets, self.arena_bytes = layout.arena(kept)
        self.arena: Tensor = new(_meta.contiguous((max(self.arena_bytes, 1024),), _BYTES))
        if FILL_WITH_NAN:
            fill_with_nan(self.arena._address, self.arena_bytes)
        self.places: dict[Buffer, Places] = {}

    def has(self, buffer: Buffer) -> bool:
        """Whether a temporary is this plan's."""
        return buffer in self.offsets or buffer in self.visible or buffer in self.constants

    def base(self, buffer: Buffer) -> int:
        """Where a buffer lies now."""
        if buffer.kind != TEMPORARY:
            return buffer.address
        if self.outer is not None and self.outer.has(buffer):
            return self.outer.base(buffer)
        if buffer in self.visible:
            return self.visible[buffer].address
        if buffer in self.constants:
            return address_of(self.constants[buffer])
        return self.arena._address + self.offsets.get(buffer, 0)  # a gradient that is used up where it is made has no place

    # -- words ---------------------------------------------------------------------------------------------------------

    def _write(self, steps: list[Any]) -> None:
        self._numbers: list[int] = []
        self._slots: list[float] = []
        self._slot_places: list[tuple[int, int]] = []  # (word, slot)
        self._own_places: list[tuple[int, int]] = []  # (word, word whose address it holds)
        table: list[tuple[int, int | None, int, int]] = []  # row, word of its arguments or None, total, grain
        # What Python does between the walks stands at its place among them: an optimizer's slots are refreshed right
        # before its rows, so a check that fails earlier leaves its step count alone.
        self.segments: list[Segment | HostCall | HookCall | Effect | Update] = []
        check_flags: list[tuple[int, Pointer]] = []
        for step in steps:
            if isinstance(step, (HostCall, HookCall, Effect, Update, Refresh)):
                self.segments.append(step.update if isinstance(step, Refresh) else step)
            if isinstance(step, (HostCall, HookCall, Effect, Refresh)):
                continue
            if not self.segments or not isinstance(self.segments[-1], Segment):
                self.segments.append(Segment(len(table)))
            segment = self.segments[-1]
            assert isinstance(segment, Segment)
            before = len(table)
            if isinstance(step, Check):
                self.checks[len(table)] = step
                check_flags.append((len(table), step.flag))
                table.append((0, self._block([step.flag]), 1, 1))
            elif isinstance(step, (Update, Rest)):
                for row, total, grain, *addresses in (step.table if isinstance(step, Update) else step).launches:
                    table.append((row, self._block(addresses), total, grain))
            elif isinstance(step, Chain):
                table.append(self._chain(step))
            elif isinstance(step, Shared):
                table.append(self._shared(step))
            else:
                table.append((step.address, self._block(step.args), step.total, step.grain))
            segment.count += len(table) - before
        self._finish(table, check_flags)

    def _block(self, args: list[Any]) -> int:
        """Append a row's arguments to the words."""
        start = len(self._numbers)
        for arg in args:
            place = len(self._numbers)
            if arg.__class__ is Pointer:
                self.places.setdefault(arg.buffer, []).append((place, arg.offset))
                self._numbers.append(self.base(arg.buffer) + arg.offset)
            elif arg.__class__ is float:
                self._slot_places.append((place, len(self._slots)))
                self._slots.append(arg)
                self._numbers.append(0)
            else:
                self._numbers.append(int(arg))
        return start

    def _chain(self, chain: Chain) -> tuple[int, int, int, int]:
        blocks = [(row.address, self._block(row.args)) for row in chain.rows]
        pairs = len(self._numbers)
        for address, block in blocks:
            self._own_places.append((len(self._numbers) + 1, block))
            self._numbers += [address, 0]
        start = len(self._numbers)
        self._own_places.append((start, pairs))
        self._numbers += [0, len(blocks), STRIP]
        return walker.chain_address(), start, chain.rows[0].total, chain.rows[0].grain

    def _shared(self, step: Shared) -> tuple[int, int, int, int]:
        blocks = [self._block(row.args) for row in step.rows]
        jobs, begins = len(self._numbers), [0]
        for task in step.tasks:
            for number, lo, hi in task:
                self._own_places.append((len(self._numbers) + 1, blocks[number]))
                self._numbers += [step.rows[number].address, 0, lo, hi]
            begins.append(begins[-1] + len(task))
        start = len(self._numbers)
        self._own_places.append((start, jobs))
        self._numbers += [0, *begins]
        return walker.jobs_address(), start, len(step.tasks), 1

    def _finish(self, table: list[Any], check_flags: list[tuple[int, Pointer]]) -> None:
        self.words = array("q", self._numbers or [0])
        self.slots = array("d", self._slots or [0.0])
        words, slots = self.words.buffer_info()[0], self.slots.buffer_info()[0]
        for place, slot in self._slot_places:
            self.words[place] = slots + 8 * slot
        for place, word in self._own_places:
            self.words[place] = words + 8 * word
        flat: list[int] = []
        for row, block, total, grain in table:
            flat += [row, words + 8 * block, total, grain]
        self.table = array("q", flat or [0])
        for number, flag in check_flags:  # a check's argument is the flag's address itself
            self.table[4 * number + 1] = self.base(flag.buffer) + flag.offset
        start = self.table.buffer_info()[0]
        for segment in self.segments:
            if isinstance(segment, Segment):
                segment.place(table, start)
        self.rows = len(table)
        self.borrowed: list[tuple[Visible, Places]] = []  # the other plan's results, which move
        moving = {ARGUMENT: {}, GRADIENT: {}}  # type: ignore[var-annotated]
        for buffer, places in self.places.items():
            if buffer.kind in moving:
                moving[buffer.kind].setdefault(buffer.index, []).extend((p, o - buffer.shift) for p, o in places)
            elif buffer in self.visible:
                self.visible[buffer].places = places
            elif self.outer is not None and buffer in self.outer.visible:
                self.borrowed.append((self.outer.visible[buffer], places))
        self.argument_places: dict[int, Places] = moving[ARGUMENT]
        self.gradient_places: dict[int, Places] = moving[GRADIENT]
        for update in self.updates:  # which reads gradients without any word
            for pointer in update.pointers():
                if pointer.buffer.kind == GRADIENT:
                    self.gradient_places.setdefault(pointer.buffer.index, [])
        del self._numbers, self._slots, self._slot_places, self._own_places


def outputs(result: Any) -> list[Output]:
    """The tensors in what a step returns."""
    return _found(result, Output)


def items(result: Any) -> list[Item]:
    """The numbers of tensors in what a step returns."""
    return _found(result, Item)


def _found(value: Any, kind: type) -> list[Any]:
    if isinstance(value, kind):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [found for inner in value for found in _found(inner, kind)]
    return []


__all__ = ["Plan", "Segment", "items", "outputs"]
