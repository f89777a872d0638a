"""In-place operations under recording.

`x.add_(y)` computes what `x + y` computes and writes it over x; x then stands where the sum stands in the graph. Where x
is a view, the tensor it looks at gets a new origin as well (its old value with the view's part replaced), and so do all
other views of that memory that are still alive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _launch as launch
from .._tensor import Tensor
from ..autograd.modes import state
from .op import edge, op
from .shape import as_strided, contiguous

LEAF_ERROR = "a leaf Variable that requires grad is being used in an in-place operation."
VIEW_OF_LEAF_ERROR = "a view of a leaf Variable that requires grad is being used in an in-place operation."


def check(x: Tensor) -> None:
    """RuntimeError, with PyTorch's text, where an in-place change of `x` would lose a leaf's gradient."""
    if state.enabled:
        if x._requires_grad and x._node is None:
            raise RuntimeError(LEAF_ERROR)
        base = x._base
        if base is not None and base._requires_grad and base._node is None:
            raise RuntimeError(VIEW_OF_LEAF_ERROR)
    launch.check_writable(x)


def recorded(x: Tensor, *others: Any) -> bool:
    """Whether changing `x` with these operands has to be recorded."""
    if not state.enabled:
        return False
    return x._requires_grad or any(o.__class__ is not int and getattr(o, "_requires_grad", False) for o in others)


def replace(x: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """Write `compute(old x)` over x and let x stand where the result stands in the graph."""
    old = launch.copy(x)
    old._requires_grad, old._node, old._output = x._requires_grad, x._node, x._output
    made = compute(old)
    if made.shape != x.shape:
        raise RuntimeError(
            f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(made.shape)}"
        )
    launch.copy_into(x, made)
    x._bump()
    adopt(x, made)
    return x


def adopt(x: Tensor, made: Tensor) -> None:
    """Give `x`, whose memory now holds what `made` holds, the place of `made` in the graph."""
    if not made._requires_grad:
        return
    node = made._node
    if node is not None and node.holds_output and node.saved:
        node.saved = (x._alias(), *node.saved[1:])  # the output that was saved is x now
        node.versions = (x._version, *node.versions[1:])  # type: ignore[index]
    base = x._base
    if base is None:
        x._node, x._output, x._requires_grad = made._node, made._output, True
    else:
        alias = base._alias()
        alias._requires_grad, alias._node, alias._output = base._requires_grad, base._node, base._output
        scattered = as_strided_scatter(
            alias, made, shape=x.shape, strides=x._strides, offset=x._offset - base._offset
        )
        base._node, base._output, base._requires_grad = scattered._node, scattered._output, True
        _follow(base, x)
    for reference in x._shared_cell()[1] or ():
        view = reference()
        if view is not None and view is not x and view._base is (base or x):
            _follow(base or x, view)


def _follow(base: Tensor, view: Tensor) -> None:
    """Give a view of changed memory its new origin: a window on the base as it is now."""
    window = as_strided(base, shape=view.shape, strides=view._strides, offset=view._offset)
    view._node, view._output, view._requires_grad = window._node, window._output, window._requires_grad


@op
def as_strided_scatter(ctx: Any, base: Tensor, part: Tensor, *, shape: Any, strides: Any, offset: int) -> Tensor:
    """`base` with a window of it replaced by `part`. The memory already holds the result: only the graph is new."""
    ctx.extra = shape, strides, offset
    return base._alias()


@as_strided_scatter.derivative
def as_strided_scatter_derivative(ctx: Any, gy: Tensor) -> Any:
    shape, strides, offset = ctx.extra
    gy = contiguous(gy)
    part = as_strided(gy, shape=shape, strides=strides, offset=offset + gy._offset)
    return clear_window(gy, shape=shape, strides=strides, offset=offset) if ctx.needs[0] else None, part


@op
def clear_window(ctx: Any, gy: Tensor, *, shape: Any, strides: Any, offset: int) -> Tensor:
    """A copy of `gy` with zeros in a window: what is left for the tensor before the window was replaced."""
    ctx.extra = shape, strides, offset
    out = launch.copy(gy)
    launch.fill(launch.view(out, shape, strides, offset), 0)
    return out


@clear_window.derivative
def clear_window_derivative(ctx: Any, ggx: Tensor) -> Tensor:
    shape, strides, offset = ctx.extra
    return clear_window(contiguous(ggx), shape=shape, strides=strides, offset=offset)
