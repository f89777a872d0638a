"""The column to be predicted: a number or one of several classes, and what a prediction is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np

from fastgrad.table.columns import TableError, check_mixture, has_dates, has_numbers, names, numbers

__all__ = ["Target"]

# Whole numbers are taken for classes where there are this many at most, each with ROWS_PER_CLASS on average.
MOST_CLASSES_OF_NUMBERS, ROWS_PER_CLASS = 20, 5
Task = Literal["regression", "classification"]


@dataclass(frozen=True)
class Target:
    """A target column: its classes, or the mean and standard deviation of its numbers in the training rows.

    ``commonest`` is the index of the class that most training rows have. A regression has no classes.
    """

    name: str
    classes: list[Any] | None = None
    commonest: int = 0
    mean: float = 0.0
    scale: float = 1.0

    @classmethod
    def fit(cls, column: Any, training: np.ndarray, task: Task | None = None) -> Target:
        """Learn from a column without gaps: the classes from all of it, the rest from the rows ``training``.

        Without ``task``, text and truth values are classes, and so are whole numbers where there are few.
        Raises TableError where there is one class or one number only, where nearly every row is a class of its
        own, and for text or infinite values in numbers.

        >>> import pandas
        >>> Target.fit(pandas.Series(["no", "yes", "yes"], name="sold"), np.arange(3)).classes
        ['no', 'yes']
        """
        has_numbers(column)  # or it is neither numbers nor names
        task = task or _task(column)
        if task == "regression":
            if has_dates(column):
                raise TableError(f"column {column.name!r} holds dates: make a number of them to predict")
            values = numbers(column)[training]
            with np.errstate(over="ignore", invalid="ignore"):
                mean, scale = float(values.mean()), float(values.std())
            if not np.isfinite([mean, scale]).all() or abs(values).max() > np.finfo(np.float32).max:
                raise TableError(f"column {column.name!r} has a value too large to compute with")
            if not scale > 0:
                raise TableError(f"column {column.name!r} is {values[0]:g} in every row: there is nothing to learn")
            return cls(str(column.name), mean=mean, scale=scale)
        found = sorted({_plain(value) for value in column.unique()}, key=lambda value: (str(type(value)), value))
        if len(found) > 2 and len(found) > len(column) / 2:
            raise TableError(f"column {column.name!r} has {len(found)} classes in {len(column)} rows: too many")
        target = cls(str(column.name), classes=found)
        counts = np.bincount(target.encode(column)[training], minlength=len(found))
        if (counts > 0).sum() < 2:
            only = found[int(counts.argmax())]
            raise TableError(f"column {column.name!r} has one class only, {only!r}: there is nothing to learn")
        return cls(target.name, found, int(counts.argmax()))

    @property
    def task(self) -> Task:
        return "classification" if self.classes else "regression"

    @property
    def size(self) -> int:
        """How many outputs the network has."""
        return len(self.classes) if self.classes else 1

    def encode(self, column: Any) -> np.ndarray:
        """What the network is to give: class indices, int64 of shape (rows,); or standardized numbers,
        float32 of shape (rows, 1). An unknown class is a TableError.

        >>> import pandas
        >>> Target("sold", ["no", "yes"]).encode(pandas.Series(["yes", "no"]))
        array([1, 0])
        """
        import pandas as pd

        if not self.classes:
            return ((numbers(column) - self.mean) / self.scale).astype(np.float32)[:, None]
        known = pd.Index([str(value) for value in self.classes], dtype=object)
        given = names(column)
        codes = known.get_indexer(given).astype(np.int64)
        if (codes < 0).any():
            unknown = given[int(np.argmax(codes < 0))]
            raise TableError(f"column {self.name!r} has the class {unknown!r}, which was not there in training")
        return codes

    def decode(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """Predictions as columns, from outputs of shape (rows, ``size``): numbers; or classes and, as
        ``probability``, the softmax's value for each.

        >>> Target("price", mean=10.0, scale=2.0).decode(np.array([[0.5]]))
        {'price': array([11.])}
        """
        outputs = outputs.astype(np.float64)
        if not self.classes:
            decimals = 6 - math.floor(math.log10(self.scale))  # float32 knows no more
            return {self.name: np.round(outputs[:, 0] * self.scale + self.mean, decimals)}
        best = outputs.argmax(1)
        shifted = outputs - outputs.max(1, keepdims=True)
        probability = np.round(1 / np.exp(shifted).sum(1), 6)
        return {self.name: np.array(self.classes)[best], "probability": probability}

    def score(self, outputs: np.ndarray, wanted: np.ndarray) -> str:
        """What outputs are worth, beside the trivial prediction of the training rows' mean or commonest class.

        ``wanted`` is what ``encode`` gave.

        >>> Target("price", mean=10.0, scale=2.0).score(np.array([[1.0], [-1.0]]), np.array([[1.0], [-2.0]]))
        'RMSE 1.41421, R² 0.778; the mean alone: RMSE 3.16228'
        """
        if self.classes:
            right = outputs.argmax(1) == wanted
            trivial = (wanted == self.commonest).mean()
            return (
                f"accuracy {right.mean():.2%} ({right.sum()} of {len(right)}); "
                f"the commonest class alone, {self.classes[self.commonest]!r}: {trivial:.2%}"
            )
        wanted = wanted.astype(np.float64)
        error, trivial = np.square(outputs - wanted).mean(), np.square(wanted).mean()
        spread = wanted.var()
        explained = f", R² {1 - error / spread:.3f}" if spread else ""
        rmse, mean_alone = (self.scale * value**0.5 for value in (error, trivial))
        return f"RMSE {rmse:,.6g}{explained}; the mean alone: RMSE {mean_alone:,.6g}"

    def to_json(self) -> dict[str, Any]:
        """Lists, strings and finite numbers alone."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Target:
        """The inverse of ``to_json``; KeyError where the content is not from there."""
        return cls(**{field.name: content[field.name] for field in fields(cls)})


def _task(column: Any) -> Task:
    from pandas.api import types

    if not has_numbers(column):
        check_mixture(column, "if classes: --task classification")
        return "classification"
    if types.infer_dtype(column) == "boolean":
        return "classification"
    values = numbers(column)
    distinct = len(np.unique(values))
    whole = bool((values == np.round(values)).all())
    few = distinct <= min(MOST_CLASSES_OF_NUMBERS, len(values) // ROWS_PER_CLASS)
    return "classification" if whole and few else "regression"


def _plain(value: Any) -> Any:
    """A NumPy or pandas value as JSON has it: 2.0 is 2, what is no number or truth value is text."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (bool, int, float)) else str(value)
