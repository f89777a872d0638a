"""The scalar formulas' values: accuracy, special values, derivatives, and PyTorch's."""

import math

import numba
import numpy as np
import pytest
from fastgrad.kernels import math as m
from fastgrad.kernels.formula import formula

from tests.kernels.formula_loops import INTERPRETED, apply, loop, numbers

# In the interpreter NumPy scalars warn of overflow.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

# The largest error in units in the last place that the sweep over all float32 numbers has found, rounded up.
LIMITS = {"exp": 1.0, "expm1": 1.3, "log": 1.6, "log1p": 1.7, "tanh": 1.95, "sigmoid": 1.75, "erf": 1.8}
LIMITS |= {"asin": 2.2, "acos": 1.7, "atan": 2.5, "sinh": 2.4, "cosh": 1.6, "asinh": 2.7, "acosh": 2.8, "atanh": 2.8}
LIMITS |= {"exp2": 1.0, "log2": 1.2, "log10": 1.2}
TRUTH = {
    "exp": lambda x: math.exp(x),
    "expm1": lambda x: math.expm1(x),
    "log": lambda x: math.log(x),
    "log1p": lambda x: math.log1p(x),
    "tanh": lambda x: math.tanh(x),
    "erf": lambda x: math.erf(x),
    "asin": lambda x: math.asin(x) if abs(x) <= 1.0 else math.nan,
    "acos": lambda x: math.acos(x) if abs(x) <= 1.0 else math.nan,
    "atan": lambda x: math.atan(x),
    "sinh": lambda x: math.sinh(x),
    "cosh": lambda x: math.cosh(x),
    "asinh": lambda x: math.asinh(x),
    "acosh": lambda x: math.acosh(x) if x >= 1.0 else math.nan,
    "atanh": lambda x: math.atanh(x) if abs(x) <= 1.0 else math.nan,
    "exp2": lambda x: 2.0**x,
    "log2": lambda x: math.log2(x) if x >= 0.0 else math.nan,
    "log10": lambda x: math.log10(x) if x >= 0.0 else math.nan,
    "sigmoid": lambda x: 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else math.exp(x),
}


def comparison(name):
    """A compiled function: (worst error in ulp, its index) of float32 results against float64's."""
    truth = numba.njit(error_model="numpy")(TRUTH[name])

    @numba.njit(error_model="numpy")
    def worst(x, y):
        largest, where = 0.0, -1
        for i in range(x.size):
            exact, got = truth(np.float64(x[i])), np.float64(y[i])
            if np.isnan(exact) or np.isnan(got):
                error = 0.0 if np.isnan(exact) and np.isnan(got) else np.inf
            else:
                limit = 2.0**128  # what overflows counts as the number after the last
                exact, got = min(max(exact, -limit), limit), min(max(got, -limit), limit)
                exponent = max(math.frexp(exact)[1], -125)
                error = math.ldexp(abs(got - exact), 24 - exponent)
            if not error <= largest:
                largest, where = error, i
        return largest, where

    return worst


@pytest.mark.skipif(INTERPRETED, reason="millions of numbers")
@pytest.mark.parametrize("name", LIMITS)
def test_float32_accuracy_on_a_sample(name):
    x = np.arange(0, 2**32, 4111, dtype=np.uint64).astype(np.uint32).view(np.float32)
    x = np.concatenate(
        [x, numbers(np.float32), np.random.default_rng(0).normal(size=500_000).astype(np.float32)]
    )
    error, where = comparison(name)(x, apply(getattr(m, name), x))
    assert error <= LIMITS[name], f"{name}({x[where]!r}) is {error} ulp off"


@pytest.mark.skipif(INTERPRETED, reason="many numbers")
@pytest.mark.parametrize(("name", "limit"), [("sin", 1.7), ("cos", 1.7), ("tan", 3.5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_angles(name, limit, dtype):
    """Within reach of the fast reduction; beyond it kernels call the library."""
    rng = np.random.default_rng(0)
    near, anywhere = rng.normal(size=50_000), rng.uniform(-(2**17), 2**17, 50_000)
    x = np.concatenate([near, anywhere, np.arange(20_000) * (np.pi / 2)]).astype(dtype)
    got, exact = apply(getattr(m, name), x).astype(np.longdouble), getattr(np, name)(x.astype(np.longdouble))
    digits = np.finfo(dtype).nmant + 1
    error = np.abs(np.ldexp(got - exact, digits - np.frexp(exact.astype(np.float64))[1]))
    assert error.max() <= limit, f"{name}({x[error.argmax()]!r}) is {error.max()} ulp off"
    assert m.beyond_angles(dtype(2.0**31))
    assert not m.beyond_angles(dtype(2.0**17))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(INTERPRETED, reason="billions of numbers")
@pytest.mark.parametrize("name", LIMITS)
def test_float32_accuracy_on_every_number(name):
    compare, run = comparison(name), loop(getattr(m, name))
    block, worst, at = 2**22, 0.0, None
    y = np.empty(block, np.float32)
    for start in range(0, 2**32, block):
        x = np.arange(start, start + block, dtype=np.uint32).view(np.float32)
        run(y, x)
        error, where = compare(x, y)
        if error > worst:
            worst, at = error, x[where]
    print(f"{name}: {worst:.3f} ulp, at {at!r}")
    assert worst <= LIMITS[name]


@pytest.mark.skipif(INTERPRETED, reason="a million numbers")
@pytest.mark.parametrize("name", [name for name in LIMITS if name not in ("sigmoid", "erf")])
def test_float64_accuracy_on_a_sample(name):
    if np.finfo(np.longdouble).nmant < 63:
        pytest.skip("needs a wider float than float64")
    rng = np.random.default_rng(0)
    x = np.concatenate([numbers(np.float64), rng.normal(size=500_000), rng.uniform(-745, 709, 500_000)])
    x = np.concatenate([x, np.exp(rng.uniform(-5, 5, 200_000)), -np.exp(rng.uniform(-40, 0, 200_000))])
    got = apply(getattr(m, name), x)
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(x.astype(np.longdouble))
    np.testing.assert_array_equal(np.isnan(exact), np.isnan(got))
    finite = np.isfinite(got) & np.isfinite(exact.astype(float))
    np.testing.assert_array_equal(got[~finite], exact[~finite].astype(float))
    exact, got = exact[finite], got[finite]
    exponent = np.maximum(np.frexp(exact)[1], -1021)
    errors = np.abs(got - exact) / np.ldexp(np.longdouble(1), exponent - 53)
    assert errors.max() < max(2, LIMITS[name]), x[finite][errors.argmax()]


@pytest.mark.skipif(INTERPRETED, reason="many numbers")
@pytest.mark.parametrize("name", ["sigmoid", "erf"])
def test_float64_accuracy_against_the_c_library(name):
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [rng.normal(size=100_000), rng.uniform(-6.1, 6.1, 100_000), rng.uniform(-708, 40, 10_000)]
    )
    exact = apply(numba.njit(TRUTH[name]), x)
    assert (np.abs(apply(getattr(m, name), x) - exact) <= 4 * np.spacing(np.abs(exact))).all()
    np.testing.assert_array_equal(apply(m.erf, np.array([np.inf, -np.inf, 7.0, -0.0])), [1, -1, 1, 0])
    assert apply(m.sigmoid, np.array([-745.0]))[0] == 5e-324


# formula -> the constants that follow x; x in float64 where the finite differences are taken
DERIVATIVES = {
    m.relu: (lambda x: m.relu_backward(x, m.lit(1.0, x)), ()),
    m.leaky_relu: (m.leaky_relu_gradient, (0.1,)),
    m.elu: (m.elu_gradient, (1.1, 1.5, 0.7)),
    m.mish: (m.mish_gradient, ()),
    m.log_sigmoid: (m.log_sigmoid_gradient, ()),
    m.softplus: (m.softplus_gradient, (2.0, 3.0)),
    m.silu: (m.silu_gradient, ()),
    m.gelu: (m.gelu_gradient, ()),
    m.gelu_tanh: (m.gelu_tanh_gradient, ()),
    m.sigmoid: (lambda x: m.sigmoid_gradient(m.sigmoid(x)), ()),
    m.tanh: (lambda x: m.tanh_gradient(m.tanh(x)), ()),
    m.exp: (m.exp, ()),
    m.expm1: (m.exp, ()),
    m.erf: (lambda x: 2 / math.sqrt(math.pi) * m.exp(-x * x), ()),
}


@pytest.mark.plain
@pytest.mark.parametrize("function", DERIVATIVES, ids=lambda f: f.__name__)
def test_gradients_are_finite_differences(function):
    gradient, constants = DERIVATIVES[function]
    x = np.concatenate([np.linspace(-7, 7, 57) + 0.01, [1.47, 1.53]])  # softplus jumps at 1.5, where 2 x = 3
    h = 1e-5
    slope = (apply(function, x + h, constants=constants) - apply(function, x - h, constants=constants)) / (
        2 * h
    )
    got = apply(formula(gradient), x, constants=constants)
    np.testing.assert_allclose(got, slope, rtol=1e-8, atol=1e-9)


@pytest.mark.plain
def test_special_values():
    nan, inf = np.nan, np.inf
    x = np.array([nan, inf, -inf, 0.0, -0.0], np.float32)
    expected = {
        m.relu: [nan, inf, 0, 0, -0.0],
        m.exp: [nan, inf, 0, 1, 1],
        m.expm1: [nan, inf, -1, 0, -0.0],
        m.log: [nan, inf, nan, -inf, -inf],
        m.log1p: [nan, inf, nan, 0, -0.0],
        m.tanh: [nan, 1, -1, 0, -0.0],
        m.sigmoid: [nan, 1, 0, 0.5, 0.5],
        m.erf: [nan, 1, -1, 0, -0.0],
        m.sqrt: [nan, inf, nan, 0, -0.0],
        m.floor: [nan, inf, -inf, 0, -0.0],
    }
    for function, values in expected.items():
        got = apply(function, x)
        np.testing.assert_array_equal(got, np.array(values, np.float32), err_msg=function.__name__)
        zero = np.array(values) == 0
        np.testing.assert_array_equal(
            np.signbit(got[zero]), np.signbit(np.array(values)[zero]), function.__name__
        )
    pairs = np.array([[nan, 1], [1, nan], [nan, nan], [2, 1], [-inf, inf]], np.float32).T
    np.testing.assert_array_equal(apply(m.maximum, *pairs), [nan, nan, nan, 2, inf])
    np.testing.assert_array_equal(apply(m.minimum, *pairs), [nan, nan, nan, 1, -inf])


@pytest.mark.plain
def test_relu_gradient_is_zero_at_zero_and_lets_nan_through():
    y = np.array([0.0, -0.0, -1.0, 2.0, np.nan], np.float32)
    gy = np.array([np.inf, np.nan, np.inf, 3.0, 4.0], np.float32)
    np.testing.assert_array_equal(apply(m.relu_backward, y, gy), [0, 0, 0, 3, 4])


PYTORCH = {
    m.relu: "relu", m.sigmoid: "sigmoid", m.tanh: "tanh", m.silu: "silu", m.log_sigmoid: "logsigmoid",
    m.leaky_relu: ("leaky_relu", (0.1,)), m.mish: "mish", m.softplus: ("softplus", (2.0, 3.0)),
    m.gelu: "gelu", m.gelu_tanh: "gelu",
}  # fmt: skip


@pytest.mark.parametrize("function", PYTORCH, ids=lambda f: f.__name__)
def test_activations_are_pytorchs(function, torch):
    """Values and gradients, NaN and infinity too; float64, as float32 gelu(inf) differs among its engines."""
    entry = PYTORCH[function]
    name, constants = entry if isinstance(entry, tuple) else (entry, ())
    options = {"approximate": "tanh"} if function is m.gelu_tanh else {}
    values = numbers(np.float64)
    x = torch.from_numpy(values).requires_grad_()
    y = getattr(torch.nn.functional, name)(x, *constants, **options)
    (gx,) = torch.autograd.grad(y, x, torch.ones_like(y))
    got = apply(function, values, constants=constants)
    np.testing.assert_allclose(got, y.detach().numpy(), rtol=1e-12, atol=2e-15)
    slope = apply(formula(DERIVATIVES[function][0]), values, constants=constants)
    np.testing.assert_allclose(slope, gx.numpy(), rtol=1e-11, atol=2e-15)
