"""Whole training steps, every installed library in one group: `pytest benchmarks/test_steps.py`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from . import programs

STEPS: dict[str, Callable[[str], Any]] = {
    "program 4: 500 x 20-13-8-3": programs.classifier_by_hand,
    "program 5: linear regression": programs.line_by_hand,
    "(w * x).backward()": programs.scalar_product,
}
NETS = {
    "20-13-8-3, batch 500": ([20, 13, 8, 3], 500),
    "10-46-46-10, batch 128": ([10, 46, 46, 10], 128),
    "784-256-128-10, batch 128": ([784, 256, 128, 10], 128),
}
LIBRARIES = programs.installed()


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name in ("fastgrad", "torch")])
@pytest.mark.parametrize("name", STEPS)
def test_program(benchmark: Any, measure: Any, threads: int, name: str, library: str) -> None:
    benchmark.group = f"{name}, {threads} threads"
    measure(STEPS[name](library), library, threads)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("name", NETS)
def test_net(benchmark: Any, measure: Any, threads: int, name: str, optimizer: str, library: str) -> None:
    widths, batch = NETS[name]
    benchmark.group = f"{name}, {optimizer}, {threads} threads"
    flops = sum(6 * batch * a * b for a, b in pairwise(widths)) - 2 * batch * widths[0] * widths[1]
    measure(programs.mlp(library, widths, batch, optimizer), library, threads, flops)
