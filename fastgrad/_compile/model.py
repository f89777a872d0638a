"""A compiled function with its loss and `backward()` outside: one node whose derivative is a second plan.

The forward pass is recorded and planned as a step is. Its result has one node, over everything outside that its graph leads
to; the node's derivative is recorded when it first runs, and becomes a plan of its own over the same memory. What the
second plan reads of the first one's temporaries is kept until the node is freed; a forward pass before that runs eagerly.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from ..autograd.graph import Node
from ..autograd.modes import state
from . import explain as explained
from .agree import UNLIKE, difference
from .calls import has_graph, returned, signature
from .environment import Environment, are_as
from .passes import Pair, Recorded, attached, reached
from .record import Recorder
from .replay import modes
from .step import MOST_ATTEMPTS, MOST_PLANS, CompiledStep


class CompiledFunction:
    """What `fastgrad.compile` makes of a module or of a function without a `backward()` inside."""

    def __init__(self, function: Callable[..., Any], explain: bool = False, notes: list[str] | None = None) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        # For calls that record no graph, and for what it knows of keys.
        self._step = CompiledStep(function, explain)
        self._step.in_a_function = True
        self._step.notes = [] if notes is None else notes
        # Recordings that wait for others to confirm them: forward, backward, what was wanted.
        self._recorded: OrderedDict[Any, list[tuple[Recorder, Recorder, list[Tensor]]]] = OrderedDict()
        # By key and number, as a step's plans.
        self._pairs: OrderedDict[tuple[Any, int], Pair] = OrderedDict()
        # By key, how what is switched to and fro stood when the result wanted no gradients.
        self._without_graph: OrderedDict[Any, list[Any]] = OrderedDict()
        # Of plans and tables. Nothing is recorded while it is held: a recorder waits for those of other threads.
        self.lock = threading.RLock()

    def __reduce__(self) -> Any:
        return CompiledFunction, (self._function, self._step._explain)  # plans are made again where it goes

    @property
    def replays(self) -> int:
        """How many forward passes were replays."""
        return self._step.replays + sum(pair.forward.count for pair in list(self._pairs.values()))

    @property
    def recordings(self) -> int:
        """How many forward passes were recorded."""
        return self._step.recordings

    @property
    def notes(self) -> list[str]:
        """What happened, as `explain=True` says it."""
        return self._step.notes

    def summary(self) -> str:
        """The plans: those of calls without gradients, then forward and backward."""
        pairs = [explained.of_pair(pair) for pair in list(self._pairs.values())]
        return "\n\n".join(pairs if pairs and not self._step._plans else [self._step.summary(), *pairs])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not state.enabled:
            return self._step(*args, **kwargs)
        tensors: list[Tensor] = []
        objects: list[Any] = []
        key = (signature((args, kwargs), tensors, objects), modes())
        if any(map(are_as, self._without_graph.get(key, ()))):
            result = self._step(*args, **kwargs)
            if any(map(has_graph, returned(result))):  # something was unfrozen that nobody looked into
                del self._without_graph[key]
            return result
        if self._step._why_not(key) is not None or not self.lock.acquire(blocking=False):
            return self._function(*args, **kwargs)
        repeat = functools.partial(self._function, *args, **kwargs)
        try:
            pair = self._fitting(key)
            if pair is not None and not pair.is_busy() and pair.forward.is_apart(tensors):
                return pair.run(self, tensors, repeat)
        finally:
            self.lock.release()
        if pair is not None or not self._step.may_record(key):
            return repeat()
        return self._record(key, tensors, objects, repeat)

    def _fitting(self, key: Any) -> Pair | None:
        for place, found in reversed(self._pairs.items()):
            if place[0] == key:
                why = found.fits()
                if why is None:
                    self._pairs.move_to_end(place)
                    return found
                self._step._say(f"a plan does not fit: {why}")
        return None

    def _record(self, key: Any, tensors: list[Tensor], objects: list[Any], repeat: Callable[[], Any]) -> Any:
        environment = Environment(self._function, tuple(objects))
        known = [*tensors, *environment.tensors]
        origins = [tensor._node for tensor in known]
        start = Node((), ()).number
        recorder = Recorder(tensors, environment.tensors)
        recorder.switches = switches = environment.switches()
        with recorder:
            output = repeat()
        recorder.finish(output)
        self._step.recordings += 1
        graphs = sum(map(has_graph, returned(output)))
        if graphs == 0:
            self._without_graph[key] = [*self._without_graph.pop(key, [])[1 - MOST_PLANS :], switches]
            while len(self._without_graph) > MOST_PLANS:
                self._without_graph.popitem(last=False)
            return output
        if not isinstance(output, Tensor):
            recorder.broken.append("what it returns is not one tensor")
        elif any(tensor._node is not node for tensor, node in zip(known, origins, strict=True)):
            recorder.broken.append("it changes a tensor in place that requires grad")
        wanted = reached(output, known, start, recorder) if not recorder.broken else []
        if recorder.broken:
            self._step.give_up(key, recorder.broken[0])
            return output
        # Modules may have been changed by the pass itself (lazy layers): look again.
        environment = Environment(self._function, tuple(objects))
        made = Recorded(self, key, tensors, environment, recorder, output, wanted)
        result: Tensor = output._alias()
        attached(result, wanted, made).save()  # what its own graph saved is checked there
        return result

    def confirm(self, made: Recorded, backward: Recorder) -> None:
        """Make plans of this pair of recordings if an earlier pair says the same."""
        with self.lock:
            key, step = made.key, self._step
            if backward.broken:
                step.give_up(key, backward.broken[0])
                return
            if not made.environment.holds() or modes()[1:] != key[1][1:]:
                return  # changed between forward and backward
            earlier = self._recorded.pop(key, [])
            reasons = [difference(f, made.recorder) or difference(b, backward) for f, b, _ in earlier]
            alike = [reason for reason in reasons if reason not in UNLIKE]
            if None in reasons:
                left = [one for one, reason in zip(earlier, reasons, strict=True) if reason is not None]
                self._pairs[key, step.recordings] = pair = Pair(made, earlier[reasons.index(None)][2], backward)
                while len(self._pairs) > MOST_PLANS:
                    step._forgotten += self._pairs.popitem(last=False)[1].forward.count
                step._say(explained.of_pair(pair))
            elif len(alike) + 1 >= MOST_ATTEMPTS:
                step.give_up(key, alike[-1] or "")
                return
            else:
                reason = (alike or reasons or ["it is the first recording"])[-1]
                step._say(f"recorded {len(made.recorder.events)} and {len(backward.events)} events: {reason}")
                left = [*earlier[1 - MOST_PLANS :], (made.recorder, backward, made.wanted)]
            if left:
                self._recorded[key] = left
            while len(self._recorded) > MOST_PLANS:
                self._recorded.popitem(last=False)


__all__ = ["CompiledFunction"]
