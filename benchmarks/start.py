"""What a process waits for before its second step: `python -m benchmarks.start`.

A row is a library in a fresh process, from nothing to the first steps of a 20-13-8-3 network: the seconds that its import
takes (NumPy's, which all of them need, stands apart), those of the first steps, and those of the whole process, as medians
of turns. The compiled step has three first steps: two are recorded, at the third one the plan is made. fastgrad is measured
with kernels that were compiled before, as they are from the second process on, and once with an empty cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from typing import Any

from . import programs, turns

NET = {"widths": [20, 13, 8, 3], "batch": 500}
FORMS: dict[str, tuple[turns.Work, int]] = {  # and how many first steps
    "fastgrad": (turns.Work("fastgrad", "classifier_by_hand", {}), 1),
    "fastgrad compiled": (turns.Work("fastgrad", "mlp", {**NET, "form": "compiled"}), 3),
    "torch": (turns.Work("torch", "classifier_by_hand", {}), 1),
    "jax": (turns.Work("jax", "mlp", NET), 1),
    "sklearn": (turns.Work("sklearn", "mlp", NET), 1),
}


def serve(library: str, maker: str, options: dict[str, Any], steps: int) -> None:
    """In the process that is measured: `programs` has imported NumPy by now."""
    start = time.perf_counter()
    __import__("sklearn.neural_network" if library == "sklearn" else library)
    imported = time.perf_counter()
    step = getattr(programs, maker)(library, **options)
    for _ in range(steps):
        step()
    print(json.dumps({"import": imported - start, "steps": time.perf_counter() - imported}))


def one_start(work: turns.Work, steps: int, **variables: str) -> dict[str, float]:
    """The seconds of one process."""
    start = time.perf_counter()
    found = turns.asked("benchmarks.start", [*work.step, steps], work.library, 2, **variables)
    return {**found, "process": time.perf_counter() - start}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    present = [name for name, (work, _) in FORMS.items() if work.library in programs.installed()]
    parser.add_argument("--forms", nargs="+", choices=present, default=present)
    parser.add_argument("--no-empty", action="store_true", help="leave out the start with an empty cache")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve(*json.loads(options.serve))
        return
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in options.forms}
    for name in options.forms:
        one_start(*FORMS[name])  # fills the caches
    for _ in range(options.turns):
        for name, found in runs.items():
            found.append(one_start(*FORMS[name]))
    for name in [] if options.no_empty else options.forms:
        if FORMS[name][0].library == "fastgrad":
            with tempfile.TemporaryDirectory() as folder:
                runs[f"{name}, empty cache"] = [one_start(*FORMS[name], FASTGRAD_CACHE_DIR=folder)]
    print("| library | import (s) | first steps (s) | whole process (s) |\n|---|---:|---:|---:|")
    for name, found in runs.items():
        cells = [f"{statistics.median(run[key] for run in found):.3f}" for key in ("import", "steps", "process")]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
