"""`fastgrad.compile`: a step that is recorded twice, and from then on replayed."""

from __future__ import annotations

import functools
import os
import random
import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .._caller import user_frame
from .._launch import core
from .._tensor import Tensor
from ..autograd.modes import state
from ..kernels import jit
from ..kernels.cpu.matmul import plain
from ..nn.module import Module
from ..ops.create import empty
from ..ops.join import stack
from ..utils.data import DataLoader, TensorDataset
from . import explain as explained
from .agree import UNLIKE, difference
from .calls import fast_key, has_graph, returned, signature
from .environment import Environment
from .record import Recorder
from .replay import Replay, modes

MOST_PLANS = 8  # kept for one step; the one that was not used for longest goes
MOST_ATTEMPTS = 3  # recordings in a row that may differ before a step is left to eager mode
MOST_FRUITLESS = 4 * MOST_PLANS  # recordings with no replay between them before no more are made


class CompiledStep:
    """What `fastgrad.compile` makes of a function: call it as the function itself."""

    def __init__(self, function: Callable[..., Any], explain: bool = False, keep_grads: bool = True) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._explain, self._keep_grads = explain, keep_grads
        # By key and number: one form of call may have several, for other modes of modules or other gradients present.
        self._plans: OrderedDict[tuple[Any, int], Replay] = OrderedDict()
        self._candidates: OrderedDict[Any, list[Recorder]] = OrderedDict()  # recordings that wait for one to confirm them
        self._given_up: OrderedDict[Any, str] = OrderedDict()
        self._fruitless = 0  # recordings less replays, at least 0,
        self._replays = 0  # when there had been so many of these
        self._forgotten = 0  # replays of plans that are gone
        self.in_a_function = False  # of a CompiledFunction, which sees to results with a graph
        self._last: Replay | None = None
        self._lock = threading.Lock()
        self._with_graph: Any = None  # where a graph is returned, its backward pass is a plan too
        self.recordings = 0
        self.notes: list[str] = []

    def __reduce__(self) -> Any:
        return CompiledStep, (self._function, self._explain, self._keep_grads)  # plans are made again where it goes

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._with_graph is not None:
            return self._with_graph(*args, **kwargs)
        if not self._lock.acquire(blocking=False):  # another thread is in it, or it calls itself
            return self._function(*args, **kwargs)
        try:
            replay = self._last
            if replay is not None and not kwargs and replay.key.__class__ is list and len(args) == len(replay.key):
                for arg, meta in zip(args, replay.key):
                    if not isinstance(arg, Tensor) or arg._meta is not meta or arg._requires_grad:
                        break
                else:
                    if core.run is core.launch_entry():
                        quiet = replay.is_quiet()
                        if (quiet or replay.fits() is None) and (replay.apart is None or replay.apart.holds(args)):
                            return replay.run(args, quiet)
            return self._otherwise(args, kwargs)
        finally:
            self._lock.release()

    def _otherwise(self, args: Any, kwargs: Any) -> Any:
        """The call that is no repetition of the last one."""
        tensors: list[Tensor] = []
        objects: list[Any] = []
        key = (signature((args, kwargs), tensors, objects), modes())
        if self._why_not(key) is not None:
            return self._function(*args, **kwargs)
        if any(tensor._requires_grad for tensor in tensors):
            result = self._function(*args, **kwargs)
            if isinstance(result, Tensor) and has_graph(result) and state.enabled and not self.in_a_function:
                self._go_back_outside()
            return result
        for place, found in reversed(self._plans.items()):
            if place[0] == key:
                why = found.fits()
                if why is None and not found.is_apart(tensors):
                    self._overlapping()
                    return self._function(*args, **kwargs)
                if why is None:
                    self._plans.move_to_end(place)
                    self._last = found
                    return found.run(tensors)
                self._say(f"a plan does not fit: {why}")
        if not self.may_record(key):
            return self._function(*args, **kwargs)
        return self._record(key, args, kwargs, tensors, objects)

    def may_record(self, key: Any) -> bool:
        """Whether a call may be recorded: arguments that always differ (a number that is no tensor) never get a plan."""
        if key in self._given_up:
            return False
        replays = self.replays
        self._fruitless = max(0, self._fruitless - replays + self._replays) + 1
        self._replays = replays
        if self._fruitless == MOST_FRUITLESS:
            self.give_up(
                key, f"{MOST_FRUITLESS} recordings more than replays: what it reaches or its arguments differ at each call"
            )
        return self._fruitless < MOST_FRUITLESS

    def _why_not(self, key: Any) -> str | None:
        if os.environ.get("FASTGRAD_COMPILE", "1") == "0" or jit.interpreted():
            return "compiling is turned off"
        if core.run is not core.launch_entry() and core.run is not core._first_run:
            return "a profiler or another recorder watches every launch"
        if plain.WANTED:
            return "products run in BLAS, which has no rows"
        return self._given_up.get(key)

    def _record(self, key: Any, args: Any, kwargs: Any, tensors: list[Tensor], objects: list[Any]) -> Any:
        environment = Environment(self._function, tuple(objects))
        recorder = Recorder(tensors, environment.tensors)
        recorder.broken += environment.refused
        recorder.switches = environment.switches()
        chance = random.getstate()
        with recorder, recorder.options.watched(environment.optimizers):
            result = self._function(*args, **kwargs)
        if random.getstate() != chance:
            recorder.broken.append("the step draws from Python's `random`")
        recorder.finish(result)
        self.recordings += 1
        # After a backward pass inside, what is returned is a step's result: its graph counts as used up.
        if not recorder.went_back and isinstance(result, Tensor) and has_graph(result):
            if self.in_a_function and state.enabled:
                return result
            if not state.enabled:
                self.give_up(key, "what it returns has a graph, though none is recorded around it")
                return result
            self._go_back_outside()
            return result
        if not recorder.went_back and any(map(has_graph, returned(result))):
            recorder.broken.append("several tensors with a graph are returned, whose backward pass is outside")
        earlier = self._candidates.pop(key, [])
        if recorder.broken:
            self.give_up(key, recorder.broken[0])
            return result
        reasons = [difference(before, recorder) for before in earlier]
        if None in reasons and not environment.holds():
            self.give_up(key, "the step changes Python values that it reads: a counter, a list, a setting")
            return result
        if None in reasons:
            # Modules may have been changed by the step itself (lazy layers): look again.
            now = Environment(self._function, tuple(objects))
            now.names += recorder.options.guards()
            try:
                made = Replay(recorder, now, fast_key(args, kwargs) or key, self._keep_grads)
            except (MemoryError, RuntimeError) as error:  # the step itself has had all that it needed
                self.give_up(key, f"no plan could be made: {error}")
                return result
            self._plans[key, self.recordings] = made
            if len(earlier) > 1:  # those of other modes still wait
                self._candidates[key] = [before for before, why in zip(earlier, reasons, strict=True) if why is not None]
            while len(self._plans) > MOST_PLANS:
                self._forgotten += self._plans.popitem(last=False)[1].count
            self._last = made
            self._say(explained.of_plan(made.plan))
            return result
        alike = [reason for reason in reasons if reason not in UNLIKE]
        reason = (alike or reasons or ["it is the first recording"])[-1]
        if len(alike) + 1 >= MOST_ATTEMPTS:
            self.give_up(key, reason or "")
        else:
            self._say(f"recorded {len(recorder.events)} events: {reason}")
            self._candidates[key] = [*earlier[1 - MOST_PLANS :], recorder]
            while len(self._candidates) > MOST_PLANS:
                self._candidates.popitem(last=False)
        return result

    def _go_back_outside(self) -> None:
        self._say("what it returns has a graph: forward and backward become two plans")
        from .model import CompiledFunction

        self._with_graph = CompiledFunction(self._function, self._explain, self.notes)

    def _overlapping(self) -> None:
        reason = "an argument or a gradient shares memory with something that the step writes"
        if reason not in self.notes:
            self._say(reason)
            name = getattr(self._function, "__qualname__", repr(self._function))
            warnings.warn(f"fastgrad.compile: a call of {name} runs uncompiled: {reason}", RuntimeWarning, user_frame()[1])

    def give_up(self, key: Any, reason: str) -> None:
        """Leave calls of this form to eager mode, with a warning that names the reason."""
        self._given_up[key] = reason
        while len(self._given_up) > MOST_FRUITLESS:
            self._given_up.popitem(last=False)
        self._say(f"left to eager mode: {reason}")
        name = getattr(self._function, "__qualname__", repr(self._function))
        warnings.warn(f"fastgrad.compile: {name} runs uncompiled: {reason}", RuntimeWarning, user_frame()[1])

    def _say(self, text: str) -> None:
        self.notes.append(text)
        if self._explain:
            print(f"fastgrad.compile: {text}", file=sys.stderr)

    # -- looking inside ------------------------------------------------------------------------------------------------

    @property
    def replays(self) -> int:
        """How many calls were replays."""
        own = self._forgotten + sum(replay.count for replay in self._plans.values())
        return own if self._with_graph is None else own + int(self._with_graph.replays)

    def summary(self) -> str:
        """What is planned: for each plan its rows, in order, its memory, and how often it was replayed."""
        if self._with_graph is not None:
            return str(self._with_graph.summary())
        if not self._plans:
            return "no plan yet: " + (self.notes[-1] if self.notes else "the step has not been called")
        return "\n\n".join([explained.of_replay(replay) for replay in self._plans.values()])

    def run_epoch(
        self,
        inputs: Tensor,
        targets: Tensor,
        batch_size: int = 1,
        shuffle: bool = False,
        generator: Any = None,
        *,
        drop_last: bool = False,
        progress: Callable[[int, Any], Any] | None = None,
    ) -> Tensor:
        """Call the step with every batch of two tensors, as a DataLoader over them would, and return the losses, (batches,).

        The batches are those of `DataLoader(TensorDataset(inputs, targets), batch_size, shuffle)` with the same generator.
        `progress(number of the batch, what the step returned)` is called after each one. The step must return its
        loss, or a tuple that begins with it.
        """
        data = DataLoader(
            TensorDataset(inputs, targets), batch_size, shuffle=shuffle, generator=generator, drop_last=drop_last
        )
        losses: list[Tensor] = []
        for number, batch in enumerate(data):
            result = self(*batch)
            loss = result[0] if isinstance(result, (list, tuple)) else result
            losses.append(loss.detach())
            if progress is not None:
                progress(number, result)
        return stack(losses) if losses else empty(0)


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
    explain: bool = False,
    keep_grads: bool = True,
) -> Any:
    """Make a function fast by recording what it does: a whole training step, or anything made of fastgrad's operations.

    The first two calls run as always and are recorded; later ones replay the plan, with the same bits, and leave everything
    that can be seen (parameters, `.grad`, optimizer state, buffers, the generator) as the function itself would. Only
    what reaches fastgrad is replayed: other effects of the function (printing, appending to a list) happen while it is
    recorded, as under `jax.jit`. Calls with other shapes get plans of their own. What cannot be planned runs uncompiled,
    with a warning that names the reason.

    `explain=True` says on stderr what happens; `step.summary()` shows the plans, `step.run_epoch(X, y, batch_size)` calls it
    with every batch. With `keep_grads=False` gradients are used up within the step, and reading `.grad` raises.
    `disable=True`, or FASTGRAD_COMPILE=0 in the environment, changes nothing about the function.
    PyTorch's other keywords are accepted, and have no meaning here.

    >>> import fastgrad as torch
    >>> w = torch.zeros(1, requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.5)
    >>> @torch.compile
    ... def step(x):
    ...     optimizer.zero_grad()
    ...     loss = (w - x).pow(2).sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> [step(torch.tensor([3.0])).item() for _ in range(4)]
    [9.0, 0.0, 0.0, 0.0]
    >>> step.replays
    2
    """
    if model is None:
        return functools.partial(compile, disable=disable, explain=explain, keep_grads=keep_grads)
    if disable:
        return model
    if isinstance(model, Module):
        from .module import OptimizedModule

        return OptimizedModule(model, explain)
    return CompiledStep(model, explain, keep_grads)
