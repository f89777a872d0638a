"""Where the kernels' time of a training step goes, kernel by kernel: `python -m benchmarks.profile_kernels`."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

from fastgrad._launch import core

from . import programs


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--widths", default="784,256,128,10")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--optimizer", choices=("sgd", "adam"), default="sgd")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    widths = list(map(int, options.widths.split(",")))
    programs.set_threads(options.threads)
    step = programs.mlp("fastgrad", widths, options.batch, options.optimizer)
    for _ in range(10):
        step()
    spent: dict[str, float] = defaultdict(float)
    calls: dict[str, int] = defaultdict(int)
    work: dict[str, float] = defaultdict(float)
    entry = core.launch_entry()

    def timed(row: int, *args: float) -> None:
        begun = time.perf_counter()
        entry(row, *args)
        name = core.Rows.names.get(row, hex(row))
        if name == "matmul.product":  # its arguments: total, grain, table, then the sizes
            m, n, k = map(int, args[3:6])
            name = f"product ({m}, {k}) @ ({k}, {n})"
            work[name] += 2.0 * m * n * k
        spent[name] += time.perf_counter() - begun
        calls[name] += 1

    core.set_hook(timed)
    try:
        for _ in range(options.steps):
            step()
    finally:
        core.set_hook(None)
    total = sum(spent.values())
    step_time = total / options.steps * 1e6
    print(f"{options.widths}, batch {options.batch}, {options.threads} threads: {step_time:.1f} µs a step in kernels\n")
    print(f"{'µs a step':>10} {'share':>6} {'calls':>6} {'GFLOP/s':>8}  kernel")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        rate = f"{work[name] / seconds / 1e9:8.1f}" if work[name] else " " * 8
        share = 100 * seconds / total
        print(f"{seconds / options.steps * 1e6:10.2f} {share:5.1f}% {calls[name] / options.steps:6.1f} {rate}  {name}")


if __name__ == "__main__":
    main()
