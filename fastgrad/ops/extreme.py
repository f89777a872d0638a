"""The largest and the smallest, and where they stand: of a whole tensor or along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .. import _launch as launch
from .._geometry import wrap_dim
from .._launch import arrays
from .._launch.along import put
from .._tensor import Tensor
from ..autograd.modes import state
from . import choose, shape
from .elementwise import _div
from .fold import tied_slope
from .gather import scatter_along
from .op import op
from .out import numpy_names, with_out
from .pointwise import as_tensor, zeros
from .reduce import _stretch, _with_dims


class _Result(tuple[Tensor, Tensor]):
    """`values` and `indices` of an extreme along a dimension."""

    __slots__ = ()

    @property
    def values(self) -> Tensor:
        return self[0]

    @property
    def indices(self) -> Tensor:
        return self[1]

    def __repr__(self) -> str:
        return f"torch.return_types.{type(self).__name__}(\nvalues={self[0]!r},\nindices={self[1]!r})"


def _extreme(kind: str, launched: Any, of_all: Any, place: Any) -> tuple[Any, Any]:
    """The public `max` and `argmax`, or `min` and `argmin`."""
    name, result = kind.capitalize(), type(kind, (_Result,), {"__slots__": (), "__module__": "torch.return_types"})

    @op(name=f"{name}0")
    def along(ctx: Any, x: Tensor, *, dim: int, keepdim: bool) -> Any:
        values, places = launched(x, dim, keepdim)
        ctx.extra = x.shape, dim, keepdim
        ctx.save(places)
        return values, places

    @along.derivative
    def along_derivative(ctx: Any, gy: Any) -> Any:
        (places,), (size, dim, keepdim) = ctx.saved, ctx.extra
        if not state.enabled:
            return put(gy[0], places, dim, size)
        values = _with_dims(gy[0], size, (dim,), keepdim)
        return scatter_along(values, _with_dims(places, size, (dim,), keepdim), dim=dim, shape=size)

    @op(name=f"{name}1")
    def whole(ctx: Any, x: Tensor) -> Tensor:
        value: Tensor = of_all(x)
        ctx.save_output(value, x)
        return value

    @whole.derivative
    def whole_derivative(ctx: Any, gy: Tensor) -> Tensor:
        """Shared evenly between all elements that tie; NaN ties with NaN."""
        best, x = ctx.saved
        if not state.enabled:
            return tied_slope(gy, best, x, tuple(range(len(x.shape))), False, True)
        chosen = arrays.apply(lambda a, b: (a == b) | (np.isnan(a) & np.isnan(b)), x, best)
        kind = gy.dtype.numpy
        share = _div(gy, arrays.apply(lambda c: np.asarray(np.count_nonzero(c), kind), chosen))
        return choose._where(chosen, _stretch(share, x.shape), zeros(x))

    def check(x: Tensor, dim: Any, function: str) -> None:
        if dim is None and x._numel == 0:
            text = f"{function}(): Expected reduction dim to be specified for input.numel() == 0."
            if function.startswith("arg"):
                raise IndexError(text)
            raise RuntimeError(f"{text} Specify the reduction dim with the 'dim' argument.")
        if dim is not None and x.shape and x.shape[dim] == 0:
            raise IndexError(f"{function}(): Expected reduction dim {dim} to have non-zero size.")

    def extreme(
        input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None
    ) -> Any:
        x = as_tensor(input, kind)
        if dim is None and other is None and x._meta.numel:
            return whole(x)
        if dim.__class__ is Tensor or isinstance(dim, Tensor) or other is not None:
            pair = choose.maximum if kind == "max" else choose.minimum
            return pair(x, dim if other is None else other)
        if dim is None:
            check(x, None, kind)
            return whole(x)
        dim = wrap_dim(dim, x.ndim)
        check(x, dim, kind)
        if not x.shape:
            return result((shape.clone(x), arrays.new(np.int64(0))))
        return result(along(x, dim=dim, keepdim=keepdim))

    def argument(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        x = as_tensor(input, f"arg{kind}").detach()
        if x.dtype is _dtype.bool_:
            raise RuntimeError(f"arg{kind}(): does not support bool input")
        dim = dim if dim is None else wrap_dim(dim, x.ndim)
        check(x, dim, f"arg{kind}")
        if not x.shape:
            return arrays.new(np.int64(0))
        made: Tensor = place(x) if dim is None else launched(x, dim, keepdim)[1]
        return shape.reshape(made, *[1] * x.ndim) if keepdim and dim is None else made

    extreme.__name__ = extreme.__qualname__ = kind
    extreme.__doc__ = f"""The {kind}imum of all elements, or `(values, indices)` along `dim`, or of two tensors elementwise.

    NaN counts as {"larger" if kind == "max" else "smaller"} than all. Along a dimension the first of equal elements is
    chosen and gets the gradient; without one, all that tie share it. RuntimeError for an empty tensor without `dim`.

    >>> import fastgrad as torch
    >>> torch.{kind}(torch.tensor([[3, 1], [2, 5]]), dim=1).indices
    tensor({[0, 1] if kind == "max" else [1, 0]})
    """
    argument.__name__ = argument.__qualname__ = f"arg{kind}"
    argument.__doc__ = f"""The place of the {kind}imum: flattened, or along `dim`; the first where some are equal.

    >>> import fastgrad as torch
    >>> torch.arg{kind}(torch.tensor([3.0, 1.0, 3.0]))
    tensor({0 if kind == "max" else 1})
    """
    return with_out(numpy_names(extreme)), with_out(numpy_names(argument))


max, argmax = _extreme("max", launch.max_index, launch.reduce.max_all, launch.reduce.max_place)
min, argmin = _extreme("min", launch.min_index, launch.reduce.min_all, launch.reduce.min_place)

__all__ = ["argmax", "argmin", "max", "min"]
