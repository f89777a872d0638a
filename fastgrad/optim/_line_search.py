"""The line search of L-BFGS: a length whose loss and slope meet the strong Wolfe conditions.

After Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6, with the choices of PyTorch and minFunc.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from fastgrad._tensor import Tensor

__all__ = ["strong_wolfe"]

_DECREASE = 1e-4  # of the loss, as a share of what the first slope promises
_FLATTENING = 0.9  # of the slope: what may be left of it
_SMALLEST = 1e-9  # change of a parameter that is still worth a look


class _Point(NamedTuple):
    """A length that was tried, and what was found there."""

    length: float
    loss: float
    gradient: Tensor
    slope: float


def strong_wolfe(
    along: Callable[[float], tuple[float, Tensor]],
    length: float,
    direction: Tensor,
    loss: float,
    gradient: Tensor,
    slope: float,
    most: int,
) -> tuple[float, Tensor, float, int]:
    """(loss, gradient, length, number of evaluations) at the length that was found.

    `along(length)` gives loss and gradient; `loss`, `gradient` and `slope` are those at 0; `length` is tried first, and
    at most `most` more after it.
    """

    def look(at: float) -> _Point:
        loss, gradient = along(at)
        return _Point(at, loss, gradient, float(gradient.dot(direction)))

    def too_high(point: _Point) -> bool:
        return point.loss > loss + _DECREASE * point.length * slope

    start = previous = _Point(0.0, loss, gradient, slope)
    point = look(length)
    tries, done = 0, False
    ends = None
    while tries < most:
        if too_high(point) or (tries > 1 and point.loss >= previous.loss):
            ends = [previous, point]
            break
        if abs(point.slope) <= -_FLATTENING * slope:
            ends, done = [point], True
            break
        if point.slope >= 0:
            ends = [previous, point]
            break
        farther = (point.length + 0.01 * (point.length - previous.length), point.length * 10)
        previous, point = point, look(_lowest(previous, point, *farther))
        tries += 1
    if ends is None:
        ends = [start, point]

    reach = float(direction.abs().max())
    low, high = (0, 1) if ends[0].loss <= ends[-1].loss else (1, 0)
    stuck = False
    while not done and tries < most:
        near, far = sorted(end.length for end in ends)
        if (far - near) * reach < _SMALLEST:
            break
        length = _lowest(ends[0], ends[1], near, far)
        # A length at the edge makes no progress: where that happens twice, or at the edge itself, step inside.
        margin = 0.1 * (far - near)
        if min(far - length, length - near) < margin:
            if stuck or length >= far or length <= near:
                length = far - margin if abs(length - far) < abs(length - near) else near + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False

        point = look(length)
        tries += 1
        if too_high(point) or point.loss >= ends[low].loss:
            ends[high] = point
            low, high = (0, 1) if ends[0].loss <= ends[1].loss else (1, 0)
        else:
            if abs(point.slope) <= -_FLATTENING * slope:
                done = True
            elif point.slope * (ends[high].length - ends[low].length) >= 0:
                ends[high] = ends[low]
            ends[low] = point
    found = ends[low if len(ends) > 1 else 0]
    return found.loss, found.gradient, found.length, tries + 1


def _lowest(a: _Point, b: _Point, least: float, most: float) -> float:
    """Where the cubic through two points with these slopes is lowest, between `least` and `most`."""
    if a.length > b.length:
        a, b = b, a
    width = a.length - b.length
    bend = a.slope + b.slope - 3 * (a.loss - b.loss) / width if width else math.nan
    square = bend**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2.0
    root = math.sqrt(square)
    under = b.slope - a.slope + 2 * root
    if not under:
        return most if b.slope + root - bend < 0 else least
    return min(max(b.length + width * ((b.slope + root - bend) / under), least), most)
