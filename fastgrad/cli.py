"""The ``fastgrad`` command: ``fastgrad train`` trains an MLP on the digits that ship with the package."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import fastgrad
from fastgrad import datasets, io, nn, optim, trainer
from fastgrad.utils.data import DataLoader

__all__ = ["main"]

# Name -> (constructor, default learning rate): each reaches 97% within the default epochs.
OPTIMIZERS: dict[str, tuple[Callable[..., optim.Optimizer], float]] = {
    "sgd": (lambda parameters, lr: optim.SGD(parameters, lr=lr, momentum=0.9), 0.05),
    "adam": (optim.Adam, 0.001),
    "adamw": (optim.AdamW, 0.001),
    "rmsprop": (optim.RMSprop, 0.0005),
}
FAILED, BAD_OPTION, INTERRUPTED = 1, 2, 130


class OptionError(Exception):
    """An option that parses, but cannot be followed; the text is for the person who typed it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 where a file could not be written,
    2 for a bad option, 130 after Ctrl-C.

    Example:
        >>> main(["train", "--epochs", "5", "--out", "runs/five"])  # doctest: +SKIP
        0
    """
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except OptionError as error:
        print(f"fastgrad {options.command}: {error}", file=sys.stderr)
        return BAD_OPTION
    except OSError as error:  # a full disk, a folder that went away
        print(f"fastgrad {options.command}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:  # before training started, or a second time
        print(f"fastgrad {options.command}: interrupted", file=sys.stderr)
        return INTERRUPTED


def train(options: argparse.Namespace) -> int:
    """Train on the digits, say how well it went, and leave model and curves in ``options.out``."""
    _prepare_folder(options.out)
    if options.threads is not None:
        fastgrad.set_num_threads(options.threads)
    fastgrad.manual_seed(options.seed)
    train_set, test_set = datasets.digits(train=True), datasets.digits(train=False)
    widths = [64, *options.hidden, 10]
    model = _mlp(widths, options.dropout)
    create, default_lr = OPTIMIZERS[options.optimizer]
    lr = default_lr if options.lr is None else options.lr
    name = "-".join(map(str, widths))
    size = sum(p.numel() for p in model.parameters())
    print(
        f"{name} MLP, {size:,} parameters, {options.optimizer} lr={lr:g}; "
        f"{len(train_set):,} digits to train on, {len(test_set)} held out"
    )
    test_loader = DataLoader(test_set, batch_size=len(test_set))
    history = trainer.fit(
        model,
        create(model.parameters(), lr=lr),
        DataLoader(train_set, batch_size=options.batch_size, shuffle=True),
        epochs=options.epochs,
        test_loader=test_loader,
    )
    loss, accuracy = trainer.evaluate(model, test_loader)
    if history.interrupted:
        print(f"interrupted in epoch {len(history.epochs) + 1}: writing what was trained", file=sys.stderr)
    if not math.isfinite(loss):
        print("the loss is no longer finite: try a smaller --lr", file=sys.stderr)
    right = round(accuracy * len(test_set))
    print(f"held-out accuracy {accuracy:.2%} ({right} of {len(test_set)}), loss {loss:.4f}")
    if history.epochs:
        print(f"trained {len(history.epochs)} epochs at {history.samples_per_second:,.0f} samples/s")

    metadata = {
        "model": f"{name} MLP, relu",
        "input": f"64 pixels of 0 to 16, less {datasets.DIGITS_MEAN}, over {datasets.DIGITS_STD}",
        "held_out_accuracy": f"{accuracy:.4f}",
        "fastgrad": fastgrad.__version__,
    }
    model_path, curves_path = options.out / "model.safetensors", options.out / "curves.png"
    io.save(model.state_dict(), model_path, metadata=metadata)
    print(f"wrote {model_path}")
    if history.epochs and _draw_curves(history, curves_path):
        print(f"wrote {curves_path}")
    return INTERRUPTED if history.interrupted else 0


def _mlp(widths: Sequence[int], dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths[:-1]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def _draw_curves(history: trainer.History, path: Path) -> bool:
    """Loss and accuracy by epoch as a PNG; False, and a line that says so, where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no picture of the curves: it needs pip install 'fastgrad[train]'", file=sys.stderr)
        return False
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    epochs = range(1, len(history.epochs) + 1)
    marker = "o" if len(epochs) == 1 else None  # a line of one point is invisible
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy")):
        for part, label in (("train", "training"), ("test", "held out")):
            values = [getattr(epoch, f"{part}_{quantity}") for epoch in history.epochs]
            axes.plot(epochs, values, label=label, marker=marker)
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.grid(alpha=0.3)
        axes.legend()
    with io.write_atomically(path) as file:
        figure.savefig(file, format="png", dpi=150)
    return True


def _prepare_folder(folder: Path) -> None:
    """Make the folder and try it, before minutes of training go into something that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        raise OptionError(f"argument --out: {folder} is a file, not a folder") from None
    except OSError as error:
        raise OptionError(f"argument --out: cannot write to {folder}: {error.strerror}") from None


class _Parser(argparse.ArgumentParser):
    """Errors are one line and no usage text: what was wrong should not scroll away."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_OPTION, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fastgrad", description="Train MLPs, fast.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"fastgrad {fastgrad.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "train",
        help="train an MLP on the 1,797 handwritten digits that ship with fastgrad",
        description="Train an MLP on 1,437 handwritten 8x8 digits and test it on 360 others.",
        allow_abbrev=False,
    )
    command.set_defaults(run=train)
    option = command.add_argument
    option("--hidden", type=_widths, default="256,128", metavar="N,N", help="hidden layers (%(default)s)")
    option("--epochs", type=_count, default=40, metavar="N", help="passes over the digits (%(default)s)")
    option("--batch-size", type=_count, default=32, metavar="N", help="samples a step (%(default)s)")
    option("--lr", type=_rate, metavar="X", help="learning rate (the optimizer's own default)")
    option("--optimizer", choices=list(OPTIMIZERS), default="adam", help="update rule (%(default)s)")
    option("--dropout", type=_share, default=0.2, metavar="P", help="share of units dropped (%(default)s)")
    option("--seed", type=_seed, default=0, metavar="N", help="same seed, same model (%(default)s)")
    option("--threads", type=_threads, metavar="N", help="threads to compute with (all cores)")
    option("--out", type=Path, default="runs/digits", metavar="DIR", help="where results go (%(default)s)")
    return parser


def _number(text: str, kind: type, valid: Callable[[float], bool], wanted: str):
    """``text`` as an int or float that ``valid`` accepts; otherwise an error that says what is wanted."""
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not valid(value):
        raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}")
    return value


def _count(text: str) -> int:
    return _number(text, int, lambda n: n > 0, "a positive whole number")


def _threads(text: str) -> int:
    most = 16 * (os.cpu_count() or 1)
    return _number(text, int, lambda n: 0 < n <= most, f"a whole number from 1 to {most}")


def _seed(text: str) -> int:
    return _number(text, int, lambda n: 0 <= n < 2**64, "a whole number from 0 to 2**64 - 1")


def _rate(text: str) -> float:
    return _number(text, float, lambda x: 0 < x < math.inf, "a positive number")


def _share(text: str) -> float:
    return _number(text, float, lambda x: 0 <= x < 1, "at least 0 and below 1")


def _widths(text: str) -> list[int]:
    try:
        return [_count(width) for width in text.split(",")]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"must be whole numbers such as 256,128, not {text!r}") from None
