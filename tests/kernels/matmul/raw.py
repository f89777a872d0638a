"""The engine's `gemm` on NumPy arrays, arrays of all kinds of strides, and the checks for its results."""

from __future__ import annotations

import numpy as np
from fastgrad.kernels.cpu.matmul.plan import gemm

GUARD = 12345.678


def product(a, b, out, *, bias=None, sums=None, accumulate=0, **more):
    """out (+)= a @ b + bias, for two-dimensional arrays of any strides."""
    words = [out.shape[0], out.shape[1], a.shape[1]]
    for x in (out, a, b):
        words += [x.ctypes.data, *(stride // x.itemsize for stride in x.strides)]
    address = {k: v.ctypes.data for k, v in (("bias", bias), ("sums", sums)) if v is not None}
    gemm(out.dtype.name, *words, accumulate=accumulate, **address, **more)
    return out


def laid_out(values, form):
    """The same matrix in memory of another form; `guards` finds the array that all of it lies in."""
    rows, columns = values.shape
    if form == "c":
        room = np.full((rows + 2, columns), GUARD, values.dtype)
        view = room[1:-1]
    elif form == "f":
        room = np.full((columns + 2, rows), GUARD, values.dtype)
        view = room[1:-1].T
    elif form == "padded":  # rows further apart than they are long, from an odd element on
        room = np.full((rows + 2, columns + 5), GUARD, values.dtype)
        view = room[1:-1, 3 : 3 + columns]
    elif form == "strided":
        room = np.full((rows + 2, 2 * columns + 3), GUARD, values.dtype)
        view = room[1:-1, 1 : 1 + 2 * columns : 2]
    elif form == "reversed":
        room = np.full((rows + 2, columns + 2), GUARD, values.dtype)
        view = room[1:-1, 1:-1][::-1, ::-1]
    else:
        raise ValueError(form)
    view[...] = values
    return view, room


def untouched_around(view, room):
    """Whether everything in `room` outside of `view` still is the guard value."""
    outside = np.ones(room.shape, bool)
    mask = np.lib.stride_tricks.as_strided(
        outside.reshape(-1)[(view.ctypes.data - room.ctypes.data) // view.itemsize :],
        view.shape,
        [stride // view.itemsize for stride in view.strides],
    ) if min(view.strides) > 0 else None  # fmt: skip
    if view.size == 0:
        return bool((room == room.dtype.type(GUARD)).all())
    if mask is None:
        outside[1:-1, 1:-1] = False
    else:
        mask[...] = False
    return bool((room[outside] == room.dtype.type(GUARD)).all())


def error_ratio(out, a, b, start=0.0):
    """The largest |out - exact| over eps (|start| + |A||B|): as in the reference BLAS tests, limit 16."""
    if out.size == 0:
        return 0.0
    wide = np.longdouble if out.dtype == np.float64 else np.float64
    a, b, start = a.astype(wide), b.astype(wide), np.asarray(start, wide)
    scale = np.abs(start) + np.abs(a) @ np.abs(b) + np.finfo(out.dtype).tiny
    return float((np.abs(out.astype(wide) - (start + a @ b)) / scale).max() / np.finfo(out.dtype).eps)
