"""A compiled function with its loss and `backward()` outside: one node whose derivative is a second plan.

The forward pass is recorded and planned as a step is. Its result has one node, over the parameters and the arguments that
want a gradient; the node's derivative is recorded when it first runs, and becomes a plan of its own over the same
memory. What the second plan reads of the first one's temporaries is kept until the next forward pass.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from ..autograd import engine
from ..autograd.graph import Node
from ..autograd.modes import state
from ..nn.module import Module
from ..ops.op import Operation, edge
from .agree import difference
from .environment import Environment
from .record import Recorder
from .replay import Replay
from .step import CompiledStep, _signature


class CompiledBackward(Node):
    """The node of a compiled function's result."""

    __slots__ = ()
    record = Operation("compiled")


class Pass:
    """One forward pass: what its backward pass needs."""

    __slots__ = ("arguments", "forward", "key", "output", "recorder", "repeat", "wanted")

    def __init__(self, key: Any, arguments: list[Tensor], wanted: list[Tensor], repeat: Callable[[], Any]) -> None:
        self.key, self.arguments, self.wanted, self.repeat = key, arguments, wanted, repeat
        self.recorder: Recorder | None = None  # where this pass was recorded,
        self.output: Any = None  # and what it gave, with its graph
        self.forward: Replay | None = None  # where it was replayed


class CompiledFunction:
    """What `fastgrad.compile` makes of a module or of a function without a `backward()` inside."""

    def __init__(self, function: Callable[..., Any], explain: bool = False) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._step = CompiledStep(function, explain)  # for calls that record no graph, and for what it knows of keys
        self._recorded: dict[Any, tuple[Recorder, Recorder, Environment]] = {}
        self._plans: dict[Any, tuple[Replay, Replay]] = {}
        self._eager: set[Any] = set()
        self._pending: Any = lambda: None  # a weak reference to the node of the last replay

    def __reduce__(self) -> Any:
        return CompiledFunction, (self._function, self._step._explain)  # plans are made again where it goes

    @property
    def replays(self) -> int:
        """How many forward passes were replays."""
        return self._step.replays + sum(forward.count for forward, _ in self._plans.values())

    def summary(self) -> str:
        """The plans: those of calls without gradients, then forward and backward."""
        from .explain import of_plan

        return "\n\n".join([self._step.summary(), *[of_plan(r.plan) for pair in self._plans.values() for r in pair]])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not state.enabled:
            return self._step(*args, **kwargs)
        tensors: list[Tensor] = []
        objects: list[Any] = []
        key = (_signature((args, kwargs), tensors, objects), self._step._modes())
        if key in self._eager or self._step._why_not(key, []) is not None:
            return self._function(*args, **kwargs)
        repeat = functools.partial(self._function, *args, **kwargs)
        found = self._plans.get(key)
        if found is not None:
            forward, backward = found
            if forward.fits() is None and backward.fits() is None:
                pending = self._pending()
                if pending is not None and not pending.freed:  # its temporaries are still wanted: no plan for this pass
                    return repeat()
                made = Pass(key, tensors, _wanted(tensors, forward.environment), repeat)
                made.forward = forward
                return self._result(forward.run(tensors), made)
            del self._plans[key]
        return self._record(key, tensors, objects, repeat)

    def _record(self, key: Any, tensors: list[Tensor], objects: list[Any], repeat: Callable[[], Any]) -> Any:
        environment = Environment(self._function, tuple(objects))
        recorder = Recorder(tensors, environment.tensors)
        with recorder:
            output = repeat()
        recorder.finish(output)
        if recorder.broken or not isinstance(output, Tensor) or output._node is None:
            self._eager.add(key)
            return output
        made = Pass(key, tensors, _wanted(tensors, environment), repeat)
        made.recorder, made.output = recorder, output
        return self._result(output._alias(), made)

    def _result(self, output: Tensor, made: Pass) -> Tensor:
        node = CompiledBackward((True,) * len(made.wanted), tuple([edge(tensor) for tensor in made.wanted]))
        node.save(*made.arguments)
        node.extra = self, made
        output._node, output._requires_grad = node, True
        if made.forward is not None:
            self._pending = weakref.ref(node)
        return output

    # -- backward ------------------------------------------------------------------------------------------------------

    def _gradients(self, made: Pass, gy: Tensor) -> Any:
        if made.forward is not None and not state.enabled:
            _, backward = self._plans.get(made.key, (None, None))
            if backward is not None and gy._meta is backward.metas[-1]:
                for visible in backward.visible:
                    visible.forget(backward.plan.words)
                return tuple(backward.run([*made.arguments, gy]))
        if made.recorder is None or state.enabled:  # the graph itself is wanted
            output = made.output if made.recorder is not None else _with_graph(made.repeat)
            return tuple(_run(output, gy, made.wanted, state.enabled))
        recorder, backward_recorder = made.recorder, Recorder([*made.arguments, gy], [], made.recorder.memory)
        with backward_recorder:
            gradients = _run(made.output, gy, made.wanted, False)
        backward_recorder.finish(list(gradients))
        self._confirm(made.key, recorder, backward_recorder)
        return tuple(gradients)

    def _confirm(self, key: Any, forward: Recorder, backward: Recorder) -> None:
        """Make plans of this pair of recordings if an earlier pair says the same."""
        if backward.broken:
            self._eager.add(key)
            return
        environment = Environment(self._function)
        earlier = self._recorded.get(key)
        if earlier is not None and earlier[0] is forward:
            return  # the same forward pass, run back once more: that confirms nothing
        self._recorded.pop(key, None)
        if earlier is None or difference(earlier[0], forward) or difference(earlier[1], backward):
            if earlier is not None:
                self._eager.add(key)
            self._recorded[key] = forward, backward, environment
            return
        kept = {p.buffer for event in backward.events for p in event.pointers()}
        first = Replay(forward, environment, key, kept=kept, recorded_in=key[1])
        self._plans[key] = first, Replay(backward, environment, key, outer=first.plan, recorded_in=key[1])


def _wanted(tensors: list[Tensor], environment: Environment) -> list[Tensor]:
    return [t for t in (*tensors, *environment.tensors) if t._requires_grad]


def _with_graph(repeat: Callable[[], Any]) -> Any:
    before, state.enabled = state.enabled, True
    try:
        return repeat()
    finally:
        state.enabled = before


def _run(output: Tensor, gy: Tensor, wanted: list[Tensor], create: bool) -> list[Any]:
    found = engine.run((output,), (gy,), True, create, wanted)
    assert found is not None
    return found


def _derivative(ctx: Any, gy: Tensor) -> Any:
    function, made = ctx.extra
    return function._gradients(made, gy)


CompiledBackward.record.derivative = _derivative


class OptimizedModule(Module):
    """A module whose `forward` is compiled; everything else is the module's own, which is the child `_orig_mod`."""

    def __init__(self, module: Module, explain: bool = False) -> None:
        super().__init__()
        self._orig_mod = module
        self.__dict__["_compiled"] = CompiledFunction(module.__call__, explain)
        self.__dict__["training"] = module.training

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._compiled(*args, **kwargs)

    def train(self, mode: bool = True) -> OptimizedModule:
        super().train(mode)
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_orig_mod"], name)
