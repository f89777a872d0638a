"""The table of operations runs, and leaves none out."""

from __future__ import annotations

import contextlib
import re

import pytest

import fastgrad
from benchmarks import surface, surface_rows
from tests.surface import elementwise, reductions
from tests.surface.samples import Family


def test_surface(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    surface.main(["--sizes", "64", "--turns", "1", "--seconds", "0.00001", "--only", "softmax"])
    text = capsys.readouterr().out
    row = r"^\| activations: `softmax\(x, 1\)` \| forward \| [\d.,]+ \| [\d.,]+ \| [\d.]+ \|$"
    assert re.search(row, text, re.MULTILINE), text
    assert "64 elements: " in text


@pytest.mark.filterwarnings("ignore:reduction")
def test_surface_has_every_operation() -> None:
    """Each name of the table of public names that is an operation on numbers is measured, and runs under fastgrad."""
    rows = list(surface_rows.calls())
    names = {row.name.rpartition(".")[2] for row in rows}
    families = (elementwise.arithmetic, elementwise.comparison, elementwise.pointwise, reductions.reductions)
    aliases = {name for family in families for name in _names(family)} - names
    own = {id(getattr(fastgrad, name)) for name in names if hasattr(fastgrad, name)}
    assert {name for name in aliases if id(getattr(fastgrad, name)) not in own} <= surface_rows.OTHER
    given = surface_rows.inputs(fastgrad, 64)
    for row in rows:
        with contextlib.suppress(RuntimeError, TypeError, IndexError):  # a sample that shows an error
            call = surface_rows.bound(fastgrad, row, given)
            call.forward()
            if call.both is not None:
                call.both()


def _names(family: Family) -> list[str]:
    return [row.name for row in family.rows if not row.whole]
