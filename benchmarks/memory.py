"""Resident memory of training steps: `python -m benchmarks.memory`, on Linux.

The first table is the peak of a few steps of a large network above what was resident before it: after the imports, and after
a step of a tiny network, which loads what a library loads when it is first used. The second one is the growth over 10,000
steps of a small network, from the step that is named on; the compiled step records two steps, plans after the second, and
replays from the third on.
Each library has a process of its own, on two threads.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from . import programs, turns

FORMS = {
    "fastgrad compiled": ("fastgrad", "compiled"),
    "fastgrad": ("fastgrad", "eager"),
    "torch": ("torch", "eager"),
    "torch fused": ("torch", "fused"),
}


def status(field: str) -> int:
    """A number of /proc/self/status in KiB: VmRSS is resident now, VmHWM was at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field + ":")).split()[1])


def peak(library: str, form: str, widths: list[int], batch: int, steps: int) -> float:
    """MiB."""
    tiny = programs.mlp(library, [8, 6, 3], 4, form=form)
    for _ in range(5):
        tiny()
    before = status("VmRSS")
    step = programs.mlp(library, widths, batch, form=form)
    for _ in range(steps):
        step()
    return (status("VmHWM") - before) / 1024


def growth(library: str, form: str, widths: list[int], batch: int, steps: int) -> dict[str, int]:
    """KiB, from each of some early steps on."""
    step = programs.mlp(library, widths, batch, form=form)
    early = {}
    for number in range(1, steps + 1):
        step()
        if number in (2, 10, 200):
            early[str(number)] = status("VmRSS")
    now = status("VmRSS")
    return {number: now - then for number, then in early.items()}


def measured(what: str, name: str, widths: list[int], batch: int, steps: int) -> Any:
    """In a process of one library's form."""
    return turns.asked("benchmarks.memory", [what, *FORMS[name], widths, batch, steps], FORMS[name][0], 2)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    present = [name for name, (library, _) in FORMS.items() if library in programs.installed()]
    parser.add_argument("--forms", nargs="+", choices=present, default=present)
    parser.add_argument("--widths", type=int, nargs="+", default=[1024, 4096, 4096, 1000], help="of the large network")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--steps", type=int, default=10_000, help="of the small network, 20-13-8-3")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        what, *given = json.loads(options.serve)
        print(json.dumps({"peak": peak, "growth": growth}[what](*given)))
        return
    title = f"{'-'.join(map(str, options.widths))}, batch {options.batch}"
    print(f"| {title} | peak above imports (MiB) |\n|---|---:|")
    for name in options.forms:
        print(f"| {name} | {measured('peak', name, options.widths, options.batch, 6):,.1f} |", flush=True)
    print(f"\n| 20-13-8-3, {options.steps:,} steps | growth from step 2 (KiB) | from step 10 | from step 200 |")
    print("|---|---:|---:|---:|")
    for name in options.forms:
        found = measured("growth", name, [20, 13, 8, 3], 500, options.steps)
        print(f"| {name} | " + " | ".join(f"{grown:,}" for grown in found.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
