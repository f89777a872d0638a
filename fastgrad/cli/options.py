"""What can be typed after ``fastgrad``, and the error for what cannot be followed."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import fastgrad
from fastgrad import optim

__all__ = ["BAD_OPTION", "FAILED", "INTERRUPTED", "OPTIMIZERS", "OptionError", "parser"]

# Name -> (constructor, default learning rate): each reaches 97% of the digits within the default epochs.
OPTIMIZERS: dict[str, tuple[Callable[..., optim.Optimizer], float]] = {
    "sgd": (lambda parameters, **options: optim.SGD(parameters, momentum=0.9, **options), 0.05),
    "adam": (optim.Adam, 0.001),
    "adamw": (optim.AdamW, 0.001),
    "rmsprop": (optim.RMSprop, 0.0005),
}
FAILED, BAD_OPTION, INTERRUPTED = 1, 2, 130


class OptionError(Exception):
    """An option that parses, but cannot be followed; the text is one line for the person who typed it."""


class _Parser(argparse.ArgumentParser):
    """Errors are one line and no usage text: what was wrong should not scroll away."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_OPTION, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; ``command`` in what it gives is "train" or "predict".

    >>> parser().parse_args(["train", "--hidden", "64,32"]).hidden
    [64, 32]
    """
    top = _Parser(prog="fastgrad", description="Train MLPs, fast.", allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"fastgrad {fastgrad.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "train",
        help="train an MLP on a table of yours, or on the handwritten digits that ship with fastgrad",
        description="Train an MLP to predict a column of a table (CSV, Parquet or NPZ) from the other columns; "
        "without a table, on 1,437 handwritten 8x8 digits, tested on 360 others.",
        allow_abbrev=False,
    )
    command.add_argument("table", nargs="?", type=Path, metavar="TABLE", help="a .csv, .tsv, .parquet or .npz file")
    option = command.add_argument_group("for a table").add_argument
    option("--target", metavar="COLUMN", help="the column to predict")
    option("--task", choices=["regression", "classification"], help="what kind of column that is (it is looked at)")
    option("--drop", type=_names, metavar="A,B", help="columns to leave out, such as a row's number")
    option("--categorical", type=_names, metavar="A,B", help="columns of numbers that are names, such as codes")
    option("--val-split", type=_part, metavar="P", help="share of rows held out (0.2)")
    option = command.add_argument
    option("--hidden", type=_widths, default="256,128", metavar="N,N", help="hidden layers (%(default)s)")
    option("--epochs", type=_count, metavar="N", help="passes over the data (40; for a table at most 200)")
    option(
        "--patience",
        type=_count,
        metavar="N",
        help="end after N epochs without a better held-out loss and keep the best (off; for a table 20)",
    )
    option("--batch-size", type=_count, default=32, metavar="N", help="samples a step (%(default)s)")
    option("--lr", type=_rate, metavar="X", help="learning rate (the optimizer's own default)")
    option("--weight-decay", type=_decay, metavar="X", help="pull of weights to zero (the optimizer's own default)")
    option("--optimizer", choices=list(OPTIMIZERS), default="adam", help="update rule (%(default)s)")
    option("--dropout", type=_share, default=0.2, metavar="P", help="share of units dropped (%(default)s)")
    option("--seed", type=_seed, default=0, metavar="N", help="same seed, same model (%(default)s)")
    option("--threads", type=_threads, metavar="N", help="threads to compute with (all cores)")
    option("--out", type=Path, metavar="DIR", help="where results go (runs/digits, or runs/ and the table's name)")

    command = commands.add_parser(
        "predict",
        help="predict a column of a table with what `fastgrad train` has written",
        description="Predict the column that a model was trained for, for each row of a table.",
        allow_abbrev=False,
    )
    command.add_argument("model", type=Path, metavar="DIR", help="the folder that `fastgrad train` has written")
    command.add_argument("table", type=Path, metavar="TABLE", help="a .csv, .tsv, .parquet or .npz file")
    option = command.add_argument
    option(
        "--out",
        type=Path,
        metavar="FILE",
        help="where predictions go, one a row, as .csv, .tsv, .parquet or .npz (printed as CSV)",
    )
    option("--keep", type=_names, metavar="A,B", help="columns of the table to write beside them, such as a row's number")
    option("--threads", type=_threads, metavar="N", help="threads to compute with (all cores)")
    return top


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


def _decay(text: str) -> float:
    return _number(text, float, lambda x: 0 <= x < math.inf, "a number from 0 up")


def _share(text: str) -> float:
    return _number(text, float, lambda x: 0 <= x < 1, "at least 0 and below 1")


def _part(text: str) -> float:
    return _number(text, float, lambda x: 0 < x < 1, "above 0 and below 1")


def _names(text: str) -> list[str]:
    return text.split(",")


def _widths(text: str) -> list[int]:
    try:
        return [_count(width) for width in text.split(",")]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"must be whole numbers such as 256,128, not {text!r}") from None
