"""`fastgrad train TABLE` and `fastgrad predict`: from a person's own table to predictions."""

import io as text_io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastgrad import cli, io, table

from .conftest import written

REPOSITORY = Path(__file__).parents[2]
QUICK = ["--hidden", "16,8", "--epochs", "60", "--lr", "0.01", "--dropout", "0"]


@pytest.fixture(params=[".csv", ".parquet", ".npz"])
def ending(request):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pip install -e '.[train]'")
    return request.param


def run(*arguments, code=0):
    assert cli.main([str(argument) for argument in arguments]) == code


def model_of(out):
    return json.loads(io.load_metadata(out / "model.safetensors")["table"])


@pytest.mark.parametrize(("target", "task"), [("price", "regression"), ("kind", "classification")])
def test_train_then_predict(houses, ending, target, task, tmp_path, capsys):
    path, out = written(houses, tmp_path / f"houses{ending}"), tmp_path / "out"
    other = {"price": "kind", "kind": "price"}[target]
    run("train", path, "--target", target, "--drop", other, "--out", out, *QUICK)
    said = capsys.readouterr().out
    assert f"{path}: {task} of {target!r}" in said
    assert "4 numeric and 1 categorical columns" in said
    assert "48 rows to train on, 12 held out" in said
    score, trivial = {
        "regression": (r"held-out RMSE ([\d,.]+), R² ", r"; the mean alone: RMSE ([\d,.]+)"),
        "classification": (r"held-out accuracy ([\d.]+)%", r"; the commonest class alone, 'flat|villa': ([\d.]+)%"),
    }[task]
    assert re.search(score, said)
    assert re.search(trivial, said)
    assert sorted(file.name for file in out.iterdir()) == ["curves.png", "model.safetensors"]
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")

    results = tmp_path / f"predicted{ending}"
    run("predict", out, path, "--keep", "rooms", "--out", results)
    said = capsys.readouterr().out
    assert f"on 60 rows with a {target!r}: " in said
    assert f"wrote 60 predictions to {results}" in said
    predicted = table.read(results)
    assert predicted["rooms"].tolist() == houses["rooms"].tolist()
    if task == "regression":
        error = np.sqrt(np.square(predicted["price"].to_numpy() - houses["price"].to_numpy()).mean())
        assert error < 0.6 * houses["price"].std()
        assert f"RMSE {error:,.6g}"[:10] in said
    else:
        right = (predicted["kind"].to_numpy() == houses["kind"].to_numpy()).sum()
        assert right > 48
        assert f"({right} of 60)" in said
        assert predicted["probability"].between(0.5, 1).all()


def test_the_score_is_that_of_the_written_model(houses, tmp_path, capsys):
    """What the file holds predicts the held-out rows as well as was said; the rest was never looked at."""
    path = written(houses.drop(columns="kind"), tmp_path / "houses.csv")
    run("train", path, "--target", "price", "--out", tmp_path / "out", "--val-split", "0.999", *QUICK, code=2)
    assert "too few" in capsys.readouterr().err
    run("train", path, "--target", "price", "--out", tmp_path / "out", "--val-split", "0.5", *QUICK)
    said = re.search(r"held-out (RMSE .*)", capsys.readouterr().out)[1]
    import fastgrad

    fastgrad.manual_seed(0)
    held_out = fastgrad.randperm(60).numpy()[:30]
    written(houses.iloc[held_out], tmp_path / "held_out.csv")
    run("predict", tmp_path / "out", tmp_path / "held_out.csv", "--out", tmp_path / "p.csv")
    assert f"on 30 rows with a 'price': {said}\n" in capsys.readouterr().out
    training = houses.drop(index=held_out)
    content = model_of(tmp_path / "out")
    assert content["target"]["mean"] == pytest.approx(training["price"].mean(), rel=1e-12)
    assert content["preprocessing"]["fill"][0] == training["size"].median()


def test_gaps_and_names_that_training_did_not_have(houses, tmp_path, capsys):
    path, out = written(houses, tmp_path / "houses.csv"), tmp_path / "out"
    run("train", path, "--target", "price", "--drop", "kind", "--out", out, *QUICK)
    capsys.readouterr()
    new = houses.drop(columns=["price", "kind"]).head(3).astype({"rooms": object, "garden": object})
    new["town"] = ["Ostend", None, "Ghent"]
    new.loc[:, "rooms"] = None  # a gap in each row of a column that had none
    new.loc[1, "garden"] = None
    new["extra"] = "not looked at"
    run("predict", out, written(new, tmp_path / "new.csv"))
    captured = capsys.readouterr()
    predicted = np.loadtxt(text_io.StringIO(captured.out), skiprows=1)
    assert captured.out.startswith("price\n")
    assert captured.err == ""
    assert predicted.shape == (3,)
    assert np.isfinite(predicted).all()


def test_codes_stay_names(houses, tmp_path):
    houses["code"] = [f"{i % 4:02}" for i in range(60)]  # 00 to 03, numbers to whoever reads the file
    path = written(houses, tmp_path / "houses.csv")
    run("train", path, "--target", "kind", "--categorical", "code", "--out", tmp_path / "out", *QUICK, "--epochs", "1")
    content = model_of(tmp_path / "out")["preprocessing"]
    assert content["categories"]["code"] == ["00", "01", "02", "03"]
    assert "code" not in content["numbers"]
    houses["code"] = "02"
    run("predict", tmp_path / "out", written(houses, tmp_path / "new.csv"), "--out", tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("values", "options", "task", "classes"),
    [
        (["a", "b"] * 30, [], "classification", ["a", "b"]),
        ([True, False] * 30, [], "classification", [False, True]),
        ([3, 1, 2] * 20, [], "classification", [1, 2, 3]),
        ([1.0, 2.0] * 30, [], "classification", [1, 2]),
        ([1.5, 2.0] * 30, [], "regression", None),
        (list(range(60)), [], "regression", None),
        (list(range(20)) * 3, [], "regression", None),  # three rows for each: hardly classes
        ([3, 1, 2] * 20, ["--task", "regression"], "regression", None),
        ([1.5, 2.0] * 30, ["--task", "classification"], "classification", [1.5, 2]),
    ],
)
def test_the_task_is_seen(values, options, task, classes, houses, tmp_path, capsys):
    houses["goal"] = values
    path = written(houses[["size", "goal"]], tmp_path / "t.csv")
    run("train", path, "--target", "goal", "--out", tmp_path, "--epochs", "1", "--hidden", "4", *options)
    assert f"{task} of 'goal'" in capsys.readouterr().out
    assert model_of(tmp_path)["target"]["classes"] == classes
    run("predict", tmp_path, path)
    captured = capsys.readouterr()
    predicted = captured.out.split("\n")[1].split(",")[0]
    assert predicted in map(str, classes) if classes else float(predicted)
    assert "on 60 rows with a 'goal': " in captured.err


def test_rows_without_a_target_are_left_out(houses, tmp_path, capsys):
    houses.loc[:9, "price"] = np.nan
    path = written(houses, tmp_path / "houses.csv")
    run("train", path, "--target", "price", "--out", tmp_path, *QUICK, "--epochs", "1")
    said = capsys.readouterr().out
    assert "10 rows are left out: they have no 'price'" in said
    assert "40 rows to train on, 10 held out" in said


def test_patience_keeps_the_best(houses, tmp_path, capsys):
    path = written(houses, tmp_path / "houses.csv")
    options = ["--target", "price", "--out", tmp_path, *QUICK, "--epochs", "500"]
    run("train", path, *options, "--patience", "3")
    epochs, best = re.search(r"trained (\d+) epochs .*; those of epoch (\d+) are kept", capsys.readouterr().out).groups()
    assert int(epochs) - int(best) == 3


def test_weight_decay_and_seed_reach_the_model(houses, tmp_path):
    path = written(houses, tmp_path / "houses.csv")

    def weights(*options):
        run("train", path, "--target", "price", "--out", tmp_path, *QUICK, "--epochs", "2", *options)
        return io.load(tmp_path / "model.safetensors")["0.weight"].numpy()

    plain, again, decayed, other = weights(), weights(), weights("--weight-decay", "0.5"), weights("--seed", "1")
    assert (plain == again).all()
    assert np.abs(decayed).sum() < np.abs(plain).sum()
    assert plain.shape == other.shape
    assert (plain != other).any()


def test_the_folder_is_named_after_the_table(houses, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("train", written(houses, tmp_path / "mine.csv"), "--target", "kind", *QUICK, "--epochs", "1")
    assert (tmp_path / "runs" / "mine" / "model.safetensors").is_file()


def test_without_the_extras_the_hint_is_one_line(houses, tmp_path, monkeypatch, capsys):
    path = written(houses, tmp_path / "houses.csv")
    for module in ("pandas", "sklearn.compose"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            run("train", path, "--target", "price", "--out", tmp_path / "out", code=2)
        captured = capsys.readouterr()
        assert captured.err.startswith("fastgrad train: tables need pip install 'fastgrad[train]' (")
        assert captured.err.count("\n") == 1
        assert not (tmp_path / "out").exists()


def test_a_failed_write_leaves_nothing(houses, tmp_path, monkeypatch, capsys):
    path = written(houses, tmp_path / "houses.csv")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(io.os, "fsync", full)
    run("train", path, "--target", "price", "--out", tmp_path / "a" / "b", *QUICK, "--epochs", "1", code=1)
    assert "No space left" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


# A step that ends only by a second Ctrl-C, and says when the first one has come.
SLOW = """
import signal, time
from fastgrad import optim

def step(*_):
    assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    print("stepping", file=sys.stderr, flush=True)
    while signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        time.sleep(0.01)
    print("still stepping", file=sys.stderr, flush=True)
    time.sleep(600)

optim.Adam.step = step
"""


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_leaves_a_whole_model_or_nothing(times, houses, tmp_path):
    """The first one ends training and writes what there is; a second one gives up."""
    path, out = written(houses, tmp_path / "houses.csv"), tmp_path / "new" / "out"
    arguments = ["train", str(path), "--target", "price", "--epochs", "1000000", "--patience", "1000000"]
    code = f"import sys\nfrom fastgrad import cli\n{SLOW if times == 2 else ''}\nsys.exit(cli.main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments, "--out", str(out)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        seen = b""
        for word in [rb"epoch ([3-9]|\d\d+)/"] if times == 1 else [b"stepping", b"still stepping"]:
            while not re.search(word, seen):
                seen += process.stderr.read1()
                assert process.poll() is None, seen
            process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=600)
    finally:
        process.kill()
    assert process.returncode == 130, stderr
    assert b"Traceback" not in stderr
    if times == 1:
        assert re.search(rb"interrupted in epoch \d+: writing what was trained", stderr)
        assert sorted(file.name for file in out.iterdir()) == ["curves.png", "model.safetensors"]
        run("predict", out, path, "--out", tmp_path / "p.csv")
    else:
        assert b"interrupted" in stderr
        assert not out.parent.exists()
