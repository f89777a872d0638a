"""Elementwise kernels against the reference: contiguous, strided and broadcast, both float types, NaN and infinities."""

import inspect

import numpy as np
import pytest
from fastgrad.kernels.reference import activation, elementwise

SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, 3.5]
SCALARS = {"slope": 0.1, "alpha": 0.5, "beta": 2.0, "threshold": 20.0, "value": 1.5, "low": -0.5, "high": 0.5}


def operands(generator, n, count, dtype):
    """Arrays of n numbers with special ones among them, at different places."""
    arrays = []
    for k in range(count):
        x = generator.normal(size=n).astype(dtype)
        x[: len(SPECIAL)] = np.roll(SPECIAL, k)[: x.size]
        arrays.append(x)
    return arrays


def close(got, expected):
    # Next to numbers as small as 1e-40 a GPU's functions may flush to zero.
    tolerance = 4 * np.finfo(got.dtype).eps if got.dtype.kind == "f" else 0
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=1e-37 if tolerance else 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["relu", "relu_backward", "sigmoid", "leaky_relu_backward", "silu", "softplus"])
def test_activations(run, generator, name, dtype):
    reference = getattr(activation, name)
    parameters = list(inspect.signature(reference).parameters)[1:]
    scalars = [SCALARS[p] for p in parameters if p in SCALARS]
    inputs = operands(generator, 37, len(parameters) - len(scalars), dtype)
    out, expected = np.empty(37, dtype), np.empty(37, dtype)
    run(f"activation.{name}", 37, 37, 0, out, *inputs, *scalars)
    with np.errstate(all="ignore"):
        reference(expected, *[x.astype(np.float64) for x in inputs], *scalars)
    np.testing.assert_allclose(out, expected, rtol=8 * np.finfo(dtype).eps, atol=1e-37)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum"])
def test_arithmetic(run, generator, name):
    a, b = operands(generator, 21, 2, np.float32)
    out, expected = np.empty(21, np.float32), np.empty(21, np.float32)
    run(f"elementwise.{name}", 21, 21, 0, out, a, b)
    getattr(elementwise, name)(expected, a, b)
    close(out, expected)


def test_numbers_and_comparisons(run, generator):
    a, b = operands(generator, 21, 2, np.float32)
    out, expected = np.empty(21, np.float32), np.empty(21, np.float32)
    run("elementwise.clamp_backward", 21, 21, 0, out, a, b, -0.5, 0.5)
    elementwise.clamp_backward(expected, a, b, -0.5, 0.5)
    close(out, expected)
    flags, wanted = np.empty(21, np.uint8), np.empty(21, np.uint8)
    run("elementwise.ne", 21, 21, 0, flags, a, b)
    elementwise.ne(wanted, a, b)
    close(flags, wanted)


def layout(shape, *strides):
    return np.array([len(shape), *shape, *np.ravel(strides)], np.int64)


def test_a_broadcast_bias_and_a_transposed_input(run, generator):
    x, bias = generator.normal(size=(5, 7)), generator.normal(size=5)
    out = np.empty((7, 5))
    table = layout((7, 5), (5, 1), (1, 7), (0, 1))
    run("elementwise.add", 35, 35, table, out, x, bias)
    np.testing.assert_array_equal(out, x.T + bias)


def test_a_strided_output_of_three_dimensions(run, generator):
    x = generator.normal(size=(2, 3, 4))
    out = np.zeros((2, 3, 8))
    run("activation.relu", 24, 24, layout((2, 3, 4), (24, 8, 2), (12, 4, 1)), out, x)
    np.testing.assert_array_equal(out[..., ::2], np.maximum(x, 0))
    assert not out[..., 1::2].any()


@pytest.mark.parametrize("n", [0, 1, 300])
def test_fill(run, n):
    out = np.zeros(n, np.float32)
    run("elementwise.fill", n, out, 0.1)
    np.testing.assert_array_equal(out, np.full(n, 0.1, np.float32))


def test_a_kernel_that_is_not_there(device):
    for name in ("elementwise.nothing", "nowhere.relu", "reduce.max_index"):
        with pytest.raises((LookupError, ModuleNotFoundError)):
            device.row(name, "float32")
