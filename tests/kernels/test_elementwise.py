"""Every elementwise kernel that is launched, against NumPy: any memory, any length, NaN, and any number of threads."""

import importlib
import math

import numpy as np
import pytest
from fastgrad.kernels import jit, pool

from tests.kernels.rows import elementwise, is_elementwise, launch, masks, normal, reference, signature

for _module in ("fastgrad.nn", "fastgrad.optim"):  # so that everything that launches kernels is there
    importlib.import_module(_module)
from fastgrad._launch.core import GRAIN, KERNELS  # noqa: E402

FAMILIES = ("elementwise", "activation", "mathematics", "piecewise", "slopes")  # those of losses have their own domains
NAMES = [name for name in KERNELS if name.partition(".")[0] in FAMILIES and is_elementwise(name)]
# Where the others are tested: nobody may add a kernel that no test runs.
ELSEWHERE = {
    "elementwise.fill": "here", "activation.dropout_backward": "random", "norm": "test_norm",
    "embedding": "nn/test_embedding", "likelihood": "test_margin", "margin": "test_margin", "distance": "test_margin",
    "batch_norm": "test_norm", "activation.glu": "test_norm", "activation.glu_backward": "test_norm", "reduce": "reduce",
    "random": "random", "class_loss": "test_loss_kernels", "softmax": "test_loss_kernels", "loss": "test_loss_kernels",
    "update": "optim/test_kernels", "rows": "utils/test_rows", "noise": "test_noise", "running": "test_size",
    "select": "test_select", "along": "test_select", "size": "test_size", "integers": "test_integers",
    "convert": "test_integers",
    "tally": "test_integers",
}  # fmt: skip
DTYPES = (np.float32, np.float64)
SCALARS = (0.7, 1.3, 0.9)
# Units in the last place from the exact result: 0 for what processors round themselves.
EXACT = {
    "copy", "add", "sub", "mul", "div", "add_scalar", "rsub_scalar", "mul_scalar", "div_scalar", "neg", "reciprocal",
    "sqrt", "square", "absolute", "sign", "maximum", "minimum", "clamp", "clamp_backward", "eq", "ne", "lt", "le", "gt",
    "ge", "relu", "relu_backward", "floor", "ceil", "trunc", "frac", "round", "nan_to_num", "isnan", "isinf", "isfinite",
    "logical_not", "fmod", "remainder", "floor_divide", "trunc_divide", "round_scaled", "round_coarse",
    "unless_below", "unless_above", "where", "masked_fill", "isposinf", "isneginf", "logical_and", "logical_or",
    "logical_xor", "isclose", "bounded", "tied", "tied_number", "length", "spread", "kept_from",
    "kept_below",
}  # fmt: skip
ULP = 8
by_name = pytest.mark.parametrize("name", NAMES)


def expected(name, dtype, inputs, scalars):
    """The specification: in float64 for results that it rounds once more, in the kernel's own type for exact ones."""
    exact = name.partition(".")[2] in EXACT
    wide = [np.asarray(x) if exact else x.astype(np.float64) for x in inputs]
    shape = np.broadcast_shapes(*[x.shape for x in inputs])
    out = np.empty(shape, signature(name)[0] or wide[-1].dtype)
    numbers = scalars if exact else [float(dtype(value)) for value in scalars]
    with np.errstate(all="ignore"):
        reference(name)(out, *wide, *numbers)
    return out


def check(name, dtype, inputs, scalars, actual):
    wanted = expected(name, dtype, inputs, scalars)
    if name.partition(".")[2] in EXACT:
        np.testing.assert_array_equal(actual, wanted)
        return
    with np.errstate(all="ignore"):
        unit = np.finfo(dtype).eps * np.maximum(np.abs(wanted), _scale(name, inputs)) + np.finfo(dtype).tiny
        near = (actual == wanted.astype(dtype)) | (np.isnan(actual) & np.isnan(wanted))
        near |= np.abs(actual - wanted) <= ULP * unit
    assert near.all(), f"{actual[~near][:3]} instead of {wanted[~near][:3]}"


def _scale(name, inputs):
    """Functions that pass through 0 by a difference are as exact as what is subtracted; elsewhere the result counts."""
    if name.endswith("add_scaled"):
        return np.abs(inputs[0]) + np.abs(inputs[1])
    if name.partition(".")[2] in ("addcmul", "addcdiv", "lerp", "lerp_scalar"):
        return math.prod(1 + np.abs(x) for x in inputs) * (1 + 1 / np.abs(inputs[-1]) if name.endswith("addcdiv") else 1)
    return np.abs(inputs[-1]) if name.startswith(("activation.", "piecewise.")) else 0


def operands(name, dtype, shape, special=False):
    _, inputs, scalars = signature(name)
    made = [normal(shape, dtype, seed, special) for seed in range(inputs)]
    return [x > 0 if k < masks(name) else x for k, x in enumerate(made)], SCALARS[:scalars]


def test_every_kernel_is_tested_somewhere():
    for name in KERNELS:
        assert name in NAMES or name in ELSEWHERE or name.partition(".")[0] in ELSEWHERE, name


@pytest.mark.plain
@by_name
@pytest.mark.parametrize("dtype", DTYPES)
def test_contiguous(name, dtype):
    for n in (0, 1, 3, 64, 101):
        inputs, scalars = operands(name, dtype, (n,))
        check(name, dtype, inputs, scalars, elementwise(name, dtype, inputs, scalars))


@pytest.mark.plain
@by_name
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_and_infinity(name, dtype):
    inputs, scalars = operands(name, dtype, (77,), special=True)
    check(name, dtype, inputs, scalars, elementwise(name, dtype, inputs, scalars))


def layouts(x):
    """Arrays of one shape whose elements lie differently, or only once."""
    wide = np.full((2 * x.shape[0], x.shape[1] + 3), 9, x.dtype)
    wide[::2, 1:-2] = x
    yield np.ascontiguousarray(x.T).T
    yield wide[::2, 1:-2]
    yield np.broadcast_to(x[:1], x.shape)
    yield np.broadcast_to(x[:, :1], x.shape)
    yield np.broadcast_to(x[:1, :1], x.shape)


@pytest.mark.plain
@by_name
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_strides(name, dtype):
    inputs, scalars = operands(name, dtype, (6, 7))
    for k in range(len(inputs)):
        for strided in layouts(inputs[k]):
            given = [*inputs[:k], strided, *inputs[k + 1 :]]
            check(name, dtype, given, scalars, elementwise(name, dtype, given, scalars))
    frame = np.zeros((7, 12), signature(name)[0] or dtype)
    made = elementwise(name, dtype, inputs, scalars, out=frame.T[::2, :])
    check(name, dtype, inputs, scalars, np.asarray(made))
    assert not frame.T[1::2].any()


@pytest.mark.plain
@pytest.mark.parametrize("name", [name for name in NAMES if signature(name)[0] is None])
@pytest.mark.parametrize("dtype", DTYPES)
def test_over_an_input(name, dtype):
    """The output may be one of the inputs, element for element."""
    for k in range(masks(name), signature(name)[1]):
        inputs, scalars = operands(name, dtype, (70,))
        plain = elementwise(name, dtype, inputs, scalars)
        np.testing.assert_array_equal(elementwise(name, dtype, inputs, scalars, out=inputs[k]), plain)


@by_name
@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_do_not_depend_on_threads_or_chunks(name, dtype):
    inputs, scalars = operands(name, dtype, (3 * GRAIN + 17,))
    strided = [np.ascontiguousarray(x.T).T for x in operands(name, dtype, (301, 331))[0]]
    before = pool.get_num_threads()
    try:
        results = set()
        for threads in (1, 2, 3, 8):
            pool.set_num_threads(threads)
            flat = elementwise(name, dtype, inputs, scalars, grain=GRAIN)
            results.add(flat.tobytes() + elementwise(name, dtype, strided, scalars, grain=5000).tobytes())
        flat = elementwise(name, dtype, inputs, scalars, grain=10**9)
        results.add(flat.tobytes() + elementwise(name, dtype, strided, scalars, grain=10**9).tobytes())
    finally:
        pool.set_num_threads(before)
    assert len(results) == 1


@by_name
@pytest.mark.parametrize("dtype", DTYPES)
def test_vector_body_and_tail_give_the_same_bits(name, dtype):
    """An element's result does not depend on where in a loop it stands."""
    inputs, scalars = operands(name, dtype, (64,), special=True)
    whole = elementwise(name, dtype, inputs, scalars)
    for start in range(0, 64, 7):
        for stop in (start + 1, start + 5):
            part = elementwise(name, dtype, [x[start:stop] for x in inputs], scalars)
            assert part.tobytes() == whole[start:stop].tobytes()


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_fill(dtype):
    for n in (0, 1, 100):
        out = np.zeros(n + 2, dtype)
        launch("elementwise.fill", dtype, n, 7, out[1:], 0.1)
        assert (out[1:-1] == dtype(0.1)).all()
        assert out[0] == out[-1] == 0


@pytest.mark.plain
def test_the_reference_has_every_kernel():
    for name in NAMES:
        assert callable(reference(name))
        assert jit.declared(name).name == name
