"""Steps measured in turns: each library, on each number of threads, in a process of its own, one at a time.

A process is asked for a turn by a line on its input, and answers with the seconds that a step took. So no library runs with
the threads, the memory or the settings of another one, and what disturbs the machine for a while disturbs all of them.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

REPOSITORY = str(Path(__file__).parents[1])


class Work(NamedTuple):
    """A step of `programs`, by name, so that another process can make it, under these environment variables."""

    library: str
    maker: str
    options: dict[str, Any]
    variables: Mapping[str, str] = MappingProxyType({})

    @property
    def step(self) -> tuple[str, str, dict[str, Any]]:
        """What the other process is told."""
        return self[:3]


def environment(library: str, threads: int) -> dict[str, str]:
    """The variables under which a process of this library starts on that many threads."""
    found = {
        **os.environ,
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)),
        "PYTHONPATH": os.pathsep.join(filter(None, [REPOSITORY, os.environ.get("PYTHONPATH")])),
    }
    if library == "jax" and threads == 1:
        found["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return found


def hold_to(library: str, threads: int) -> None:
    """Inside such a process, before the library is imported: JAX takes every core that it is given."""
    if library == "jax" and threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def asked(module: str, given: list[Any], library: str, threads: int, **variables: str) -> Any:
    """What a fresh process of a benchmark, `python -m module --serve given`, says last; RuntimeError where it fails."""
    command = [sys.executable, "-m", module, "--serve", json.dumps(given)]
    done = subprocess.run(command, env={**environment(library, threads), **variables}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{library} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


class Runner:
    """A process that makes one step, and runs it when it is asked to."""

    def __init__(self, work: Work, threads: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.turns", json.dumps([*work.step, threads])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**environment(work.library, threads), **work.variables},
        )  # fmt: skip
        self.times: list[float] = []
        self.trouble = ""

    def turn(self, seconds: float) -> None:
        """Have it run steps for that many seconds, and keep the seconds of one; what goes wrong is in `trouble`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if self.trouble:
            return
        with contextlib.suppress(BrokenPipeError):  # it has ended: what it said last is still to be read
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        try:
            self.times.append(float(answer))
        except ValueError:
            self.trouble = answer.strip() or "its process ended"

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def medians(works: dict[str, Work], turns: int, seconds: float) -> dict[str, dict[int, float]]:
    """For each name {threads: the median of its turns}; a library that cannot make the step is left out."""
    runners = {(name, threads): Runner(work, threads) for name, work in works.items() for threads in (1, 2)}
    try:
        for runner in runners.values():  # waits until every process is there, and warms it up
            runner.turn(seconds / 2)
            runner.times.clear()
        for _ in range(turns):
            for runner in runners.values():
                runner.turn(seconds)
    finally:
        for runner in runners.values():
            runner.end()
    result: dict[str, dict[int, float]] = {}
    for (name, threads), runner in runners.items():
        if runner.trouble:
            print(f"{name} on {threads} threads: {runner.trouble}", file=sys.stderr)
        elif runner.times:
            result.setdefault(name, {})[threads] = statistics.median(runner.times)
    return result


def serve(library: str, maker: str, options: dict[str, Any], threads: int) -> None:
    """In the process of a Runner: for each line with a number of seconds, run steps that long, and say one's time."""
    hold_to(library, threads)
    from . import programs

    if library in ("fastgrad", "torch"):
        importlib.import_module(library).set_num_threads(threads)
    try:
        step = getattr(programs, maker)(library, **options)
        for _ in range(5):
            step()
    except Exception as error:
        print(f"{type(error).__name__}: {error}".splitlines()[0])
        return
    for line in sys.stdin:
        least, count, start = float(line), 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < least or count < 2:
            step()
            count += 1
        print(elapsed / count, flush=True)


if __name__ == "__main__":
    serve(*json.loads(sys.argv[1]))
