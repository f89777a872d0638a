"""The tape: nodes that remember how a value was made, and what is needed to take it back.

A node holds the operation, what its derivative needs (`saved`, `scratch`), and edges to where its inputs came from. An
edge is `(node, index)`, the node that made the input and which of its outputs it is; `(tensor, -1)` for a leaf; or None
when no gradient is wanted. Nothing here knows a formula or a device.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

_next_number = itertools.count().__next__
FREED: Any = object()

INPLACE_ERROR = (
    "one of the variables needed for gradient computation has been modified by an inplace operation: "
    "[torch.{type}Tensor {shape}]{what} is at version {now}; expected version {then} instead. Hint: enable anomaly "
    "detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True)."
)
FREED_ERROR = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


class Node:
    """One recorded operation. It is also the `ctx` that the operation and its derivative receive."""

    # Set on every node; what follows them is rare, and lives in the instance's dictionary only where it is set.
    __slots__ = ("needs", "next", "number", "saved", "versions", "extra", "__dict__", "__weakref__")

    record: Any = None  # the operation: set by the subclass that `@op` makes, whose name is PyTorch's
    holds_output = False  # saved[0] is this node's own output
    scratch: Any = None  # by-products of the forward; constants to a second derivative
    outputs: Any = None  # of an operation with several outputs: their (shape, dtype)
    hooks: Any = None  # {"pre": {}, "post": {}, "tensor": {index: {}}, "retain": {index: weak reference}}

    def __init__(self, needs: tuple[bool, ...], edges: tuple[Any, ...]) -> None:
        self.needs = needs  # which inputs want a gradient
        self.next = edges
        self.number = _next_number()  # later nodes only point to earlier ones: the engine's order
        self.saved: tuple[Any, ...] = ()
        self.versions: Any = None  # of `saved`; None: nothing was saved, so a second backward is allowed; or FREED
        self.extra: Any = None  # an operation's attributes (a dimension, a slope)

    @property
    def freed(self) -> bool:
        """Whether what the derivative needs has been let go of."""
        return self.versions is FREED

    def save(self, *tensors: Any) -> None:
        """Keep input tensors (or None) for the derivative, with the versions they have now."""
        self.saved = tensors
        self.versions = tuple([0 if t is None or t._cell is None else t._cell[0] for t in tensors])

    def save_output(self, out: Any, *inputs: Any) -> None:
        """Keep the output `out` (first in `saved`) and inputs. What is kept is the memory and its version, not the
        tensor: a tensor that held its node, and a node that held its tensor, would never be freed by counting."""
        self.save(out._alias(), *inputs)
        self.holds_output = True

    def unpack(self) -> None:
        """Before the derivative runs: the graph must not be freed, and what was saved must be as it was."""
        if self.versions is FREED:
            raise RuntimeError(FREED_ERROR)
        if self.versions:
            for k, (tensor, then) in enumerate(zip(self.saved, self.versions, strict=True)):
                if tensor is not None and tensor._version != then:
                    what = f", which is output 0 of {self.name()}," if k == 0 and self.holds_output else ","
                    raise RuntimeError(
                        INPLACE_ERROR.format(
                            type=tensor.dtype.scalar_name, shape=list(tensor.shape), what=what,
                            now=tensor._version, then=then,
                        )  # fmt: skip
                    )

    def name(self) -> str:
        """PyTorch's name of the node, such as `MulBackward0`."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[Any, ...]:
        """For each input: the node it came from (`AccumulateGrad` for a leaf) and the output's index there."""
        return tuple((None, 0) if e is None else (AccumulateGrad(e[0]), 0) if e[1] < 0 else e for e in self.next)

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
            if self.scratch is not None:
                self.scratch = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):  # PyTorch's names for saved tensors: _saved_self, _saved_result, ...
            if self.freed:
                raise RuntimeError(FREED_ERROR)
            if self.saved:
                return self.saved[0]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"


class Handle:
    """What registering a hook returns: `remove()` takes the hook away; also a context manager."""

    _ids = itertools.count()

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self.hooks, self.id = hooks, next(Handle._ids)
        hooks[self.id] = hook

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class AccumulateGrad:
    """How a leaf looks from the graph: adds what reaches it into `variable.grad`."""

    __slots__ = ("variable",)

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    next_functions: tuple[Any, ...] = ()

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return hash(("AccumulateGrad", id(self.variable)))

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self.variable):#x}>"
