"""Hooks of tensors: Python that runs in the middle of a backward pass, and so between two walks of a plan.

While a step is recorded a hook runs as always. What it did is then taken out of the recording, and a call of it put in, with
what it was given and what it gave. A replay calls it with a tensor of its own, which it may keep, and copies what it gives
to where the rows behind it read. So a hook may do anything but leave something for the step that it does not return.

A hook behind `.grad` that steps an optimizer, or lets go of the gradient, is a part of the step itself: its rows stay in
the recording, and what else it does happens at recording only.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._tensor import Tensor
from ..autograd import hooks
from ..autograd.modes import state
from . import refusals
from .calls import returned
from .closures import Closure, left_by
from .events import HookCall, Row, Update, version
from .fuse import written
from .memory import ARGUMENT, GRADIENT, TEMPORARY, Buffer, Pointer, TensorRef

if TYPE_CHECKING:
    from .leaves import Leaf
    from .record import Recorder
    from .replay import Replay


class Hooks:
    """The hooks that run while a step is recorded."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._running: _Run | None = None
        self.made: set[Buffer] = set()  # memory that hooks made: the step must not use it

    def look(self, pointer: Pointer | None) -> bool:
        """Whether it is a hook through which Python looks at memory."""
        if self._running is None:
            return False
        if pointer is not None:
            self._running.seen.append((pointer.buffer, self._recorder.line()))
        return True

    def on_tensor(self, hook: Any, gradient: Tensor) -> Tensor:
        """Call a hook with a gradient; what is the gradient afterwards."""
        recorder = self._recorder
        if recorder.looks_away() or self._running is not None or state.enabled:
            return hooks.on_gradient(hook, gradient)
        event = self._event(hook, gradient)
        run = _Run(recorder)
        made = self._call(run, hooks.on_gradient, hook, gradient)
        beyond = run.reaches_beyond(event)
        run.take_out()
        if run.changes_gradients():
            recorder.broken.append(f"a hook changes a .grad, at {event.line}")
        elif beyond:
            recorder.broken.append(f"a hook reads tensors of the step that it was not given, at {event.line}")
        with recorder.noted():
            result: Tensor = made.clone()
        event.result = recorder.ref(result)
        recorder.events.append(event)
        return result

    def behind_grad(self, hook: Any, tensor: Tensor) -> None:
        """Call a hook of a leaf behind its `.grad`."""
        recorder = self._recorder
        leaf = None if recorder.looks_away() else recorder.leaves.known(tensor)
        if leaf is None or tensor._grad is None or self._running is not None or state.enabled:
            return hooks.behind_grad(hook, tensor)
        event = self._event(hook, tensor._grad, leaf)
        run = _Run(recorder)
        self._call(run, hooks.behind_grad, hook, tensor)
        if run.changes_gradients() or run.steps() or run.reaches_beyond(event):
            recorder.broken += [f"the value of a tensor is read by Python at {line}" for _, line in run.seen]
        else:
            run.take_out()
            recorder.events.append(event)
        return None

    def refusals(self, result: Any) -> list[str]:
        """Why what hooks left for the step cannot be there in a replay."""
        events = self._recorder.events
        for k, event in enumerate(events):
            # A hook that keeps a gradient which is not `.grad` in the end has kept a copy.
            if isinstance(event, HookCall) and event.leaf is not None and event.leaf.after != event.gradient:
                buffer = event.gradient.pointer.buffer
                if buffer.kind != GRADIENT and any(_writes(later, buffer) for later in events[k + 1 :]):
                    return [f"a gradient that a hook may have kept is changed, behind {event.line}"]
        if not self.made:
            return []
        left = [*returned(result), *[g for leaf in self._recorder.leaves.all if (g := leaf.tensor._grad) is not None]]
        if any(self._recorder.memory.find(tensor._address) in self.made for tensor in left):
            return ["a tensor that a hook made is returned, or is a .grad"]
        used = (event for event in self._recorder.events if any(p.buffer in self.made for p in event.pointers()))
        return [f"the step uses a tensor that a hook made and did not return, at {event.line}" for event in used][:1]

    def _event(self, hook: Any, gradient: Tensor, leaf: Leaf | None = None) -> HookCall:
        recorder, line = self._recorder, self._recorder.line()
        for name in left_by(hook):
            recorder.broken.append(f"a hook sets '{name}', which the step reads, at {line}")
        if refusals.is_caught():
            recorder.broken.append(f"an error of a hook would be caught in the step, at {line}")
        return HookCall(self._encoded(hook), recorder.ref(gradient), recorder._gradients_now(), line, leaf)

    def _call(self, run: _Run, call: Callable[[Any, Tensor], Any], hook: Any, tensor: Tensor) -> Any:
        self._running = run
        try:
            return call(hook, tensor)
        finally:
            self._running = None

    def _encoded(self, value: Any) -> Any:
        """A hook, or what one holds, with references in place of the step's tensors."""
        if isinstance(value, Tensor):
            buffer = self._recorder.memory.find(value._address)
            return value if buffer is None or buffer.kind not in (TEMPORARY, ARGUMENT) else self._recorder.ref(value)
        if isinstance(value, types.FunctionType):
            return Closure(value, self._encoded)
        return tuple([self._encoded(inner) for inner in value]) if type(value) is tuple else value


class _Run:
    """One call of a hook: what the recording was before, and so what the hook did."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.seen: list[tuple[Buffer, str]] = []  # what Python looked at, and where
        self._events, self._broken = len(recorder.events), len(recorder.broken)
        self._buffers, self._unknown = len(recorder.memory.buffers), dict(recorder._unknown)
        self._gradients = [(leaf.tensor, leaf.tensor._grad) for leaf in recorder.leaves.all]
        self._versions = [version(tensor) for tensor, _ in recorder._watched]

    def changes_gradients(self) -> bool:
        """Whether a `.grad` is another tensor now."""
        return any(tensor._grad is not gradient for tensor, gradient in self._gradients)

    def steps(self) -> bool:
        """Whether an optimizer stepped."""
        return any(isinstance(event, Update) for event in self._recorder.events[self._events :])

    def reaches_beyond(self, event: HookCall) -> bool:
        """Whether memory of the step was used that a replay does not give to the hook."""
        given = {pointer.buffer for pointer in event.pointers()}
        kinds = (TEMPORARY, ARGUMENT, GRADIENT) if event.leaf is not None else (TEMPORARY, ARGUMENT)
        reached = {p.buffer for done in self._recorder.events[self._events :] for p in done.pointers()}
        reached.update(buffer for buffer, _ in self.seen)
        return any(b.kind in kinds and b.number < self._buffers and b not in given for b in reached)

    def take_out(self) -> None:
        """Forget what was recorded."""
        recorder = self._recorder
        del recorder.events[self._events :], recorder.broken[self._broken :]
        recorder._unknown = self._unknown
        recorder.hooks.made.update(b for b in recorder.memory.buffers[self._buffers :] if b.kind == TEMPORARY)
        # What it changed in place is changed in place by replays too: only the rest of the step is to be added.
        for number, before in enumerate(self._versions):
            tensor, begun = recorder._watched[number]
            recorder._watched[number] = tensor, begun + version(tensor) - before


def _writes(event: Any, buffer: Buffer) -> bool:
    if not isinstance(event, Row):
        return False
    places = written(event)
    return any(pointer.buffer is buffer for pointer in (event.pointers() if places is None else places))


def call(replay: Replay, event: HookCall, tensors: Any) -> None:
    """Call a hook at its place in a replay."""
    before, state.enabled = state.enabled, False
    for lock in replay._locks:  # the hook may draw random numbers
        lock.release()
    try:
        function = event.function
        lent: list[tuple[TensorRef, Tensor]] = []
        if isinstance(function, Closure):
            function = function.made(lambda ref: _own(replay, ref, tensors, lent))
        if event.leaf is None:
            _on_tensor(replay, event, function, tensors)
        else:
            _behind_grad(replay, event, function, tensors)
        for ref, tensor in lent:
            if version(tensor):  # changed in place
                replay._tensor(ref, tensors).copy_(tensor)
        changed = replay.still_fits()
        if changed is not None:
            raise RuntimeError(
                f"compiled step: {event.name} at {event.line} changed what the step goes on with, and did not when the step "
                f"was recorded ({changed}): fastgrad.compile(..., disable=True) leaves the step as it is"
            )
    except BaseException:
        replay._end_at(event, tensors)
        raise
    finally:
        state.enabled = before
        for lock in replay._locks:
            lock.acquire()


def _own(replay: Replay, ref: TensorRef, tensors: Any, lent: list[tuple[TensorRef, Tensor]]) -> Tensor:
    """A tensor of the step that a hook may keep."""
    tensor = replay._tensor(ref, tensors)
    if ref.pointer.buffer.kind == ARGUMENT:
        return tensor
    lent.append((ref, tensor.clone()))
    return lent[-1][1]


def _on_tensor(replay: Replay, event: HookCall, function: Any, tensors: Any) -> None:
    assert event.result is not None
    for leaf, ref in event.grads:
        leaf.tensor._grad = None if ref is None else replay._tensor(ref, tensors).clone()
    gradient = replay._tensor(event.gradient, tensors)
    given = gradient.clone()
    made = hooks.on_gradient(function, given)
    if version(given):  # changed in place
        gradient.copy_(given)
    replay._tensor(event.result, tensors).copy_(made)


def _behind_grad(replay: Replay, event: HookCall, function: Any, tensors: Any) -> None:
    leaf: Any = event.leaf
    tensor, buffer = leaf.tensor, event.gradient.pointer.buffer
    gradient = given = None
    seen = replay.plan.visible.get(buffer)
    if seen is not None and leaf.after is not None and leaf.after.pointer == event.gradient.pointer:
        seen.bind()
    elif buffer.kind != GRADIENT:
        gradient = replay._tensor(event.gradient, tensors)
        tensor._grad = given = gradient.clone()
    expected: Any = tensor._grad
    place = expected._address
    hooks.behind_grad(function, tensor)
    if tensor._grad is not expected or expected._address != place:
        raise RuntimeError(
            f"compiled step: {event.name} at {event.line} changes which tensor .grad is, and did not when the step was "
            "recorded: fastgrad.compile(..., disable=True) leaves the step as it is"
        )
    if gradient is not None and given is not None and version(given):
        gradient.copy_(given)


__all__ = ["Hooks", "call"]
