"""`TableOptimizer`: optimizers whose step is one kernel call over a table of all parameters.

The table holds addresses, so that nothing is moved and nothing copied: values and state stay ordinary
tensors. It is built once. Each step looks whether it still holds (parameters may get new memory, state may be
replaced, groups be added), writes the gradients' addresses and the hyper-parameters, and calls the kernel.
Everything that can be wrong is found before that call: either all parameters are updated, or none is. The
blocks are described in `kernels/cpu/update.py`.

A kernel gets nothing but addresses, so its launch can be made again as it is. Whatever changes between steps
(learning rates, betas, step counts, NAdam's product of momenta) stands in the blocks `slots` and `read`, and one call,
`optimizer._refresh_slots()`, writes them for the next step and counts it. A replay of a recorded step calls it once,
before the launches that the table lists in `launches`; the gradients' addresses are in `gradients`.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from fastgrad import _dtype, _recording
from fastgrad._differentiable import GRAD_NOT_KEPT, NOT_KEPT
from fastgrad._launch import core
from fastgrad._tensor import Tensor, empty, from_array
from fastgrad.autograd.modes import enable_grad, no_grad
from fastgrad.optim import _tape
from fastgrad.optim._state import State
from fastgrad.optim.optimizer import Optimizer

__all__ = ["TableOptimizer"]

# int64 words of a row: addresses of values, hyper-parameters and step count; a flag; addresses of the
# state and of the other counts.
_VALUES, _SLOTS, _STEP, _STARTS, _STATE, _WIDTH = 0, 1, 2, 3, 4, 8
_MOST_SLOTS = 8  # float64 hyper-parameters of a group
_CHUNK = 8192  # elements of one task: 32 KB an array in float32, so that its arrays fit the second-level cache
# Elements handed to a thread at a time: about 4 microseconds of work, with 3 to 5 arrays read and written.
_GRAIN = 16384


class TableOptimizer(Optimizer):
    """An optimizer with a kernel. Subclasses say which one, what it reads, and what state it keeps."""

    _rows: core.Rows
    # Numbers that are kept for each parameter, and what they are before the first step. The first one counts steps.
    _counts: ClassVar[dict[str, float]] = {"step": 0.0}
    _table: _Table | None = None

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        """The hyper-parameters of a group, in the order of the kernel's docstring."""
        raise NotImplementedError

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        """The state tensors in the order of the kernel's docstring, None for one that is not needed."""
        raise NotImplementedError

    def _start(self, group: dict[str, Any]) -> float | None:
        """What state tensors are filled with at first; None where the first step makes them, whatever they hold."""
        return 0.0

    def _advance(self, group: dict[str, Any], counts: Any, present: Any) -> None:
        """Bring the counts after the first up to date: (names, parameters), steps counted where `present`."""

    def _on_tape(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: Any) -> Tensor:
        """What to add to a parameter, in tensor operations; state is renewed with `_tape.renew`."""
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if self.defaults["differentiable"]:
            self._table = None  # state tensors are on the tape now
            _tape.step(self)
            return loss
        table = self._table
        if table is None or not table.holds(self) or not table.find_gradients():
            if any(len(set(group["params"])) < len(group["params"]) for group in self.param_groups):
                self._table = None
                with no_grad():
                    _tape.step(self)  # one update after the other, which a table would make side by side
                return loss
            with _recording.paused():  # state outlasts the step that makes it
                table = self._table = _Table(self)
            table.find_gradients()
        if _recording.active is None:
            table.update(self)
        else:
            _recording.active.update(self, table)
        return loss

    def _refresh_slots(self) -> None:
        """Write what the kernel reads besides addresses for the next step, and count that step."""
        if self._table is not None:
            self._table.refresh(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._table = None


class _Table:
    """The blocks of memory that the kernel reads, and what they were made from."""

    def __init__(self, optimizer: TableOptimizer) -> None:
        if not isinstance(optimizer.state, State):  # somebody assigned a plain dictionary
            optimizer.state = State.of(optimizer.state)
        self.state = optimizer.state
        self.groups = [(group, list(group["params"]), optimizer._state_names(group)) for group in optimizer.param_groups]
        self.parameters = [p for _, parameters, _ in self.groups for p in parameters]
        count = len(self.parameters)
        self.words = np.zeros((count, _WIDTH), np.int64)
        self.slots = np.zeros((len(self.groups), _MOST_SLOTS), np.float64)
        self.gradients = np.zeros(count, np.int64)
        self.written_by: Any = None  # the plan whose gradients these are, if they are a plan's
        self.count_names = optimizer._counts
        self.counts = np.zeros((len(self.count_names), count), _dtype.get_default_dtype().numpy)
        self.read = np.zeros(self.counts.shape)  # the same in float64, for the kernel
        self.pack_gradients = struct.Struct(f"{count}q").pack_into
        self.pack_slots = struct.Struct(f"{len(optimizer._slots(self.groups[0][0]))}d").pack_into
        self.known: list[tuple[Any, ...]] = []  # each parameter, its geometry, and whether it has state
        self.kept: list[Tensor] = []  # the state tensors
        self.scattered: list[tuple[Tensor, Tensor]] = []  # parameters that are not contiguous, their copies
        self.converted: list[Tensor] = []  # gradients that are not as the kernel needs them, for this step
        self.starting = False
        self._write_rows(optimizer)
        self._write_chunks(optimizer._rows)
        self.kept_at = [tensor._address for tensor in self.kept]
        self.changes = self.state.counter[0]

    # -- building --------------------------------------------------------------------------------------------

    def _write_rows(self, optimizer: TableOptimizer) -> None:
        new_state: list[tuple[Tensor, str, Any]] = []
        number = 0
        for index, (group, parameters, names) in enumerate(self.groups):
            start = optimizer._start(group) or 0.0
            for parameter in parameters:
                if parameter.dtype not in _dtype.FLOATING:
                    raise TypeError(f"optimizers update float32 and float64 parameters, not {parameter.dtype}")
                values = core.contiguous(parameter)
                if values is not parameter:
                    self.scattered.append((parameter, values))
                row = self.words[number]
                row[_VALUES], row[_SLOTS] = values._address, self.slots[index:].ctypes.data
                ready = parameter._grad is not None or bool(self.state.get(parameter))
                if ready:
                    new_state += self._write_state(row, number, parameter, names, start)
                place = (parameter._address, parameter._meta)
                self.known.append((parameter, *place, values._meta, ready))
                number += 1
        for parameter, name, value in new_state:  # now that nothing can go wrong any more
            self.state[parameter][name] = value

    def _write_state(
        self, row: Any, number: int, parameter: Tensor, names: tuple[str | None, ...], start: float
    ) -> list[tuple[Tensor, str, Any]]:
        """Point a row at its parameter's state; returns the tensors that the state has yet to be given."""
        state = self.state.get(parameter) or {}
        made: list[tuple[Tensor, str, Any]] = []
        for k, (count_name, before) in enumerate(self.count_names.items()):
            count = self.counts[k, number : number + 1]
            count[0] = float(state.get(count_name, before))
            row[_STATE + len(names) + k - 1 if k else _STEP] = self.read[k, number:].ctypes.data
            made.append((parameter, count_name, from_array(count.reshape(()))))
        for place, name in enumerate(names):
            if name is None:
                continue
            tensor = state.get(name)
            if tensor is None:
                tensor = core.fill(empty(parameter.shape, parameter.dtype), start)
                row[_STARTS] = self.starting = True
            elif tensor.shape != parameter.shape:
                raise RuntimeError(
                    f"the optimizer's state {name!r} has shape {list(tensor.shape)}, "
                    f"but its parameter has shape {list(parameter.shape)}"
                )
            elif not tensor._contiguous or tensor.dtype is not parameter.dtype:
                tensor = tensor.detach().to(parameter.dtype).contiguous()
            row[_STATE + place] = tensor._address
            self.kept.append(tensor)
            made.append((parameter, name, tensor))
        return made

    def _write_chunks(self, rows: core.Rows) -> None:
        """Cut every parameter into tasks, and prepare the call: one for each dtype."""
        self.chunks = []
        self.launches = []
        for dtype in _dtype.FLOATING:
            numbers = [k for k, p in enumerate(self.parameters) if p.dtype is dtype and p._numel]
            cut = [
                (k, first, min(first + _CHUNK, self.parameters[k]._numel))
                for k in numbers
                for first in range(0, self.parameters[k]._numel, _CHUNK)
            ]
            if cut:
                elements = sum(last - first for _, first, last in cut)
                chunks = np.array(cut, np.int64)
                self.chunks.append(chunks)
                addresses = (self.words.ctypes.data, self.gradients.ctypes.data, chunks.ctypes.data)
                self.launches.append((rows[dtype], len(cut), max(1, _GRAIN * len(cut) // elements), *addresses))

    # -- every step ------------------------------------------------------------------------------------------

    def holds(self, optimizer: TableOptimizer) -> bool:
        """Whether groups and state are those that the table was made from."""
        if optimizer.state is not self.state or self.state.counter[0] != self.changes:
            return False
        if len(optimizer.param_groups) != len(self.groups):
            return False
        if [tensor._address for tensor in self.kept] != self.kept_at:
            return False
        for group, (known_group, known, names) in zip(optimizer.param_groups, self.groups):
            parameters = group["params"]
            if group is not known_group or optimizer._state_names(group) != names:
                return False
            if len(parameters) != len(known) or not all(map(operator.is_, parameters, known)):
                return False
        return True

    def find_gradients(self) -> bool:
        """Write the gradients' addresses; False when the table no longer fits the parameters."""
        addresses = []
        for parameter, address, meta, wanted, ready in self.known:
            if parameter._address != address or parameter._meta is not meta:
                return False
            gradient = parameter._grad
            if gradient is None:
                if parameter._output == GRAD_NOT_KEPT:
                    raise RuntimeError(f"step(): {NOT_KEPT}")
                addresses.append(0)
                continue
            if not ready:
                return False
            if gradient._meta is not wanted:
                gradient = self._convert(gradient, parameter)
            addresses.append(gradient._address)
        self.pack_gradients(self.gradients.data, 0, *addresses)
        self.written_by = None
        return True

    def _convert(self, gradient: Tensor, parameter: Tensor) -> Tensor:
        """A gradient in the form that the kernel reads, kept until the step is done."""
        if gradient.shape != parameter.shape:
            raise RuntimeError(
                f"the gradient has shape {list(gradient.shape)}, but its parameter has shape {list(parameter.shape)}"
            )
        converted = gradient.detach().to(parameter.dtype).contiguous()
        self.converted.append(converted)
        return converted

    def refresh(self, optimizer: TableOptimizer) -> None:
        """Write the hyper-parameters, and count the step of every parameter that has a gradient."""
        for index, (group, _, _) in enumerate(self.groups):
            self.pack_slots(self.slots.data, 8 * _MOST_SLOTS * index, *optimizer._slots(group))
        if len(self.counts) == 0:
            return
        present = self.gradients != 0
        self.counts[0] += present
        if len(self.counts) > 1:
            first = 0
            for group, parameters, _ in self.groups:
                last = first + len(parameters)
                optimizer._advance(group, self.counts[:, first:last], present[first:last])
                first = last
        self.read[...] = self.counts

    def update(self, optimizer: TableOptimizer) -> None:
        """Refresh the slots, call the kernel, and raise the versions."""
        self.refresh(optimizer)
        for parameter, values in self.scattered:
            core.copy_into(values, parameter)
        for launch in self.launches:
            core.run(*launch)
        for parameter in self.parameters:
            if parameter._grad is not None:
                cell = parameter._cell
                if cell is None:
                    parameter._bump()
                else:  # the same, without a call for each parameter of each step
                    cell[0] += 1
        if self.starting:
            self.words[:, _STARTS] = self.starting = False
        for parameter, values in self.scattered:
            with no_grad():
                parameter.copy_(values)
        self.converted.clear()
