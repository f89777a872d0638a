"""The sign of a sum that underflows is the same for any number of rows and columns."""

import numpy as np
import pytest
from fastgrad.kernels import jit

from tests.kernels.matmul.raw import product

TINY = {"f4": 1e-30, "f8": 1e-200}


@pytest.mark.skipif(jit.interpreted(), reason="NumPy stands for the engine in the interpreter")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("k", [15, 16, 17, 40, 1100])
def test_a_row_has_the_same_sign_of_zero_alone(k, dtype):
    for n in (1, 3, 8, 50, 200):
        for bias in (None, np.zeros(n, dtype), np.full(n, -0.0, dtype)):
            a, b = np.zeros((20, k), dtype), np.zeros((n, k), dtype)
            a[:, -1], b[::2, -1], b[1::2, -1] = -TINY[dtype], TINY[dtype], -TINY[dtype]
            if k > 1000:  # every panel's sum underflows
                a[:, ::64], b[:, ::64] = a[:, -1:], b[:, -1:]
            for y in (b.T, np.ascontiguousarray(b.T)):
                for start in (None, 0.0, -0.0):
                    def made(x, y=y, start=start, bias=bias, n=n):
                        out = np.full((len(x), n), np.nan if start is None else start, dtype)
                        return product(x, y, out, bias=bias, accumulate=int(start is not None))

                    whole = made(a)
                    assert (whole == 0).all()
                    np.testing.assert_array_equal(np.signbit(made(a[:1])), np.signbit(whole[:1]))
                    np.testing.assert_array_equal(np.signbit(made(a[:5])), np.signbit(whole[:5]))
                if bias is None and k <= 16:
                    assert np.signbit(product(a, y, np.empty((20, n), dtype))[:, ::2]).all()


@pytest.mark.skipif(jit.interpreted(), reason="NumPy stands for the engine in the interpreter")
def test_no_steps_give_a_zero_without_a_sign():
    for m in (1, 5):
        out = product(np.empty((m, 0), "f4"), np.empty((7, 0), "f4").T, np.empty((m, 7), "f4"))
        assert not np.signbit(out).any()
