"""Kernels of normalisation and of the gated linear unit, against the reference functions of the same names."""

import numpy as np
import pytest

from tests.kernels.rows import launch, reference

pytestmark = pytest.mark.plain
DTYPES = ("float32", "float64")
PLAIN, SCALED, SHIFTED, SLOPE, SCALE_SLOPE = 1, 2, 4, 8, 16


def near(got, want, dtype, units=64):
    got, want = np.asarray(got), np.asarray(want)
    scale = max(1.0, np.abs(want[np.isfinite(want)]).max(initial=0.0))
    np.testing.assert_allclose(got, want, rtol=0, atol=units * np.finfo(dtype).eps * scale)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("rows", "n", "inner", "groups"), [(1, 1, 1, 1), (5, 7, 1, 1), (6, 12, 3, 2), (4, 70, 1, 2), (3, 300, 100, 1)]
)
@pytest.mark.parametrize("flags", [0, PLAIN, SCALED, SHIFTED, SCALED | SHIFTED, PLAIN | SCALED])
def test_rows(dtype, rows, n, inner, groups, flags):
    rng = np.random.default_rng(0)
    x, gy = (rng.standard_normal((rows, n)).astype(dtype) + 1 for _ in range(2))
    w, b = (rng.standard_normal(groups * n // inner).astype(dtype) for _ in range(2))
    ours, theirs = ([np.empty((rows, n), dtype), np.empty(rows, dtype), np.empty(rows, dtype)] for _ in range(2))
    launch("norm.forward", dtype, rows, 2, *ours, x, w, b, n, inner, groups, flags, 0.1)
    reference("norm.forward")(*theirs, x, w, b, n, inner, groups, flags, 0.1)
    for got, want in zip(ours, theirs):
        near(got, want, dtype)
    block = 2
    blocks = -(-rows // block)
    flags |= SLOPE | SCALE_SLOPE
    sizes = (rows, n, inner, groups, block, flags)
    shapes = [(rows, n), (blocks, len(w)), (blocks, len(w))]
    got, want = ([np.empty(shape, dtype) for shape in shapes] for _ in range(2))
    launch("norm.backward", dtype, blocks, 1, *got, x, gy, *theirs[1:], w, *sizes)
    reference("norm.backward")(*want, x, gy, *theirs[1:], w, *sizes)
    for a, e in zip(got, want):
        near(a, e, dtype, 256)


TRAINING, TRACKED, COUNTED = 4, 8, 16
BATCHES = [(2, 1, 1), (7, 5, 1), (33, 20, 1), (4, 3, 7), (9, 2, 100)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", BATCHES)
@pytest.mark.parametrize("flags", [0, 3, TRAINING, TRAINING | TRACKED | COUNTED | 1, TRAINING | TRACKED | 2])
@pytest.mark.parametrize("whole", [True, False])
def test_batches(dtype, sizes, flags, whole):
    rng = np.random.default_rng(1)
    rows, channels, inner = sizes
    block = rows if whole else 3
    blocks = -(-rows // block)
    x, gy = (rng.standard_normal(sizes).astype(dtype) + 1 for _ in range(2))
    w, b, running = (rng.standard_normal(channels).astype(dtype) for _ in range(3))
    results = []
    for run in (lambda name, tasks, *a: launch(name, dtype, tasks, 1, *a), lambda name, tasks, *a: reference(name)(*a)):
        out, gx = np.empty(sizes, dtype), np.empty(sizes, dtype)
        mean, rstd, gw, gb = (np.empty(channels, dtype) for _ in range(4))
        means, spreads = np.empty((blocks, channels), dtype), np.empty((blocks, channels), dtype)
        state = [running.copy(), np.abs(running) + 1, np.array([2])]
        joined = (mean, rstd, means, spreads, *state, *sizes, block, flags, 0.1, -1.0 if flags & COUNTED else 0.3)
        if whole:
            run("batch_norm.forward", 1, out, x, w, b, *joined)
        else:
            run("batch_norm.moments", blocks, means, spreads, x, *sizes, block)
            run("batch_norm.statistics", 1, *joined)
            run("batch_norm.apply", rows, out, x, mean, rstd, w, b, channels, inner, flags)
        if whole:
            run("batch_norm.backward", 1, gx, gw, gb, x, gy, mean, rstd, w, *sizes, flags | 32 | 64)
        else:
            parts = [np.empty((blocks, channels), dtype) for _ in range(2)]
            run("batch_norm.slopes", blocks, *parts, x, gy, mean, rstd, *sizes, block)
            gw, gb = parts[0].sum(0), parts[1].sum(0)
            run("batch_norm.apply_backward", rows, gx, x, gy, mean, rstd, w, gw, gb, *sizes, flags)
        results.append((out, mean, rstd, *state, gx, gw, gb))
    for got, want in zip(*results):
        near(got, want, dtype, 512)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("outer", "inner"), [(1, 1), (5, 3), (2, 100), (0, 4)])
def test_glu(dtype, outer, inner):
    rng = np.random.default_rng(2)
    x, gy = rng.standard_normal((outer, 2 * inner)).astype(dtype), rng.standard_normal((outer, inner)).astype(dtype)
    for name, shape, inputs in (("glu", gy.shape, [x]), ("glu_backward", x.shape, [x, gy])):
        got, want = np.empty(shape, dtype), np.empty(shape, dtype)
        launch(f"activation.{name}", dtype, outer, 2, got, *inputs, inner)
        reference(f"activation.{name}")(want, *inputs, inner)
        near(got, want, dtype, 8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 64, 65, 200])
def test_sums_in_lanes_are_as_written_down(dtype, n):
    """A row's mean and deviation, to the bit, from sums made in NumPy in the order that `kernels/lanes.py` names."""
    from fastgrad.kernels.lanes import _sum_of_array

    x = np.random.default_rng(3).standard_normal((1, n)).astype(dtype)
    if not n:
        return
    out, mean, rstd = np.empty((1, n), dtype), np.empty(1, dtype), np.empty(1, dtype)
    launch("norm.forward", dtype, 1, 1, out, mean, rstd, x, x, x, n, 1, 1, 0, 0.5)
    share = x.dtype.type(1) / x.dtype.type(n)
    centre = _sum_of_array(list(x[0]), x.dtype) * share
    spread = _sum_of_array(list((x[0] - centre) ** 2), x.dtype) * share
    assert mean[0] == centre
    assert rstd[0] == x.dtype.type(1) / np.sqrt(spread + x.dtype.type(0.5))
