"""The methods of Tensor, one line each: names of operations. In-place methods end in an underscore."""

from __future__ import annotations

from typing import Any

from . import _dtype
from . import _launch as launch
from ._tensor import Tensor
from .autograd.modes import state
from .ops import choose, convert, elementwise, extreme, gather, index, inplace, join, linear, pointwise, power, reduce, shape
from .ops import create as creation

METHODS: dict[str, Any] = {
    # arithmetic
    "add": elementwise.add, "sub": elementwise.sub, "mul": elementwise.mul, "div": elementwise.div,
    "subtract": elementwise.sub, "multiply": elementwise.mul, "divide": elementwise.div, "true_divide": elementwise.div,
    "neg": elementwise.neg, "negative": elementwise.neg, "rsub": elementwise.rsub, "pow": power.pow,
    "__add__": elementwise._plus, "__radd__": elementwise.radd, "__sub__": elementwise._minus, "__rsub__": elementwise.rsub_,
    "__mul__": elementwise.times, "__rmul__": elementwise.rmul, "__truediv__": elementwise.over,
    "__rtruediv__": elementwise.rdiv, "__neg__": elementwise.neg, "__pos__": lambda x: x,
    "__pow__": power.pow, "__rpow__": lambda x, base: power.pow(base, x), "__abs__": pointwise.abs,
    "__matmul__": linear.matmul, "__rmatmul__": lambda x, other: linear.matmul(other, x),
    # comparison
    "eq": elementwise.eq, "ne": elementwise.ne, "lt": elementwise.lt, "le": elementwise.le, "gt": elementwise.gt,
    "ge": elementwise.ge, "__eq__": elementwise.eq, "__ne__": elementwise.ne, "__lt__": elementwise.lt,
    "__le__": elementwise.le, "__gt__": elementwise.gt, "__ge__": elementwise.ge,
    # elementwise mathematics
    "exp": pointwise.exp, "log": pointwise.log, "sqrt": pointwise.sqrt, "reciprocal": pointwise.reciprocal,
    "abs": pointwise.abs, "absolute": pointwise.abs, "sign": pointwise.sign, "clamp": choose.clamp,
    "clip": choose.clamp, "clamp_min": choose.clamp_min, "clamp_max": choose.clamp_max,
    "maximum": choose.maximum, "minimum": choose.minimum,
    "where": lambda x, condition, other: choose.where(condition, x, other),
    # reductions
    "sum": reduce.sum, "mean": reduce.mean, "max": extreme.max, "min": extreme.min, "argmax": extreme.argmax,
    "argmin": extreme.argmin,
    # shape
    "view": shape.view, "reshape": shape.reshape, "view_as": shape.view_as, "flatten": shape.flatten, "t": shape.t,
    "transpose": shape.transpose, "permute": shape.permute, "unsqueeze": shape.unsqueeze, "squeeze": shape.squeeze,
    "expand": shape.expand, "expand_as": shape.expand_as, "broadcast_to": shape.broadcast_to, "clone": shape.clone,
    "contiguous": shape.contiguous, "T": property(shape.T), "mT": property(shape.mT),
    # indexing
    "__getitem__": index.getitem, "__setitem__": index.setitem, "narrow": gather.narrow, "select": gather.select,
    "index_select": gather.index_select, "gather": gather.gather, "unique": gather.unique,
    # products
    "matmul": linear.matmul, "mm": linear.mm, "bmm": linear.bmm, "addmm": linear.addmm, "dot": linear.dot,
    "mv": linear.mv, "outer": linear.outer,
    # conversion
    "to": convert.to, "float": convert.float_, "double": convert.double, "long": convert.long, "int": convert.int_,
    "bool": convert.bool_, "cpu": convert.cpu, "type": convert.type_, "type_as": convert.type_as,
}  # fmt: skip


def _in_place(name: str, function: Any, tensors: Any = None, scalar: Any = None) -> Any:
    """`x.name_(...)`: what `function` computes, written over x.

    `tensors(a, b, out)` and `scalar(a, number, out)` are launches that do the same at once, for a contiguous float tensor
    with nothing to record.
    """

    def method(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if tensors is not None and len(args) == 1 and not kwargs and not (state.enabled and _matters(x, args[0])):
            meta, other = x._meta, args[0]
            if meta.contiguous and meta.dtype.category == 2:
                if other.__class__ is float or other.__class__ is int:
                    scalar(x, float(other), out=x)
                    x._bump()
                    return x
                if isinstance(other, Tensor) and other._meta is meta and other._storage is not x._storage:
                    tensors(x, other, out=x)
                    x._bump()
                    return x
        return _in_place_slowly(x, function, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name.strip('_')}`, written over this tensor."
    return method


def _matters(x: Tensor, other: Any) -> bool:
    """Whether the tape has to know of an in-place change of x."""
    if x._requires_grad or (x._base is not None and x._base._requires_grad):
        return True
    return isinstance(other, Tensor) and other._requires_grad


def _in_place_slowly(x: Tensor, function: Any, *args: Any, **kwargs: Any) -> Tensor:
    """An in-place operation in general: checked, recorded where that is wanted, of any dtypes and shapes."""
    inplace.check(x)
    if inplace.recorded(x, *args):
        return inplace.replace(x, lambda old: function(old, *args, **kwargs))
    made = function(x.detach(), *args, **kwargs)
    if made.shape != x.shape:
        raise RuntimeError(f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(made.shape)}")
    if made.dtype is not x.dtype and made.dtype.category > x.dtype.category:
        raise RuntimeError(
            f"result type {made.dtype.scalar_name} can't be cast to the desired output type {x.dtype.scalar_name}"
        )
    launch.copy_into(x, made)
    x._bump()
    return x


def _sub_scalar(x: Tensor, value: float, out: Tensor) -> Tensor:
    return launch.add_scalar(x, -value, out=out)


def zero_(x: Tensor) -> Tensor:
    """Set every element to 0."""
    return fill_(x, 0)


def fill_(x: Tensor, value: Any) -> Tensor:
    """Set every element to one number (a Python number, or a tensor without dimensions)."""
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions."
        )
    if state.enabled and _matters(x, value) or not x._meta.contiguous:
        inplace.check(x)
    if inplace.recorded(x, value):
        filler = value if isinstance(value, Tensor) else creation.scalar(value, x.dtype)
        return inplace.replace(x, lambda old: index._overwrite(old, convert.to_dtype(filler, x.dtype)))
    launch.fill(x, value.item() if isinstance(value, Tensor) else value)
    x._bump()
    return x


def copy_(x: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Write `src`, broadcast and converted, over this tensor."""
    inplace.check(x)
    if inplace.recorded(x, src):
        return inplace.replace(x, lambda old: index._overwrite(old, convert.to_dtype(src, x.dtype)))
    launch.copy_into(x, shape.expand(src.detach(), *x.shape))
    x._bump()
    return x


def detach_(x: Tensor) -> Tensor:
    """Take this tensor out of the graph that made it."""
    x._node, x._output, x._requires_grad = None, 0, False
    return x


_add_ = _in_place("add_", elementwise.add, launch.add, launch.add_scalar)
_sub_ = _in_place("sub_", elementwise.sub, launch.sub, _sub_scalar)
_mul_ = _in_place("mul_", elementwise.mul, launch.mul, launch.mul_scalar)
_div_ = _in_place("div_", elementwise.div, launch.div, launch.div_scalar)

METHODS |= {
    "add_": _add_, "__iadd__": _add_,
    "sub_": _sub_, "__isub__": _sub_,
    "mul_": _mul_, "__imul__": _mul_,
    "div_": _div_, "__itruediv__": _div_,
    "pow_": _in_place("pow_", power.pow), "exp_": _in_place("exp_", pointwise.exp),
    "log_": _in_place("log_", pointwise.log), "sqrt_": _in_place("sqrt_", pointwise.sqrt),
    "abs_": _in_place("abs_", pointwise.abs), "neg_": _in_place("neg_", elementwise.neg),
    "reciprocal_": _in_place("reciprocal_", pointwise.reciprocal), "clamp_": _in_place("clamp_", choose.clamp),
    "zero_": zero_, "fill_": fill_, "copy_": copy_, "detach_": detach_,
}  # fmt: skip


def install() -> None:
    """Give Tensor its methods."""
    for name, function in METHODS.items():
        setattr(Tensor, name, function)


install()
_ = _dtype
