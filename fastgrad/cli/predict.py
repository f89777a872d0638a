"""``fastgrad predict``: what a model that was trained on a table says about another one."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import fastgrad
from fastgrad import table
from fastgrad.cli.model import load, outputs_of
from fastgrad.cli.options import OptionError
from fastgrad.cli.problem import check_columns, of_a_table

__all__ = ["predict"]


def predict(options: argparse.Namespace) -> int:
    """Print predictions as CSV or write them to ``options.out``; say their score where the truth is there."""
    if options.threads is not None:
        fastgrad.set_num_threads(options.threads)
    model, preprocessing, target = load(options.model)
    with of_a_table():
        if options.out:
            _check_file(options.out)
        frame = table.read(options.table, names=preprocessing.categories)
        check_columns(options.table, frame, "--keep", options.keep or ())
        inputs = preprocessing.transform(frame)
    outputs = outputs_of(model, fastgrad.from_numpy(inputs)).numpy()
    predictions = target.decode(outputs)
    kept = frame[options.keep or []].copy()
    for name, values in predictions.items():
        if name in kept:
            raise OptionError(f"argument --keep: {name!r} is the name of what is predicted")
        kept[name] = values

    messages = sys.stdout if options.out else sys.stderr
    if target.name in frame and frame[target.name].notna().any():
        given = frame[target.name].notna().to_numpy()
        try:
            score = target.score(outputs[given], target.encode(frame[target.name][given]))
            print(f"on {given.sum():,} rows with a {target.name!r}: {score}", file=messages)
        except table.TableError as error:
            print(f"no score: {error}", file=messages)
    if options.out:
        table.write(kept, options.out)
        print(f"wrote {len(kept):,} predictions to {options.out}")
    else:
        kept.to_csv(sys.stdout, index=False)
    return 0


def _check_file(path: Path) -> None:
    """OptionError for a file that cannot be written, before the work that goes into it."""
    table.check_ending(path)
    if path.is_dir():
        raise OptionError(f"argument --out: {path} is a folder, not a file")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OptionError(f"argument --out: cannot write to {path.parent}: {error.strerror}") from None
