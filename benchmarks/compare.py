"""The side-by-side table of README: `python -m benchmarks.compare`.

Every library runs the same step in turns, in one process, on one thread and on two; a row gives each library's median at
its better number of threads, and how many times as fast fastgrad is. Absolute times say something about this machine only.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from . import programs

ROWS: dict[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "500 x 20-13-8-3, SGD momentum (program 4)": (programs.classifier_by_hand, ("fastgrad", "torch")),
    "linear regression by hand (program 5)": (programs.line_by_hand, ("fastgrad", "torch")),
    "`(w * x).backward()`, two numbers": (programs.scalar_product, ("fastgrad", "torch")),
    "20-13-8-3, batch 500, SGD": (lambda name: programs.mlp(name, [20, 13, 8, 3], 500), ()),
    "10-46-46-10, batch 128, SGD": (lambda name: programs.mlp(name, [10, 46, 46, 10], 128), ()),
    "784-256-128-10, batch 128, SGD": (lambda name: programs.mlp(name, [784, 256, 128, 10], 128), ()),
    "784-256-128-10, batch 128, Adam": (lambda name: programs.mlp(name, [784, 256, 128, 10], 128, "adam"), ()),
    "784-1024-1024-10, batch 512, SGD": (lambda name: programs.mlp(name, [784, 1024, 1024, 10], 512), ()),
    "1024-4096-4096-1000, batch 512, SGD": (lambda name: programs.mlp(name, [1024, 4096, 4096, 1000], 512), ()),
}


def seconds(step: Callable[[], Any], least: float) -> float:
    """The mean time of a step over a turn of at least `least` seconds."""
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < least or count == 0:
        step()
        count += 1
    return elapsed / count


def compare(make: Callable[[str], Any], libraries: list[str], turns: int, least: float) -> dict[str, float]:
    """Each library's median over the turns, at its better number of threads."""
    steps = {name: make(name) for name in libraries}
    times: dict[str, dict[int, list[float]]] = {name: {1: [], 2: []} for name in libraries}
    for threads in (1, 2):
        programs.set_threads(threads)
        for step in steps.values():
            for _ in range(5):
                step()
    for _ in range(turns):
        for threads in (1, 2):
            programs.set_threads(threads)
            for name, step in steps.items():
                times[name][threads].append(seconds(step, least))
    return {name: min(statistics.median(times[name][threads]) for threads in (1, 2)) for name in libraries}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1, help="length of one turn of one library")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    options = parser.parse_args()
    present = programs.installed()
    print("| training step | " + " | ".join(f"{name} (µs)" for name in present) + " | fastgrad is faster by |")
    print("|---|" + "---:|" * (len(present) + 1))
    for title, (make, wanted) in ROWS.items():
        if options.only in title:
            libraries = [name for name in present if not wanted or name in wanted]
            found = compare(make, libraries, options.turns, options.seconds)
            others = min((t for name, t in found.items() if name != "fastgrad"), default=float("nan"))
            cells = [f"{found[name] * 1e6:.1f}" if name in found else "" for name in present]
            print(f"| {title} | " + " | ".join(cells) + f" | {others / found['fastgrad']:.2f} times |", flush=True)


if __name__ == "__main__":
    main()
