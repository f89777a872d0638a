"""``fastgrad train``: an MLP on the digits or on a table, its score, and a folder with model and curves."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fastgrad
from fastgrad import io, trainer
from fastgrad.cli import problem as problems
from fastgrad.cli.model import mlp, outputs_of, save
from fastgrad.cli.options import INTERRUPTED, OPTIMIZERS, OptionError
from fastgrad.utils.data import DataLoader

__all__ = ["train"]


def train(options: argparse.Namespace) -> int:
    """Train, say how well it went, and leave model and curves in ``options.out``."""
    if options.threads is not None:
        fastgrad.set_num_threads(options.threads)
    fastgrad.manual_seed(options.seed)
    problem = problems.from_table(options) if options.table else problems.digits(options)
    with _folder(options.out or Path("runs") / problem.name) as out:
        return _train(problem, options, out)


def _train(problem: problems.Problem, options: argparse.Namespace, out: Path) -> int:
    widths = [problem.train.tensors[0].shape[1], *options.hidden, problem.outputs]
    model = mlp(widths, options.dropout)
    create, lr = OPTIMIZERS[options.optimizer]
    settings = {"lr": lr if options.lr is None else options.lr}
    if options.weight_decay is not None:
        settings["weight_decay"] = options.weight_decay
    name = "-".join(map(str, widths))
    size = sum(p.numel() for p in model.parameters())
    for note in problem.notes:
        print(note)
    print(
        f"{name} MLP, {size:,} parameters, {options.optimizer} lr={settings['lr']:g}; "
        f"{len(problem.train):,} {problem.rows} to train on, {len(problem.held_out):,} held out"
    )
    history = trainer.fit(
        model,
        create(model.parameters(), **settings),
        DataLoader(problem.train, batch_size=options.batch_size, shuffle=True),
        epochs=options.epochs or problem.epochs,
        test_loader=DataLoader(problem.held_out, batch_size=1024),
        loss_function=problem.loss_function,
        patience=options.patience or problem.patience,
        compiled=True,
    )
    if history.interrupted:
        print(f"interrupted in epoch {len(history.epochs) + 1}: writing what was trained", file=sys.stderr)
    outputs = outputs_of(model, problem.held_out.tensors[0])
    if not fastgrad.isfinite(outputs).all():
        print("the loss is no longer finite: try a smaller --lr", file=sys.stderr)
    score = problem.score(outputs)
    print(f"held-out {score}")
    if history.epochs:
        kept = f"; those of epoch {history.best} are kept" if history.best else ""
        speed = f"{history.samples_per_second:,.0f} samples/s"
        print(f"trained {len(history.epochs)} epochs at {speed}{kept}")

    metadata = {"model": f"{name} MLP, relu", "held_out": score, "fastgrad_version": fastgrad.__version__}
    metadata |= problem.about or {}
    path = save(model, out, metadata, widths, options.dropout, problem.preprocessing, problem.target)
    print(f"wrote {path}")
    if history.epochs and _draw_curves(history, out / "curves.png"):
        print(f"wrote {out / 'curves.png'}")
    return INTERRUPTED if history.interrupted else 0


def _draw_curves(history: trainer.History, path: Path) -> bool:
    """Loss and, of classes, accuracy by epoch as a PNG; False, and a line that says so, without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no picture of the curves: it needs pip install 'fastgrad[train]'", file=sys.stderr)
        return False
    quantities = ["loss"] if history.epochs[0].train_accuracy is None else ["loss", "accuracy"]
    figure = Figure(figsize=(4.5 * len(quantities), 3.6), layout="constrained")
    epochs = range(1, len(history.epochs) + 1)
    marker = "o" if len(epochs) == 1 else None  # a line of one point is invisible
    for axes, quantity in zip(figure.subplots(1, len(quantities), squeeze=False)[0], quantities):
        for part, label in (("train", "training"), ("test", "held out")):
            values = [getattr(epoch, f"{part}_{quantity}") for epoch in history.epochs]
            axes.plot(epochs, values, label=label, marker=marker)
        if history.best:
            axes.axvline(history.best, color="gray", linestyle=":", label="kept")
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.grid(alpha=0.3)
        axes.legend()
    with io.write_atomically(path) as file:
        figure.savefig(file, format="png", dpi=150)
    return True


@contextmanager
def _folder(folder: Path) -> Iterator[Path]:
    """The folder, made and tried before minutes of training go into something that cannot be written.

    Where nothing comes of it, the folders that were made are taken away again.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        raise OptionError(f"argument --out: {folder} is a file, not a folder") from None
    except OSError as error:
        _remove(missing)
        raise OptionError(f"argument --out: cannot write to {folder}: {error.strerror}") from None
    try:
        yield folder
    except BaseException:
        _remove(missing)
        raise


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # something is in it by now
            folder.rmdir()
