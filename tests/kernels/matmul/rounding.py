"""Rounding to bfloat16 in integer arithmetic: what the engine's packing is held against."""

from __future__ import annotations

import numpy as np


def rounded(x):
    """float32 numbers rounded to bfloat16, to nearest even; denormals become zero, a NaN stays (a quiet) one."""
    bits = np.ascontiguousarray(x).view("u4")
    up = (bits + (0x7FFF + ((bits >> 16) & 1)).astype("u4")) & np.uint32(0xFFFF0000)
    up = np.where((bits & 0x7F800000) == 0, bits & np.uint32(0x80000000), up)
    up = np.where((bits & 0x7FFFFFFF) > 0x7F800000, (bits & np.uint32(0xFFFF0000)) | np.uint32(0x400000), up)
    return up.astype("u4").view("f4").reshape(x.shape)
