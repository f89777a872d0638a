"""The columns of a table as a network's inputs: gaps filled, numbers standardized, names one-hot."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from fastgrad.table.columns import TableError, check_mixture, has_numbers, names, numbers

__all__ = ["Preprocessing"]

# A column of names gives this many inputs at most: the commonest names, and one for all the others.
MOST_CATEGORIES = 100


@dataclass(frozen=True)
class Preprocessing:
    """What was learned from the training rows: strings and numbers that JSON keeps to the last bit.

    Inputs are, in this order: each column of ``numbers`` with its gaps filled; whether the columns of
    ``missing`` had a gap (both less ``mean``, over ``scale``); for each column of ``categories`` a 1 at the
    row's name, or at the column's last input where the name is another and the column is in ``rest``.
    """

    numbers: list[str]
    fill: list[float]
    missing: list[str]
    mean: list[float]
    scale: list[float]
    categories: dict[str, list[str]]
    rest: list[str]

    @classmethod
    def fit(cls, frame: Any, categorical: Collection[str] = (), rows: np.ndarray | None = None) -> Preprocessing:
        """Learn from the rows at the places ``rows`` (all) of a pandas table, each column of which is an input.

        scikit-learn's ColumnTransformer does it: the median for gaps, an indicator for columns that have
        some, StandardScaler, and OneHotEncoder with the rare names in one. Columns named in ``categorical``
        hold names even where they look like numbers. Raises TableError for a column without values, with
        infinite values, or with text among numbers.

        >>> import pandas
        >>> Preprocessing.fit(pandas.DataFrame({"size": [50.0, 80.0, None]})).fill
        [65.0]
        """
        import pandas as pd
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        rows = np.arange(len(frame)) if rows is None else rows
        columns: dict[bool, list[str]] = {True: [], False: []}
        for name in frame:
            if not frame[name].iloc[rows].notna().any():
                raise TableError(f"column {name!r} has no values to learn from: leave it out with --drop {name}")
            numeric = has_numbers(frame[name]) and name not in categorical
            if name not in categorical:
                check_mixture(frame[name], f"if names: --categorical {name}")
            columns[numeric].append(name)
        clean = pd.DataFrame(_clean(frame, columns[True], columns[False]))
        imputer, scaler = SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
        encoder = OneHotEncoder(max_categories=MOST_CATEGORIES, handle_unknown="infrequent_if_exist")
        steps = [
            ("numbers", make_pipeline(imputer, scaler), columns[True]),
            ("categories", encoder, columns[False]),
        ]
        with np.errstate(over="ignore", invalid="ignore"):  # transform says it, with the column's name
            transformer = ColumnTransformer([step for step in steps if step[2]]).fit(clean.iloc[rows])
        fitted = transformer.named_transformers_

        fill, missing, mean, scale = [], [], [], []
        if columns[True]:
            imputer, scaler = (step for _, step in fitted["numbers"].steps)
            fill = imputer.statistics_.tolist()
            missing = [columns[True][i] for i in imputer.indicator_.features_]
            mean, scale = scaler.mean_.tolist(), scaler.scale_.tolist()
        categories, rest = {}, []
        if columns[False]:
            encoder = fitted["categories"]
            for name, known, rare in zip(columns[False], encoder.categories_, encoder.infrequent_categories_):
                categories[name] = [each for each in known if rare is None or each not in set(rare)]
                if rare is not None:
                    rest.append(name)
        return cls(columns[True], fill, missing, mean, scale, categories, rest)

    @property
    def columns(self) -> list[str]:
        """The names of the columns that a table must have."""
        return [*self.numbers, *self.categories]

    @property
    def size(self) -> int:
        """How many inputs a row gives."""
        return len(self.mean) + sum(map(len, self.categories.values())) + len(self.rest)

    def transform(self, frame: Any) -> np.ndarray:
        """The inputs for the rows of a table: float32 of shape (rows, ``size``).

        A name that was not there in training has no input set, or that of the rare names. Raises TableError
        for a missing column, for text or infinite values in a column of numbers, and for values too large.

        >>> import pandas
        >>> towns = Preprocessing.fit(pandas.DataFrame({"town": ["Ghent", "Bruges"]}))
        >>> towns.transform(pandas.DataFrame({"town": ["Bruges", "Ostend"]}))
        array([[1., 0.],
               [0., 0.]], dtype=float32)
        """
        import pandas as pd

        absent = [repr(name) for name in self.columns if name not in frame]
        if absent:
            raise TableError(
                f"the table does not fit the model: it has no column {', '.join(absent[:5])}{', ...' if absent[5:] else ''}"
            )
        clean = _clean(frame, self.numbers, self.categories)
        inputs = np.zeros((len(frame), self.size), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            for i, (name, fill) in enumerate(zip(self.numbers, self.fill)):
                values = np.where(np.isnan(clean[name]), fill, clean[name])
                inputs[:, i] = (values - self.mean[i]) / self.scale[i]
                if not np.isfinite(inputs[:, i]).all():
                    raise TableError(f"column {name!r} has a value too large to compute with")
            for i, name in enumerate(self.missing, len(self.numbers)):
                inputs[:, i] = (np.isnan(clean[name]) - self.mean[i]) / self.scale[i]
        start = len(self.mean)
        for name, known in self.categories.items():
            place = pd.Index(known, dtype=object).get_indexer(clean[name])
            if name in self.rest:
                place[place < 0] = len(known)
            (rows,) = np.nonzero(place >= 0)
            inputs[rows, start + place[rows]] = 1
            start += len(known) + (name in self.rest)
        return inputs

    def to_json(self) -> dict[str, Any]:
        """Lists, dictionaries, strings and finite numbers alone."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Preprocessing:
        """The inverse of ``to_json``; KeyError or ValueError where the content is not from there."""
        made = cls(**{field.name: content[field.name] for field in fields(cls)})
        if not len(made.mean) == len(made.scale) == len(made.numbers) + len(made.missing):
            raise ValueError("means and scales of another number of columns")
        if not all(map(math.isfinite, [*made.fill, *made.mean, *made.scale])):
            raise ValueError("a number that is not finite")
        return made


def _clean(frame: Any, of_numbers: Collection[str], of_names: Collection[str]) -> dict[str, np.ndarray]:
    clean = {name: numbers(frame[name]) for name in of_numbers}
    return clean | {name: names(frame[name]) for name in of_names}
