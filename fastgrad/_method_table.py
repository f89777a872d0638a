"""More methods of Tensor, family by family: the names of operations, and which of them have an in-place form."""

from __future__ import annotations

from typing import Any

from . import _launch as launch
from ._tensor import Tensor
from .ops import (
    activation,
    arithmetic,
    choose,
    compare,
    composed,
    contraction,
    counting,
    drawn,
    fold,
    fresh,
    functions,
    inplace,
    masks,
    mixing,
    order,
    out,
    pieces,
    places,
    quotient,
    ranking,
    rearrange,
    rounding,
    running,
    shape,
    spread,
    stretch,
)
from .ops import linear as products
from .ops import logic as questions
from .ops import multinomial as draws

# Functions that are no methods.
_FUNCTIONS_ONLY = {
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "cdist", "column_stack", "dstack", "einsum", "hstack",
    "meshgrid", "row_stack", "std_mean", "tensordot", "var_mean", "vstack",
}  # fmt: skip
FUNCTIONS: dict[str, Any] = {name: getattr(functions, name) for name in functions.__all__}
FUNCTIONS |= {name: getattr(rounding, name) for name in rounding.__all__}
FUNCTIONS |= {name: getattr(mixing, name) for name in mixing.__all__}
FUNCTIONS |= {"fmod": quotient.fmod, "floor_divide": quotient.floor_divide, "remainder": quotient.remainder}
COMPARISONS = {
    "eq": compare.eq, "ne": compare.ne, "lt": compare.lt, "le": compare.le, "gt": compare.gt, "ge": compare.ge,
    "less": compare.lt, "less_equal": compare.le, "greater": compare.gt, "greater_equal": compare.ge,
    "not_equal": compare.ne,
}  # fmt: skip
BITS = {
    name: getattr(questions, name)
    for name in (
        "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "bitwise_left_shift", "bitwise_right_shift",
        "logical_and", "logical_or", "logical_xor", "logical_not",
    )
}  # fmt: skip
REDUCTIONS: dict[str, Any] = {
    name: getattr(family, name)
    for family in (fold, running, spread, ranking, counting, composed)
    for name in family.__all__
    if name not in _FUNCTIONS_ONLY
}
SHAPES: dict[str, Any] = {
    name: getattr(family, name) for family in (rearrange, pieces) for name in family.__all__ if name not in _FUNCTIONS_ONLY
} | {
    "repeat": rearrange.repeat, "unfold": rearrange.unfold, "as_strided": rearrange.as_strided_,
    "swapaxes": order.transpose, "swapdims": order.transpose, "adjoint": order.mT, "H": property(order.mT),
    "reshape_as": lambda x, other: shape.reshape(x, *other.shape), "ndimension": lambda x: x.ndim,
    "sum_to_size": stretch.sum_to_size,
}  # fmt: skip
PLACES: dict[str, Any] = {name: getattr(family, name) for family in (places, masks) for name in family.__all__}
PRODUCTS: dict[str, Any] = {name: getattr(contraction, name) for name in contraction.__all__ if name not in _FUNCTIONS_ONLY}


class layout:
    """How elements lie in memory: fastgrad has `strided` only."""

    def __repr__(self) -> str:
        return "torch.strided"


strided = layout()


PLACE: dict[str, Any] = {
    "__dlpack__": fresh.to_dlpack, "__dlpack_device__": fresh.dlpack_device, "multinomial": draws.multinomial,
    "exponential_": drawn.exponential_, "geometric_": drawn.geometric_, "cauchy_": drawn.cauchy_,
    "log_normal_": drawn.log_normal_, "is_complex": lambda x: False, "is_signed": lambda x: x.dtype.is_signed,
    "is_cpu": property(lambda x: True), "is_sparse": property(lambda x: False), "is_quantized": property(lambda x: False),
    "get_device": lambda x: -1, "is_shared": lambda x: False, "is_pinned": lambda x: False, "is_nonzero": bool,
    "is_set_to": lambda x, other: x._address == other._address and x._meta is other._meta,
    "__complex__": lambda x: complex(x.item()), "layout": property(lambda x: strided),
    "__rmatmul__": lambda x, other: NotImplemented, "output_nr": property(lambda x: max(x._output, 0)),
}  # fmt: skip

# --- in place, beyond elementwise functions -------------------------------------------------------------------------------


def _look(name: str, function: Any) -> Any:
    """`x.t_()` and its like: this tensor looks at its memory as the view does."""

    def method(x: Tensor, *args: Any, **named: Any) -> Tensor:
        inplace.check(x)
        view = function(x, *args, **named)
        x._meta, x._address, x._node, x._output = view._meta, view._address, view._node, view._output
        x._bump()
        return x

    method.__name__ = method.__qualname__ = name
    return method


def fill_diagonal_(x: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """Set the diagonal of a matrix to one number."""
    if x.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    rearrange.diagonal(x).fill_(fill_value)
    return x


def resize_(x: Tensor, *sizes: Any) -> Tensor:
    """Give this tensor another size: the elements stay, in order; new ones have any contents. RuntimeError where it
    requires grad."""
    if x._requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    size = shape.sizes_of(sizes)
    old = shape.reshape(x, -1)
    out.resize(x, type(x.shape)(size))
    count = min(old._numel, x._numel)
    if count:
        launch.copy_into(shape.reshape(x, -1)[:count], old[:count])
    return x


def set_(x: Tensor, source: Tensor) -> Tensor:
    """Look at the memory of another tensor of this dtype."""
    if source.dtype is not x.dtype:
        raise RuntimeError("Could not set tensor of type " + source.dtype.name + " to a tensor of type " + x.dtype.name)
    x._storage, x._address, x._meta = source._storage, source._address, source._meta
    return x


def apply_(x: Tensor, callable: Any) -> Tensor:
    """Replace every element by what a Python function makes of it."""
    if x._requires_grad:
        raise RuntimeError("Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead.")
    array = x._array()
    for place, value in enumerate(array.reshape(-1).tolist()):
        array[tuple(int(k) for k in __import__("numpy").unravel_index(place, array.shape))] = callable(value)
    x._bump()
    return x


LOOKS = {
    "t_": order.t, "transpose_": order.transpose, "swapaxes_": order.transpose, "swapdims_": order.transpose,
    "squeeze_": shape.squeeze, "unsqueeze_": shape.unsqueeze, "as_strided_": rearrange.as_strided_,
}  # fmt: skip
PLACE |= {name: _look(name, function) for name, function in LOOKS.items()}
PLACE |= {"fill_diagonal_": fill_diagonal_, "resize_": resize_, "set_": set_, "apply_": apply_}
PLACE["resize_as_"] = lambda x, other: resize_(x, *other.shape)

MORE: dict[str, Any] = {
    **FUNCTIONS, **COMPARISONS, **BITS, **REDUCTIONS, **SHAPES, **PLACES, **PRODUCTS, **PLACE,
    "positive": arithmetic.positive, "isposinf": questions.isposinf, "isneginf": questions.isneginf,
}  # fmt: skip
# Methods with an in-place form, `name_`.
IN_PLACE: dict[str, Any] = {
    **FUNCTIONS, **COMPARISONS, **BITS, "relu": activation.relu, "sigmoid": activation.sigmoid, "tanh": activation.tanh,
    **{name: PLACES[name] for name in (
        "scatter", "scatter_add", "index_add", "index_copy", "index_fill", "index_put", "masked_fill", "masked_scatter")},
    "cumsum": running.cumsum, "cumprod": running.cumprod, "tril": rearrange.tril, "triu": rearrange.triu,
    "addmm": products.addmm, "addmv": contraction.addmv, "addbmm": contraction.addbmm, "baddbmm": contraction.baddbmm,
    "addr": contraction.addr, "clip": choose.clip,
}  # fmt: skip
