"""The kernel that gathers rows, against its specification; in the interpreter too."""

import numpy as np
import pytest

pytestmark = pytest.mark.plain


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("columns", [0, 1, 2, 3, 8, 17])
def test_rows_are_taken_whole(dtype, columns):
    from fastgrad.kernels import jit, launcher
    from fastgrad.kernels.reference import rows as reference

    table = np.arange(5 * columns).reshape(5, columns).astype(dtype)
    places = np.array([4, 0, -5, -2], np.int64)
    taken, expected = (np.full((4, columns), 99, dtype) for _ in range(2))
    address = jit.address("rows.take_rows", "float32")
    arguments = (taken.ctypes.data, table.ctypes.data, places.ctypes.data, columns * table.itemsize, 5)
    launcher.launch(address, 4, 3, *arguments)
    reference.take_rows(expected, table, places)
    np.testing.assert_array_equal(taken, expected)
