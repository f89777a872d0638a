"""Where the time of a training step goes, by operation: `python -m benchmarks.profile_step --hidden 256,128 --batch 128`.

Python's own profiler tells how long each operation, derivative and engine function takes, its kernels included; the
kernels' share is measured by a hook on their launch.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time

from fastgrad._launch import core

from . import programs


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=784)
    parser.add_argument("--hidden", default="256,128")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--optimizer", choices=("sgd", "adam"), default="sgd")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    widths = [options.inputs, *map(int, options.hidden.split(",")), options.classes]
    programs.set_threads(options.threads)
    step = programs.mlp("fastgrad", widths, options.batch, options.optimizer)
    for _ in range(10):
        step()
    start = time.perf_counter()
    for _ in range(options.steps):
        step()
    plain = (time.perf_counter() - start) / options.steps

    in_kernels = 0.0
    entry = core.launch_entry()

    def timed(*args: float) -> None:
        nonlocal in_kernels
        begun = time.perf_counter()
        entry(*args)
        in_kernels += time.perf_counter() - begun

    core.set_hook(timed)
    try:
        for _ in range(options.steps):
            step()
    finally:
        core.set_hook(None)
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(options.steps):
        step()
    profile.disable()
    print(f"{'-'.join(map(str, widths))}, batch {options.batch}, {options.threads} threads: {plain * 1e6:.1f} µs a step, of")
    print(f"which {in_kernels / options.steps * 1e6:.1f} µs in kernels.")
    print("By function, under Python's profiler:\n")
    table = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    rows = sorted(((v[2], v[0], k[2], k[0]) for k, v in table.items()), reverse=True)[:25]
    print(f"{'own µs a step':>14} {'calls a step':>13}  function")
    for own, calls, function, file in rows:
        place = file.rpartition("fastgrad/")[2] if "fastgrad/" in file else file.rpartition("/")[2]
        print(f"{own / options.steps * 1e6:14.2f} {calls / options.steps:13.1f}  {function} ({place})")


if __name__ == "__main__":
    main()
