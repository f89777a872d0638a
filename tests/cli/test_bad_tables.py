"""A table, a folder or a model that cannot be used: one clear line, exit code 2, nothing written."""

import json
import os

import numpy as np
import pytest

from fastgrad import cli, io
from fastgrad.cli import train

from .conftest import written

QUICK = ["--hidden", "4", "--epochs", "1"]


@pytest.fixture
def fails(tmp_path, capsys):
    """Runs a command that must fail, and gives its line on stderr without the command's name."""

    def run(*arguments):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        capsys.readouterr()
        assert cli.main([str(argument) for argument in arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1, captured.err
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
        start = f"fastgrad {arguments[0]}: "
        assert captured.err.startswith(start)
        return captured.err[len(start) : -1].replace(f"{tmp_path}{os.sep}", "")

    return run


@pytest.fixture
def trains(fails, tmp_path):
    """The line of training on a file of the test's folder."""
    return lambda name, *options: fails("train", tmp_path / name, *options, "--out", tmp_path / "out", *QUICK)


DAYS = b"a,y\n" + b"".join(b"%d,2026-01-%d\n" % (day, day) for day in range(11, 30))


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("no.csv", None, "no such file: no.csv"),
        ("a.doc", b"a,b\n1,2\n", "a.doc: a table's name ends in .csv, .tsv, .txt, .parquet or .npz"),
        ("a.csv", b"", "a.csv is empty"),
        ("a.parquet", b"", "a.parquet is empty"),
        ("a.csv", b"\n \n", "a.csv is not a table: it has no header line"),
        ("a.csv", b"a,y\n", "a.csv has no rows"),
        ("a.csv", b"a,y\n1,\xff\n", "a.csv is not a table: it is not text in UTF-8"),
        ("a.csv", b"a,y\n1,2\n1,2,3\n", "a.csv is not a table: Expected 2 fields in line 3, saw 3"),
        ("a.csv", b"a,y\n1,2,3\n", "a.csv is not a table: its rows have more fields than its header"),
        ("a.csv", b"a,b,a,y\n1,2,3,4\n", "a.csv is not a table: two of its columns are called 'a'"),
        ("a.csv", b"a,y\n1,2\n1,\x002\n", "a.csv is not a table: line 3 has a zero byte"),
        ("a.csv", DAYS, "column 'y' holds dates: make a number of them to predict"),
        ("a.npz", b"a,y\n1,2\n", "a.npz is not a table: not an archive of arrays"),
    ],
)
def test_no_table(name, content, line, trains, houses, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert trains(name, "--target", "y") == line


def test_no_parquet(trains, houses, tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pip install -e '.[train]'")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 or not")
    line = trains("a.parquet", "--target", "y")
    assert "a.parquet" in line
    assert "Parquet" in line or "parquet magic" in line.lower()


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        ({"x": [1, 2], "y": [1, 2, 3]}, "'y' has 3 rows, 'x' has 2"),
        ({"x": 5, "y": [1, 2, 3]}, "'x' is a single value, not a column"),
        ({"x": np.array([{}, {}]), "y": [1, 2]}, "Object arrays cannot be loaded when allow_pickle=False"),
    ],
)
def test_no_table_in_arrays(arrays, line, trains, houses, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    assert trains("a.npz", "--target", "y") == f"a.npz is not a table: {line}"


def test_columns_that_are_not_there(trains, houses, tmp_path):
    written(houses, tmp_path / "t.csv")
    columns = "there are size, rooms, town, garden, built, price, kind"
    assert trains("t.csv") == f"argument --target: which column is to be predicted? {columns}"
    assert trains("t.csv", "--target", "prise") == ("argument --target: t.csv has no column 'prise'; did you mean 'price'?")
    assert trains("t.csv", "--target", "zzz") == f"argument --target: t.csv has no column 'zzz'; {columns}"
    for option in ("--drop", "--categorical"):
        line = trains("t.csv", "--target", "price", option, "kind,siez")
        assert line == f"argument {option}: t.csv has no column 'siez'; did you mean 'size'?"
    assert "'price' is what is to be predicted" in trains("t.csv", "--target", "price", "--drop", "price")
    written(houses[["price"]], tmp_path / "p.csv")
    assert "there is nothing to predict it from" in trains("p.csv", "--target", "price")


@pytest.mark.parametrize(
    ("column", "row", "value", "line"),
    [
        ("size", 6, "inf", "column 'size' has an infinite value in row 7"),
        ("price", 3, "-inf", "column 'price' has an infinite value in row 4"),
        ("size", 6, "1e300", "column 'size' has a value too large to compute with"),
        ("price", 6, "1e300", "column 'price' has a value too large to compute with"),
        ("size", 0, "many", "column 'size' has text where numbers belong: 'many' in row 1 (if names: --categorical size)"),
        ("price", 9, "?", "column 'price' has text where numbers belong: '?' in row 10 (if classes: --task classification)"),
        ("size", None, None, "column 'size' has no values to learn from: leave it out with --drop size"),
        ("price", None, None, "column 'price' has no values to learn from"),
        ("price", None, 7.5, "column 'price' is 7.5 in every row: there is nothing to learn"),
    ],
)
def test_bad_values(column, row, value, line, trains, houses, tmp_path):
    houses[column] = houses[column].astype(object)
    houses.loc[slice(None) if row is None else row, column] = value
    written(houses, tmp_path / "t.csv")
    assert trains("t.csv", "--target", "price") == line


def test_targets_without_anything_to_learn(trains, houses, tmp_path):
    houses["one"], houses["all"] = "yes", [f"name {i}" for i in range(60)]
    written(houses, tmp_path / "t.csv")
    assert trains("t.csv", "--target", "one") == "column 'one' has one class only, 'yes': there is nothing to learn"
    assert trains("t.csv", "--target", "all") == "column 'all' has 60 classes in 60 rows: too many"
    assert trains("t.csv", "--target", "kind", "--task", "regression") == (
        f"column 'kind' has text where numbers belong: {houses['kind'][0]!r} in row 1"
    )
    written(houses.head(2), tmp_path / "two.csv")
    assert "2 rows are too few" in trains("two.csv", "--target", "price")


@pytest.mark.parametrize("value", [b"bytes", [1, 2]])
def test_columns_of_other_things(value, trains, houses, tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pip install -e '.[train]'")
    houses["odd"] = [value] * 60
    written(houses, tmp_path / "t.parquet")
    line = trains("t.parquet", "--target", "price")
    assert line.startswith("column 'odd' holds ")
    assert line.endswith("values, not numbers, dates or text")


def test_folders_that_cannot_be_written(fails, houses, tmp_path, monkeypatch):
    path = written(houses, tmp_path / "t.csv")
    arguments = ["train", path, "--target", "price", *QUICK, "--out"]
    assert fails(*arguments, path) == "argument --out: t.csv is a file, not a folder"
    assert "cannot write to t.csv" in fails(*arguments, path / "below")

    def refuse(**_):  # permissions do not stop root, so the refusal is made by hand
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(train.tempfile, "TemporaryFile", refuse)
    assert fails(*arguments, tmp_path / "a" / "b") == "argument --out: cannot write to a/b: Permission denied"
    assert (
        fails("predict", tmp_path, path)
        == f"{tmp_path} holds no model.safetensors: is it what `fastgrad train` has written?"
    )


@pytest.fixture
def model(houses, tmp_path):
    """The folder of a model for the price."""
    path = written(houses.drop(columns="kind"), tmp_path / "t.csv")
    assert cli.main(["train", str(path), "--target", "price", "--out", str(tmp_path / "model"), *QUICK]) == 0
    return tmp_path / "model"


def test_tables_that_do_not_fit_the_model(fails, model, houses, tmp_path):
    def line(frame, *options):
        return fails("predict", model, written(frame, tmp_path / "new.csv"), *options)

    written(houses, tmp_path / "new.csv")
    few = houses[["size", "rooms", "garden"]]
    written(few, tmp_path / "new.csv")
    assert line(few) == "the table does not fit the model: it has no column 'built', 'town'"
    for value, says in [
        ("big", "column 'size' has text where numbers belong: 'big' in row 3"),
        ("inf", "column 'size' has an infinite value in row 3"),
        ("1e300", "column 'size' has a value too large to compute with"),
    ]:
        bad = houses.astype({"size": object})
        bad.loc[2, "size"] = value
        written(bad, tmp_path / "new.csv")
        assert line(bad) == says
    written(houses, tmp_path / "new.csv")
    assert line(houses, "--keep", "roms") == "argument --keep: new.csv has no column 'roms'; did you mean 'rooms'?"
    assert line(houses, "--keep", "price") == "argument --keep: 'price' is the name of what is predicted"


def test_predictions_that_cannot_be_written(fails, model, tmp_path):
    def line(out):
        return fails("predict", model, tmp_path / "t.csv", "--out", out)

    assert line(tmp_path / "p.doc") == "p.doc: a table's name ends in .csv, .tsv, .txt, .parquet or .npz"
    assert line(tmp_path / "no" / "p.csv") == "argument --out: cannot write to no: No such file or directory"
    (tmp_path / "p.csv").mkdir()
    assert line(tmp_path / "p.csv") == "argument --out: p.csv is a folder, not a file"
    assert fails("predict", model, tmp_path / "nix.csv") == "no such file: nix.csv"


def test_folders_that_hold_no_model(fails, model, tmp_path):
    def line(folder):
        return fails("predict", folder, tmp_path / "t.csv")

    file = model / "model.safetensors"
    whole, state, metadata = file.read_bytes(), io.load(file), io.load_metadata(file)
    assert line(tmp_path / "nix") == "no such folder: nix"
    file.write_bytes(whole[:1000])
    assert line(model).startswith("model/model.safetensors: not a whole safetensors file")
    io.save(state, file, metadata={"model": "of the digits"})
    assert line(model) == "model/model.safetensors was not trained on a table (of the digits)"

    def damaged(change):
        content = json.loads(metadata["table"])
        change(content)
        io.save(state, file, metadata={"table": json.dumps(content)})
        assert "model.safetensors was written by another version or is damaged (" in line(model)

    damaged(lambda content: content.update(format=2))
    damaged(lambda content: content.pop("target"))
    damaged(lambda content: content.update(widths=[3]))
    damaged(lambda content: content["preprocessing"]["mean"].pop())
    damaged(lambda content: content["preprocessing"].update(rest=["town"]))
    damaged(lambda content: content["preprocessing"]["scale"].__setitem__(0, float("nan")))
    damaged(lambda content: content["target"].update(classes=["a", "b"]))
