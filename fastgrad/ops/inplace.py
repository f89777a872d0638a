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
from ..autograd.context import FunctionNode
from ..autograd.graph import Node
from ..autograd.modes import state
from .op import MADE_IN_INFERENCE_MODE, op
from .shape import _place, _translate, as_strided, contiguous

LEAF_ERROR = "a leaf Variable that requires grad is being used in an in-place operation."
VIEW_OF_LEAF_ERROR = "a view of a leaf Variable that requires grad is being used in an in-place operation."
UNRECORDED_VIEW_ERROR = (
    "A view was created in {mode} mode and is being modified inplace {where}. Given that this use case is ambiguous and "
    "error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the "
    "{block} block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
)
FUNCTION_VIEW_ERROR = (
    "Output {index} of {name} is a view and is being modified inplace. This view was created inside a custom Function (or "
    "because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward "
    "associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by "
    "cloning the output of the custom Function."
)
INFERENCE_ERROR = (
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor "
    "before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
)

DETACH_VIEW_ERROR = (
    "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and "
    "gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
    "these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as "
    "the solution."
)


def check(x: Tensor) -> None:
    """RuntimeError, with PyTorch's text, where an in-place change of `x` is not allowed or would lose a gradient."""
    if x.is_inference() and not state.inference:
        raise RuntimeError(INFERENCE_ERROR)
    if state.enabled:
        base = x._base
        if base is None:
            if x._requires_grad and x._node is None:
                raise RuntimeError(LEAF_ERROR)
        elif x._requires_grad or base._requires_grad:
            _check_view(x, base)
    launch.check_writable(x)


def _check_view(x: Tensor, base: Tensor) -> None:
    if x._output < 0:
        inference = x._output == MADE_IN_INFERENCE_MODE
        mode, block = ("inference", "inference_mode") if inference else ("no_grad", "no_grad")
        where = "in normal mode" if inference else "with grad mode enabled"
        raise RuntimeError(UNRECORDED_VIEW_ERROR.format(mode=mode, where=where, block=block))
    if (x._requires_grad and x._node is None) or (base._requires_grad and base._node is None):
        raise RuntimeError(VIEW_OF_LEAF_ERROR)
    if isinstance(x._node, FunctionNode):
        raise RuntimeError(FUNCTION_VIEW_ERROR.format(index=x._output, name=x._node.operation()))


def recorded(x: Tensor, *others: Any) -> bool:
    """Whether changing `x` with these operands has to be recorded."""
    if not state.enabled:
        return False
    return x._requires_grad or any(o.__class__ is not int and getattr(o, "_requires_grad", False) for o in others)


def replace(x: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """Write `compute(old x)`, of the shape and dtype of x, over x, and let x stand where the result stands in the graph."""
    if x._base is not None:
        _check_view(x, x._base)
    old = launch.copy(x)
    old._requires_grad, old._node, old._output = x._requires_grad, x._node, x._output
    made = compute(old)
    if made.shape != x.shape:
        raise RuntimeError(f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(made.shape)}")
    if made._node is None and x._requires_grad:
        made = _constant_of(old, value=made)
    launch.copy_into(x, made)
    x._bump()
    adopt(x, made)
    return x


@op
def _constant_of(ctx: Any, old: Tensor, *, value: Tensor) -> Tensor:
    """What was computed without a gradient (a comparison, say), in the place of `old`."""
    return value.detach()


@_constant_of.derivative
def constant_of_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return launch.fill(launch.empty(gy.shape, gy.dtype), 0)


def adopt(x: Tensor, made: Tensor) -> None:
    """Give `x`, whose memory now holds what `made` holds, the place of `made` in the graph."""
    node = made._node
    if node is None:
        return
    if node.holds_output and node.saved:  # the output that was saved is x now
        node.saved = (x._alias(), *node.saved[1:])
        node.versions = (x._version, *node.versions[1 : len(node.saved)])
    base = x if x._base is None else x._base
    if base is x:
        _move(x, node, made._output)
    else:
        before = base._alias()
        before._requires_grad, before._node, before._output = base._requires_grad, base._node, base._output
        whole = copy_slices(
            before, made, shape=x.shape, strides=_translate(base.shape, base._strides, x._strides),
            offset=_place(base.shape, base._strides, x._offset - base._offset),
        )  # fmt: skip
        _move(base, whole._node, 0)
    cell = x._shared_cell()
    for reference in list(cell[1] or ()):
        view = reference()
        if view is not None and view._base is base:
            window = as_strided(base, shape=view.shape, strides=view._strides, offset=view._offset)
            _move(view, window._node, 0)
    cell[1] = [reference for reference in cell[1] or () if reference() is not None]


def _move(x: Tensor, node: Any, output: int) -> None:
    """Let `x` be this output of `node` from now on. A gradient that x was to retain is that of its new value."""
    old: Node | None = x._node
    kept = None if old is None or old.hooks is None else old.hooks.get("retain", {}).get(x._output)
    if kept is not None and kept() is x:
        del old.hooks["retain"][x._output]  # type: ignore[union-attr]
        node._hooks().setdefault("retain", {})[output] = kept
    x._node, x._output, x._requires_grad = node, output, True


@op
def copy_slices(ctx: Any, base: Tensor, part: Tensor, *, shape: Any, strides: Any, offset: int) -> Tensor:
    """`base` with a window of it replaced by `part`. The memory already holds the result: only the graph is new. The
    window is given in the strides of a contiguous tensor of the shape of `base`."""
    ctx.extra = shape, strides, offset
    return base._alias()


@copy_slices.derivative
def copy_slices_derivative(ctx: Any, gy: Tensor) -> Any:
    shape, strides, offset = ctx.extra
    gy = contiguous(gy)
    rest = clear_window(gy, shape=shape, strides=strides, offset=offset) if ctx.needs[0] else None
    return rest, as_strided(gy, shape=shape, strides=strides, offset=offset + gy._offset) if ctx.needs[1] else None


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


def _constant(name: str) -> Any:
    """An operation that writes one number over everything, of which its node's name is all there is to tell."""

    @op(name=name)
    def constant(ctx: Any, old: Tensor, *, value: Any) -> Tensor:
        return launch.fill(launch.empty(old.shape, old.dtype), value)

    @constant.derivative
    def constant_derivative(ctx: Any, gy: Tensor) -> Tensor:
        return launch.fill(launch.empty(gy.shape, gy.dtype), 0)

    return constant


zeroed, filled = _constant("Zero"), _constant("Fill2")
copy_slices.node.__name__ = "CopySlices"
copy_slices.node.name = lambda node: "torch::autograd::CopySlices"
