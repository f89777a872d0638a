"""The tape: nodes that remember how a value was made, and what is needed to take it back.

A node holds the operation, what its derivative needs (`saved`, `scratch`), and edges to where its inputs came from. An
edge is `(node, index)`, the node that made the input and which of its outputs it is; `(tensor, -1)` for a leaf; or None
when no gradient is wanted. Nothing here knows a formula or a device.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

from .hooks import Handle
from .modes import state

_next_number = itertools.count().__next__
FREED: Any = object()
_UNTOUCHED = (0,) * 64
_SAVED = ("_saved_result", "_saved_self", "_saved_other")  # PyTorch's names for what most nodes save

INPLACE_ERROR = (
    "one of the variables needed for gradient computation has been modified by an inplace operation: "
    "[{type} {shape}]{made_by} is at version {now}; expected version {then} instead. Hint: {hint}"
)
ANOMALY_HINT = (
    "enable anomaly detection to find the operation that failed to compute its gradient, with "
    "torch.autograd.set_detect_anomaly(True, check_nan=False)."
)
BACKTRACE_HINT = (
    "the backtrace further above shows the operation that failed to compute its gradient. The variable in question was "
    "changed in there or anywhere later. Good luck!"
)
FREED_ERROR = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


class Node:
    """One recorded operation. It is also the `ctx` that the operation and its derivative receive."""

    __slots__ = (
        "needs", "next", "number", "saved", "versions", "extra", "scratch", "outputs", "hooks", "__dict__", "__weakref__",
    )  # fmt: skip

    record: Any = None  # the operation: set by the subclass that `@op` makes, whose name is PyTorch's
    holds_output = False  # saved[0] is this node's own output: so for an operation that saves it always or never
    number_inputs = 0  # how many inputs were Python numbers, which PyTorch counts too
    shown: tuple[int, ...] | None = None  # the inputs in PyTorch's order, where that is another one

    def __init__(self, needs: tuple[bool, ...], edges: tuple[Any, ...]) -> None:
        self.needs = needs  # which inputs want a gradient
        self.next = edges
        self.number = _next_number()  # later nodes only point to earlier ones: the engine's order
        self.saved: tuple[Any, ...] = ()
        self.versions: Any = None  # of `saved`; None: nothing was saved, so a second backward is allowed; or FREED
        self.extra: Any = None  # an operation's attributes (a dimension, a slope)
        self.scratch: Any = None  # by-products of the forward; constants to a second derivative
        self.outputs: Any = None  # of an operation with several outputs: their (shape, dtype)
        self.hooks: Any = None  # {"pre": {}, "post": {}, "tensor": {index: {}}, "retain": {index: weak reference}}

    @property
    def freed(self) -> bool:
        """Whether what the derivative needs has been let go of."""
        return self.versions is FREED

    def save(self, *tensors: Any) -> None:
        """Keep input tensors (or None) for the derivative, with the versions they have now."""
        self.saved = tensors
        if len(tensors) == 2 and tensors[0] is not None and tensors[1] is not None:  # the usual case, without a loop
            first, second = tensors[0]._cell, tensors[1]._cell
            self.versions = (0 if first is None else first[0], 0 if second is None else second[0])
            return
        for tensor in tensors:
            if tensor is not None and tensor._cell is not None:
                self.versions = tuple([0 if t is None or t._cell is None else t._cell[0] for t in tensors])
                return
        self.versions = _UNTOUCHED  # nobody has changed or viewed any of them yet

    def save_crosswise(self, a: Any, b: Any) -> None:
        """Keep of two factors, the first inputs, each that the other's gradient needs. One that is left out leaves its
        meta in `extra`: its shape is all that its own gradient asks for."""
        need_a, need_b = self.needs[:2]
        if need_a and need_b:
            self.save(a, b)
        elif need_a:
            self.save(None, b)
            self.extra = a._meta
        elif need_b:
            self.save(a, None)
            self.extra = b._meta

    def save_output(self, out: Any, *inputs: Any) -> None:
        """Keep the output `out` (first in `saved`) and inputs. What is kept is the memory and its version, not the
        tensor: a tensor that held its node, and a node that held its tensor, would never be freed by counting."""
        self.save(out._alias(), *inputs)

    def unpack(self) -> None:
        """Before the derivative runs: the graph must not be freed, and what was saved must be as it was."""
        if self.versions is FREED:
            raise RuntimeError(FREED_ERROR)
        for k, (tensor, then) in enumerate(zip(self.saved, self.versions or (), strict=False)):
            if tensor is not None and tensor._version != then:
                own = k == 0 and self.holds_output
                raise changed(tensor, then, self if own else tensor._node, 0 if own else tensor._output)

    def with_saved(self, needs: tuple[bool, ...], saved: tuple[Any, ...]) -> Node:
        """This node with other needs and saved tensors, for one run of its derivative."""
        made: Node = object.__new__(type(self))
        made.__dict__ = self.__dict__
        made.needs, made.saved, made.next, made.number = needs, saved, self.next, self.number
        made.versions, made.extra = self.versions, self.extra
        made.scratch, made.outputs, made.hooks = self.scratch, self.outputs, self.hooks
        return made

    def name(self) -> str:
        """PyTorch's name of the node, such as `MulBackward0`."""
        return type(self).__name__

    def operation(self) -> str:
        """What error texts call the operation: `Mul` for MulBackward0."""
        name = self.name()
        return name if "::" in name else name.partition("Backward")[0]

    @property
    def next_functions(self) -> tuple[Any, ...]:
        """For each input: the node it came from (`AccumulateGrad` for a leaf) and the output's index there."""
        edges = [(None, 0) if e is None else (AccumulateGrad.of(e[0]), 0) if e[1] < 0 else e for e in self.next]
        if self.shown is not None:
            edges = [edges[k] for k in self.shown]
        return tuple(edges) + self.number_inputs * ((None, 0),)

    @property
    def metadata(self) -> dict[Any, Any]:
        """A place for the user's notes on this node."""
        hooks = self._hooks()
        made: dict[Any, Any] = hooks.setdefault("metadata", {})
        return made

    def _hooks(self) -> dict[str, Any]:
        if self.hooks is None:
            self.hooks = {}
        made: dict[str, Any] = self.hooks
        return made

    def register_hook(self, hook: Callable[..., Any]) -> Any:
        """Call `hook(grad_inputs, grad_outputs)` after this node's derivative; what it returns replaces grad_inputs."""
        return Handle(self._hooks().setdefault("post", {}), hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Any:
        """Call `hook(grad_outputs)` before this node's derivative; what it returns replaces grad_outputs."""
        return Handle(self._hooks().setdefault("pre", {}), hook)

    def release(self) -> None:
        """Let go of what the derivative needed."""
        if self.versions is not None:
            self.saved = ()
            self.versions = FREED
            self.scratch = None

    def __getattr__(self, name: str) -> Any:
        if name in _SAVED:
            if self.freed:
                raise RuntimeError(FREED_ERROR)
            place = _SAVED.index(name) - (not self.holds_output)
            if 0 <= place < len(self.saved):
                return self.saved[place]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"


def changed(tensor: Any, then: int, maker: Node | None, index: int) -> RuntimeError:
    """The error for a saved tensor (output `index` of the node `maker`) that is no longer at the version it had then."""
    return RuntimeError(
        INPLACE_ERROR.format(
            type=tensor.type(), shape=list(tensor.shape), now=tensor._version, then=then,
            made_by="" if maker is None else f", which is output {index} of {maker.operation()},",
            hint=BACKTRACE_HINT if state.anomaly else ANOMALY_HINT,
        )
    )  # fmt: skip


class AccumulateGrad:
    """How a leaf looks from the graph: adds what reaches it into `variable.grad`."""

    __slots__ = ("variable", "__weakref__")
    # One for each leaf as long as somebody holds it, since graph walkers tell nodes apart by identity.
    _alive: ClassVar[weakref.WeakValueDictionary[int, AccumulateGrad]] = weakref.WeakValueDictionary()

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    @staticmethod
    def of(leaf: Any) -> AccumulateGrad:
        """The node of a leaf."""
        found = AccumulateGrad._alive.get(id(leaf))
        if found is None:
            found = AccumulateGrad._alive[id(leaf)] = AccumulateGrad(leaf)
        return found

    next_functions: tuple[Any, ...] = ()

    def name(self) -> str:
        """PyTorch's name of the node."""
        return "torch::autograd::AccumulateGrad"

    def register_prehook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook((gradient,))` before the gradient is added to `.grad`; a tuple it returns replaces it."""

        def before(gradient: Any) -> Any:
            made = hook((gradient,))
            return None if made is None else made[0]

        handle: Handle = self.variable.register_hook(before)
        return handle

    def register_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook((), (gradient,))` after the gradient was added to `.grad`."""
        latest: list[Any] = [None]

        def remember(gradient: Any) -> None:
            latest[0] = gradient

        handle: Handle = self.variable.register_post_accumulate_grad_hook(lambda leaf: hook((), tuple(latest)))
        handle.other = self.variable.register_hook(remember)
        return handle

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"
