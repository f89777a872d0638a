"""Launches that NumPy serves, where compiling buys nothing: integers, booleans, sorting, sets, fancy indexing."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from .. import _dtype
from .._geometry import Size, broadcast
from .._recording import host
from .._tensor import Tensor, empty, from_array


def new(array: Any) -> Tensor:
    """A tensor of a NumPy result, copied into pooled memory when it is small or not its own owner."""
    array = np.asarray(array)
    out = empty(Size(array.shape), _dtype.from_numpy(array.dtype), array.size)
    if array.size:
        out._array()[...] = array
    return out


def adopt(array: Any) -> Tensor:
    """A tensor on a NumPy result's own memory, without a copy."""
    return from_array(np.ascontiguousarray(array) if array.ndim else array.reshape(()))


@host
def apply(
    function: Callable[..., Any], *inputs: Tensor, out: Tensor | None = None, dtype: Any = None, quiet: bool = False
) -> Tensor:
    """`function` of the inputs as arrays, with NumPy's broadcasting; the result has `dtype` where one is given. A `quiet`
    function has the dtype that is wanted and warns of no numbers, so that nothing need be done about either."""
    if quiet:
        try:
            return new(function(*[x._array() for x in inputs]))
        except ValueError:
            reduce(broadcast, [x.shape for x in inputs])  # RuntimeError, in PyTorch's words, where sizes do not fit
            raise
    with np.errstate(all="ignore"):
        try:
            made = function(*[x._array() for x in inputs])
        except ValueError:
            reduce(broadcast, [x.shape for x in inputs])
            raise
        if out is not None:
            out._array()[...] = made
            return out
        made = np.asarray(made)
        return new(made if dtype is None else made.astype(dtype.numpy, copy=False))
