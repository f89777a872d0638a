"""The update kernels against their specification in NumPy; in the interpreter too."""

import itertools

import numpy as np
import pytest

pytestmark = pytest.mark.plain

KERNELS = {
    "sgd": (1, [0.1], [0, 0.9], [0, 0.3], [0, 0.1], [0, 1], [0, 1]),
    "adam": (3, [0.1], [0.9, 0.2], [0.999], [1e-8], [0, 0.1], [0, 1], [0, 1], [0, 1]),
    "rmsprop": (3, [0.1], [0.99], [1e-8], [0, 0.1], [0, 0.9], [0, 1], [0, 1]),
    "adagrad": (1, [0.1], [0, 0.2], [1e-10], [0, 0.1], [0, 1]),
    "adadelta": (2, [0.5], [0.9], [1e-6], [0, 0.1], [0, 1]),
    "adamax": (2, [0.1], [0.9, 0.2], [0.999], [1e-8], [0, 0.1], [0, 1]),
    "nadam": (2, [0.1], [0.9, 0.2], [0.999], [1e-8], [0, 0.1], [4e-3], [0, 1], [0, 1]),
    "radam": (2, [0.1], [0.9], [0.999, 0.2], [1e-8], [0, 0.1], [0, 1], [0, 1]),
}
CASES = [(name, options) for name, (_, *grid) in KERNELS.items() for options in itertools.product(*grid)]


def address(array):
    return array.ctypes.data


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_kernels_compute_what_numpy_says(name, options, dtype):
    from fastgrad.kernels import jit, launcher
    from fastgrad.kernels.reference import update as reference

    rng = np.random.default_rng(0)
    count, size = KERNELS[name][0], 11
    values = rng.standard_normal((3, size)).astype(dtype)
    state = np.zeros((3, count, size), dtype)
    gradients = rng.standard_normal((3, size)).astype(dtype)
    steps, slots = np.zeros(3), np.array(options, np.float64)
    product = np.ones(1)
    expected, expected_state = values.astype("f8"), state.astype("f8")

    table = np.zeros((3, 8), np.int64)
    for row in range(3):
        table[row, :3] = address(values[row]), address(slots), address(steps[row:])
        table[row, 3] = name == "sgd"
        table[row, 4 : 4 + count] = [address(part) for part in state[row]]
        if name == "nadam":
            table[row, 4 + count] = address(product)
    pointers = np.array([address(gradients[0]), 0, address(gradients[2])], np.int64)
    chunks = np.array([(0, 0, 4), (0, 4, size), (1, 0, size), (2, 0, size)], np.int64)
    for step in range(1, 9):
        steps += 1
        if name == "nadam":
            product *= options[1] * (1 - 0.5 * 0.96 ** (step * options[5]))
        launcher.launch(
            jit.address(f"update.{name}", dtype), 4, 2, address(table), address(pointers), address(chunks)
        )
        for row in (0, 2):
            given = (expected[row], gradients[row].astype("f8"), *expected_state[row])
            if name == "sgd":
                given += (step == 1,)
            if name == "nadam":
                given += (product[0],)
            if name not in ("sgd", "rmsprop"):
                given += (step,)
            getattr(reference, name)(*given, *options)
        table[:, 3] = 0
    near = {"float32": 1e-4, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(values, expected, rtol=near, atol=near)
    np.testing.assert_allclose(state[[0, 2]], expected_state[[0, 2]], rtol=near, atol=near)
    assert not state[1].any()
