"""What a row of the table of operation cases is, and the shapes that rows share; see `cases.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    name: str
    call: Callable[..., Any]
    shapes: tuple[tuple[tuple[int, ...], ...], ...]  # one entry a run: the shape of each input
    numpy: Callable[..., Any] | None = None
    low: float = -3.0  # inputs are drawn from [low, high), no two closer than 1e-3, none nearer to 0 than `gap`
    high: float = 3.0
    gap: float = 1e-2
    grad: bool = True  # differentiable
    ulp: int = 2  # for elementwise results: units in the last place between float32 and the exact value
    mixes: bool = False  # numbers are added up: the error is measured against the largest result
    twice: bool = True  # second derivatives are finite
    special: bool = True  # NaN and infinities pass through as in PyTorch

    def expected(self, *arrays: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.asarray(self.numpy(*arrays) if self.numpy else self.call(np, *arrays))


ONE = tuple((shape,) for shape in [(), (1,), (0,), (7,), (2, 3), (3, 1, 5), (2, 0, 3), (16, 17)])
MATRIX = tuple((shape,) for shape in [(1, 1), (2, 3), (5, 4), (3, 0), (17, 33)])
CUBE = tuple((shape,) for shape in [(2, 3, 4), (1, 5, 2), (3, 1, 1), (2, 0, 3)])
TWO = (
    ((), ()), ((3,), ()), ((), (2, 2)), ((3,), (1,)), ((2, 3), (3,)), ((3,), (2, 3)), ((5, 1), (1, 7)), ((0, 3), (1, 3)),
    ((2, 3, 4), (2, 3, 4)), ((4, 1, 3), (2, 1)), ((33,), (33,)),
)  # fmt: skip
BOUNDS = (((4, 3), (3,), (3,)), ((7,), (), (7,)), ((2, 2), (2, 2), (1,)), ((0,), (1,), (1,)))


def _row(name: str, call: Any, numpy: Any = None, shapes: Any = ONE, **options: Any) -> Case:
    return Case(name, call, shapes, numpy, **options)


@dataclass
class Family:
    """Rows that share their options."""

    options: dict[str, Any]
    rows: list[Case] = field(default_factory=list)

    def __call__(self, name: str, call: Any, numpy: Any = None, **options: Any) -> None:
        self.rows.append(_row(name, call, numpy, **{**self.options, **options}))
