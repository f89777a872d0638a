"""One whole training in every library: `python -m benchmarks.whole_training --data DIR`.

DIR holds MNIST's `t10k-*.gz` files, of which 8,000 images train a 784-512-256-10 network and 2,000 are held out; without
`--data` a made-up set of the same sizes takes their place. Adam at 1e-3, batches of 128, 10 epochs. Every library has the
same initial weights and the same batches, and a process of its own for each run; the runs take turns.

Two times are measured: from the start of the process to its end, with warm caches (JAX's compilation cache too), and of the
epochs alone, in which each library's first steps, with tracing or recording, are included. A row gives the medians at the
library's better number of threads.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from . import turns

FORMS = {"fastgrad": "fastgrad", "torch": "torch", "torch fused": "torch", "jax jit": "jax", "sklearn": "sklearn"}
RATE = 1e-3
HELD_OUT = 0.2

Arrays = dict[str, np.ndarray]


# -- the work -------------------------------------------------------------------------------------------------------------


def made_up(count: int, pixels: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten pictures, each drawn many times in noise that makes some hard to tell."""
    random = np.random.default_rng(0)
    labels = random.integers(0, classes, count)
    pictures = random.standard_normal((classes, pixels))
    return (0.25 * pictures[labels] + random.standard_normal((count, pixels))).astype(np.float32), labels


def read(folder: str) -> tuple[np.ndarray, np.ndarray]:
    from fastgrad import datasets

    images, labels = datasets.mnist(folder, train=False).tensors
    return images.numpy(), labels.numpy()


def work(options: argparse.Namespace) -> Arrays:
    """Data, initial weights as PyTorch draws them, and the order of the samples in each epoch."""
    widths = options.widths
    x, y = read(options.data) if options.data else made_up(options.samples, widths[0], widths[-1])
    held_out = int(HELD_OUT * len(x))
    random = np.random.default_rng(1)
    chosen = random.permutation(len(x))
    train, test = chosen[held_out:], chosen[:held_out]
    arrays = {"x": x[train], "y": y[train], "x_test": x[test], "y_test": y[test]}
    whole = len(train) - len(train) % options.batch
    arrays["orders"] = np.stack([random.permutation(len(train))[:whole] for _ in range(options.epochs)])
    for k, (n_in, n_out) in enumerate(pairwise(widths)):
        arrays[f"w{k}"] = random.uniform(-(n_in**-0.5), n_in**-0.5, (n_out, n_in)).astype(np.float32)
        arrays[f"b{k}"] = random.uniform(-(n_in**-0.5), n_in**-0.5, n_out).astype(np.float32)
    return arrays


# -- the libraries: each trains, and returns the seconds of its epochs and the classes that it gives the held-out samples ---


def train_torch(form: str, arrays: Arrays, batch: int) -> tuple[float, np.ndarray]:
    """fastgrad and PyTorch, from the same lines."""
    library = FORMS[form]
    torch: Any = importlib.import_module(library)
    nn, optim = importlib.import_module(f"{library}.nn"), importlib.import_module(f"{library}.optim")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    layers: list[Any] = []
    for w, b in weights(arrays):
        layers += [nn.Linear(w.shape[1], w.shape[0]), nn.ReLU()]
        with torch.no_grad():
            layers[-2].weight.copy_(torch.from_numpy(w))
            layers[-2].bias.copy_(torch.from_numpy(b))
    net = nn.Sequential(*layers[:-1])
    updater = optim.Adam(net.parameters(), lr=RATE, fused=form == "torch fused")
    loss_function = nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        updater.zero_grad()
        loss = loss_function(net(x), y)
        loss.backward()
        updater.step()
        return loss

    if library == "fastgrad":
        step = torch.compile(step)
    x, y = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"])
    orders = torch.from_numpy(arrays["orders"])
    start = time.perf_counter()
    for order in orders:
        for k in range(0, len(order), batch):
            chosen = order[k : k + batch]
            step(x[chosen], y[chosen])
    seconds = time.perf_counter() - start
    with torch.no_grad():
        return seconds, net(torch.from_numpy(arrays["x_test"])).argmax(1).numpy()


def train_jax(form: str, arrays: Arrays, batch: int) -> tuple[float, np.ndarray]:
    turns.hold_to("jax", int(os.environ["OMP_NUM_THREADS"]))
    import jax
    import jax.numpy as jnp

    def forward(parameters: Any, h: Any) -> Any:
        for k, (w, b) in enumerate(parameters):
            h = h @ w + b
            h = jax.nn.relu(h) if k + 1 < len(parameters) else h
        return h

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(forward(parameters, x)), y[:, None], 1).mean()

    def update(parameters: Any, state: Any, x: Any, y: Any, chosen: Any) -> Any:
        count, mean, square = state
        gradients = jax.grad(loss)(parameters, x[chosen], y[chosen])
        count = count + 1
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradients)
        square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradients)
        rate = RATE * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        moved = jax.tree.map(lambda p, m, s: p - rate * m / (jnp.sqrt(s) + 1e-8), parameters, mean, square)
        return moved, (count, mean, square)

    step = jax.jit(update, donate_argnums=(0, 1))
    parameters: Any = [(jnp.asarray(w.T), jnp.asarray(b)) for w, b in weights(arrays)]
    state: Any = (jnp.float32(0), jax.tree.map(jnp.zeros_like, parameters), jax.tree.map(jnp.zeros_like, parameters))
    x, y = jnp.asarray(arrays["x"]), jnp.asarray(arrays["y"])
    start = time.perf_counter()
    for order in arrays["orders"]:
        for k in range(0, len(order), batch):
            parameters, state = step(parameters, state, x, y, order[k : k + batch])
    jax.block_until_ready(parameters)
    seconds = time.perf_counter() - start
    return seconds, np.asarray(forward(parameters, jnp.asarray(arrays["x_test"])).argmax(1))


def train_sklearn(form: str, arrays: Arrays, batch: int) -> tuple[float, np.ndarray]:
    from sklearn.neural_network import MLPClassifier

    given = weights(arrays)
    net = MLPClassifier(
        tuple(len(b) for _, b in given[:-1]), solver="adam", learning_rate_init=RATE, batch_size=batch, alpha=0.0,
        shuffle=False,
    )  # fmt: skip
    x, y = arrays["x"], arrays["y"]
    net.partial_fit(x[:batch], y[:batch], classes=np.arange(len(given[-1][1])))  # makes the arrays that are filled here
    for k, (w, b) in enumerate(given):
        net.coefs_[k][:], net.intercepts_[k][:] = w.T, b
    del net._optimizer
    start = time.perf_counter()
    for order in arrays["orders"]:
        net.partial_fit(x[order], y[order])  # one epoch, in batches, in this order
    return time.perf_counter() - start, net.predict(arrays["x_test"])


def weights(arrays: Arrays) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(arrays[f"w{k}"], arrays[f"b{k}"]) for k in range(sum(name.startswith("w") for name in arrays))]


TRAIN = {"fastgrad": train_torch, "torch": train_torch, "jax": train_jax, "sklearn": train_sklearn}


def serve(form: str, folder: str, batch: int) -> None:
    """In the process of one run."""
    arrays = {path.stem: np.load(path) for path in Path(folder).glob("*.npy")}
    seconds, classes = TRAIN[FORMS[form]](form, arrays, batch)
    print(json.dumps({"training": seconds, "accuracy": float((classes == arrays["y_test"]).mean())}))


# -- the comparison -------------------------------------------------------------------------------------------------------


def one_run(form: str, threads: int, folder: Path, batch: int) -> dict[str, float]:
    """A process that trains: its own numbers, and the seconds from its start to its end."""
    caches = {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    start = time.perf_counter()
    found = turns.asked("benchmarks.whole_training", [form, str(folder), batch], FORMS[form], threads, **caches)
    return {"process": time.perf_counter() - start, **found}


def compare(forms: list[str], options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """For each form the medians at its better number of threads."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for key, array in work(options).items():
            np.save(folder / f"{key}.npy", array)
        runs: dict[tuple[str, int], list[dict[str, float]]] = {(f, t): [] for f in forms for t in options.threads}
        for turn in range(options.turns + 1):  # the first turn fills the caches
            for (form, threads), found in runs.items():
                run = one_run(form, threads, folder, options.batch)
                if turn:
                    found.append(run)
    best: dict[str, dict[str, float]] = {}
    for (form, threads), found in runs.items():
        medians = {key: statistics.median(run[key] for run in found) for key in found[0]} | {"threads": threads}
        if form not in best or medians["process"] < best[form]["process"]:
            best[form] = medians
    return best


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR", help="folder with MNIST's t10k-*.gz files")
    parser.add_argument("--samples", type=int, default=10_000, help="of the made-up set")
    parser.add_argument("--widths", type=int, nargs="+", default=[784, 512, 256, 10])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--forms", nargs="+", choices=FORMS, help="which of: " + ", ".join(FORMS))
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    options = parsed(arguments)
    if options.serve:
        serve(*json.loads(options.serve))
        return
    forms = options.forms or [form for form, library in FORMS.items() if importlib.util.find_spec(library)]
    best = compare(forms, options)
    print("| library | threads | from process start (s) | epochs alone (s) | held-out accuracy |")
    print("|---|---:|---:|---:|---:|")
    for form, found in best.items():
        times = f"{found['process']:.2f} | {found['training']:.2f}"
        print(f"| {form} | {found['threads']} | {times} | {found['accuracy']:.2%} |")
    others = [found for form, found in best.items() if form != "fastgrad"]
    if others and "fastgrad" in best:
        for key, words in (("process", "from process start"), ("training", "the epochs alone")):
            fastest = min(found[key] for found in others)
            print(f"{words}: {fastest / best['fastgrad'][key]:.2f} times as fast as the fastest other")


if __name__ == "__main__":
    main()
