"""What becomes of rows before they are planned: dead ones go, neighbours become one.

Fusing never changes a bit: a product's epilogue runs the very row of the operation, strip by strip; a chain runs the rows of
its operations over strips of the same elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._launch.core import Rows
from ..kernels.cpu.matmul import plan as engine
from .events import Check, Event, HookCall, Row, Together, Update
from .memory import TEMPORARY, Buffer, Pointer

# Elements of a chain's strip: three or four arrays of it fit a first-level cache.
STRIP = 2048


class Fused(Row):
    """A product with the elementwise row that follows it; with `keep`, what the product makes is stored too."""

    __slots__ = ("parts",)

    def __init__(self, product: Row, after: Row, keep: bool) -> None:
        self.parts = (product, after)
        made, result = product.args[engine.PLACE["out"]], after.args[2]
        inputs = [arg for arg in after.args[3:] if arg.__class__ is Pointer]
        options: dict[str, Any] = {"slots": tuple([arg for arg in after.args[3:] if arg.__class__ is float])}
        if keep:
            options |= {"aux": result, "aux_is": engine.RESULT}
        else:
            options["out"] = result
            if len(inputs) == 2:
                first = inputs[1] == made
                options |= {"aux": inputs[not first], "aux_is": engine.FIRST if first else engine.SECOND}
                if first and after.name.startswith("activation.relu_backward."):
                    options["aux_is"] = engine.RELU_BACKWARD
            elif after.name.startswith("activation.relu."):
                options["aux_is"] = engine.RELU
        address, total, grain, words = engine.fused(
            product.address, product.total, product.grain, tuple(product.args), epilogue=after.address, **options
        )
        super().__init__(f"{product.name} + {after.name}", address, total, grain, list(words), product.line)


class Chain(Together):
    """Elementwise rows over the same elements, run strip by strip."""

    __slots__ = ()
    joint = " + "


Step = Event | Chain


def is_product(step: Any) -> bool:
    return type(step) is Row and step.name.startswith("matmul.product") and len(step.args) == len(engine.PLACE)


def is_elementwise(step: Any) -> bool:
    """Whether a row is (n, layout, out, *inputs, *scalars) over n elements."""
    if not isinstance(step, Row) or len(step.args) < 4 or step.name.startswith("matmul."):
        return False
    n, layout, out = step.args[:3]
    return n.__class__ is int and n == step.total and layout.__class__ is int and out.__class__ is Pointer


def out_of(step: Any) -> Pointer | None:
    """The one place that a row writes, where that is known."""
    if is_product(step):
        return step.args[engine.PLACE["out"]]
    if is_elementwise(step):
        return step.args[2]
    if isinstance(step, Row) and step.name.startswith("elementwise.fill"):
        return step.args[0]
    return None


def written(step: Any) -> list[Pointer] | None:
    """The places that a row writes; None where that is not known: it may be any that it touches."""
    if isinstance(step, Row) and step.name.startswith("matmul.product") and len(step.args) == len(engine.PLACE):
        words = dict(zip(engine.PLACE, step.args, strict=True))
        places = [words["out"], words["out_sums"], words["aux"] if words["aux_is"] == engine.RESULT else 0]
        return [place for place in places if place.__class__ is Pointer]
    out = out_of(step)
    return None if out is None else [out]


def fuse(events: list[Event], visible: Callable[[Buffer], bool]) -> list[Step]:
    """The steps of a plan. `visible(buffer)` says that its contents are seen after the step."""
    steps = _without_dead(list(events), visible)
    return _chained(_with_epilogues(steps, visible))


def _touching(step: Any, buffer: Buffer) -> bool:
    return any(pointer.buffer is buffer for pointer in step.pointers())


def _without_dead(steps: list[Event], visible: Callable[[Buffer], bool]) -> list[Event]:
    """Drop rows whose result nobody reads."""
    kept: list[Event] = []
    read: set[int] = set()
    for step in reversed(steps):
        out = out_of(step)
        dead = out is not None and out.buffer.kind == TEMPORARY and id(out.buffer) not in read
        if dead and out is not None and not visible(out.buffer):
            continue
        read.update(id(pointer.buffer) for pointer in step.pointers())
        kept.append(step)
    return kept[::-1]


def _with_epilogues(steps: list[Event], visible: Callable[[Buffer], bool]) -> list[Step]:
    """Give products the elementwise row that alone reads what they make."""
    left: list[Any] = list(steps)
    for i, product in enumerate(left):
        if not is_product(product) or not _may_have_epilogue(product):
            continue
        made = product.args[engine.PLACE["out"]]
        users = [j for j in range(i + 1, len(left)) if left[j] is not None and _touching(left[j], made.buffer)]
        if not users or made.buffer.kind != TEMPORARY:
            continue
        after, keep = left[users[0]], len(users) > 1 or visible(made.buffer)
        if _fits(product, after, keep) and _can_move_up(left, i, users[0]):
            left[i], left[users[0]] = Fused(product, after, keep), None
    return [step for step in left if step is not None]


def _may_have_epilogue(product: Row) -> bool:
    words = dict(zip(engine.PLACE, product.args, strict=True))
    dense = words["out_col"] == 1 and words["out_row"] == words["n"] and words["out_batch"] == 0
    return dense and not words["accumulate"] and not words["epilogue"]


def _fits(product: Row, after: Any, keep: bool) -> bool:
    """Whether a row is f(made) or f(made, other) of everything that the product makes."""
    made = product.args[engine.PLACE["out"]]
    size = product.args[engine.PLACE["m"]] * product.args[engine.PLACE["n"]]
    if not is_elementwise(after) or after.args[1] != 0 or after.total != size:
        return False
    inputs = [a for a in after.args[3:] if a.__class__ is Pointer]
    scalars = len(after.args) - 3 - len(inputs)
    # Tiles of the result are written while later ones still read what the product is made of.
    if made not in inputs or any(pointer.buffer is after.args[2].buffer for pointer in product.pointers()):
        return False
    others = {id(pointer.buffer) for pointer in (product.args[engine.PLACE["out_sums"]],) if pointer.__class__ is Pointer}
    if any(id(pointer.buffer) in others for pointer in inputs):
        return False
    return len(inputs) <= (1 if keep else 2) and scalars <= 2 and inputs.count(made) == 1 and after.address not in Rows.mixed


def _can_move_up(steps: list[Any], i: int, j: int) -> bool:
    """Whether the row at j may run at i: nothing between writes what it reads, or touches what it writes."""
    row = steps[j]
    target = row.args[2].buffer
    inputs = [a.buffer for a in row.args[3:] if a.__class__ is Pointer]
    for between in steps[i + 1 : j]:
        if between is None:
            continue
        if _touching(between, target):
            return False
        # A check or a hook that fails leaves what follows it undone; optimizers and hooks write parameters that they do not
        # name.
        if isinstance(between, (Check, HookCall)) and target.kind != TEMPORARY:
            return False
        if isinstance(between, (Update, HookCall)) and any(buffer.kind != TEMPORARY for buffer in (target, *inputs)):
            return False
        out = out_of(between)
        written = [out.buffer] if out is not None else [pointer.buffer for pointer in between.pointers()]
        if any(buffer is other for buffer in inputs for other in written):
            return False
    return not any(buffer is target for buffer in inputs)


def _chained(steps: list[Step]) -> list[Step]:
    """Join neighbouring elementwise rows over the same elements."""
    made: list[Step] = []
    chain: list[Row] = []

    def end() -> None:
        if chain:
            made.append(chain[0] if len(chain) == 1 else Chain(list(chain)))
            chain.clear()

    for step in steps:
        if is_elementwise(step) and isinstance(step, Row):
            if chain and not _continues(chain, step):
                end()
            chain.append(step)
        else:
            end()
            made.append(step)
    end()
    return made


def _continues(chain: list[Row], row: Row) -> bool:
    """Whether a row may run strip by strip with those before it: what one writes, another reads or writes at the same
    elements only."""
    if row.total != chain[0].total:
        return False
    for earlier in chain:
        out, own = earlier.args[2], row.args[2]
        for pointer in row.pointers():
            if pointer.buffer is out.buffer and not (pointer == out and row.args[1] == 0 and earlier.args[1] == 0):
                return False
        for pointer in earlier.pointers():
            if pointer.buffer is own.buffer and not (pointer == own and row.args[1] == 0 and earlier.args[1] == 0):
                return False
        if _width(earlier) != _width(row):
            return False
    return True


def _width(row: Row) -> str:
    return row.name.rpartition(".")[2]  # the float type: elements of one width lie at the same offsets


__all__ = ["STRIP", "Chain", "Fused", "Step", "fuse", "is_product", "written"]
