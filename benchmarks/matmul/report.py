"""The table of products: fastgrad, NumPy (OpenBLAS) and PyTorch in turns, with percent of the limit.

    python -m benchmarks.matmul.report [--threads 1 2] [--form product bias relu] [--only TEXT] [--turns 3]
                                       [--all] [--precision medium]

Four to five minutes on two quiet cores. Bias and relu are what a layer's forward has, so these forms are measured on
products of that layout (nt); --all measures them on every product. At the end comes a summary of all tables.

With --precision medium, fastgrad's products of bfloat16 pairs stand beside its own float32 and PyTorch's products of
bfloat16 tensors: "torch" is given tensors that are rounded already, "rounding" rounds float32 ones as fastgrad does; the
results of both are bfloat16. The limit is then that of pairs.

fastgrad's products are prepared ones, as layers and the compiled step call them; relu is part of the product's row.
PyTorch's are mm, addmm and relu_(addmm), all into memory that is there. The limit is the rate of independent chains of
fused multiply-adds on full vectors, on as many threads, best of five, measured again between the rows. Each engine runs in
a block of several milliseconds after a pause in which the others' threads fall asleep. One process for each thread count
and form, so that each library starts with it.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--form", nargs="*", default=["product", "bias", "relu"], choices=["product", "bias", "relu"])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--all", action="store_true", help="bias and relu on all products, not on forwards alone")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--precision", default="highest", choices=["highest", "medium"])
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        options.form = options.form[0]
        report(options)
        return
    summary = []
    for threads, form in itertools.product(options.threads, options.form):
        environment = dict(os.environ)
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            environment[name] = str(threads)
        command = [sys.executable, __file__, "--only", options.only, "--turns", str(options.turns), "--dtype", options.dtype]
        command += ["--precision", options.precision]
        command += ["--all"] * options.all + ["--here", "--threads", str(threads), "--form", form]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = ""
            for line in process.stdout:
                print(line, end="", flush=True)
        if process.returncode:
            sys.exit(process.returncode)
        summary.append(f"{form}, {threads} thread(s): {line.strip()}")
        print()
    print("Summary\n" + "\n".join(summary))


def report(options: argparse.Namespace) -> None:
    from probe import limit
    from shapes import products

    threads = options.threads[-1]
    rows = [p for p in products() if options.only in p.name]
    if options.form != "product" and not options.all:
        rows = [p for p in rows if p.kind == "nt"]
    if not rows:
        print("no such product")
        return
    contenders, arithmetic = ENGINES, options.dtype
    if options.precision == "medium":
        contenders, arithmetic = PAIRS, "bfloat16"
    print(f"{options.form}, {arithmetic}, {threads} thread(s); GFLOP/s")
    columns = "".join(f"{name:>9}" for name in contenders)
    print(f"{'':<22}{columns}{'best peer':>11}{'of limit':>10}{'us':>10}")
    ratios, torch_ratios, shares = [], [], []
    for product in rows:
        engines = {name: make(product, options) for name, make in contenders.items()}
        times = measured(engines, options.turns)
        flops = 2 * product.m * product.n * product.k
        rate = {name: flops / t / 1e9 for name, t in times.items()}
        ratio = min(t for name, t in times.items() if name not in ("fastgrad", "float32")) / times["fastgrad"]
        ratios.append(ratio)
        torch_ratios.append(times["torch"] / times["fastgrad"])
        share = rate["fastgrad"] / limit(threads, arithmetic)
        shares += [share] if min(product.m, product.n, product.k) >= 512 else []
        rates = "".join(f"{rate[name]:>9.1f}" for name in contenders)
        print(
            f"{product.name:<22}{rates}{ratio:>10.2f}x{share:>10.0%}{times['fastgrad'] * 1e6:>10.1f}",
            flush=True,
        )
    behind = [product.name for product, ratio in zip(rows, ratios, strict=True) if ratio < 1]
    small = [r for p, r in zip(rows, torch_ratios, strict=True) if p.m * p.n * p.k < 256**3]
    large = f"{statistics.median(shares):.0%} of the limit where all sides are 512 or more (median); " if shares else ""
    print(
        f"{large}geometric mean against the better peer {statistics.geometric_mean(ratios):.2f}, against PyTorch "
        f"{statistics.geometric_mean(torch_ratios):.2f} (least {min(torch_ratios):.2f}, below 256 cubed "
        f"{min(small, default=1):.2f}); behind the better peer on {len(behind)} of {len(rows)}: "
        + (", ".join(behind) or "none")
    )


# OpenBLAS's threads keep looking for work for tens of milliseconds after a call, OpenMP's for some.
PAUSE = 0.04


def measured(engines: dict[str, Callable[[], Any]], turns: int) -> dict[str, float]:
    """Median seconds of a call, the engines taking turns."""
    counts = {}
    for name, run in engines.items():
        run()
        once = seconds(run, 1)
        counts[name] = max(1, int(0.006 / max(1e-7, once if once > 0.001 else seconds(run, 3))))
    taken: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(turns):
        order = list(engines)
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            time.sleep(PAUSE)
            seconds(engines[name], max(1, counts[name] // 4))
            taken[name].append(seconds(engines[name], counts[name]))
    return {name: statistics.median(values) for name, values in taken.items()}


def seconds(run: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def ours(product: Any, options: argparse.Namespace) -> Callable[[], Any]:
    import numpy as np
    from fastgrad.kernels import jit, launcher, pool
    from fastgrad.kernels.cpu.matmul import precision
    from fastgrad.kernels.cpu.matmul.plan import fused, prepare

    pool.set_num_threads(options.threads[-1])
    precision.current = options.precision  # read as the product is prepared
    (a, b), size = product.operands(options.dtype), np.dtype(options.dtype).itemsize
    out, bias = np.zeros((product.m, product.n), options.dtype), np.ones(product.n, options.dtype)
    steps = [tuple(stride // size for stride in x.strides) for x in (out, a, b)]
    _, transposed, head, *rest, tail = prepare(options.dtype, product.m, product.n, product.k, *steps)
    places = [x.ctypes.data for x in ((out, b, a) if transposed else (out, a, b))]
    words = [word for place, step in zip(places, rest, strict=True) for word in (place, *step)]
    added = 0 if options.form == "product" else bias.ctypes.data
    row = (*head[:3], (*head[3:], *words, 0, added, transposed, *tail))
    if options.form == "relu":
        row = fused(*row, epilogue=jit.address("activation.relu", options.dtype))
    call = functools.partial(launcher.entry(), *row[:3], *row[3])
    call.keep = (a, b, out, bias)  # type: ignore[attr-defined]
    call()
    exact = a.astype("f8") @ b.astype("f8") + (options.form != "product")
    if options.form == "relu":
        exact = np.maximum(exact, 0)
    tolerance = 2e-2 if options.precision == "medium" else 1e-3
    if not np.allclose(out, exact, rtol=tolerance, atol=tolerance * product.k**0.5):
        raise AssertionError(f"{product.name}: wrong result")
    return call


def float32s(product: Any, options: argparse.Namespace) -> Callable[[], Any]:
    return ours(product, argparse.Namespace(**{**vars(options), "precision": "highest"}))


def numpys(product: Any, options: argparse.Namespace) -> Callable[[], Any]:
    import numpy as np

    a, b = product.operands(options.dtype)
    out, bias = np.zeros((product.m, product.n), options.dtype), np.ones(product.n, options.dtype)

    def with_bias() -> None:
        np.add(np.matmul(a, b, out=out), bias, out=out)

    def with_relu() -> None:
        with_bias()
        np.maximum(out, 0, out=out)

    return {"product": lambda: np.matmul(a, b, out=out), "bias": with_bias, "relu": with_relu}[options.form]


def tensors(product: Any, options: argparse.Namespace) -> list[Any]:
    import torch

    torch.set_num_threads(options.threads[-1])
    operands = product.operands(options.dtype)
    return [torch.from_numpy(x.T).T if product_is_transposed(x) else torch.from_numpy(x) for x in operands]


def rounding_torchs(product: Any, options: argparse.Namespace) -> Callable[[], Any]:
    import torch

    a, b = tensors(product, options)
    bias = torch.ones(product.n, dtype=torch.bfloat16)
    forms = {
        "product": lambda: torch.mm(a.bfloat16(), b.bfloat16()),
        "bias": lambda: torch.addmm(bias, a.bfloat16(), b.bfloat16()),
        "relu": lambda: torch.relu_(torch.addmm(bias, a.bfloat16(), b.bfloat16())),
    }
    return forms[options.form]


def torchs(product: Any, options: argparse.Namespace) -> Callable[[], Any]:
    import torch

    a, b = tensors(product, options)
    if options.precision == "medium":
        a, b = a.bfloat16(), b.bfloat16()
    out, bias = torch.zeros(product.m, product.n, dtype=a.dtype), torch.ones(product.n, dtype=a.dtype)

    def with_relu() -> None:
        torch.relu_(torch.addmm(bias, a, b, out=out))

    forms = {
        "product": lambda: torch.mm(a, b, out=out),
        "bias": lambda: torch.addmm(bias, a, b, out=out),
        "relu": with_relu,
    }
    return forms[options.form]


def product_is_transposed(x: Any) -> bool:
    return not x.flags.c_contiguous


ENGINES = {"fastgrad": ours, "numpy": numpys, "torch": torchs}
PAIRS = {"fastgrad": ours, "float32": float32s, "torch": torchs, "rounding": rounding_torchs}

if __name__ == "__main__":
    main()
