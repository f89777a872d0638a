"""The compiled step against everybody: `python -m benchmarks.compiled`.

Each library, in each of its forms and with one and two threads, trains the same network in a process of its own; all of them
run in turns, one at a time. A row gives each library's median at its better number of threads, and what percent of the
processor's multiply-add limit (of `benchmarks/matmul/probe.py`) fastgrad's step reaches.

`--widths` sweeps 10-w-w-10 at batch 128 on one thread and on two.
"""

from __future__ import annotations

import argparse
import importlib.util
from itertools import pairwise
from typing import Any

from . import turns

NETS = {
    "20-13-8-3, batch 500": ([20, 13, 8, 3], 500),
    "10-46-46-10, batch 128": ([10, 46, 46, 10], 128),
    "784-256-128-10, batch 128": ([784, 256, 128, 10], 128),
    "16 layers of 64, batch 256": ([64] * 17, 256),
    "784-1024-1024-10, batch 512": ([784, 1024, 1024, 10], 512),
    "1024-4096-4096-1000, batch 512": ([1024, 4096, 4096, 1000], 512),
}
MEDIUM = ("784-1024-1024-10, batch 512", "1024-4096-4096-1000, batch 512")
FORMS = {
    "fastgrad": ("fastgrad", "compiled", "highest"),
    "fastgrad eager": ("fastgrad", "eager", "highest"),
    "fastgrad medium": ("fastgrad", "compiled", "medium"),
    "torch": ("torch", "eager", "highest"),
    "torch fused": ("torch", "fused", "highest"),
    "torch compiled": ("torch", "compiled", "highest"),
    "jax jit": ("jax", "eager", "highest"),
}


def flops(widths: list[int], batch: int) -> int:
    """Of a training step's products: three for each layer, but for the first layer's gradient of the input."""
    return sum(6 * batch * a * b for a, b in pairwise(widths)) - 2 * batch * widths[0] * widths[1]


def medians(forms: list[str], net: tuple[list[int], int], optimizer: str, options: argparse.Namespace) -> dict[str, Any]:
    """For each form {threads: median}, measured in turns."""
    works = {}
    for name in forms:
        library, form, precision = FORMS[name]
        given = {"widths": net[0], "batch": net[1], "optimizer": optimizer, "form": form, "precision": precision}
        works[name] = turns.Work(library, "mlp", given)
    return turns.medians(works, options.turns, options.seconds)


def table(options: argparse.Namespace) -> None:
    from .matmul import probe

    limits = {t: probe.limit(t) for t in (1, 2)}
    print(f"multiply-add limit: {limits[1]:.0f} GFLOP/s on one thread, {limits[2]:.0f} on two\n")
    names = [n for n, (library, _, _) in FORMS.items() if importlib.util.find_spec(library) and n != "fastgrad medium"]
    others = [name for name in names if not name.startswith("fastgrad")]
    print("| step | optimizer | " + " | ".join(f"{n} (µs)" for n in names) + " | torch / own | jax / own | of the limit |")
    print("|---|---|" + "---:|" * (len(names) + 3))
    for title, net in NETS.items():
        for optimizer in options.optimizers:
            if options.only not in title:
                continue
            medium = ["fastgrad medium"] if title in MEDIUM else []
            found = medians([*names, *medium], net, optimizer, options)
            best = {name: min(times.values()) for name, times in found.items()}
            torch = min((best[n] for n in others if n.startswith("torch") and n in best), default=float("nan"))
            own = found["fastgrad"]
            share = max(flops(*net) / own[t] / limits[t] / 1e9 for t in own)
            cells = [f"{best[name] * 1e6:,.1f}" if name in best else "" for name in names]
            ratios = [f"{torch / best['fastgrad']:.2f}", f"{best.get('jax jit', float('nan')) / best['fastgrad']:.2f}"]
            print(f"| {title} | {optimizer} | " + " | ".join([*cells, *ratios, f"{share:.0%}"]) + " |", flush=True)
            if medium:
                time_medium, gain = best["fastgrad medium"] * 1e6, best["fastgrad"] / best["fastgrad medium"]
                print(f"| {title}, medium | {optimizer} | {time_medium:,.1f} | {gain:.2f} times highest |", flush=True)


def sweep(options: argparse.Namespace) -> None:
    """10-w-w-10 at batch 128: two threads must never be slower than one."""
    print("| width | 1 thread (µs) | 2 threads (µs) | |\n|---:|---:|---:|---|")
    for width in (8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048):
        found = medians(["fastgrad"], ([10, width, width, 10], 128), "sgd", options)["fastgrad"]
        one, two = found[1] * 1e6, found[2] * 1e6
        print(f"| {width} | {one:,.1f} | {two:,.1f} | {one / two:.2f} {'#' * round(20 * one / two)} |", flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="length of one turn of one library")
    parser.add_argument("--only", default="", help="nets whose name contains this")
    parser.add_argument("--optimizers", nargs="+", default=["sgd", "adam"])
    parser.add_argument("--widths", action="store_true")
    options = parser.parse_args(arguments)
    (sweep if options.widths else table)(options)


if __name__ == "__main__":
    main()
