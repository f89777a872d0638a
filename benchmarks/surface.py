"""Every operation beside PyTorch eager: `python -m benchmarks.surface`.

Each elementwise operation, activation, loss, norm and reduction of tests/surface, forward and forward with backward, at
three sizes; then a whole pass of a DataLoader, and one step of Adam over many tensors. Both libraries run in turns, in one
process, on the same threads: on one, and where a tensor is large enough to be shared out, on one and on two, of which each
library's better counts. A cell gives the medians in microseconds and how many times as fast fastgrad is.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import math
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

from . import programs
from .surface_rows import SHAPES, Row, bound, calls, inputs

LIBRARIES = ("fastgrad", "torch")
LEAST = {64: 1.0, 10_000: 1.0, 4_000_000: 0.95}  # the ratio that a row has to reach
SLOW = 0.1  # seconds of a call that is measured once
SHARED = 100_000  # from as many elements the row is measured on two threads, too


def count_for(step: Callable[[], Any], least: float) -> int:
    """How many calls of a step take about `least` seconds, once it has compiled what it needs."""
    if seconds(step, 1) > SLOW:
        return 1
    once = min(seconds(step, 1) for _ in range(3))
    few = max(1, round(least / once / 4))
    return max(1, round(least * few / seconds(step, few)))


def seconds(step: Callable[[], Any], count: int) -> float:
    """The time of `count` calls."""
    start = time.perf_counter()
    for _ in itertools.repeat(None, count):
        step()
    return time.perf_counter() - start


def in_turns(steps: dict[str, Callable[[], Any]], threads: tuple[int, ...], turns: int, least: float) -> dict[str, float]:
    """Each library's median, at its better number of threads."""
    times: dict[tuple[str, int], list[float]] = {(name, n): [] for n in threads for name in steps}
    counts = {name: count_for(step, least) for name, step in steps.items()}
    slow = any(seconds(step, 1) > SLOW for name, step in steps.items() if counts[name] == 1)
    for _ in range(1 if slow else turns):
        for n in threads:
            if len(threads) > 1:
                programs.set_threads(n)
            for name, step in steps.items():
                times[name, n].append(seconds(step, counts[name]) / counts[name])
    return {name: min(statistics.median(times[name, n]) for n in threads) for name in steps}


def measured(row: Row, size: int, given: dict[str, Any], turns: int, least: float) -> list[dict[str, float] | None] | None:
    """The times of forward, and of forward and backward; None where there is none, or no such call in PyTorch."""
    made = {}
    for name in LIBRARIES:
        try:
            made[name] = bound(importlib.import_module(name), row, given[name])
            made[name].forward()
        except (RuntimeError, TypeError, IndexError):  # a sample of tests/surface that shows an error
            return None
    threads = (1, 2) if size >= SHARED else (1,)
    programs.set_threads(1)
    found: list[dict[str, float] | None] = [
        in_turns({name: call.forward for name, call in made.items()}, threads, turns, least)
    ]
    if all(call.both for call in made.values()):
        try:
            made["torch"].both()
            found.append(in_turns({name: call.both for name, call in made.items()}, threads, turns, least))
            return found
        except RuntimeError:  # PyTorch has no such derivative
            pass
    return [*found, None]


def loader(library: str) -> Callable[[], Any]:
    """A whole pass over 60,000 rows of 20 numbers in batches of 64, shuffled."""
    t, data = importlib.import_module(library), importlib.import_module(f"{library}.utils.data")
    dataset = data.TensorDataset(t.rand(60_000, 20), t.randint(0, 3, (60_000,)))
    batches = data.DataLoader(dataset, batch_size=64, shuffle=True)

    def step() -> None:
        for _ in batches:
            pass

    return step


def adam(library: str) -> Callable[[], Any]:
    """One step of Adam over 100 tensors of 1,024 numbers."""
    t = importlib.import_module(library)
    parameters = [t.nn.Parameter(t.rand(1024)) for _ in range(100)]
    for parameter in parameters:
        parameter.grad = t.rand(1024)
    step: Callable[[], Any] = t.optim.Adam(parameters).step
    return step


WHOLE = {
    "DataLoader(TensorDataset, batch_size=64, shuffle=True), a pass over 60,000 rows": (loader, 20),
    "Adam.step, 100 tensors of 1,024": (adam, 5),
}


def cell(found: dict[str, float]) -> str:
    ours, theirs = (found[name] for name in LIBRARIES)
    return " | ".join((f"{ours * 1e6:,.2f}", f"{theirs * 1e6:,.2f}", f"{theirs / ours:.2f}"))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--only", default="", help="rows whose name or family contains this")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.001, help="length of one turn of one library")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    rows = [row for row in calls() if options.only in f"{row.family}: {row.title}"]
    ratios: dict[int, dict[str, float]] = {size: {} for size in options.sizes}
    cells: dict[tuple[str, str, str], dict[int, str]] = {}
    for size in options.sizes:  # one size at a time, so that the inputs of one are in memory
        given = {name: inputs(importlib.import_module(name), size) for name in LIBRARIES}
        turns = options.turns if size < SHARED else max(1, options.turns // 2)
        for row in rows:
            times = measured(row, size, given, turns, options.seconds) or ()
            for way, found in zip(("", " + backward"), times, strict=False):
                if found is not None:
                    cells.setdefault((row.family, row.title, way), {})[size] = cell(found)
                    ratios[size][row.title + way] = found["torch"] / found["fastgrad"]
    print("| operation | direction | " + " | ".join(f"{n:,}: fastgrad (µs) | PyTorch | ratio" for n in options.sizes) + " |")
    print("|---|---|" + "---:|" * (3 * len(options.sizes)))
    for (family, title, way), by_size in cells.items():
        line = " | ".join(by_size.get(size, " |  | ") for size in options.sizes)
        print(f"| {family}: `{title}` | forward{way} | {line} |")
    for size, of_rows in ratios.items():
        if of_rows:
            mean = math.exp(statistics.fmean(map(math.log, of_rows.values())))
            short = {title: ratio for title, ratio in of_rows.items() if ratio < LEAST[size]}
            listed = ", ".join(f"{title} {ratio:.2f}" for title, ratio in sorted(short.items(), key=lambda pair: pair[1]))
            print(f"\n{size:,} elements: {len(of_rows)} rows, geometric mean {mean:.2f} times, {len(short)} below "
                  f"{LEAST[size]}: {listed or 'none'}")  # fmt: skip
    for title, (make, target) in WHOLE.items():
        if options.only in title:
            found = in_turns({name: make(name) for name in LIBRARIES}, (1, 2), options.turns, options.seconds)
            print(f"\n{title}: {cell(found).replace(' | ', ' / ')} times (wanted {target})")


if __name__ == "__main__":
    main()
