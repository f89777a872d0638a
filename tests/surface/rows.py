"""All rows of the table of public names: each family stands in a file of its own, as a list; see `samples.py`.

To add names, add rows to a family, or a file with a `FAMILIES` list to the sum below. `python -m tests.surface` says what
differs.
"""

from tests.surface import elementwise, indexing, making, products, reductions, shapes, training

FAMILIES = [
    *elementwise.FAMILIES, *reductions.FAMILIES, *shapes.FAMILIES, *indexing.FAMILIES, *products.FAMILIES, *making.FAMILIES,
    *training.FAMILIES,
]  # fmt: skip
# Expressions (or their beginnings) where a difference is meant, and why.
MEANT: dict[str, str] = {}
# Families whose names are still being added.
UNFINISHED = {family.name for family in FAMILIES if family not in training.FAMILIES}
