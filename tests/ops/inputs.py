"""Numbers for the cases, and the ways in which they may lie in memory."""

import zlib

import numpy as np

LAYOUTS = ("plain", "transposed", "sliced", "expanded")
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3e4, -3e4])


def numbers(case, shapes, dtype=np.float64, seed=0):
    """Arrays of these shapes for a case: no two numbers are equal or very near, so that differences stay smooth."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()) + seed)
    sizes = [int(np.prod(shape)) for shape in shapes]
    grid, step = np.linspace(case.low, case.high, 2 * sum(sizes) + 8, retstep=True)
    grid += rng.uniform(-0.4, 0.4, grid.shape) * step  # off the lattice, where quotients would be whole numbers
    grid = rng.permutation(grid[np.abs(grid) >= case.gap])
    parts = np.split(grid[: sum(sizes)], np.cumsum(sizes)[:-1])
    return [part.reshape(shape).astype(dtype) for part, shape in zip(parts, shapes)]


def laid(t, array, layout, requires_grad=False):
    """(leaf, view): a leaf of library `t`, and the view of it that holds the array in this layout.

    An expanded view holds the array's first entry in each place.
    """
    if layout == "transposed" and array.ndim > 1:
        leaf, look = array.transpose().copy(), lambda x: x.permute(*reversed(range(x.ndim)))
    elif layout == "sliced" and array.ndim:
        leaf = np.full((2 * len(array) + 1, *array.shape[1:]), 7, array.dtype)
        leaf[1::2] = array
        look = lambda x: x[1::2]
    elif layout == "expanded" and array.ndim and len(array):
        leaf, look = array[:1].copy(), lambda x: x.expand(*array.shape)
    else:
        leaf, look = array, lambda x: x
    leaf = t.from_numpy(np.array(leaf, order="C"))
    if requires_grad:
        leaf.requires_grad_()
    return leaf, look(leaf)


def as_array(x):
    """What a tensor holds, as an array of its own; other things as they are."""
    return np.array(x.detach().numpy()) if hasattr(x, "detach") else x


def scale_of(case, arrays):
    """How large the terms are that a case adds up; 0 where it adds up none."""
    return float(np.prod([np.abs(a).max(initial=1) for a in arrays])) if case.mixes else 0


def assert_close(actual, expected, ulp, scale=0.0, what=""):
    """Equal shapes and dtypes, the same NaN, and numbers within `ulp` units in the last place: of each number, or of
    `scale` where that is larger."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype, f"{what}: dtype {actual.dtype} instead of {expected.dtype}"
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape} instead of {expected.shape}"
    if actual.dtype.kind != "f" or not actual.size:
        np.testing.assert_array_equal(actual, expected, what)
        return
    with np.errstate(all="ignore"):
        finite = np.isfinite(expected)
        size = np.maximum(np.abs(np.where(finite, expected, 0)), scale)
        unit = np.finfo(expected.dtype).eps * size + np.finfo(expected.dtype).tiny
        near = np.where(finite, np.abs(actual - expected) <= ulp * unit, (actual == expected) | (expected != expected))
        near &= np.isnan(actual) == np.isnan(expected)
    assert near.all(), f"{what}:\n{actual[~near][:5]} instead of\n{expected[~near][:5]}"
