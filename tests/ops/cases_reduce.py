"""Rows of reductions beyond sums and extremes."""

from tests.ops.case import Family

moments = Family({"mixes": True})
