"""Kernels of layers that draw random numbers, against the reference functions of the same names."""

import numpy as np
import pytest

from fastgrad import Generator
from tests.kernels.rows import launch, reference

pytestmark = pytest.mark.plain


def streams():
    return [Generator().manual_seed(5) for _ in range(2)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_draws(dtype, n):
    x = np.random.default_rng(0).standard_normal(n).astype(dtype)
    for name, second, numbers in (("rrelu", dtype, (0.1, 0.3)), ("alpha_dropout", "uint8", (0.7, 0.9, 0.4, 1.6))):
        ours, theirs = streams()
        got, want = ([np.empty(n, dtype), np.empty(n, second)] for _ in range(2))
        launch(f"noise.{name}", dtype, n, max(n, 1), *got, x, ours.address, *numbers)
        reference(f"noise.{name}")(*want, x, theirs._block, *numbers)
        for a, b in zip(got, want):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(ours.get_state().numpy(), theirs.get_state().numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scale_kept(dtype):
    gy = np.array([1.0, -2.0, np.inf, 0.5, np.nan], dtype)
    kept, got, want = np.array([1, 0, 0, 1, 1], np.uint8), np.empty(5, dtype), np.empty(5, dtype)
    launch("noise.scale_kept", dtype, 5, 2, got, gy, kept, 0.7)
    with np.errstate(all="ignore"):
        reference("noise.scale_kept")(want, gy, kept, 0.7)
    np.testing.assert_array_equal(got, want)
