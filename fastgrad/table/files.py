"""Tables on disk: CSV, Parquet and NumPy's NPZ to pandas, and back."""

from __future__ import annotations

import csv
import os
import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from fastgrad import io
from fastgrad.table.columns import TableError

__all__ = ["check_ending", "read", "write"]

PathLike = str | os.PathLike[str]
ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".npz")
# What the readers raise for a file that is damaged or is not what its name says.
NOT_WHAT_IT_SAYS = (
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    NotImplementedError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)


def check_ending(path: PathLike) -> str:
    """The ending that says what a file holds; TableError where it is not a table's.

    >>> check_ending("data.CSV")
    '.csv'
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise TableError(f"{os.fspath(path)}: a table's name ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    return ending


def read(path: PathLike, names: Iterable[str] = ()) -> Any:
    """A table as a pandas DataFrame, its rows labelled from 1; ``names`` are columns of a CSV to be kept as text.

    A CSV (.csv, .tsv, .txt) has a header line, which says what separates its columns: a comma, semicolon,
    tab or bar; what pandas takes for missing is missing (an empty field, NA, NaN, null, ...). Where it is no comma,
    numbers may have one: 0,5. A first column that has no name and counts the rows is left out. An NPZ has an
    array for each column, or a matrix for several: ``x`` of shape (rows, 2) gives ``x.0`` and ``x.1``.
    Raises TableError, with one line that says what is wrong, and ImportError where pandas, or pyarrow for
    Parquet, is missing.

    >>> from fastgrad import table
    >>> np.savez("shop.npz", size=[50.0, 80.0], price=[1, 2])
    >>> table.read("shop.npz").columns.tolist()
    ['size', 'price']
    """
    if not os.path.isfile(path):
        raise TableError(f"{'not a file' if os.path.exists(path) else 'no such file'}: {os.fspath(path)}")
    ending = check_ending(path)
    if os.path.getsize(path) == 0:
        raise TableError(f"{os.fspath(path)} is empty")
    reader = {".parquet": _read_parquet, ".npz": _read_npz}.get(ending, _read_csv)
    try:
        frame = reader(Path(path), frozenset(names))
    except OSError as error:
        # pyarrow raises it for what is no Parquet file too, without an error number.
        raise TableError(f"cannot read {os.fspath(path)}: {_first_line(error.strerror or error)}") from None
    except NOT_WHAT_IT_SAYS as error:
        raise TableError(f"{os.fspath(path)} is not a table: {_first_line(error)}") from None
    if not len(frame):
        raise TableError(f"{os.fspath(path)} has no rows")
    return frame.set_axis(range(1, len(frame) + 1))


def write(frame: Any, path: PathLike) -> None:
    """Write a table, whole or not at all, in the format that the file's ending names.

    >>> import pandas
    >>> write(pandas.DataFrame({"price": [1.5]}), "prices.csv")
    >>> open("prices.csv").read()
    'price\\n1.5\\n'
    """
    ending = check_ending(path)
    with io.write_atomically(path) as file:
        if ending == ".parquet":
            frame.to_parquet(file, index=False)
        elif ending == ".npz":
            arrays: dict[str, Any] = {name: _typed(frame[name]) for name in frame}
            np.savez(file, **arrays)
        else:
            frame.to_csv(file, index=False, sep="\t" if ending == ".tsv" else ",")


def _read_csv(path: Path, names: frozenset[str]) -> Any:
    import pandas as pd

    with open(path, encoding="utf-8-sig") as file:
        header = next((line for line in file if line.strip()), "")
    if not header:
        raise ValueError("it has no header line")
    _check_bytes(path)
    unquoted = re.sub(r'"[^"]*"', "", header)
    separator = "\t" if path.suffix.lower() == ".tsv" else max(",;\t|", key=unquoted.count)
    columns = next(csv.reader([header], delimiter=separator))
    for place, name in enumerate(columns):
        if name and name in columns[:place]:  # pandas would call the second one by another name
            raise ValueError(f"two of its columns are called {name!r}")
    text = dict.fromkeys(names, str)
    frame = pd.read_csv(path, sep=separator, dtype=text, encoding="utf-8-sig", low_memory=False)
    if not isinstance(frame.index, pd.RangeIndex):  # pandas makes row labels of what has no header
        raise ValueError("its rows have more fields than its header")
    if not columns[0] and _counts_rows(frame.iloc[:, 0]):
        frame = frame.iloc[:, 1:]
    if separator != ",":
        for name in frame.columns.difference(list(names)):
            frame[name] = _without_decimal_comma(frame[name])
    return frame


def _check_bytes(path: Path) -> None:
    """ValueError for a byte that no text has, and at which pandas would end a line."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if b"\0" in line:
                raise ValueError(f"line {number} has a zero byte")


def _counts_rows(column: Any) -> bool:
    """Whether a column is what pandas writes before the others: the rows' numbers."""
    first = column.iloc[0] if len(column) else None
    return first in (0, 1) and bool((column == np.arange(first, first + len(column))).all())


def _without_decimal_comma(column: Any) -> Any:
    """Text such as "0,5" as numbers, where all of a column is such text or missing; any other column as it is."""
    import pandas as pd

    if column.dtype.kind in "ifb" or not column.notna().any():
        return column
    text = column.dropna().astype(str)
    if not text.str.fullmatch(r"\s*[+-]?\d*(,\d+)?\s*").all() or not text.str.contains(",").any():
        return column
    return pd.to_numeric(column.str.replace(",", ".", regex=False), errors="coerce")


def _read_parquet(path: Path, names: frozenset[str]) -> Any:
    import pandas as pd

    frame = pd.read_parquet(path)
    frame = frame.reset_index(drop=frame.index.names == [None])
    return frame.set_axis([str(name) for name in frame.columns], axis=1)


def _read_npz(path: Path, names: frozenset[str]) -> Any:
    import pandas as pd

    if not zipfile.is_zipfile(path):
        raise ValueError("not an archive of arrays")
    columns = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            array = archive[name]
            if array.ndim == 0:
                raise ValueError(f"{name!r} is a single value, not a column")
            if array.ndim == 1:
                columns[name] = array
            else:
                matrix = array.reshape(len(array), -1)
                columns |= {f"{name}.{i}": matrix[:, i] for i in range(matrix.shape[1])}
    lengths = {name: len(column) for name, column in columns.items()}
    for name, length in lengths.items():
        first = next(iter(lengths))
        if length != lengths[first]:
            raise ValueError(f"{name!r} has {length} rows, {first!r} has {lengths[first]}")
    return pd.DataFrame(columns)


def _typed(column: Any) -> np.ndarray:
    """A column as an array that NumPy saves without pickling: strings of one length instead of objects."""
    array = column.to_numpy()
    return array if array.dtype.kind != "O" else array.astype(str)


def _first_line(error: object) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not text in UTF-8"
    return str(error).strip().split("\n")[0].removeprefix("Error tokenizing data. C error: ")
