"""Every public name exists in every form that PyTorch has, and every sample of it gives what PyTorch gives."""

import pytest

import fastgrad
from tests.surface.rows import FAMILIES, UNFINISHED, meant
from tests.surface.samples import compared, expressions, forms, has

ROWS = [row for family in FAMILIES for row in family.rows if family.name not in UNFINISHED]
by_name = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.family}: {row.name}")


@by_name
def test_the_name_exists_in_every_form(row, torch):
    assert not [name for _, name in forms(torch, row) if not has(fastgrad, name)]


@by_name
def test_samples_equal_pytorch(row, torch):
    outcomes = [compared(fastgrad, torch, expression) for _, expression in expressions(torch, row)]
    assert not [f"{o.expression}: {o.note}" for o in outcomes if not (o.same or meant(o.expression))]
