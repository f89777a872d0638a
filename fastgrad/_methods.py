"""The methods of Tensor, one line each: names of operations. In-place methods end in an underscore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from . import _launch as launch
from ._geometry import broadcast
from ._launch.native import has_native
from ._method_table import IN_PLACE, MORE
from ._suggest import nearest
from ._tensor import Tensor
from .autograd.modes import InferenceCell, state
from .ops import (
    activation,
    arithmetic,
    choose,
    compare,
    convert,
    create,
    data,
    elementwise,
    extreme,
    gather,
    index,
    inplace,
    layout,
    linear,
    logic,
    multinomial,
    order,
    pointwise,
    power,
    product,
    quotient,
    random,
    reduce,
    shape,
    softmax,
    stretch,
)

METHODS: dict[str, Any] = {
    # arithmetic
    "add": elementwise.add, "sub": elementwise.sub, "mul": elementwise.mul, "div": elementwise.div,
    "subtract": elementwise.sub, "multiply": elementwise.mul, "divide": elementwise.div, "true_divide": elementwise.div,
    "neg": elementwise.neg, "negative": elementwise.neg, "pow": power.pow,
    "square": power.square, "floor_divide": quotient.floor_divide, "remainder": quotient.remainder,
    "__add__": elementwise._plus, "__radd__": elementwise.radd, "__sub__": elementwise._minus,
    "__rsub__": elementwise.rsub_, "__mul__": elementwise.times, "__rmul__": elementwise.rmul,
    "__truediv__": elementwise.over, "__rtruediv__": elementwise.rdiv, "__neg__": elementwise.neg,
    "__pos__": arithmetic.positive, "__abs__": pointwise.abs, "__pow__": power.power_operator,
    "__rpow__": power.reversed_power_operator, "__matmul__": product.matmul_operator,
    "__floordiv__": quotient.floor_divide, "__rfloordiv__": lambda x, other: quotient.floor_divide(other, x),
    "__mod__": quotient.remainder, "__rmod__": lambda x, other: quotient.remainder(other, x),
    # comparison, logic and bits
    **{f"__{name}__": operator for name, operator in compare.OPERATORS.items()}, "__contains__": logic.contains,
    "equal": logic.equal, "isclose": logic.isclose, "allclose": logic.allclose, "isnan": logic.isnan,
    "isinf": logic.isinf, "isfinite": logic.isfinite, "__invert__": logic.invert, **logic.OPERATORS,
    # elementwise mathematics
    "exp": pointwise.exp, "log": pointwise.log, "sqrt": pointwise.sqrt, "reciprocal": pointwise.reciprocal,
    "abs": pointwise.abs, "absolute": pointwise.abs, "sign": pointwise.sign, "clamp": choose.clamp, "clip": choose.clamp,
    "clamp_min": choose.clamp_min, "clamp_max": choose.clamp_max, "maximum": choose.maximum,
    "minimum": choose.minimum, "where": lambda x, condition, other: choose.where(condition, x, other),
    "relu": activation.relu, "sigmoid": activation.sigmoid, "tanh": activation.tanh, "softmax": softmax.softmax,
    "log_softmax": softmax.log_softmax,
    # reductions
    "sum": reduce.sum, "mean": reduce.mean, "max": extreme.max, "min": extreme.min, "argmax": extreme.argmax,
    "argmin": extreme.argmin, "all": logic.all, "any": logic.any,
    # shape
    "view": shape.view, "reshape": shape.reshape, "view_as": shape.view_as, "flatten": shape.flatten, "t": order.t,
    "transpose": order.transpose, "permute": order.permute, "unsqueeze": shape.unsqueeze, "squeeze": shape.squeeze,
    "expand": stretch.expand, "expand_as": stretch.expand_as, "broadcast_to": stretch.broadcast_to, "clone": layout.clone,
    "contiguous": shape.contiguous, "T": property(order.T), "mT": property(order.mT),
    # indexing
    "__getitem__": index.getitem, "__setitem__": index.setitem, "narrow": gather.narrow, "select": gather.select,
    "index_select": gather.index_select, "gather": gather.gather, "unique": gather.unique,
    # products
    "matmul": product.matmul, "mm": product.mm, "bmm": product.bmm, "addmm": linear.addmm, "dot": product.dot,
    "mv": product.mv, "outer": product.outer,
    # conversion, and tensors like this one
    "to": convert.to, "float": convert.float_, "double": convert.double, "long": convert.long, "int": convert.int_,
    "short": convert.short, "char": convert.char, "byte": convert.byte, "bool": convert.bool_, "cpu": convert.cpu,
    "cuda": convert.cuda,
    "type": convert.type_, "type_as": convert.type_as, "new_tensor": data.new_tensor, "new_empty": create.new_empty,
    "new_zeros": create.new_zeros, "new_ones": create.new_ones, "new_full": create.new_full,
}  # fmt: skip

# --- in place ---------------------------------------------------------------------------------------------------------


def _in_place(name: str, function: Any, tensors: Any = None, number: Any = None) -> Callable[..., Tensor]:
    """`x.name_(...)`: what `function` computes, written over x.

    `tensors(a, b, out=)` and `number(a, value, out=)` are the launches that do it without a temporary, where nothing is
    recorded and x is a float tensor; the other operand then has its dtype and fits its shape, or is a Python number.
    """

    def method(x: Tensor, *args: Any, **named: Any) -> Tensor:
        for other in args:
            if other.__class__ is Tensor and other._storage is x._storage:
                launch.check_overlap(x, other)
        quiet = _is_quiet(x, *args)
        if not quiet:
            inplace.check(x)
            if inplace.recorded(x, *args):
                return inplace.replace(x, lambda old: _converted(function(old, *args, **named), x))
        if tensors is not None and not named and x._meta.dtype.category == 2:
            other = args[0]
            if other.__class__ is float or other.__class__ is int:
                number(x, float(other), out=x)
                x._bump()
                return x
            if isinstance(other, Tensor) and other._meta.dtype is x._meta.dtype:
                if other._meta is not x._meta and not launch.fits(other.shape, x.shape):
                    return _refuse(x, broadcast(x.shape, other.shape))
                tensors(x, other if other._storage is not x._storage else launch.distinct(other, x), out=x)
                x._bump()
                return x
        made = function(x.detach(), *args, **named)
        if made is NotImplemented:
            return made
        if made.shape != x.shape:
            return _refuse(x, made.shape)
        launch.copy_into(x, _converted(made, x))
        x._bump()
        return x

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name.removesuffix('_')}`, written over this tensor."
    return method if tensors is None else has_native("IN_PLACE", tensors)(method)


def _is_quiet(x: Tensor, other: Any = None, *_: Any) -> bool:
    """Whether a change of x needs no check and no record: the usual case in an optimizer step written by hand."""
    if not x._meta.contiguous or x._cell.__class__ is InferenceCell:
        return False
    if not state.enabled:
        return True
    if x._requires_grad or (x._base is not None and x._base._requires_grad):
        return False
    return not (isinstance(other, Tensor) and other._requires_grad)


def _refuse(x: Tensor, made: tuple[int, ...]) -> NoReturn:
    raise RuntimeError(f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(made)}")


def _converted(made: Any, x: Tensor) -> Any:
    """A result in the dtype of the tensor it is written to; RuntimeError where that would lose its category."""
    if made is NotImplemented or made.dtype is x.dtype:
        return made
    if made.dtype.category > x.dtype.category:
        raise RuntimeError(
            f"result type {made.dtype.scalar_name} can't be cast to the desired output type {x.dtype.scalar_name}"
        )
    return convert.to_dtype(made, x.dtype)


@has_native("SET_ZERO", launch.fill)
def zero_(x: Tensor) -> Tensor:
    """Set every element to 0."""
    if inplace.recorded(x):
        inplace.check(x)
        return inplace.replace(x, lambda old: inplace.zeroed(old, value=0))
    return fill_(x, 0)


def fill_(x: Tensor, value: Any) -> Tensor:
    """Set every element to one number (a Python number, or a tensor without dimensions)."""
    if (value.__class__ is int or value.__class__ is float) and x._meta.dtype.category == 2 and _is_quiet(x):
        launch.fill(x, value)
        x._bump()
        return x
    inplace.check(x)
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions."
            )
        return copy_(x, value)
    value = index._as_value(value, x)
    if inplace.recorded(x):
        return inplace.replace(x, lambda old: inplace.filled(old, value=value.item()))
    launch.fill(x, value.item())
    x._bump()
    return x


def copy_(x: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Write `src`, broadcast and converted, over this tensor."""
    inplace.check(x)
    if (whole := broadcast(x.shape, src.shape)) != x.shape:
        _refuse(x, whole)
    src = stretch.expand(src, *x.shape)
    if inplace.recorded(x, src):
        return inplace.replace(x, lambda old: index._overwrite(old, convert.to_dtype(src, x.dtype)))
    launch.copy_into(x, src)
    x._bump()
    return x


def detach_(x: Tensor) -> Tensor:
    """Take this tensor out of the graph that made it. RuntimeError for a view."""
    if x._base is not None:
        raise RuntimeError(inplace.DETACH_VIEW_ERROR)
    x._node, x._output, x._requires_grad = None, 0, False
    return x


def _subtract_number(x: Tensor, value: float, out: Tensor) -> Tensor:
    made: Tensor = launch.add_scalar(x, -value, out=out)
    return made


_WITH_LAUNCH = {
    "add": (elementwise.add, elementwise._plus, launch.add, launch.add_scalar),
    "sub": (elementwise.sub, elementwise._minus, launch.sub, _subtract_number),
    "mul": (elementwise.mul, elementwise.times, launch.mul, launch.mul_scalar),
    "div": (elementwise.div, elementwise.over, launch.div, launch.div_scalar),
}
_SAME = {"add": (), "sub": ("subtract",), "mul": ("multiply",), "div": ("divide", "true_divide")}
for _name, (_function, _operator, _tensors, _number) in _WITH_LAUNCH.items():
    METHODS[f"{_name}_"] = _in_place(f"{_name}_", _function, _tensors, _number)
    _symbol = "truediv" if _name == "div" else _name
    METHODS[f"__i{_symbol}__"] = _in_place(f"__i{_symbol}__", _operator, _tensors, _number)
    for _same in _SAME[_name]:
        METHODS[f"{_same}_"] = METHODS[f"{_name}_"]
for _name in (
    "pow", "exp", "log", "sqrt", "abs", "neg", "reciprocal", "sign", "clamp", "clamp_min", "clamp_max", "square", "absolute",
    "negative",
):  # fmt: skip
    METHODS[f"{_name}_"] = _in_place(f"{_name}_", METHODS[_name])
for _name in ("pow", "floordiv", "mod", "and", "or", "xor", "lshift", "rshift"):
    METHODS[f"__i{_name}__"] = _in_place(f"__i{_name}__", (MORE | METHODS)[f"__{_name}__"])
for _name, _function in IN_PLACE.items():
    METHODS[f"{_name}_"] = _in_place(f"{_name}_", getattr(_function, "without_out", _function))
METHODS |= {"clip_": METHODS["clamp_"], "zero_": zero_, "fill_": fill_, "copy_": copy_, "detach_": detach_}


# --- what is not there ------------------------------------------------------------------------------------------------


def _missing(x: Tensor, name: str) -> NoReturn:
    """AttributeError that names the nearest real attribute."""
    text = f"'{type(x).__name__}' object has no attribute '{name}'"
    meant = None if name.startswith("__") else nearest(name, [n for n in dir(type(x)) if not n.startswith("_")])
    raise AttributeError(text if meant is None else f"{text}. Did you mean: '{meant}'?")


def _wrap_array(x: Tensor, array: Any, context: Any = None, return_scalar: bool = False) -> Tensor:
    """What NumPy computed with a tensor, as a tensor: `numpy.sin(x)`, `x + array`."""
    return data.from_numpy(array)


METHODS |= {
    "uniform_": random.uniform_, "normal_": random.normal_, "bernoulli_": random.bernoulli_, "random_": random.random_,
    "bernoulli": random.bernoulli, "multinomial": multinomial.multinomial,
}  # fmt: skip
METHODS |= {
    "__getattr__": _missing, "__array_wrap__": _wrap_array,
    "nbytes": property(lambda x: x.numel() * x.dtype.itemsize), "itemsize": property(lambda x: x.dtype.itemsize),
}  # fmt: skip


def install() -> None:
    """Give Tensor its methods."""
    for name, function in (MORE | METHODS).items():
        setattr(Tensor, name, getattr(function, "without_out", function))


install()
