"""Weight gradients that are used up where they are made: an optimizer's update as the end of a product.

Where `keep_grads` is off and nobody else reads a gradient, the engine runs the optimizer's own row over each strip of it
that is finished, in the cache, and the gradient itself goes nowhere; what the row reads beside it has been called for in
time. The bits are those of the row that updates whole parameters.

A parameter may be updated so where, between its gradient and the optimizer's step, nothing can fail, Python has nothing to
do, and nothing needs its old values; or the product can move behind what does.

A gradient that is kept is not worth it: its writing is what costs, and of the rows' time for a 4096 x 4096 parameter with
momentum at batch 512, 1.03 to 1.06 were measured, for 1024 x 1024 0.98 to 1.09.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from .._dtype import float64
from .._tensor import Tensor
from ..kernels import jit
from ..kernels.cpu.matmul import library, plain
from ..kernels.cpu.matmul import plan as engine
from ..kernels.cpu.matmul.blocks import PANEL
from .events import Row, Together, Update
from .fuse import is_product, written
from .memory import OUTSIDE, TEMPORARY, Buffer, Pointer

Span = tuple[int, int]  # addresses, from and to

# Elements from which on a parameter is updated by the product that makes its gradient. Smaller ones stay in the caches, and
# one row for all is as fast: of the time of whole steps, one layer of 4096 x 4096 took 0.81 to 0.89, one of 1024 x 1024 0.93
# to 1.02, and those of 784-256-128-10 1.1.
LEAST = 1 << 21


class Updating(Row):
    """A product that makes the gradient of a parameter, with the update of that parameter. `spans` says where the parameter
    and its state lie, and `updated` which buffers are there."""

    __slots__ = ("spans", "updated")

    def __init__(self, product: Row, update: Update, number: int, spans: list[Span], updated: list[Buffer]) -> None:
        parameter, rows = update.table.parameters[number], update.optimizer._rows
        words = {
            "out": Pointer(Buffer(-1, OUTSIDE, parameter._address, _bytes(parameter)), 0), "epilogue": rows[parameter.dtype],
            "aux_is": plain.UPDATE, "slot0": update.table.words.ctypes.data, "slot1": number,
        }  # fmt: skip
        args = list(product.args)
        for name, word in words.items():
            args[engine.PLACE[name]] = word
        name = f"{product.name} + {rows.name}.{parameter.dtype.name}"
        super().__init__(name, product.address, product.total, product.grain, args, product.line)
        self.spans, self.updated = spans, updated

    def pointers(self) -> Iterator[Pointer]:
        yield from super().pointers()
        yield from [Pointer(buffer, 0) for buffer in self.updated]


class Refresh:
    """Where Python writes the numbers that an optimizer's rows read, before the first of them."""

    __slots__ = ("line", "update")
    name = "refresh"

    def __init__(self, update: Update) -> None:
        self.update, self.line = update, update.line

    def pointers(self) -> Iterator[Pointer]:
        return iter(())


class Rest:
    """An optimizer's table without the parameters that are updated elsewhere."""

    __slots__ = ("chunks", "launches", "line", "numbers", "update")
    name = "update"

    def __init__(self, update: Update, done: set[int]) -> None:
        self.update, self.line = update, update.line
        self.numbers = [k for k in range(len(update.gradients)) if k not in done]
        self.chunks, self.launches = [], []
        for (row, _, grain, table, gradients, _), chunks in zip(update.table.launches, update.table.chunks, strict=True):
            left = np.ascontiguousarray(chunks[~np.isin(chunks[:, 0], list(done))])
            if len(left):
                self.chunks.append(left)
                self.launches.append((row, len(left), grain, table, gradients, left.ctypes.data))

    def pointers(self) -> Iterator[Pointer]:
        return (pointer for k in self.numbers if (pointer := self.update.gradients[k]) is not None)


def with_updates(steps: list[Any], visible: Callable[[Buffer], bool], arguments: list[Buffer]) -> list[Any]:
    """The steps with as many parameters as may be updated by the products that make their gradients; none is that lies in
    the memory of an argument."""
    if jit.interpreted() or plain.WANTED:
        return steps
    left: list[Any] = list(steps)
    for update in [step for step in steps if isinstance(step, Update)]:
        if not _is_plain(update):
            continue
        done: dict[int, Updating] = {}
        for number, gradient in enumerate(update.gradients):
            if gradient is None or gradient.buffer.kind != TEMPORARY or visible(gradient.buffer):
                continue
            if any(_meets(argument, _spans(update, number)) for argument in arguments):
                continue
            found = _found(left, update, number, gradient)
            if found is not None:
                made, place = found
                done[number] = row = _updating(left, left[made], update, number)
                left[made : place + 1] = [*left[made + 1 : place + 1], row]
        if done:
            left.insert(min(map(left.index, done.values())), Refresh(update))
            rest = Rest(update, set(done))
            at = left.index(update)
            left[at : at + 1] = [rest] if rest.launches else []
    return left


def _is_plain(update: Update) -> bool:
    """Whether no row can change what Python reads for the update, and its parameters share no memory."""
    if any(isinstance(value, Tensor) for group in update.optimizer.param_groups for value in group.values()):
        return False
    spans = sorted(_span(parameter) for parameter in update.table.parameters)
    return all(first[1] <= second[0] for first, second in pairwise(spans))


def _updating(steps: list[Any], product: Row, update: Update, number: int) -> Updating:
    spans = _spans(update, number)
    updated = {pointer.buffer for step in steps for pointer in step.pointers() if _meets(pointer.buffer, spans)}
    return Updating(product, update, number, spans, sorted(updated, key=lambda buffer: buffer.number))


def _found(steps: list[Any], update: Update, number: int, gradient: Pointer) -> tuple[int, int] | None:
    """(the product that makes a gradient, the step behind which it may also update the parameter), if that can be."""
    users = [k for k, step in enumerate(steps) if any(pointer.buffer is gradient.buffer for pointer in step.pointers())]
    if len(users) != 2 or steps[users[1]] is not update:
        return None
    made, at = users
    if not _makes(steps[made], update.table.parameters[number], gradient):
        return None
    if not all(isinstance(step, (Row, Together, Update, Refresh, Rest)) for step in steps[made:at]):
        return None  # something may fail, or Python has something to do
    spans = _spans(update, number)
    place = max([made, *[k for k in range(made + 1, at) if _needs(steps[k], spans)]])
    inputs = [pointer.buffer for pointer in steps[made].pointers() if pointer.buffer is not gradient.buffer]
    for step in steps[made + 1 : place + 1]:
        if any(_writes(step, buffer) for buffer in inputs) or (isinstance(step, (Update, Rest)) and _needs(step, spans)):
            return None
    return made, place


def _makes(step: Any, parameter: Tensor, gradient: Pointer) -> bool:
    """Whether a step is a product that makes all of a parameter's gradient, and nothing else."""
    numel = parameter._meta.numel
    if not is_product(step) or numel < LEAST:
        return False
    words = dict(zip(engine.PLACE, step.args, strict=True))
    if any(words[name] for name in ("epilogue", "out_sums", "out_batch", "a_batch", "b_batch", "accumulate")):
        return False
    kind = library.kind(words["table"])
    dense = words["out_col"] == 1 and words["out_row"] == words["n"] and words["m"] * words["n"] == numel
    whole = words["k"] <= PANEL[kind] and (kind == "float64") == (parameter.dtype is float64)
    return bool(words["out"] == gradient and dense and whole)


def _bytes(tensor: Tensor) -> int:
    return tensor._meta.numel * tensor.dtype.itemsize


def _span(tensor: Tensor) -> Span:
    return tensor._address, tensor._address + _bytes(tensor)


def _spans(update: Update, number: int) -> list[Span]:
    """Where a parameter and its state lie."""
    parameter = update.table.parameters[number]
    state = (update.table.state.get(parameter) or {}).values()
    return [_span(tensor) for tensor in (parameter, *state) if isinstance(tensor, Tensor)]


def _needs(step: Any, spans: list[Span]) -> bool:
    """Whether a step touches some memory from outside."""
    if isinstance(step, (Update, Rest)):
        update = step.update if isinstance(step, Rest) else step
        known = [_span(parameter) for parameter in update.table.parameters]
        return any(a < high and low < b for a, b in known for low, high in spans)
    return any(_meets(pointer.buffer, spans) for pointer in step.pointers())


def _meets(buffer: Buffer, spans: list[Span]) -> bool:
    if buffer.kind == TEMPORARY:
        return False
    return any(buffer.address < high and low < buffer.address + max(buffer.nbytes, 1) for low, high in spans)


def _writes(step: Any, buffer: Buffer) -> bool:
    """Whether a step may write a buffer. (An update writes parameters, which `_needs` asks for.)"""
    if isinstance(step, (Update, Rest, Refresh)):
        return False
    if isinstance(step, Updating) and buffer in step.updated:
        return True
    places = written(step)
    return any(pointer.buffer is buffer for pointer in (step.pointers() if places is None else places))


__all__ = ["Refresh", "Rest", "Updating", "with_updates"]
