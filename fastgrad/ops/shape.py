"""Shape: views of the same memory, and the copies that some shapes need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _dtype, _meta
from .. import _launch as launch
from .._geometry import Size, contiguous_strides, infer_shape, view_strides, wrap_dim
from .._meta import Meta
from .._tensor import Tensor, window
from .op import op

_view = launch.view

# --- windows on memory ------------------------------------------------------------------------------------------------


@op(name="AsStrided", view=True)
def as_strided(ctx: Any, x: Tensor, *, shape: Size, strides: tuple[int, ...], offset: int) -> Tensor:
    """A window on the memory of `x`: sizes, strides and an absolute offset, all in elements."""
    ctx.extra = x.shape, x._strides, x._offset, shape, strides, offset
    return launch.as_strided(x, shape, strides, offset)


@as_strided.derivative
def as_strided_derivative(ctx: Any, gy: Tensor) -> Tensor:
    shape, own_strides, own_offset, _, strides, offset = ctx.extra
    plain = _translate(shape, own_strides, strides)
    return add_window(gy, shape=shape, strides=plain, offset=_place(shape, own_strides, offset - own_offset))


def _translate(shape: Size, own: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """Strides in the tensor's own memory, as strides in a contiguous tensor of the same shape."""
    return tuple([_place(shape, own, step) for step in strides])


def _place(shape: Size, own: tuple[int, ...], distance: int) -> int:
    """A distance in a tensor's memory as a distance in a contiguous tensor of the same shape."""
    plain = contiguous_strides(shape)
    if own == plain:
        return distance
    place = 0
    for stride, size, step in sorted(zip(own, shape, plain, strict=True), reverse=True):
        if size > 1 and stride:
            count, distance = divmod(distance, stride)
            place += count * step
    return place


@op(name="AddWindow")
def add_window(ctx: Any, gy: Tensor, *, shape: Size, strides: tuple[int, ...], offset: int) -> Tensor:
    """Zeros of `shape` with `gy` added at a window: the derivative of a window."""
    ctx.extra = gy.shape, strides, offset
    return launch.add_window(shape, gy, strides, offset)


@add_window.derivative
def add_window_derivative(ctx: Any, gy: Tensor) -> Tensor:
    window, strides, offset = ctx.extra
    whole = contiguous(gy)
    return contiguous(as_strided(whole, shape=window, strides=strides, offset=whole._offset + offset))


# --- other sizes ------------------------------------------------------------------------------------------------------


@op(name="View", scalar=True, view=True)
def reshape_view(ctx: Any, x: Tensor, meta: Meta) -> Tensor:
    """The memory of `x` in another geometry, from its beginning on, with the same elements in the same order."""
    ctx.extra = x.shape
    return window(x, meta)


@op(name="UnsafeView")
def unsafe_view(ctx: Any, x: Tensor, *, shape: Size) -> Tensor:
    """A contiguous tensor that nobody else will ever see, under another shape: not a view, as far as anyone can tell."""
    ctx.extra = x.shape
    made = launch.reshape(x, shape)
    made._base = None
    return made


@reshape_view.derivative
@unsafe_view.derivative
def view_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return reshape(gy, ctx.extra)


def sizes_of(shape: tuple[Any, ...]) -> Sequence[int]:
    """`f(2, 3)` and `f((2, 3))` mean the same."""
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    return [size.__index__() for size in given]


def view(x: Tensor, *shape: Any) -> Tensor:
    """The same memory under another shape; one size may be -1. RuntimeError where the strides do not allow it.

    With a dtype of the same size instead of a shape, the same bytes read as that dtype.

    >>> import fastgrad as torch
    >>> torch.arange(6).view(2, -1).shape
    torch.Size([2, 3])
    """
    if len(shape) == 1 and isinstance(shape[0], _dtype.dtype):
        from .convert import view_as_dtype

        return view_as_dtype(x, shape[0])
    meta = _under(x._meta, shape)
    if meta is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    made: Tensor = reshape_view(x, meta)
    return made


# The metas of views, by the metas they look at and the sizes asked for: working one out takes ten times as long.
_known: dict[tuple[Meta, tuple[Any, ...]], Meta | None] = {}


def _under(meta: Meta, shape: tuple[Any, ...]) -> Meta | None:
    """A meta under another shape, None where its strides do not allow it; RuntimeError where the sizes do not fit."""
    key = meta, shape
    for size in shape:
        if size.__class__ is not int:
            key = meta, tuple(sizes_of(shape))
            break
    found = _known.get(key, False)
    if found is False:
        to = infer_shape(key[1], meta.numel)
        strides = view_strides(meta.shape, meta.strides, to)
        if len(_known) > 10_000:
            _known.clear()
        found = _known[key] = None if strides is None else _meta.strided(to, strides, meta.dtype)
    return found  # type: ignore[return-value]


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements in the same order under another shape; a view where that is possible, else a copy.

    >>> import fastgrad as torch
    >>> torch.reshape(torch.arange(4), (2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    meta = _under(input._meta, shape)
    made: Tensor
    if meta is None:
        made = unsafe_view(contiguous(input), shape=infer_shape(sizes_of(shape), input._meta.numel))
    else:
        made = reshape_view(input, meta)
    return made


def view_as(x: Tensor, other: Tensor) -> Tensor:
    """`x.view(other.size())`."""
    return view(x, *other.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions `start_dim` to `end_dim` made one.

    >>> import fastgrad as torch
    >>> torch.flatten(torch.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    x, first, last = input, wrap_dim(start_dim, input.ndim), wrap_dim(end_dim, input.ndim)
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not x.shape:
        return reshape(x, 1)
    if first == last:
        return x
    return reshape(x, *x.shape[:first], Size(x.shape[first : last + 1]).numel(), *x.shape[last + 1 :])


# --- sizes of 1 -------------------------------------------------------------------------------------------------------


@op(name="Unsqueeze", view=True)
def _unsqueeze(ctx: Any, x: Tensor, *, dim: int) -> Tensor:
    ctx.extra = x.shape
    step = x._strides[dim] * x.shape[dim] if dim < x.ndim else 1
    shape, strides = [*x.shape[:dim], 1, *x.shape[dim:]], (*x._strides[:dim], step, *x._strides[dim:])
    return _view(x, Size(shape), strides)


_unsqueeze.derivative(view_derivative)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A view with a new dimension of size 1.

    >>> import fastgrad as torch
    >>> torch.unsqueeze(torch.zeros(3), 0).shape
    torch.Size([1, 3])
    """
    return _unsqueeze(input, dim=wrap_dim(dim, input.ndim + 1))


def _squeezed(ctx: Any, x: Tensor, dims: frozenset[int]) -> Tensor:
    ctx.extra = x.shape
    kept = [d for d in range(x.ndim) if d not in dims]
    return _view(x, Size([x.shape[d] for d in kept]), tuple([x._strides[d] for d in kept]))


@op(name="Squeeze0", view=True)
def _squeeze_all(ctx: Any, x: Tensor, *, dims: frozenset[int]) -> Tensor:
    return _squeezed(ctx, x, dims)


@op(name="Squeeze1", view=True)
def _squeeze_one(ctx: Any, x: Tensor, *, dims: frozenset[int]) -> Tensor:
    return _squeezed(ctx, x, dims)


@op(name="Squeeze2", view=True)
def _squeeze_some(ctx: Any, x: Tensor, *, dims: frozenset[int]) -> Tensor:
    return _squeezed(ctx, x, dims)


for _operation in (_squeeze_all, _squeeze_one, _squeeze_some):
    _operation.derivative(view_derivative)


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """A view without dimensions of size 1: all of them, or the given ones.

    >>> import fastgrad as torch
    >>> torch.squeeze(torch.zeros(1, 3, 1)).shape
    torch.Size([3])
    """
    x = input
    chosen: Sequence[int]
    if dim is None:
        operation, chosen = _squeeze_all, range(x.ndim)
    elif isinstance(dim, int):
        operation, chosen = _squeeze_one, [wrap_dim(dim, x.ndim)]
    else:
        operation, chosen = _squeeze_some, [wrap_dim(d, x.ndim) for d in dim]
    made: Tensor = operation(x, dims=frozenset(d for d in chosen if x.shape and x.shape[d] == 1))
    return made


# --- copies -----------------------------------------------------------------------------------------------------------


@op(name="Clone")
def clone(ctx: Any, input: Tensor) -> Tensor:
    """A contiguous copy in new memory; gradients flow through it.

    >>> import fastgrad as torch
    >>> x = torch.zeros(2)
    >>> x.clone().fill_(1), x
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    return launch.copy(input)


@clone.derivative
def clone_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return gy


def contiguous(x: Tensor, *, memory_format: Any = None) -> Tensor:
    """`x` itself where it lies in row-major order without gaps, else such a copy."""
    return x if x._meta.contiguous else clone(x)


__all__ = ["clone", "contiguous", "flatten", "reshape", "squeeze", "unsqueeze", "view", "view_as"]
