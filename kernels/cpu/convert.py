"""From one dtype to another: each kernel is named after the dtype that it makes; its own type is that of its input."""

from __future__ import annotations

import numpy as np

from ..jit import elementwise
from ..math import converted


@elementwise(out="float32")
def to_float32(x):
    return converted(x, np.float32)


@elementwise(out="float64")
def to_float64(x):
    return converted(x, np.float64)


@elementwise(out="int64")
def to_int64(x):
    return converted(x, np.int64)


@elementwise(out="int32")
def to_int32(x):
    return converted(x, np.int32)


@elementwise(out="int16")
def to_int16(x):
    return converted(x, np.int16)


@elementwise(out="int8")
def to_int8(x):
    return converted(x, np.int8)


@elementwise(out="uint8")
def to_uint8(x):
    return converted(x, np.uint8)


@elementwise(out="bool")
def to_bool(x):
    return converted(x, np.bool_)
