"""Bad options: one clear line on stderr, exit code 2, nothing on stdout, nothing written."""

import os

import pytest

import fastgrad
from fastgrad import cli
from fastgrad.cli import train


def fails(arguments, capsys):
    """The one line that a bad command line leaves on stderr."""
    try:
        code = cli.main(arguments)
    except SystemExit as exit:
        code = exit.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    return captured.err


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        (option, value, wanted)
        for option, values, wanted in [
            ("--epochs", ["0", "-1", "1.5", "ten", "", "inf"], "a positive whole number"),
            ("--batch-size", ["0", "-32", "x"], "a positive whole number"),
            ("--weight-decay", ["-1", "x", "nan", "inf"], "a number from 0 up"),
            ("--patience", ["0", "x"], "a positive whole number"),
            ("--val-split", ["0", "1", "x", "nan"], "above 0 and below 1"),
            ("--task", ["regress", ""], "invalid choice"),
            ("--lr", ["0", "-0.1", "fast", "nan", "inf"], "a positive number"),
            ("--hidden", ["0", "256,0", "256,-1", "256;128", "", ",", "1e3", "256,,128"], "such as 256,128"),
            ("--optimizer", ["sdg", "", "Adam"], "invalid choice"),
            ("--dropout", ["1", "1.5", "-0.1", "half", "nan"], "at least 0 and below 1"),
            ("--seed", ["-1", "1.5", "x", str(2**64)], "a whole number from 0 to"),
            ("--threads", ["0", "-2", "many", "1000000"], "a whole number from 1 to"),
        ]
        for value in values
    ],
)
def test_a_bad_value_is_named(option, value, wanted, capsys, tmp_path):
    out = tmp_path / "out"
    line = fails(["train", f"{option}={value}", "--out", str(out)], capsys)
    assert line.startswith(f"fastgrad train: argument {option}: ")
    assert wanted in line
    assert repr(value) in line
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "COMMAND"),
        (["trian"], "'trian'"),
        (["train", "--epoch", "3"], "--epoch"),
        (["train", "--epochs"], "expected one argument"),
        (["train", "digits"], "no such file: digits"),
        (["train", "--target", "price"], "--target: it needs a table"),
        (["train", "--val-split", "0.5"], "--val-split: it needs a table"),
        (["train", "a.csv", "b.csv"], "b.csv"),
        (["predict"], "DIR, TABLE"),
        (["predict", "runs/digits"], "TABLE"),
    ],
)
def test_a_bad_command_line_is_named(arguments, text, capsys):
    assert text in fails(arguments, capsys)


@pytest.mark.parametrize("hidden", ["1000000000000", "9000000000000000000"])
def test_a_model_that_does_not_fit_into_memory(hidden, capsys, tmp_path):
    try:
        code = cli.main(["train", "--hidden", hidden, "--out", str(tmp_path / "run")])
    except SystemExit as exit:
        code = exit.code
    error = capsys.readouterr().err
    assert code == 2
    assert error.count("\n") == 1
    assert "fit into memory" in error
    assert not (tmp_path / "run").exists()


def test_out_is_a_file(capsys, tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    assert f"{path} is a file" in fails(["train", "--out", str(path)], capsys)
    assert "cannot write to" in fails(["train", "--out", str(path / "below")], capsys)
    assert path.read_text() == "mine"


def test_out_cannot_be_written(capsys, tmp_path, monkeypatch):
    if os.geteuid() == 0:  # permissions do not stop root, so the refusal is made by hand

        def refuse(**_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(train.tempfile, "TemporaryFile", refuse)
    else:
        tmp_path.chmod(0o500)
    assert f"cannot write to {tmp_path}: Permission denied" in fails(["train", "--out", str(tmp_path)], capsys)
    assert not list(tmp_path.iterdir())


def test_version(capsys):
    with pytest.raises(SystemExit) as exit:
        cli.main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out == f"fastgrad {fastgrad.__version__}\n"


def test_help_names_every_option_and_default(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    text = capsys.readouterr().out
    for name in (
        "target task drop categorical val-split".split()
        + "hidden epochs patience batch-size lr weight-decay optimizer dropout seed threads out".split()
    ):
        assert f"--{name}" in text
    for default in ("(256,128)", "(40;", "at most 200)", "(32)", "(adam)", "(0.2)", "(runs/digits"):
        assert default in text
