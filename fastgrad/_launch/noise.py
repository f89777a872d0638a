"""Layers that draw random numbers as they go; the kernels stand in `kernels/cpu/noise.py`."""

from __future__ import annotations

from .._dtype import uint8
from .._generator import Generator
from .._tensor import Tensor, empty, new
from . import core
from .core import GRAIN, Rows, contiguous

_rrelu = Rows("noise.rrelu")
_alpha_dropout = Rows("noise.alpha_dropout")
_scale_kept = Rows("noise.scale_kept")


def rrelu(x: Tensor, lower: float, upper: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """x times a slope, and the slope: drawn from [lower, upper) where x <= 0, else 1."""
    x = contiguous(x)
    meta = x._meta
    out, slope, n = new(meta), new(meta), meta.numel
    with generator.lock:
        core.run(_rrelu[meta.dtype], n, n, out._address, slope._address, x._address, generator.address, lower, upper)
    return out, slope


def alpha_dropout(
    x: Tensor, p: float, scale: float, shift: float, drop: float, generator: Generator
) -> tuple[Tensor, tuple[Tensor, float]]:
    """scale x + shift with probability p, else shift - drop; and what the derivative needs."""
    x = contiguous(x)
    meta = x._meta
    out, kept, n = new(meta), empty(meta.shape, uint8), meta.numel
    with generator.lock:
        core.run(
            _alpha_dropout[meta.dtype], n, n, out._address, kept._address, x._address, generator.address, p, scale, shift,
            drop,
        )  # fmt: skip
    return out, (kept, scale)


def scale_kept(gy: Tensor, drawn: tuple[Tensor, float]) -> Tensor:
    """scale gy where an element was kept, else gy * 0."""
    kept, scale = drawn
    gy = contiguous(gy)
    gx, n = new(gy._meta), gy._meta.numel
    core.run(_scale_kept[gy._meta.dtype], n, GRAIN, gx._address, gy._address, kept._address, scale)
    return gx
