"""What there is to learn: the digits, or a column of a person's own table."""

from __future__ import annotations

import difflib
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastgrad
from fastgrad import Tensor, datasets, nn, table
from fastgrad.cli.options import OptionError
from fastgrad.utils.data import TensorDataset

__all__ = ["Problem", "check_columns", "digits", "from_table", "of_a_table"]


@dataclass(frozen=True)
class Problem:
    """Rows to train on and rows held out, and how to say what outputs for the latter are worth.

    ``preprocessing`` and ``target`` are a table's; ``about`` goes into the model's file as it is.
    """

    name: str
    train: TensorDataset
    held_out: TensorDataset
    rows: str
    outputs: int
    loss_function: nn.Module
    score: Callable[[Tensor], str]
    epochs: int
    patience: int | None
    notes: Sequence[str] = ()
    about: dict[str, str] | None = None
    preprocessing: table.Preprocessing | None = None
    target: table.Target | None = None


def digits(options: Namespace) -> Problem:
    """The digits that ship with fastgrad; OptionError for an option that only a table has."""
    for name in ("target", "task", "drop", "categorical", "val_split"):
        if getattr(options, name) is not None:
            raise OptionError(f"argument --{name.replace('_', '-')}: it needs a table: fastgrad train TABLE")
    held_out = datasets.digits(train=False)
    labels = held_out.tensors[1]
    loss_function = nn.CrossEntropyLoss()

    def score(outputs: Tensor) -> str:
        right, loss = int((outputs.argmax(1) == labels).sum()), loss_function(outputs, labels).item()
        return f"accuracy {right / len(labels):.2%} ({right} of {len(labels)}), loss {loss:.4f}"

    return Problem(
        name="digits",
        train=datasets.digits(train=True),
        held_out=held_out,
        rows="digits",
        outputs=10,
        loss_function=loss_function,
        score=score,
        epochs=40,
        patience=None,
        about={"input": f"64 pixels of 0 to 16, less {datasets.DIGITS_MEAN}, over {datasets.DIGITS_STD}"},
    )


def from_table(options: Namespace) -> Problem:
    """The table that ``options`` name, split at random: the same rows for the same seed.

    Preprocessing and target are fitted on the rows to train on alone. Raises OptionError for whatever is
    wrong with the table.
    """
    path, name = options.table, options.target
    with of_a_table():
        frame = table.read(path, names=options.categorical or ())
        if name is None:
            raise OptionError(f"argument --target: which column is to be predicted? {_list(frame.columns)}")
        check_columns(path, frame, "--target", [name])
        check_columns(path, frame, "--drop", options.drop or ())
        check_columns(path, frame, "--categorical", options.categorical or ())
        if name in (options.drop or ()):
            raise OptionError(f"argument --drop: {name!r} is what is to be predicted")
        given = frame[name].notna().to_numpy()
        if not given.any():
            raise OptionError(f"column {name!r} has no values to learn from")
        frame = frame[given].drop(columns=options.drop or [])
        column = frame.pop(name)
        if not len(frame.columns):
            raise OptionError(f"{path} has no column but {name!r}: there is nothing to predict it from")

        count = max(1, round(len(frame) * (options.val_split or 0.2)))
        if len(frame) - count < 2:
            raise OptionError(f"{path}: {len(frame)} rows are too few to train on some and hold out others")
        order = fastgrad.randperm(len(frame)).numpy()
        held_out, training = order[:count], order[count:]
        target = table.Target.fit(column, training, options.task)
        categorical = set(options.categorical or ()) - {name}
        preprocessing = table.Preprocessing.fit(frame, categorical, training)
        x, y = preprocessing.transform(frame), target.encode(column)

    kinds = f"{len(preprocessing.numbers)} numeric and {len(preprocessing.categories)} categorical columns"
    classes = f" into {target.size} classes" if target.classes else ""
    notes = [f"{path}: {target.task} of {name!r}{classes} from {kinds}"]
    if not given.all():
        notes.append(f"{(~given).sum():,} rows are left out: they have no {name!r}")
    return Problem(
        name=path.stem,
        train=_dataset(x[training], y[training]),
        held_out=_dataset(x[held_out], y[held_out]),
        rows="rows",
        outputs=target.size,
        loss_function=nn.CrossEntropyLoss() if target.classes else nn.MSELoss(),
        score=lambda outputs: target.score(outputs.numpy(), y[held_out]),
        epochs=200,
        patience=20,
        notes=notes,
        preprocessing=preprocessing,
        target=target,
    )


@contextmanager
def of_a_table() -> Iterator[None]:
    """Turns what is wrong with a table, or with the installation of what reads tables, into an OptionError."""
    try:
        yield
    except table.TableError as error:
        raise OptionError(str(error)) from None
    except ImportError as error:
        reason = str(error).split("\n")[0]
        raise OptionError(f"tables need pip install 'fastgrad[train]' ({reason})") from None


def check_columns(path: Path, frame: Any, option: str, names: Sequence[str]) -> None:
    """OptionError for a name that is no column of the table, with the one that was probably meant."""
    for name in names:
        if name not in frame:
            near = difflib.get_close_matches(name, frame.columns, 1)
            meant = f"did you mean {near[0]!r}?" if near else _list(frame.columns)
            raise OptionError(f"argument {option}: {path} has no column {name!r}; {meant}")


def _list(columns: Sequence[str]) -> str:
    return f"there are {', '.join(columns[:8])}{', ...' if len(columns) > 8 else ''}"


def _dataset(x: np.ndarray, y: np.ndarray) -> TensorDataset:
    return TensorDataset(fastgrad.from_numpy(x), fastgrad.from_numpy(y))
