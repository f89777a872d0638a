"""`@op`: what makes a launch into an operation of the tape.

    @op
    def silu(ctx, x):                        # positional parameters are tensors (or None), keyword-only ones attributes
        ctx.save(x)                          # input tensors, with their versions; ctx.save_output(out) for the result
        return launch.silu(x)

    @silu.derivative
    def silu_derivative(ctx, gy):            # one gradient for each input, None where there is none
        (x,) = ctx.saved
        return silu_backward(x, gy)          # an operation too, so that the tape can record it for the next order

`@op(scalar=True)` takes a number as second parameter. `ctx` is the node being made, or a stand-in that forgets everything
when nothing is recorded. `ctx.needs` says which inputs want a gradient; attributes are kept by assigning `ctx.extra`;
`ctx.scratch` holds by-products that the first derivative may use. An operation with several results returns a tuple. The
wrapper is a plain function: it serves as a method too.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from .._launch.native import has_native
from .._tensor import Tensor
from ..autograd import modes
from ..autograd.graph import Node
from ..autograd.modes import state


class _Forgetful:
    """The ctx of an operation that is not recorded."""

    __slots__ = ("scratch", "extra")
    needs = (False,) * 16

    def save(self, *tensors: Any) -> None:
        pass

    def save_output(self, out: Any, *inputs: Any) -> None:
        pass

    def save_crosswise(self, a: Any, b: Any) -> None:
        pass


_FORGET = _Forgetful()
_STARS = 0x04 | 0x08  # a function with *args or **kwargs


class Operation:
    """The record behind an `@op` function: its name and its derivative."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.derivative: Callable[..., Any] = self._missing

    def _missing(self, ctx: Any, gy: Any) -> Any:
        raise RuntimeError(f"derivative for {self.name} is not implemented")


ALL: dict[str, Operation] = {}


def op(
    forward: Callable[..., Any] | None = None, *, name: str | None = None, scalar: bool = False, view: bool = False,
    shown: tuple[int, ...] | None = None,
) -> Any:  # fmt: skip
    """Make an operation of a forward function. `name` is PyTorch's name of the node without "Backward": "Mul" makes
    MulBackward0, "Sum1" makes SumBackward1; a name that ends in a digit itself carries two ("Log20": Log2Backward0).
    `shown` are the inputs in PyTorch's order, for `next_functions`, where that is another one."""
    if forward is None:
        return lambda f: op(f, name=name, scalar=scalar, view=view, shown=shown)
    operation = Operation(forward.__name__)
    saves_output = "save_output" in forward.__code__.co_names
    fields = {
        "__slots__": (), "record": operation, "holds_output": saves_output,
        "number_inputs": int(scalar and name in ("Add", "Sub", "Mul", "Div")), "shown": shown,
    }  # fmt: skip
    kind = type(_node_name(name or forward.__name__), (Node,), fields)
    code = forward.__code__
    count = code.co_argcount - 1
    if scalar:
        wrapper = _apply_scalar_view if view else _apply_scalar
    elif view:
        wrapper = _apply_view
    elif count <= 3 and not code.co_flags & _STARS and code.co_kwonlyargcount:
        wrapper = (_apply_named, _apply_two_named, _apply_three_named)[count - 1]
    elif count > 3 or code.co_kwonlyargcount or code.co_flags & _STARS:
        wrapper = _apply_many
    else:
        wrapper = (_apply_one, _apply_two, _apply_three)[count - 1]
    apply = wrapper(forward, kind)
    apply.__name__ = apply.__qualname__ = forward.__name__
    apply.__doc__, apply.__module__ = forward.__doc__, forward.__module__

    def derivative(function: Callable[..., Any]) -> Callable[..., Any]:
        operation.derivative = function
        return function

    apply.derivative = derivative
    apply.node = kind
    ALL[f"{forward.__module__.rpartition('.')[2]}.{forward.__name__}"] = operation
    return apply


def _node_name(name: str) -> str:
    if "_" in name or name.islower():
        name = "".join(part.capitalize() for part in name.strip("_").split("_"))
    return f"{name[:-1]}Backward{name[-1]}" if name[-1].isdigit() else f"{name}Backward0"


# The wrappers are the hottest Python there is, so each form of call has its own: passing `**named` on, even empty, costs
# 0.15 microseconds.


def _apply_one(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """One tensor, no attributes."""

    def apply(x: Tensor) -> Any:
        if x._requires_grad and state.enabled:
            node = record(kind, x)
            return attach(forward(node, x), node)
        return forward(_FORGET, x)

    return apply


def _apply_named(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """One tensor, attributes by name."""

    def apply(x: Tensor, **named: Any) -> Any:
        if x._requires_grad and state.enabled:
            node = record(kind, x)
            return attach(forward(node, x, **named), node)
        return forward(_FORGET, x, **named)

    return apply


def _apply_two_named(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """Two tensors (or None), attributes by name."""

    def apply(a: Tensor | None, b: Tensor | None, **named: Any) -> Any:
        if ((a is not None and a._requires_grad) or (b is not None and b._requires_grad)) and state.enabled:
            node = record(kind, a, b)
            return attach(forward(node, a, b, **named), node)
        return forward(_FORGET, a, b, **named)

    return apply


def _apply_three_named(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """Three tensors (or None), attributes by name."""

    def apply(a: Tensor | None, b: Tensor | None, c: Tensor | None, **named: Any) -> Any:
        needed = (a is not None and a._requires_grad) or (b is not None and b._requires_grad)
        if (needed or (c is not None and c._requires_grad)) and state.enabled:
            node = record(kind, a, b, c)
            return attach(forward(node, a, b, c, **named), node)
        return forward(_FORGET, a, b, c, **named)

    return apply


def _apply_scalar(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """One tensor and a number."""

    def apply(x: Tensor, value: float) -> Any:
        if x._requires_grad and state.enabled:
            node = record(kind, x)
            return attach(forward(node, x, value), node)
        return forward(_FORGET, x, value)

    return apply


def _apply_two(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """Two tensors, no attributes."""

    def apply(a: Tensor, b: Tensor) -> Any:
        if (a._requires_grad or b._requires_grad) and state.enabled:
            node = record(kind, a, b)
            return attach(forward(node, a, b), node)
        return forward(_FORGET, a, b)

    return apply


def _apply_view(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """One tensor, attributes by name; the result looks at the tensor's memory."""

    def apply(x: Tensor, **named: Any) -> Tensor:
        if not state.enabled:
            return _unrecorded_view(forward(_FORGET, x, **named))
        if x._requires_grad:
            node = record(kind, x)
            out: Tensor = forward(node, x, **named)
            out._node = node
            out._requires_grad = True
        else:
            out = forward(_FORGET, x, **named)
        remember_view(out)
        return out

    return apply


def _apply_scalar_view(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """One tensor and a number (or what stands for one); the result looks at the tensor's memory."""

    def apply(x: Tensor, value: Any) -> Tensor:
        if not state.enabled:
            return _unrecorded_view(forward(_FORGET, x, value))
        if x._requires_grad:
            node = record(kind, x)
            return attach(forward(node, x, value), node)
        out: Tensor = forward(_FORGET, x, value)
        remember_view(out)
        return out

    return apply


def _unrecorded_view(view: Tensor) -> Tensor:
    """A view made while nothing is recorded: marked, since it may not be changed in place under recording."""
    view._output = MADE_IN_INFERENCE_MODE if modes.unusual[modes.INFERENCE] and state.inference else MADE_IN_NO_GRAD_MODE
    return view


MADE_IN_NO_GRAD_MODE, MADE_IN_INFERENCE_MODE = -1, -2  # where other tensors have the number of an output


def _apply_three(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """Three tensors, the latter two may be None, no attributes."""

    def apply(a: Tensor, b: Tensor | None, c: Tensor | None) -> Any:
        needed = a._requires_grad or (b is not None and b._requires_grad) or (c is not None and c._requires_grad)
        if needed and state.enabled:
            node = record(kind, a, b, c)
            return attach(forward(node, a, b, c), node)
        return forward(_FORGET, a, b, c)

    return apply


def _apply_many(forward: Callable[..., Any], kind: type[Node]) -> Any:
    """Any number of tensors (or None), and attributes by name."""

    def apply(*inputs: Any, **named: Any) -> Any:
        if state.enabled:
            for x in inputs:
                if x is not None and x._requires_grad:
                    node = record(kind, *inputs)
                    return attach(forward(node, *inputs, **named), node)
        return forward(_FORGET, *inputs, **named)

    return apply


def edge(x: Tensor) -> tuple[Any, int]:
    """Where a tensor that requires grad came from."""
    return (x, -1) if x._node is None else (x._node, x._output)


@has_native("RECORD")
def record(kind: type[Node], *inputs: Tensor | None) -> Node:
    """A node of an operation on these inputs, of which some require grad."""
    needs = tuple([x is not None and x._requires_grad for x in inputs])
    return kind(needs, tuple([edge(x) if need else None for x, need in zip(inputs, needs, strict=True)]))  # type: ignore[arg-type]


@has_native("ATTACH")
def attach(out: Any, node: Node) -> Any:
    """Make `node` the origin of what its forward returned."""
    if out.__class__ is not Tensor:
        return _attach_several(out, node)
    out._node = node
    out._requires_grad = True
    if out._base is not None:
        remember_view(out)
    return out


def _attach_several(out: Any, node: Node) -> Any:
    node.outputs = [(x.shape, x.dtype) for x in out]
    for index, x in enumerate(out):
        if x.dtype.is_floating_point:
            x._node, x._output, x._requires_grad = node, index, True
            if x._base is not None:
                remember_view(x)
    return out


@has_native("REMEMBER")
def remember_view(view: Tensor) -> None:
    """Note a view with the memory it looks at: a later in-place change gives it a new origin (see inplace.py)."""
    cell = view._shared_cell()
    views = cell[1]
    if views is None:
        views = cell[1] = []
    elif len(views) >= 64 and len(views) & (len(views) - 1) == 0:
        views[:] = [reference for reference in views if reference() is not None]
    views.append(weakref.ref(view))
