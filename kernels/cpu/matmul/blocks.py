"""Sizes of the matrix engine for each class of processor: one table, a reason a row.

Only `PANEL` decides bits. A product is summed over k in panels: within a panel one chain of fused
multiply-adds in k order, starting from zero; the panels' sums are then added from first to last. Every other
number here may follow the processor.
"""

from __future__ import annotations

import functools
import os
import warnings
from typing import NamedTuple

# The most steps of k in one panel. A panel of the packed operand (PANEL x COLUMNS) is what a second-level
# cache holds, a strip of the other (ROWS x PANEL) what a first-level cache does. Products with a longer k
# have panels of equal length. Products of bfloat16 have float32's, so that they sum up in the same order.
PANEL = {"float32": 512, "float64": 256, "bfloat16": 512}


class Blocks(NamedTuple):
    """Block sizes of one processor class."""

    bytes: int  # of a vector register
    rows: int  # of the register tile; rows * vectors accumulators, plus vectors + 1, fill the register file
    vectors: int  # across the register tile
    widest: int  # vectors of a tile of one row, which is wide instead: 4, 8 or 16
    columns: int  # packed at a time, in bytes of a row, at most (see `columns`); scratch has room for PANEL * columns
    fused: bool  # whether the processor multiplies and adds in one instruction
    masks: bool  # whether it loads parts of a vector in one instruction


_TABLE = {
    # 32 registers of 64 bytes: 14 x 2 accumulators + 2 vectors + broadcasts. 12x2, 8x3 and 6x4 measured the
    # same.
    "avx512": Blocks(64, 14, 2, 16, 1024, True, True),
    # 16 registers of 32 bytes: 6 x 2 accumulators hide 10 of the 8 to 10 multiply-adds in flight.
    "avx2": Blocks(32, 6, 2, 8, 1024, True, True),
    # 32 registers of 16 bytes: 12 x 2.
    "neon": Blocks(16, 12, 2, 16, 1024, True, False),
    # 16 registers of 16 bytes and no fused multiply-add: products are rounded before they are added.
    "sse": Blocks(16, 6, 2, 8, 1024, False, False),
}


# Processors that may be asked for by name (NUMBA_CPU_NAME) with no list of features: names are LLVM's.
BFLOAT16 = {"cooperlake", "sapphirerapids", "emeraldrapids", "graniterapids", "graniterapids-d", "znver4", "znver5"}
_NAMED = {
    "avx512": BFLOAT16 | {
        "skylake-avx512", "skx", "cascadelake", "cannonlake", "icelake-client", "icelake-server", "tigerlake", "rocketlake",
        "x86-64-v4",
    },
    "avx2": {
        "haswell", "core-avx2", "broadwell", "skylake", "alderlake", "raptorlake", "meteorlake", "arrowlake", "arrowlake-s",
        "lunarlake", "gracemont", "sierraforest", "grandridge", "bdver4", "znver1", "znver2", "znver3", "x86-64-v3",
    },
}  # fmt: skip
_PLAIN = ("x86-64", "x86-64-v2", "generic")  # which have neither, as anyone who asks for them knows


@functools.cache
def processor() -> tuple[str, str]:
    """(name, features) to write code for: the host's, or what NUMBA_CPU_NAME and NUMBA_CPU_FEATURES say."""
    import llvmlite.binding as llvm

    host, named = llvm.get_host_cpu_name(), os.environ.get("NUMBA_CPU_NAME")
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = llvm.get_host_cpu_features().flatten() if named in (None, "host", host) else ""
    return host if named in (None, "host") else named, features


@functools.cache
def target() -> str:
    """The processor class that kernels are compiled for."""
    import llvmlite.binding as llvm

    name, listed = processor()
    features = {word[1:] for word in listed.split(",") if word.startswith("+")}
    if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= features:
        return "avx512"
    if {"avx2", "fma"} <= features:
        return "avx2"
    if llvm.get_default_triple().partition("-")[0] in ("aarch64", "arm64"):
        return "neon"
    if features or name in _PLAIN:
        return "sse"
    kind = next((kind for kind, names in _NAMED.items() if name in names), None)
    if kind is None and os.environ.get("NUMBA_CPU_FEATURES") is None:
        warnings.warn(
            f"what a {name} can do is not known, so matrix products are compiled for SSE2; NUMBA_CPU_FEATURES tells more",
            stacklevel=2,
        )
    return kind or "sse"


@functools.cache
def blocks() -> Blocks:
    """The block sizes of `target()`."""
    return _TABLE[target()]


@functools.cache
def columns() -> int:
    """Columns packed at a time here, in bytes of a row: PANEL of them fill half of the second-level cache, if the system
    says how large it is. A power of two, so that whole tiles fit; what is compiled needs only that it is not more than the
    table has."""
    most = blocks().columns
    try:
        with open("/sys/devices/system/cpu/cpu0/cache/index2/size") as file:
            cache = int(file.read().strip().removesuffix("K")) * 1024
    except (OSError, ValueError):
        return most
    fitting = cache // 2 // PANEL["float32"]
    return min(most, max(256, 1 << fitting.bit_length() - 1)) if fitting else most
