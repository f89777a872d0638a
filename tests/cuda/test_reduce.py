"""Sums in their fixed order, against the reference."""

import numpy as np
import pytest
from fastgrad.kernels.reference import reduce


@pytest.mark.parametrize(("n", "block"), [(1, 1), (5, 5), (53, 53), (53, 20)])
def test_sum_runs(run, generator, n, block):
    x = generator.normal(size=n)
    blocks = -(-n // block)
    out, expected = np.empty(blocks), np.empty(blocks)
    run("reduce.sum_runs", blocks, out, x, n, block)
    reduce.sum_runs(expected, x, n, block)
    np.testing.assert_allclose(out, expected, atol=1e-14)


@pytest.mark.parametrize(("shape", "block"), [((1, 1, 1), 1), ((1, 9, 5), 256), ((2, 7, 11), 3)])
def test_sum_columns(run, generator, shape, block):
    """Equal to the last bit: the order is the reference's, row after row."""
    outer, n, inner = shape
    x = generator.normal(size=shape).astype(np.float32)
    x[0, 0, 0] = np.nan
    blocks = -(-n // block)
    out, expected = np.empty((outer, blocks, inner), np.float32), np.empty((outer, blocks, inner), np.float32)
    run("reduce.sum_columns", outer * blocks, out, x, n, inner, block)
    reduce.sum_columns(expected, x, n, inner, block)
    np.testing.assert_array_equal(out, expected)
