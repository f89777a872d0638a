"""What every benchmark shares: equal threads, compiled before measured, and a record of what ran."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

import fastgrad

from . import programs


def library_version(library: str) -> str:
    """The version of a library in a comparison; fastgrad's own also in a bare checkout."""
    return fastgrad.__version__ if library == "fastgrad" else version({"sklearn": "scikit-learn"}.get(library, library))


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def threads(request: pytest.FixtureRequest) -> Any:
    """The benchmark runs once on one thread and once on two, every library alike."""
    before = fastgrad.get_num_threads()
    programs.set_threads(request.param)
    yield request.param
    programs.set_threads(before)


@pytest.fixture
def measure(benchmark: Any) -> Callable[..., None]:
    """`measure(step, library, threads=..., flops=...)`: warm up, run the benchmark, and write down the circumstances."""

    def run(step: Callable[[], Any], library: str, threads: int = 1, flops: float = 0.0, **extra: Any) -> None:
        for _ in range(0 if benchmark.disabled else 3):  # compiles, loads, fills the pools
            step()
        benchmark.extra_info.update(
            library=library, library_version=library_version(library), threads=threads,
            numpy=np.__version__, python=platform.python_version(), **extra,
        )  # fmt: skip
        benchmark(step)
        if flops and benchmark.stats is not None:
            benchmark.extra_info["gflops"] = flops / benchmark.stats.stats.median / 1e9

    return run
