"""What a recording consists of: the events of a step in order, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .._tensor import Tensor, window
from ..ops.op import remember_view
from .memory import ARGUMENT, OUTSIDE, TEMPORARY, Pointer, TensorRef

if TYPE_CHECKING:
    from .record import Recorder


class Row:
    """A launch: `args` are numbers and Pointers. `line` says where the user wrote it."""

    __slots__ = ("address", "args", "grain", "line", "name", "total")

    def __init__(self, name: str, address: int, total: int, grain: int, args: list[Any], line: str) -> None:
        self.name, self.address, self.total, self.grain, self.args, self.line = name, address, total, grain, args, line

    def pointers(self) -> Iterator[Pointer]:
        return (arg for arg in self.args if arg.__class__ is Pointer)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.args))})"


class Together:
    """Rows that a plan runs as one."""

    __slots__ = ("rows",)
    joint = ""  # between their names

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    @property
    def name(self) -> str:
        return self.joint.join(row.name for row in self.rows)

    @property
    def line(self) -> str:
        return self.rows[0].line

    def pointers(self) -> Iterator[Pointer]:
        for row in self.rows:
            yield from row.pointers()


class HostCall:
    """A launch that NumPy serves: tensors in `args`, `kwargs` and `result` are TensorRefs. One without a result may be a
    check; `grads` are then those of a Check."""

    __slots__ = ("args", "function", "grads", "kwargs", "line", "result")

    def __init__(
        self, function: Any, args: Any, kwargs: Any, result: Any, line: str, grads: list[tuple[Any, Any]]
    ) -> None:
        self.function, self.args, self.kwargs, self.result = function, args, kwargs, result
        self.line, self.grads = line, grads

    @property
    def name(self) -> str:
        return f"numpy:{self.function.__name__}"

    def pointers(self) -> Iterator[Pointer]:
        return (ref.pointer for ref in refs((self.args, self.kwargs, self.result, [ref for _, ref in self.grads])))


class Check:
    """Where the byte at `flag` is not 0, `function(*args)` raises the error. `grads` says which leaves' gradients are then
    not what they were before the step: None, or where they lie."""

    __slots__ = ("args", "flag", "function", "grads", "line")
    name = "check"

    def __init__(self, flag: Pointer, function: Any, args: Any, line: str, grads: list[tuple[Any, Any]]) -> None:
        self.flag, self.function, self.args, self.line, self.grads = flag, function, args, line, grads

    def pointers(self) -> Iterator[Pointer]:
        yield self.flag
        yield from (ref.pointer for ref in refs(self.args))
        yield from (ref.pointer for ref in refs([ref for _, ref in self.grads]))


class Update:
    """An optimizer's step over its table; `gradients` are Pointers, None for a parameter without one."""

    __slots__ = ("gradients", "line", "optimizer", "table")
    name = "update"

    def __init__(self, optimizer: Any, table: Any, gradients: list[Pointer | None], line: str) -> None:
        self.optimizer, self.table, self.gradients, self.line = optimizer, table, gradients, line

    def pointers(self) -> Iterator[Pointer]:
        return (pointer for pointer in self.gradients if pointer is not None)


class Effect:
    """Something on Python's side alone, done again at each replay."""

    __slots__ = ("args", "function", "kwargs", "line")
    name = "effect"

    def __init__(self, function: Any, args: Any, kwargs: Any, line: str) -> None:
        self.function, self.args, self.kwargs, self.line = function, args, kwargs, line

    def pointers(self) -> Iterator[Pointer]:
        return iter(())


class HookCall:
    """A hook of a tensor, with a gradient to which it gives `result`; or of `leaf`, whose `.grad` the gradient then is.
    `grads` are those of a Check."""

    __slots__ = ("function", "gradient", "grads", "leaf", "line", "result")

    def __init__(
        self, function: Any, gradient: TensorRef, grads: list[tuple[Any, Any]], line: str, leaf: Any = None
    ) -> None:
        self.function, self.gradient, self.grads, self.line, self.leaf = function, gradient, grads, line, leaf
        self.result: TensorRef | None = None

    @property
    def name(self) -> str:
        return f"hook:{getattr(self.function, '__name__', type(self.function).__name__)}"

    def pointers(self) -> Iterator[Pointer]:
        held = self.function.refs() if hasattr(self.function, "refs") else ()
        found = refs([self.gradient, self.result, [ref for _, ref in self.grads]])
        return (ref.pointer for ref in (*found, *held))


Event = Row | HostCall | Check | Update | Effect | HookCall


class Item:
    """A value that Python read of a tensor: where it is in what the step returns, and where it was read: in the program, and
    after how many events. `read` is the method that gave it, `convert` float, int or None."""

    __slots__ = ("convert", "event", "line", "paths", "read", "ref", "value")

    def __init__(self, value: Any, read: str, convert: Any, paths: Any, ref: TensorRef, line: str, event: int) -> None:
        self.value, self.read, self.convert, self.paths = value, read, convert, paths
        self.ref, self.line, self.event = ref, line, event


def version(tensor: Tensor) -> int:
    """How often a tensor's memory has been changed in place."""
    return 0 if tensor._cell is None else tensor._cell[0]


def refs(value: Any) -> Iterator[TensorRef]:
    """The TensorRefs in nested containers."""
    if isinstance(value, TensorRef):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from refs(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from refs(inner)


def replaced(value: Any, kind: type | tuple[type, ...], change: Callable[[Any], Any]) -> Any:
    """Nested containers with every instance of `kind` changed."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, dict):
        return {key: replaced(inner, kind, change) for key, inner in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[replaced(inner, kind, change) for inner in value])
    if isinstance(value, list) or type(value) is tuple:
        return type(value)(replaced(inner, kind, change) for inner in value)
    return value


class View:
    """A view of the memory of the `index`-th argument, `distance` bytes behind its beginning."""

    __slots__ = ("distance", "index", "meta", "output")

    def __init__(self, arguments: list[Tensor], tensor: Tensor, index: int) -> None:
        self.index, self.meta, self.distance = index, tensor._meta, tensor._address - arguments[index]._address
        self.output = tensor._output  # how it was made: with gradients off, or in inference mode

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def of(self, arguments: Any) -> Tensor:
        """The view of this call's argument."""
        made = window(arguments[self.index], self.meta, self.distance)
        made._output = self.output
        if made._output == 0:
            remember_view(made)
        return made


class Output:
    """A tensor that the step returns."""

    __slots__ = ("identity", "ref", "requires_grad")

    def __init__(self, recorder: Recorder, tensor: Tensor) -> None:
        self.ref = recorder.ref(tensor)
        self.requires_grad = tensor._requires_grad
        # An argument or a tensor from outside that is returned as it is, or a view of an argument.
        arguments = [k for k, x in enumerate(recorder.arguments) if x is tensor]
        self.identity: Any = arguments[0] if arguments else None
        if not arguments and self.ref.pointer.buffer.kind != TEMPORARY:
            if self.ref.pointer.buffer.kind == OUTSIDE:
                self.identity = tensor
            elif self.ref.pointer.buffer.kind == ARGUMENT and not tensor._requires_grad:
                self.identity = View(recorder.arguments, tensor, self.ref.pointer.buffer.index)
            else:
                recorder.broken.append("a .grad, or a view with a graph, is returned")
