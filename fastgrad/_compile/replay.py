"""Running a plan: see whether it still fits, point it at this call's tensors, walk, and hand out what it made."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from .. import _dtype
from .._differentiable import GRAD_NOT_KEPT
from .._tensor import Tensor
from ..autograd.modes import state
from ..kernels import pool, walker
from ..kernels.cpu.matmul import precision
from . import hooks
from .apart import Apart
from .environment import Environment
from .events import Check, Effect, HookCall, HostCall, Item, Output, Update, View, refs, replaced
from .memory import ARGUMENT, GRADIENT, OUTSIDE, TEMPORARY, Buffer, Pointer, TensorRef
from .plan import Plan, Segment, items
from .record import Recorder
from .watch import Watch

_NUMBERS = {
    "float32": ctypes.c_float, "float64": ctypes.c_double, "int64": ctypes.c_int64, "int32": ctypes.c_int32,
    "int16": ctypes.c_int16, "int8": ctypes.c_int8, "uint8": ctypes.c_uint8, "bool": ctypes.c_bool,
}  # fmt: skip


def modes() -> tuple[Any, ...]:
    """What decides, beside the step's own environment, which rows a step is."""
    return (
        state.enabled, state.inference, state.anomaly, pool.get_num_threads(), _dtype.get_default_dtype(),
        precision.current,
    )  # fmt: skip


class Replay:
    """A plan with its guards."""

    def __init__(
        self, recorder: Recorder, environment: Environment, key: Any, keep_grads: bool = True,
        kept: set[Buffer] | None = None, outer: Plan | None = None, recorded_in: tuple[Any, ...] | None = None,
    ) -> None:  # fmt: skip
        self.plan = plan = Plan(recorder, keep_grads, kept, outer)
        self.environment, self.key = environment, key
        self.modes = recorded_in or modes()
        self.count = 0  # replays so far
        self.metas = recorder.metas
        apart = Apart(recorder, plan.early)
        self.apart = apart if apart.is_needed else None
        self._bound = [0] * len(self.metas)  # the arguments' addresses as the words have them
        self.leaves = recorder.leaves.all
        # Every tensor whose memory the rows know by address, however the step reaches it.
        tensors = [*environment.tensors, *[t for t in recorder.owners if isinstance(t, Tensor)]]
        tensors += [leaf.tensor for leaf in self.leaves]
        tensors += [parameter for update in plan.updates for parameter in update.table.parameters]
        self.tensors = list({id(tensor): tensor for tensor in tensors}.values())
        self.known = [(t, t._address, t._meta, t._requires_grad) for t in self.tensors]
        # Leaves whose gradient must be absent, or there and as it was, when the step begins.
        self._absent = [leaf.tensor for leaf in self.leaves if leaf.matters and not leaf.had]
        self._present = [(leaf.tensor, leaf.meta) for leaf in self.leaves if leaf.matters and leaf.had]
        self._placed = [(leaf.tensor, *leaf.place) for leaf in self.leaves if leaf.matters and leaf.place is not None]
        self._bound_gradients: dict[int, int] = {}
        called = any(isinstance(segment, HookCall) for segment in plan.segments)  # and may do anything
        # Gradients that are dropped; with hooks, which see them, also those that are made and dropped.
        absent = [leaf for leaf in self.leaves if leaf.after is None]
        self._cleared = [leaf.tensor for leaf in absent if not leaf.kept or (called and leaf.matters and not leaf.had)]
        self._not_kept = [leaf.tensor for leaf in self.leaves if plan.uses_up(leaf)]
        self._kept_bumps = [leaf for leaf in self.leaves if leaf.kept and leaf.had and leaf.version]
        self.visible = list(plan.visible.values())
        self._results = [v for v in self.visible if any(seen.leaf is None for seen in v.seen)]
        self._gradients = [v for v in self.visible if v not in self._results]
        gradients = {pointer.buffer for update in plan.updates for pointer in update.gradients if pointer is not None}
        self._read_by_updates = [visible for buffer, visible in plan.visible.items() if buffer in gradients]
        self._left = [seen for v in self._gradients for seen in v.seen]
        self._watch = Watch()
        # A plan that makes a gradient where none was begins in another state than it ends in: it is never quiet.
        changes = any(not leaf.ends_as_it_began for leaf in self.leaves)
        self._may_watch = not (called or changes or plan.gradient_places or any(seen.leaf.version for seen in self._left))
        self._addresses = {update: self._gradients_of(update) for update in plan.updates}
        self._walk = walker.entry()
        # In one order everywhere, so that two steps on two threads never wait for each other.
        self._locks = sorted({id(g.lock): g.lock for g in recorder.generators}.values(), key=id)
        self._result = self._prepared_result(recorder.result)

    # -- does it fit? --------------------------------------------------------------------------------------------------

    def is_quiet(self) -> bool:
        """Whether nothing at all has changed since the last replay ended; half a microsecond."""
        return self._watch.is_quiet() and self._surroundings() is None

    def _surroundings(self) -> str | None:
        """What has changed besides tensors."""
        if modes() != self.modes:
            return "grad mode, number of threads, precision or default dtype is another"
        if not self.environment.holds():
            return "something that the step reaches (a closure's value, a global, a module) is another"
        for update in self.plan.updates:
            table, optimizer = update.table, update.optimizer
            now = table.state.counter[0]
            if optimizer._table is not table or optimizer.state is not table.state or now != table.changes:
                return "an optimizer's state has changed"
            if len(optimizer.param_groups) != len(table.groups):
                return "an optimizer's groups have changed"
            for group, (known, parameters, names) in zip(optimizer.param_groups, table.groups, strict=True):
                if group is not known or len(group["params"]) != len(parameters) or optimizer._state_names(group) != names:
                    return "an optimizer's groups have changed"
        return None

    def fits(self) -> str | None:
        """None, or what has changed since the recording."""
        changed = self._surroundings()
        if changed is not None:
            return changed
        for tensor, address, meta, requires_grad in self.known:
            if tensor._address != address or tensor._meta is not meta or tensor._requires_grad != requires_grad:
                return "a tensor that the step reaches has other memory, another shape, or another requires_grad"
        for tensor in self._absent:
            if tensor._grad is not None:
                return "a .grad is there that was not"
        for tensor, meta in self._present:
            if tensor._grad is None or tensor._grad._meta is not meta:
                return "a .grad is not there, or has another shape"
        for tensor, first, place in self._placed:
            start: int = 0 if first is None else first.tensor._grad._address  # type: ignore[union-attr]
            if tensor._grad._address - start != place:  # type: ignore[union-attr]
                return "a .grad that was part of other memory is elsewhere"
        return None

    def still_fits(self) -> str | None:
        """None, or what has changed within the step."""
        if not self.environment.holds():
            return "something that the step reaches is another"
        for tensor, address, meta, requires_grad in self.known:
            if tensor._address != address or tensor._meta is not meta or tensor._requires_grad != requires_grad:
                return "a tensor has other memory, another shape, or another requires_grad"
        for update in self.plan.updates:
            state = update.table.state
            if update.optimizer.state is not state or state.counter[0] != update.table.changes:
                return "an optimizer's state is another"
        return None

    def is_apart(self, tensors: Any) -> bool:
        """Whether arguments overlap nothing that they did not overlap when this was recorded. It must fit."""
        return self.apart is None or self.apart.holds(tensors)

    # -- running -------------------------------------------------------------------------------------------------------

    def run(self, tensors: Any, quiet: bool = False) -> Any:
        """One step on these arguments; `quiet` says that `is_quiet()`."""
        plan = self.plan
        words = plan.words
        for k, places in plan.argument_places.items():
            address = tensors[k]._address
            if address != self._bound[k]:
                self._bound[k] = address
                for place, offset in places:
                    words[place] = address + offset
        for n, places in plan.gradient_places.items():
            address = self.leaves[n].tensor._grad._address  # type: ignore[union-attr]
            if address != self._bound_gradients.get(n):
                self._bound_gradients[n] = address
                for place, offset in places:
                    words[place] = address + offset
        moved = False
        if not quiet:
            self._watch.disarm()  # until this step has ended well
        for visible in self._results if quiet else self.visible:
            if visible.is_held():
                visible.renew(words)
                moved = moved or visible in self._read_by_updates
        if moved or plan.gradient_places:
            self._addresses = {update: self._gradients_of(update) for update in plan.updates}
        for lender, places in plan.borrowed:
            for place, offset in places:
                words[place] = lender.address + offset
        for visible, contents in plan.refilled:
            ctypes.memmove(visible.address, contents, len(contents))
        for memory, contents in plan.rewritten:
            ctypes.memmove(memory, contents, len(contents))
        for lock in self._locks:
            lock.acquire()
        try:
            for segment in plan.segments:
                if segment.__class__ is Segment:
                    done = self._walk(segment.table, segment.count, segment.known)
                    if done != segment.count:
                        self._fail(segment.first + done, tensors)
                elif segment.__class__ is Update:
                    self._refresh(segment)
                elif segment.__class__ is Effect:
                    segment.function(*segment.args, **segment.kwargs)
                elif segment.__class__ is HookCall:
                    hooks.call(self, segment, tensors)
                else:
                    self._call(segment, tensors)  # type: ignore[arg-type]
        finally:
            for lock in self._locks:
                lock.release()
        self._leave_behind(tensors, quiet)
        self.count += 1
        return self._result(tensors)

    def _leave_behind(self, tensors: Any, quiet: bool) -> None:
        """What users see after a step: gradients, versions, effects."""
        for visible in self._results if quiet else self.visible:
            visible.bind()
        for tensor in self._cleared:
            tensor._grad = None
        for tensor in self._not_kept:
            tensor._grad, tensor._output = None, GRAD_NOT_KEPT
        for which, count in self.plan.recorder.bumps:
            tensor = tensors[which] if which.__class__ is int else which
            cell = tensor._cell
            if cell is None:
                cell = tensor._shared_cell()
            cell[0] += count
        for leaf in self._kept_bumps:
            gradient: Any = leaf.tensor._grad
            gradient._shared_cell()[0] += leaf.version
        if not quiet and self._may_watch:
            owned = [seen.tensor for seen in self._left]  # nothing else here may hold them
            self._watch.arm(self.tensors, [leaf.tensor for leaf in self.leaves], owned)

    def _gradients_of(self, update: Update) -> Any:
        """The gradients' addresses of an update, as its table wants them."""
        return np.array([0 if p is None else self._at(p, ()) for p in update.gradients], np.int64)

    def _refresh(self, update: Update) -> None:
        """Write what an optimizer's rows read besides addresses that stay, and count its step."""
        table, gradients = update.table, self._addresses[update]
        if table.written_by is not gradients:
            table.gradients[:] = table.written_by = gradients
        table.refresh(update.optimizer)

    def _fail(self, row: int, tensors: Any) -> None:
        """A check found bad input: leave things as the step would have, and raise its error."""
        check = self.plan.checks[row]
        self._end_at(check, tensors)
        check.function(*replaced(check.args, TensorRef, lambda ref: self._tensor(ref, tensors)))
        raise RuntimeError(f"a check failed at {check.line}")

    def _end_at(self, event: Check | HookCall | HostCall, tensors: Any) -> None:
        """Bad input was found: leave gradients as they were when the step came here."""
        self._watch.disarm()
        for leaf, ref in event.grads:
            leaf.tensor._grad = None if ref is None else self._tensor(ref, tensors).clone()

    def _call(self, call: HostCall, tensors: Any) -> None:
        """A launch that NumPy serves; what it makes is copied to where the rows expect it."""
        args, kwargs = replaced((call.args, call.kwargs), TensorRef, lambda ref: self._tensor(ref, tensors))
        try:
            made = call.function(*args, **kwargs)
        except Exception:  # it found bad input
            self._end_at(call, tensors)
            raise
        results: list[Tensor] = []
        replaced(made, Tensor, results.append)
        for tensor, ref in zip(results, refs(call.result), strict=True):
            if tensor._meta is not ref.meta:
                raise RuntimeError(
                    f"compiled step: {call.name} at {call.line} gave shape {list(tensor.shape)} and not "
                    f"{list(ref.meta.shape)} as when the step was recorded: shapes may not depend on values"
                )
            target = self._address(ref, tensors)
            if tensor._address != target:
                ctypes.memmove(target, tensor._address, tensor._meta.numel * tensor._meta.dtype.itemsize)

    def _address(self, ref: TensorRef, tensors: Any) -> int:
        return self._at(ref.pointer, tensors)

    def _at(self, pointer: Pointer, tensors: Any) -> int:
        buffer = pointer.buffer
        if buffer.kind == ARGUMENT:
            return int(tensors[buffer.index]._address - buffer.shift + pointer.offset)
        if buffer.kind == GRADIENT:
            gradient: Any = self.leaves[buffer.index].tensor._grad
            address = buffer.address if gradient is None else gradient._address - buffer.shift
            return int(address + pointer.offset)
        return self.plan.base(buffer) + pointer.offset

    def _tensor(self, ref: TensorRef, tensors: Any) -> Tensor:
        """A tensor on the plan's memory, for one use."""
        buffer, plan = ref.pointer.buffer, self.plan
        made: Tensor = object.__new__(Tensor)
        if buffer.kind == ARGUMENT:
            made._storage = tensors[buffer.index]._storage
        elif buffer.kind == GRADIENT:
            made._storage = self.leaves[buffer.index].tensor._grad._storage  # type: ignore[union-attr]
        elif buffer.kind == OUTSIDE:
            made._storage = buffer.owner._storage
        elif buffer in plan.visible:
            made._storage = plan.visible[buffer].storage
        else:
            made._storage = plan.constants.get(buffer, plan.arena._storage)
        made._address, made._meta = self._address(ref, tensors), ref.meta
        made._requires_grad = False
        made._grad = made._node = made._base = made._hooks = made._cell = None
        made._output = 0
        return made

    def _read(self, item: Item, tensors: Any) -> Any:
        """What Python reads of a tensor."""
        buffer, name = item.ref.pointer.buffer, item.ref.meta.dtype.name
        if item.read == "item" and name in _NUMBERS:
            kind: Any = _NUMBERS[name]
            number = kind.from_address(self._address(item.ref, tensors)).value
            return item.convert(number) if item.convert is not None else number
        tensor = self._tensor(item.ref, tensors)
        if item.read == "numpy" and buffer.kind == TEMPORARY and buffer not in self.plan.visible:
            tensor = tensor.clone()
        made = getattr(tensor, item.read)()
        return made if item.convert is None else item.convert(made)

    # -- results -------------------------------------------------------------------------------------------------------

    def _prepared_result(self, result: Any) -> Any:
        """A function from this call's arguments to what the step returns."""
        if isinstance(result, Output) and not isinstance(result.identity, (int, Tensor, View)):
            seen = result.identity
            return lambda tensors: seen.tensor

        def one(value: Any, tensors: Any) -> Any:
            if isinstance(value, Item):
                return self._read(value, tensors)
            if isinstance(value.identity, int):
                return tensors[value.identity]
            if isinstance(value.identity, View):
                return value.identity.of(tensors)
            return value.identity if isinstance(value.identity, Tensor) else value.identity.tensor

        if not items(result) and not isinstance(result, (Output, list, tuple, dict)):
            return lambda tensors: result
        return lambda tensors: replaced(result, (Output, Item), lambda value: one(value, tensors))


__all__ = ["Replay", "modes"]
