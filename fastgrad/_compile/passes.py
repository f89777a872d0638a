"""Forward passes of a compiled function, and how each goes back: one that was recorded by its own graph, one that was
replayed by a second plan."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import _meta, _recording
from .._launch import core
from .._tensor import Tensor
from ..autograd import engine
from ..autograd.graph import Node
from ..autograd.modes import state
from ..ops.op import Operation, edge
from .environment import Environment
from .events import Effect, Row, Update, refs, version
from .memory import ARGUMENT, OUTSIDE
from .plan import outputs
from .record import Recorder
from .replay import Replay, modes

if TYPE_CHECKING:
    from .model import CompiledFunction

CANNOT_REPEAT = (
    "fastgrad.compile: the graph of a compiled function is wanted (create_graph=True), but its forward pass was a replay, "
    "and it cannot be run once more to record it: {why}. Call the function itself where you need gradients of gradients: "
    "model._orig_mod(...), or what fastgrad.compile(..., disable=True) makes."
)


class CompiledBackward(Node):
    """The node of a compiled function's result. Its `scratch` is the pass."""

    __slots__ = ()
    record = Operation("compiled")


class Recorded:
    """A forward pass that was recorded. Its backward pass runs its own graph, and is recorded too."""

    __slots__ = ("arguments", "environment", "function", "key", "output", "recorder", "seen", "wanted")

    def __init__(
        self, function: CompiledFunction, key: Any, arguments: list[Tensor], environment: Environment,
        recorder: Recorder, output: Tensor, wanted: list[Tensor],
    ) -> None:  # fmt: skip
        self.function, self.key, self.arguments, self.environment = function, key, arguments, environment
        self.recorder, self.output, self.wanted = recorder, output, wanted
        self.seen = False  # whether its backward pass has been recorded

    def back(self, gy: Tensor) -> tuple[Any, ...]:
        """The gradients of what is wanted."""
        if state.enabled or self.seen or core.run is not core.launch_entry():
            return _gradients(self.output, gy, self.wanted)
        self.seen = True
        gy = _dense(gy)
        if any(gy._storage is tensor._storage for tensor in (*self.arguments, self.output)):
            gy = core.copy(gy)  # a plan tells its arguments apart by their memory
        # What lay there before was a temporary of the forward pass, and is gone.
        self.recorder.memory.add_new(ARGUMENT, gy, len(self.arguments))
        recorder = Recorder([*self.arguments, gy], [], self.recorder.memory)
        with recorder:
            gradients = _gradients(self.output, gy, self.wanted)
        recorder.finish(list(gradients))
        self.function.confirm(self, recorder)
        return gradients


class Replayed:
    """A forward pass that was a replay. Its backward pass is one too."""

    __slots__ = ("arguments", "function", "pair", "repeat", "versions")

    def __init__(self, function: CompiledFunction, pair: Pair, arguments: list[Tensor], repeat: Callable[[], Any]) -> None:
        self.function, self.pair, self.arguments, self.repeat = function, pair, arguments, repeat
        self.versions = [version(tensor) for tensor in (*arguments, *pair.forward.tensors)]

    def back(self, gy: Tensor) -> tuple[Any, ...]:
        """The gradients of what is wanted."""
        backward = self.pair.backward
        dense = _dense(gy)
        if state.enabled or dense._meta is not backward.metas[-1] or modes()[1:] != backward.modes[1:]:
            return self._through_a_graph(gy)
        active = _recording.active
        if active is not None:
            active.refuse("a backward pass goes through a compiled function that was called outside")
        with self.function.lock:
            for tensor, address, _, _ in backward.known:
                if tensor._address != address:
                    return self._through_a_graph(gy)  # which says why not
            gradients = tuple(backward.run([*self.arguments, dense]))
            for visible in backward.visible:  # they are the caller's now
                visible.forget(backward.plan.words)
        return gradients

    def _through_a_graph(self, gy: Tensor) -> tuple[Any, ...]:
        """The same by a graph, for which the function has to be called once more."""
        forward, why = self.pair.forward, self.pair.why_once
        before, state.enabled = state.enabled, True
        try:
            if why is None:
                why = forward.fits()
            if why is None and self.versions != [version(t) for t in (*self.arguments, *forward.tensors)]:
                why = "a tensor that it reached has been changed in place since"
            if why is not None:
                raise RuntimeError(CANNOT_REPEAT.format(why=why))
            output = self.repeat()
        finally:
            state.enabled = before
        wanted = self.pair.wanted(self.arguments)
        found = iter(_gradients(output, gy, [tensor for tensor in wanted if tensor is not None]))
        return tuple([None if tensor is None else next(found) for tensor in wanted])


class Pair:
    """A forward plan and the plan of its derivative, which reads temporaries of the first."""

    def __init__(self, made: Recorded, earlier: list[Tensor], backward: Recorder) -> None:
        forward, key, environment = made.recorder, made.key, made.environment
        read = {p.buffer for event in backward.events for p in event.pointers()}
        read |= {ref.pointer.buffer for ref in refs([output.ref for output in outputs(backward.result)])}
        self.forward = Replay(forward, environment, key, kept=read, recorded_in=key[1])
        self.backward = Replay(backward, environment, key, outer=self.forward.plan, recorded_in=key[1])
        # A leaf that was not wanted by the recording before is made anew in each pass, where nobody sees its gradient.
        lasting = {id(tensor) for tensor in earlier}
        self._wanted: list[Any] = [_place(tensor, made.arguments, lasting) for tensor in made.wanted]
        # What the derivative reads that others can change.
        self._read = sorted([b.index for b in read if b.kind == ARGUMENT and b.index < len(made.arguments)])
        self._outside = [b.owner for b in read if b.kind == OUTSIDE and isinstance(b.owner, Tensor)]
        self._reads_output = forward.result.ref.pointer.buffer in read
        self._node: Any = lambda: None  # a weak reference to the node of the last replay
        self.why_once: str | None = None  # why the forward pass must not be run a second time
        if forward.generators or any(isinstance(e, Row) and e.name.startswith("random.") for e in forward.events):
            self.why_once = "it draws random numbers"
        elif forward.bumps or any(isinstance(event, (Effect, Update)) for event in forward.events):
            self.why_once = "it changes buffers, such as the running statistics of BatchNorm"

    def wanted(self, arguments: list[Tensor]) -> list[Any]:
        """The tensors whose gradients the derivative gives, None for one that only the pass itself has."""
        return [arguments[w] if w.__class__ is int else w for w in self._wanted]

    def fits(self) -> str | None:
        """None, or what has changed since the recording."""
        return self.forward.fits() or self.backward.fits()

    def is_busy(self) -> bool:
        """Whether a backward pass may still come that reads what the last forward pass left."""
        node = self._node()
        return node is not None and not node.freed

    def run(self, function: CompiledFunction, arguments: list[Tensor], repeat: Callable[[], Any]) -> Tensor:
        """A forward pass."""
        # The plan keeps its own tensor; a node that hung on it would live as long as the plan.
        output: Tensor = self.forward.run(arguments)._alias()
        node = attached(output, self.wanted(arguments), Replayed(function, self, arguments, repeat))
        saved = [arguments[k] for k in self._read] + self._outside
        node.save(*saved, *([output._alias()] if self._reads_output else []))
        self._node = weakref.ref(node)
        return output


def _derivative(ctx: Any, gy: Tensor) -> Any:
    return ctx.scratch.back(gy)


CompiledBackward.record.derivative = _derivative


def attached(output: Tensor, wanted: list[Any], made: Any) -> CompiledBackward:
    """Make a node the origin of a pass's result; where None stands, a gradient goes nowhere."""
    node = CompiledBackward((True,) * len(wanted), tuple([None if t is None else edge(t) for t in wanted]))
    node.scratch = made
    output._node, output._requires_grad = node, True
    return node


def _dense(gy: Tensor) -> Tensor:
    """A gradient in the geometry that plans are made for."""
    gy = core.contiguous(gy)
    meta = _meta.contiguous(gy.shape, gy.dtype)
    if gy._meta is not meta:  # other strides where sizes are 1
        gy = gy._alias()
        gy._meta = meta
    return gy


def _gradients(output: Tensor, gy: Tensor, wanted: list[Tensor]) -> tuple[Any, ...]:
    """Send a gradient back through a pass's own graph. Hooks of what is wanted are left to the pass outside."""
    with _without_hooks(wanted):
        found = engine.run((output,), (gy,), state.retains, state.enabled, wanted)
    assert found is not None
    return tuple(found)


@contextmanager
def _without_hooks(tensors: list[Tensor]) -> Iterator[None]:
    leaves = [(t, t._hooks) for t in tensors if t._node is None and t._hooks is not None]
    nodes = [(t._node, t._node.hooks) for t in tensors if t._node is not None and t._node.hooks is not None]
    try:
        for leaf, _ in leaves:
            leaf._hooks = None
        for node, _ in nodes:
            node.hooks = None
        yield
    finally:
        for leaf, hooks in leaves:
            leaf._hooks = hooks
        for node, hooks in nodes:
            node.hooks = hooks


def reached(output: Tensor, known: list[Tensor], start: int, recorder: Recorder) -> list[Tensor]:
    """The tensors from outside that a pass's graph, whose nodes are numbered from `start` on, leads to."""
    cuts = {edge(tensor): tensor for tensor in known if tensor._requires_grad}
    found: dict[Any, Tensor] = {}
    todo: list[Any] = [(output._node, output._output)]
    seen: set[Any] = set()
    while todo:
        at = todo.pop()
        if at in cuts:
            found[at] = cuts[at]
        elif at[1] < 0:
            found[at] = at[0]
        elif at[0].number < start:
            recorder.broken.append("it goes on a graph that was begun outside, and is no argument of it")
        elif at[0] not in seen:
            seen.add(at[0])
            todo += [above for above in at[0].next if above is not None]
    return list(found.values())


def _place(tensor: Tensor, arguments: list[Tensor], lasting: set[int]) -> Any:
    """The number of an argument, or a tensor that every pass reaches, or None."""
    for number, argument in enumerate(arguments):
        if argument is tensor:
            return number
    return tensor if id(tensor) in lasting else None


__all__ = ["Pair", "Recorded", "attached", "reached"]
