"""The CUDA tests run on a GPU where there is one, else in numba's simulator under NUMBA_ENABLE_CUDASIM=1."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def device():
    """The package of CUDA kernels, where it can run."""
    from fastgrad.kernels import cuda

    if not cuda.available():
        pytest.skip("set NUMBA_ENABLE_CUDASIM=1 or use a CUDA GPU")
    return cuda


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.fixture
def run(device):
    """`run("activation.relu", total, out, x, 3, 0.5)`: arrays go to the device and come back, changed in place.

    The float type is that of the first float array, or `dtype`. A row that reads more than it is given gets NaN.
    """

    def call(name, total, *args, dtype=None):
        arrays = [a for a in args if isinstance(a, np.ndarray)]
        dtype = dtype or next(a.dtype for a in arrays if a.dtype.kind == "f").name
        memory = {id(a): device.put(a) for a in arrays}
        given = [memory[id(a)].address if isinstance(a, np.ndarray) else a for a in args]
        device.launch(device.row(name, dtype), total, 1, *given)
        for a in arrays:
            a[...] = memory[id(a)].read(a.shape, a.dtype)

    return call
