"""The side-by-side table of README: `python -m benchmarks.compare`.

Every library runs the same step in turns, each on one thread and on two, in processes of their own; a row gives each
library's median at its better number of threads, and how many times as fast fastgrad is as the fastest of the others.
Absolute times say something about this machine only.
"""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

from . import programs, turns

TORCH_SHAPED = ("fastgrad", "torch")


class Row(NamedTuple):
    """A step of `programs`, the libraries that have it, and how many things it does, where one of them is the row."""

    title: str
    maker: str
    options: dict[str, Any]
    libraries: tuple[str, ...] = tuple(programs.LIBRARIES)
    count: int = 1


def net(*widths: int, batch: int, optimizer: str = "sgd") -> Row:
    title = f"{'-'.join(map(str, widths))}, batch {batch}, {'SGD' if optimizer == 'sgd' else 'Adam'}"
    return Row(title, "mlp", {"widths": widths, "batch": batch, "optimizer": optimizer})


ROWS = [
    Row("500 x 20-13-8-3, SGD momentum (program 4)", "classifier_by_hand", {}, TORCH_SHAPED),
    Row("linear regression by hand (program 5)", "line_by_hand", {}, TORCH_SHAPED),
    Row("`(w * x).backward()`, two numbers", "scalar_product", {}, TORCH_SHAPED),
    Row("one recorded operation, eight numbers", "recorded_operations", {}, TORCH_SHAPED, programs.CHAIN),
    Row("the same and its node of `backward()`", "engine_nodes", {}, TORCH_SHAPED, programs.CHAIN),
    Row("a node of `autograd.grad` that is kept", "kept_nodes", {}, TORCH_SHAPED, programs.CHAIN),
    net(20, 13, 8, 3, batch=500),
    net(10, 46, 46, 10, batch=128),
    net(784, 256, 128, 10, batch=128),
    net(784, 256, 128, 10, batch=128, optimizer="adam"),
    net(784, 1024, 1024, 10, batch=512),
    net(1024, 4096, 4096, 1000, batch=512),
]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="length of one turn of one library")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    present = programs.installed()
    parser.add_argument("--libraries", nargs="+", choices=present, default=present)
    parser.add_argument("--blas", action="store_true", help="fastgrad with NumPy's BLAS for its products, too")
    options = parser.parse_args(arguments)
    variants = {name: (name, {}) for name in options.libraries}
    if options.blas:
        variants["fastgrad on BLAS"] = "fastgrad", {"FASTGRAD_MATMUL": "blas"}
    print("| training step | " + " | ".join(f"{name} (µs)" for name in variants) + " | fastgrad is faster by |")
    print("|---|" + "---:|" * (len(variants) + 1))
    for row in ROWS:
        if options.only not in row.title:
            continue
        works = {
            name: turns.Work(library, row.maker, row.options, variables)
            for name, (library, variables) in variants.items() if library in row.libraries
        }  # fmt: skip
        found = turns.medians(works, options.turns, options.seconds)
        best = {name: min(times.values()) / row.count for name, times in found.items()}
        others = min((time for name, time in best.items() if not name.startswith("fastgrad")), default=float("nan"))
        cells = [f"{best[name] * 1e6:.2f}" if name in best else "" for name in variants]
        print(f"| {row.title} | " + " | ".join(cells) + f" | {others / best['fastgrad']:.2f} times |", flush=True)


if __name__ == "__main__":
    main()
