"""The comparisons run, at a size at which they measure nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import compare, compiled, memory, start, turns, whole_training


def test_whole_training(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--samples", "160", "--widths", "8", "6", "3", "--batch", "32", "--epochs", "1", "--turns", "1"]
    whole_training.main([*small, "--threads", "1", "--forms", "fastgrad"])
    text = capsys.readouterr().out
    assert re.search(r"^\| fastgrad \| 1 \| \d+\.\d\d \| \d+\.\d\d \| \d+\.\d\d% \|$", text, re.MULTILINE), text


@pytest.mark.parametrize(("form", "module"), [("torch fused", "torch"), ("jax jit", "jax"), ("sklearn", "sklearn")])
def test_every_library_learns_the_same(form: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(module)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    options = whole_training.parsed(["--samples", "800", "--widths", "30", "16", "4", "--batch", "40", "--epochs", "6"])
    arrays = whole_training.work(options)
    own = whole_training.train_torch("fastgrad", arrays, options.batch)[1]
    other = whole_training.TRAIN[module](form, arrays, options.batch)[1]
    assert (own == arrays["y_test"]).mean() > 0.5
    assert (own == other).mean() > 0.98


def test_compiled(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    forms = {form: row for form, row in compiled.FORMS.items() if row[0] == "fastgrad"}
    monkeypatch.setattr(compiled, "FORMS", forms)
    compiled.main(["--only", "20-13", "--turns", "1", "--seconds", "0.01", "--optimizers", "sgd"])
    text = capsys.readouterr().out
    assert re.search(
        r"^\| 20-13-8-3, batch 500 \| sgd \| [\d.,]+ \| [\d.,]+ \| nan \| nan \| \d+% \|$", text, re.MULTILINE
    ), text


def test_compare(capsys: pytest.CaptureFixture[str]) -> None:
    compare.main(["--only", "node of `back", "--turns", "1", "--seconds", "0.01", "--libraries", "fastgrad"])
    text = capsys.readouterr().out
    assert re.search(r"^\| the same and its node of `backward\(\)` \| \d+\.\d\d \| nan times \|$", text, re.MULTILINE), text


def test_a_library_that_fails_is_named_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    works = {"none": turns.Work("fastgrad", "line_by_hand", {"unknown": 1})}
    assert turns.medians(works, 1, 0.01) == {}
    assert "none on 2 threads: TypeError" in capsys.readouterr().err


def test_start(capsys: pytest.CaptureFixture[str]) -> None:
    start.main(["--turns", "1", "--forms", "fastgrad compiled", "--no-empty"])
    text = capsys.readouterr().out
    assert re.search(r"^\| fastgrad compiled \| [\d.]+ \| [\d.]+ \| [\d.]+ \|$", text, re.MULTILINE), text


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's numbers of a process")
def test_memory(capsys: pytest.CaptureFixture[str]) -> None:
    memory.main(["--forms", "fastgrad", "--widths", "8", "6", "3", "--batch", "4", "--steps", "210"])
    text = capsys.readouterr().out
    assert re.search(r"^\| fastgrad \| [\d.]+ \|$", text, re.MULTILINE), text
    assert re.search(r"^\| fastgrad \| -?[\d,]+ \| -?[\d,]+ \| -?[\d,]+ \|$", text, re.MULTILINE), text
