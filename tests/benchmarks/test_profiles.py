"""The profiling scripts run, and account for real work."""

from __future__ import annotations

import pytest

from benchmarks import profile_kernels, profile_step


def test_profile_step(capsys: pytest.CaptureFixture[str]) -> None:
    profile_step.main(["--inputs", "8", "--hidden", "6", "--classes", "3", "--batch", "5", "--steps", "3"])
    text = capsys.readouterr().out
    assert "8-6-3, batch 5" in text
    assert "backward" in text or "engine" in text


def test_profile_kernels(capsys: pytest.CaptureFixture[str]) -> None:
    profile_kernels.main(["--widths", "8,6,3", "--batch", "5", "--steps", "3", "--optimizer", "adam"])
    text = capsys.readouterr().out
    assert "product (5, 8) @ (8, 6)" in text
    assert "relu" in text
    assert "adam" in text
