"""`fastgrad train`: it learns the digits, leaves a model and a picture, and survives Ctrl-C."""

import hashlib
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastgrad
from fastgrad import cli, datasets, io, nn, trainer
from fastgrad.utils.data import DataLoader

REPOSITORY = Path(__file__).parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


def train(out, *options, code=0):
    assert cli.main(["train", "--out", str(out), *options]) == code
    return io.load(out / "model.safetensors")


def bits(state):
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in state.values())).hexdigest()


@pytest.fixture
def threads_put_back():
    threads = fastgrad.get_num_threads()
    yield
    fastgrad.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The default command, run once as a process: (folder, stdout, stderr)."""
    out = tmp_path_factory.mktemp("digits")
    process = subprocess.run(
        [sys.executable, "-m", "fastgrad", "train", "--out", str(out)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert process.returncode == 0, process.stderr
    return out, process.stdout, process.stderr


def test_more_than_97_percent_of_held_out_digits(trained):
    _, stdout, _ = trained
    accuracy, right = re.search(r"held-out accuracy (\d+\.\d+)% \((\d+) of 360\)", stdout).groups()
    assert float(accuracy) > 97
    assert int(right) / 360 == pytest.approx(float(accuracy) / 100, abs=1e-4)


def test_the_bar_and_the_last_lines_say_how_it_goes(trained):
    out, stdout, stderr = trained
    last = stderr.rstrip().rsplit("\r", 1)[-1]
    assert re.search(r"epoch 40/40.*samples/s.*loss=\d+\.\d+.*accuracy=\d+\.\d%", last), last
    assert re.search(r"trained 40 epochs at [\d,]+ samples/s", stdout)
    assert f"wrote {out / 'model.safetensors'}" in stdout
    assert f"wrote {out / 'curves.png'}" in stdout


def test_the_model_file_holds_what_was_measured(trained):
    out, stdout, _ = trained
    assert sorted(path.name for path in out.iterdir()) == ["curves.png", "model.safetensors"]
    assert (out / "curves.png").read_bytes().startswith(PNG)
    model = nn.Sequential(
        *(nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.2)),
        *(nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.2)),
        nn.Linear(128, 10),
    )
    model.load_state_dict(io.load(out / "model.safetensors"))
    _, accuracy = trainer.evaluate(model, DataLoader(datasets.digits(train=False), batch_size=360))
    assert f"held-out accuracy {accuracy:.2%}" in stdout
    metadata = io.load_metadata(out / "model.safetensors")
    assert metadata["held_out"].startswith(f"accuracy {accuracy:.2%}")
    assert metadata["model"] == "64-256-128-10 MLP, relu"
    assert metadata["fastgrad_version"] == fastgrad.__version__


def test_same_seed_same_bits(tmp_path):
    options = ["--epochs", "1", "--hidden", "16"]
    states = [train(tmp_path / str(i), *options, "--seed", seed) for i, seed in enumerate(["7", "7", "8"])]
    first, again, other = map(bits, states)
    assert first == again
    assert first != other


def test_threads_do_not_change_the_bits(tmp_path, threads_put_back):
    options = ["--epochs", "1", "--hidden", "128,64"]
    states = [train(tmp_path / n, *options, "--threads", n) for n in ("1", "2", "3")]
    one, two, three = map(bits, states)
    assert one == two == three


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_every_optimizer_learns(optimizer, tmp_path, capsys):
    train(tmp_path, "--optimizer", optimizer, "--epochs", "5")
    accuracy = float(re.search(r"held-out accuracy (\d+\.\d+)%", capsys.readouterr().out)[1])
    assert accuracy > 93


def test_options_reach_the_model(tmp_path, capsys, threads_put_back):
    state = train(
        tmp_path,
        *"--hidden 12,9,7 --epochs 1 --batch-size 100 --lr 0.01 --dropout 0 --threads 1".split(),
    )
    assert fastgrad.get_num_threads() == 1
    assert [tuple(state[f"{i}.weight"].shape) for i in (0, 2, 4, 6)] == [(12, 64), (9, 12), (7, 9), (10, 7)]
    assert "64-12-9-7-10 MLP" in capsys.readouterr().out


def test_a_loss_that_explodes_is_said(tmp_path, capsys):
    train(tmp_path, "--optimizer", "sgd", "--lr", "1e30", "--epochs", "1")
    assert "try a smaller --lr" in capsys.readouterr().err


def test_an_older_model_stays_when_writing_fails(tmp_path, monkeypatch, capsys):
    train(tmp_path, "--epochs", "1", "--hidden", "8")
    before = (tmp_path / "model.safetensors").read_bytes()
    capsys.readouterr()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(io.os, "fsync", full)
    assert cli.main(["train", "--epochs", "1", "--hidden", "9", "--out", str(tmp_path)]) == 1
    assert "fastgrad train: [Errno 28] No space left on device\n" in capsys.readouterr().err
    assert (tmp_path / "model.safetensors").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "model.safetensors"]


def test_without_matplotlib_the_model_is_written_all_the_same(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    train(tmp_path, "--epochs", "1", "--hidden", "8")
    assert "pip install 'fastgrad[train]'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_ctrl_c_writes_what_was_trained(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "fastgrad", "train", "--epochs", "1000000", "--out", str(tmp_path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        seen = b""
        while not re.search(rb"epoch ([3-9]|\d\d+)/", seen):  # quick epochs need not all be drawn
            seen += process.stderr.read1()
            assert process.poll() is None, seen
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=600)  # the epochs would go on for longer
    finally:
        process.kill()
    assert process.returncode == 130
    assert re.search(rb"interrupted in epoch \d+: writing what was trained", stderr)
    assert b"Traceback" not in stderr
    assert b"held-out accuracy" in stdout
    state = io.load(tmp_path / "model.safetensors")
    assert all(np.isfinite(tensor.numpy()).all() for tensor in state.values())
    assert (tmp_path / "curves.png").read_bytes().startswith(PNG)
