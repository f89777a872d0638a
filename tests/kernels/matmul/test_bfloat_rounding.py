"""Packing rounds float32 to bfloat16 as IEEE 754 rounds, whichever way the operand lies."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from fastgrad.kernels.cpu.matmul import bfloat, bfloat_pack, library

from tests.kernels.matmul.rounding import rounded

pytestmark = pytest.mark.skipif(not bfloat.available(), reason="no bfloat16 instructions")

# Lower halves around every decision: nothing, just below, at, and just above half a unit, and all.
LOWER = (0, 1, 2, 0x1234, 0x4000, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0x8002, 0xC000, 0xFFFE, 0xFFFF, 0x0080, 0x8080, 0xABCD)


def part(name, words):
    place = library.PACK + bfloat_pack.NAMES.index(name)
    address = (ctypes.c_int64 * (place + 1)).from_address(library.table_address("bfloat16"))[place]
    return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * words)(address)


def halves(pairs):
    """The two halves of pairs as float32, the upper one first, as a new last axis."""
    words = pairs.astype("u4")
    return np.stack([words & np.uint32(0xFFFF0000), words << 16], axis=-1).view("f4")


def along(x):
    """Lines of an even number of steps, rounded: through the packing and back."""
    lines, steps = x.shape
    pairs = np.zeros((lines, steps // 2 + 16), "u4")
    part("pairs_along", 6)(pairs.ctypes.data, pairs.strides[0], x.ctypes.data, x.strides[0], lines, steps)
    return halves(pairs[:, : steps // 2]).reshape(lines, steps)


def across(x):
    steps, columns = x.shape
    pairs = np.zeros((steps // 2, columns), "u4")
    words = (pairs.ctypes.data, 0, pairs.strides[0], x.ctypes.data, x.strides[0], steps, 1, columns)
    part("pairs_across", 8)(*words)
    return halves(pairs).transpose(0, 2, 1).reshape(steps, columns)


def turned(x):
    lines, steps = x.shape
    out = np.empty_like(x)
    for start in range(0, lines, 16):
        pairs = np.zeros((steps // 2 + 16, 16), "u4")
        words = (pairs.ctypes.data, pairs.strides[0], x[start:].ctypes.data, x.strides[0], min(16, lines - start), steps)
        part("pairs_turned", 6)(*words)
        out[start : start + 16] = halves(pairs[: steps // 2]).transpose(1, 0, 2).reshape(16, steps)[: lines - start]
    return out


def gathered(x):
    lines, steps = x.shape
    pairs = np.zeros((lines, steps // 2), "u4")
    words = (pairs.ctypes.data, pairs.strides[0], 4, x.ctypes.data, x.strides[0], 4, lines, steps)
    part("pairs_gathered", 8)(*words)
    return halves(pairs).reshape(lines, steps)


def same_bits(a, b):
    np.testing.assert_array_equal(a.view("u4"), b.view("u4"))


@pytest.mark.parametrize("pack", [along, across, turned, gathered])
def test_every_upper_half_with_lower_halves_around_every_decision(pack):
    bits = (np.arange(1 << 16, dtype="u4")[:, None] << 16) | np.array(LOWER, "u4")
    x = bits.reshape(-1, 64).view("f4")
    same_bits(pack(x), rounded(x))


@pytest.mark.slow
def test_every_float32():
    for top in range(1 << 8):
        x = (np.arange(1 << 24, dtype="u4") | np.uint32(top << 24)).view("f4").reshape(-1, 1 << 12)
        same_bits(along(x), rounded(x))


@pytest.mark.parametrize("steps", [1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 65])
def test_an_odd_step_is_paired_with_zero(steps):
    x = np.random.default_rng(steps).standard_normal((20, steps)).astype("f4")
    wide = np.full((20, steps + 3), np.nan, "f4")  # what lies beside is not read
    wide[:, :steps] = x
    even = np.zeros((20, steps + steps % 2), "f4")
    even[:, :steps] = rounded(x)
    n = even.shape[1] // 2
    room = np.zeros((20, n + 16), "u4")
    part("pairs_along", 6)(room.ctypes.data, room.strides[0], wide.ctypes.data, wide.strides[0], 20, steps)
    same_bits(halves(room[:, :n]).reshape(even.shape), even)
    room = np.zeros((20, n), "u4")
    part("pairs_gathered", 8)(room.ctypes.data, n * 4, 4, wide.ctypes.data, wide.strides[0], 4, 20, steps)
    same_bits(halves(room).reshape(even.shape), even)
    turned_room = np.zeros((n + 16, 16), "u4")
    part("pairs_turned", 6)(turned_room.ctypes.data, 64, wide.ctypes.data, wide.strides[0], 16, steps)
    same_bits(halves(turned_room[:n]).transpose(1, 0, 2).reshape(16, -1), even[:16])
    across_room = np.zeros((n, 20), "u4")
    lines = np.ascontiguousarray(wide.T)
    part("pairs_across", 8)(across_room.ctypes.data, 0, 80, lines.ctypes.data, 80, steps, 1, 20)
    same_bits(halves(across_room).transpose(1, 0, 2).reshape(20, -1), even)
