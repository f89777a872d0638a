"""What one column of a table holds: numbers, or the names of categories."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

__all__ = ["TableError", "check_mixture", "has_dates", "has_numbers", "names", "numbers"]

# What pandas calls the values of a column that has no type of its own.
DATES = {"date", "datetime", "datetime64"}
NUMBERS = {"boolean", "decimal", "floating", "integer", "mixed-integer-float"}
NAMES = {"string", "categorical", "empty"}
DATE = re.compile(r"\d{4}-\d\d-\d\d")  # in text; what follows is for pandas to read


class TableError(ValueError):
    """A table that cannot be used; the text is one line for the person whose table it is."""


def has_numbers(column: Any) -> bool:
    """Whether a column of a pandas table holds numbers (truth values and dates are numbers too) or names.

    Text is names, even "1", but for dates such as 2026-01-31, which files of text cannot say otherwise.

    Raises TableError where it is neither: complex numbers, bytes, lists.

    >>> import pandas
    >>> has_numbers(pandas.Series([1, None])), has_numbers(pandas.Series(["a", None]))
    (True, False)
    """
    from pandas.api import types

    if types.is_complex_dtype(column) or types.is_timedelta64_dtype(column):
        raise TableError(f"column {column.name!r} holds {column.dtype}, not numbers, dates or text")
    if types.is_numeric_dtype(column) or types.is_datetime64_any_dtype(column):
        return True
    kind = types.infer_dtype(column, skipna=True)
    if kind not in NUMBERS | DATES | NAMES:
        raise TableError(f"column {column.name!r} holds {kind} values, not numbers, dates or text")
    return kind not in NAMES or (_starts_with_a_date(column) and not _text(column).any())


def check_mixture(column: Any, way_out: str) -> None:
    """TableError where a column of names is mostly numbers: one slip of the pen would make names of them all.

    >>> import pandas
    >>> check_mixture(pandas.Series(["1", "2", "b"], name="n"), "if names: --categorical n")
    Traceback (most recent call last):
    fastgrad.table.columns.TableError: column 'n' has text where numbers belong: 'b' in row 2 (if names: --categorical n)
    """
    text = _text(column)
    if 0 < text.sum() < column.notna().sum() / 2:
        raise TableError(f"{_text_in(column, text)} ({way_out})")


def numbers(column: Any) -> np.ndarray:
    """The values of a column as float64, NaN where they are missing; dates are days since 1970.

    Raises TableError for text and for infinite values, with the label of the first row that has one.

    >>> import pandas
    >>> numbers(pandas.Series([True, None, False]))
    array([ 1., nan,  0.])
    """
    values, text = _parsed(column), _text(column)
    if text.any():
        raise TableError(_text_in(column, text))
    infinite = np.isinf(values)
    if infinite.any():
        raise TableError(f"column {column.name!r} has an infinite value in row {column.index[infinite][0]}")
    return values


def names(column: Any) -> np.ndarray:
    """The values of a column as an object array of strings, "" where they are missing; 2.0 is "2".

    >>> import pandas
    >>> names(pandas.Series([2.0, None])).tolist(), names(pandas.Series(["b", "a"])).tolist()
    (['2', ''], ['b', 'a'])
    """
    import pandas as pd

    codes, values = pd.factorize(column.astype(object))  # -1 for a missing value, which is last
    return np.array([*map(_name, values), ""], dtype=object)[codes]


def _name(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _parsed(column: Any) -> np.ndarray:
    """Numbers as float64, NaN for what is missing or is not a number."""
    import pandas as pd
    from pandas.api import types

    dated = _is_dated(column)
    if dated or _starts_with_a_date(column):
        moments = pd.to_datetime(column, utc=True, errors="coerce", format=None if dated else "ISO8601")
        return ((moments - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)).to_numpy(np.float64)
    if not types.is_numeric_dtype(column):
        column = pd.to_numeric(column.astype(object), errors="coerce")
    return np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))


def has_dates(column: Any) -> bool:
    """Whether the numbers of a column are dates.

    >>> import pandas
    >>> has_dates(pandas.Series(["2026-01-31"])), has_dates(pandas.Series([2026]))
    (True, False)
    """
    return _is_dated(column) or _starts_with_a_date(column)


def _is_dated(column: Any) -> bool:
    from pandas.api import types

    return types.is_datetime64_any_dtype(column) or types.infer_dtype(column, skipna=True) in DATES


def _text(column: Any) -> np.ndarray:
    """Where a column has a value that is not a number."""
    return column.notna().to_numpy() & np.isnan(_parsed(column))


def _starts_with_a_date(column: Any) -> bool:
    """Whether the first value that is there is text that looks like a date."""
    first = column.first_valid_index()
    return first is not None and isinstance(column[first], str) and DATE.match(column[first]) is not None


def _text_in(column: Any, rows: np.ndarray) -> str:
    text, row = str(column[rows].iloc[0]), column.index[rows][0]
    return f"column {column.name!r} has text where numbers belong: {text!r} in row {row}"
