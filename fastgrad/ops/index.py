"""`x[index]`, read and write: integers, slices, None and ... make views; tensors, arrays, lists and masks gather copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype, _meta
from .. import _launch as launch
from .._geometry import Size, Step, contiguous_strides, indexed
from .._launch import places as at
from .._meta import Meta
from .._tensor import Tensor, window
from . import inplace
from .convert import to_dtype
from .create import scalar
from .op import op
from .pointwise import zeros
from .reduce import sum_to
from .shape import add_window, reshape
from .stretch import expand
from .subscript import parse, places_of, shape_of

# --- reading ----------------------------------------------------------------------------------------------------------


Place = tuple[list[Step], Meta, int]  # the steps of a view, its meta, and how many bytes further on it begins


def _place(meta: Meta, steps: list[Step]) -> Place:
    shape, strides, offset = indexed(meta.shape, meta.strides, 0, steps)
    return steps, _meta.strided(shape, strides, meta.dtype), offset * meta.dtype.itemsize


def _window(ctx: Any, x: Tensor, place: Place) -> Tensor:
    steps, meta, distance = place
    ctx.extra = x.shape, steps
    return window(x, meta, distance)


@op(name="Slice", scalar=True, view=True)
def _sliced(ctx: Any, x: Tensor, place: Place) -> Tensor:
    return _window(ctx, x, place)


@op(name="Select", scalar=True, view=True)
def _selected(ctx: Any, x: Tensor, place: Place) -> Tensor:
    return _window(ctx, x, place)


@op(name="Unsqueeze", scalar=True, view=True)
def _unsqueezed(ctx: Any, x: Tensor, place: Place) -> Tensor:
    return _window(ctx, x, place)


@op(name="Alias", scalar=True, view=True)
def _aliased(ctx: Any, x: Tensor, place: Place) -> Tensor:
    return _window(ctx, x, place)


@_sliced.derivative
@_selected.derivative
@_unsqueezed.derivative
@_aliased.derivative
def window_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, steps = ctx.extra
    _, strides, offset = indexed(shape, contiguous_strides(shape), 0, steps)
    return add_window(gy, shape=shape, strides=strides, offset=offset)


_WINDOWS = {"Slice": _sliced, "Select": _selected, "Unsqueeze": _unsqueezed, "Alias": _aliased}


def window_of(x: Tensor, kind: str, steps: list[Step]) -> Tensor:
    """The view that steps make (see `indexed`), under PyTorch's name for it."""
    made: Tensor = _WINDOWS[kind](x, _place(x._meta, steps))
    return made


@op(name="Index")
def _gather(ctx: Any, x: Tensor, *, places: Any) -> Tensor:
    ctx.extra = x.shape, places
    ctx.save()  # PyTorch saves the index: a second backward fails
    return at.take(x, places)


@_gather.derivative
def gather_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, places = ctx.extra
    return scatter(gy, shape=shape, places=places)


@op(name="IndexPut")
def scatter(ctx: Any, gy: Tensor, *, shape: Size, places: Any) -> Tensor:
    """Zeros with `gy` added at places; equal places add up."""
    ctx.extra = places
    out = launch.fill(launch.empty(shape, gy.dtype), 0)
    at.add(out, places, gy)
    return out


@scatter.derivative
def scatter_derivative(ctx: Any, ggx: Tensor) -> Tensor:
    return _gather(ggx, places=ctx.extra)


# Views that one integer or slice makes, by meta and index: working one out takes five times as long as finding it.
_known: dict[Any, tuple[Any, Place]] = {}
_PLAIN = frozenset((int, type(None)))


def getitem(x: Tensor, index: Any) -> Tensor:
    """`x[index]`: a view for integers, slices, None and ...; a copy for tensors, arrays, lists and masks.

    Raises IndexError where an index is out of range or a mask does not fit, ValueError for a negative step.

    >>> import fastgrad as torch
    >>> torch.arange(6).view(2, 3)[:, 1]
    tensor([1, 4])
    """
    if index.__class__ is int:
        key: Any = (x._meta, index)
    elif index.__class__ is slice and _PLAIN.issuperset((type(index.start), type(index.stop), type(index.step))):
        key = (x._meta, index.start, index.stop, index.step)
    else:
        key = None
    made: Tensor
    if key in _known:
        operation, place = _known[key]
        made = operation(x, place)
        return made
    steps, advanced, last = parse(x.shape, index)
    if not advanced:
        operation, place = _WINDOWS[last], _place(x._meta, steps)
        if key is not None:
            if len(_known) > 10_000:
                _known.clear()
            _known[key] = operation, place
        made = operation(x, place)
        return made
    if last != "Alias":
        x = window_of(x, last, steps)
    return _gather(x, places=places_of(x.shape, advanced))


# --- writing ----------------------------------------------------------------------------------------------------------


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`, recorded when gradients are wanted; a number or a tensor, which is broadcast and converted.

    Raises RuntimeError where the value does not fit, TypeError for anything but tensors and numbers.

    >>> import fastgrad as torch
    >>> x = torch.zeros(2, 2)
    >>> x[:, 0] = 1
    >>> x
    tensor([[1., 0.],
            [1., 0.]])
    """
    steps, advanced, last = parse(x.shape, index)
    value = _as_value(value, x)
    while value.ndim and value.shape[0] == 1:  # sizes of 1 in front say nothing
        value = reshape(value, *value.shape[1:])
    recorded = inplace.recorded(x, value)
    target = x
    if last != "Alias":
        target = window_of(x, last, steps)
        if target._meta is x._meta and target._address == x._address:
            target = x  # all of it
    inplace.check(target)
    if not advanced:
        value = expand(value, *target.shape)
        if recorded:
            inplace.replace(target, lambda old: _overwrite(old, to_dtype(value, x.dtype)))
        else:
            launch.copy_into(target, value)
            x._bump()
        return
    if value.dtype is not x.dtype and not (value.ndim == 0 and all(part.dtype is _dtype.bool_ for _, part in advanced)):
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {x.dtype.scalar_name} for the destination "
            f"and {value.dtype.scalar_name} for the source."
        )
    places = places_of(target.shape, advanced)
    _check_fits(value, target, places)
    if recorded:
        inplace.replace(target, lambda old: _put(old, to_dtype(value, x.dtype), places=places))
    else:
        at.write(target, places, value)
        x._bump()


def _as_value(value: Any, x: Tensor) -> Tensor:
    """What is assigned to a part of `x`, as a tensor."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (int, float, np.number, np.bool_)):
        return scalar(_dtype.checked(value, x.dtype), x.dtype)
    if isinstance(value, complex):
        raise RuntimeError(f"value cannot be converted to type {x.dtype.name} without overflow")
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    raise TypeError(f"can't assign a {name} to a torch.{x.dtype.scalar_name}Tensor")


def _check_fits(value: Tensor, target: Tensor, places: Any) -> None:
    shape = shape_of(target.shape, places) if value.ndim else ()  # a number fits anywhere
    if value.ndim > len(shape) or not launch.fits(value.shape, shape):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result of shape "
            f"{list(shape)}"
        )


@op(name="Copy")
def _overwrite(ctx: Any, old: Tensor, value: Tensor) -> Tensor:
    """`value` in the shape of `old`, of which nothing is left."""
    ctx.extra = old.shape, value.shape
    return launch.copy(launch.expand(value, old.shape))


_overwrite.node.__name__ = "CopyBackwards"
_overwrite.node.name = lambda node: "torch::autograd::CopyBackwards"


@_overwrite.derivative
def overwrite_derivative(ctx: Any, gy: Tensor) -> Any:
    return zeros(gy) if ctx.needs[0] else None, sum_to(gy, ctx.extra[1]) if ctx.needs[1] else None


@op(name="IndexPut")
def _put(ctx: Any, old: Tensor, value: Tensor, *, places: Any) -> Tensor:
    """`old` with `value` at places; which of several values for one place stays is not said."""
    out = launch.copy(old)
    at.write(out, places, value)
    ctx.extra = value.shape, places
    return out


@_put.derivative
def put_derivative(ctx: Any, gy: Tensor) -> Any:
    shape, places = ctx.extra
    kept = _put(gy, scalar(0.0, gy.dtype), places=places) if ctx.needs[0] else None
    return kept, sum_to(_gather(gy, places=places), shape) if ctx.needs[1] else None


__all__ = ["getitem", "setitem"]
