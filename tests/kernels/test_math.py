"""The scalar formulas: accuracy, special values, derivatives, the interpreter's bits, and that loops over them vectorise."""

import inspect
import math
import platform
import re

import numba
import numpy as np
import pytest
from numba import types

from fastgrad.kernels import math as m
from fastgrad.kernels.formula import bits, dtype, formula

INTERPRETED = bool(numba.config.DISABLE_JIT)
FLOATS = (np.float32, np.float64)
pytestmark = pytest.mark.filterwarnings(
    "ignore::RuntimeWarning"
)  # the interpreter's NumPy scalars warn of overflow


def loop(function, constants=(), inputs=1):
    """function over arrays, compiled as a kernel's loop is."""
    names = [f"x{k}" for k in range(inputs)]
    values = ", ".join([f"{name}[i]" for name in names] + [f"lit({c!r}, out[0])" for c in constants])
    source = (
        f"def run(out, {', '.join(names)}):\n    for i in range(out.size):\n        out[i] = f({values})\n"
    )
    given = {"f": function, "lit": m.lit}
    exec(source, given)
    return numba.njit(error_model="numpy")(given["run"])


def apply(function, *arrays, constants=()):
    out = np.empty_like(arrays[0])
    loop(function, constants, len(arrays))(out, *arrays)
    return out


def interpret(function, *arrays, constants=()):
    """function called as plain Python on NumPy scalars."""
    kind = arrays[0].dtype.type
    fixed = [kind(c) for c in constants]
    results = [function(*row, *fixed) for row in zip(*arrays, strict=True)]
    assert all(type(r) is kind for r in results)
    return np.array(results)


def numbers(kind, count=200):
    """Zeros, infinities, NaN, subnormal numbers, every exponent, random ones, and both signs of each."""
    info, rng = np.finfo(kind), np.random.default_rng(7)
    exponents = np.arange(info.minexp - info.nmant, info.maxexp)
    step = max(1, len(exponents) // count)
    edges = [
        0.0,
        1.0,
        0.5,
        2.0,
        88.0,
        88.73,
        103.9,
        709.0,
        709.9,
        745.5,
        info.max,
        info.tiny,
        info.smallest_subnormal,
    ]
    with np.errstate(over="ignore"):
        powers = np.ldexp(rng.uniform(1, 2, len(exponents[::step])), exponents[::step])
        some = np.concatenate([edges, powers, rng.normal(size=count), 20 * rng.normal(size=count)]).astype(
            kind
        )
    return np.concatenate([some, -some, np.array([np.inf, -np.inf, np.nan], kind)])


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else math.exp(x)


# The largest error in units in the last place that the sweep over all float32 numbers has found, rounded up.
LIMITS = {"exp": 1.0, "expm1": 1.3, "log": 1.6, "log1p": 1.7, "tanh": 1.95, "sigmoid": 1.75, "erf": 1.75}
TRUTH = {"exp": math.exp, "expm1": math.expm1, "log": math.log, "log1p": math.log1p, "tanh": math.tanh}
TRUTH |= {"sigmoid": sigmoid, "erf": math.erf}


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
    assert errors.max() < 2, x[finite][errors.argmax()]


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
    m.relu: (lambda x: m.relu_backward(x, 1.0), ()),
    m.leaky_relu: (m.leaky_relu_gradient, (0.1,)),
    m.elu: (m.elu_gradient, (1.5,)),
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


def arguments(function, kind):
    """(arrays, constants) that fit a formula's parameters."""
    x = numbers(kind, 12)
    count = len(inspect.signature(function).parameters)
    constants = {m.leaky_relu: (0.1,), m.elu: (1.5,), m.softplus: (2.0, 3.0)}
    constants |= {m.leaky_relu_gradient: (0.1,), m.elu_gradient: (1.5,), m.softplus_gradient: (2.0, 3.0)}
    fixed = constants.get(function, ())
    return [np.roll(x, 5 * k) for k in range(count - len(fixed))], fixed


FORMULAS = [getattr(m, name) for name in m.__all__ if name not in ("formula", "select")]


@pytest.mark.skipif(INTERPRETED, reason="compares with compiled code")
@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("function", FORMULAS, ids=lambda f: f.__name__)
def test_interpreter_gives_the_compiled_bits(function, kind):
    arrays, constants = arguments(function, kind)
    compiled = apply(function, *arrays, constants=constants)
    plain = interpret(function, *arrays, constants=constants)
    np.testing.assert_array_equal(compiled, plain)
    np.testing.assert_array_equal(np.signbit(compiled[compiled == 0]), np.signbit(plain[plain == 0]))


@pytest.mark.skipif(INTERPRETED, reason="starts an interpreted process itself")
def test_a_process_without_the_compiler_gives_the_same_bits(run_python):
    code = """
import numpy as np
from numba import njit
from fastgrad.kernels import math as m

@njit
def run(out, x):
    for i in range(out.size):
        out[i] = m.fma(m.tanh(x[i]), m.lit(0.1, x), m.gelu_gradient(x[i]))

for kind in (np.float32, np.float64):
    x = np.linspace(-4, 4, 41).astype(kind)
    out = np.empty_like(x)
    run(out, x)
    print(out.tobytes().hex())
"""
    plain = run_python("-c", code, NUMBA_DISABLE_JIT="1").stdout
    assert len(plain) > 900
    assert plain == run_python("-c", code, NUMBA_DISABLE_JIT="0").stdout


@pytest.mark.skipif(INTERPRETED, reason="compiled code")
@pytest.mark.parametrize("function", FORMULAS, ids=lambda f: f.__name__)
def test_same_bits_wherever_a_range_is_cut(function):
    arrays, constants = arguments(function, np.float32)
    run = loop(function, constants, len(arrays))
    whole = apply(function, *arrays, constants=constants)
    for first in (0, 1, 3, 7):
        for size in (1, 2, 5, 15, 16, 17, 33, 64, 65):
            out = np.empty(size, np.float32)
            run(out, *(array[first : first + size] for array in arrays))
            np.testing.assert_array_equal(out, whole[first : first + size])


def machine_code(function, kind, inputs, constants):
    """The assembly of a loop over raw pointers, and nothing else."""
    names = [f"x{k}" for k in range(inputs)]
    values = ", ".join([f"{name}[i]" for name in names] + [f"lit({c!r}, out)" for c in constants])
    source = f"def run(out, {', '.join(names)}, lo, hi):\n    for i in range(lo, hi):\n        out[i] = f({values})\n"
    given = {"f": function, "lit": m.lit}
    exec(source, given)
    pointer = types.CPointer(numba.from_dtype(np.dtype(kind)))
    signature = types.void(pointer, *[pointer] * inputs, types.int64, types.int64)
    options = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled = numba.njit(signature, **options)(given["run"])
    return compiled.inspect_asm(compiled.signatures[0])


@pytest.mark.skipif(INTERPRETED, reason="compiled code")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 assembly")
@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("function", FORMULAS, ids=lambda f: f.__name__)
def test_loops_vectorise(function, kind):
    arrays, constants = arguments(function, kind)
    assembly = machine_code(function, kind, len(arrays), constants)
    called = re.findall(r"^\s+(?:call\w*|jmp\w*)\s+\*?([^.\s]\S*)", assembly, re.MULTILINE)
    in_library = function in (m.sin, m.cos, m.power)
    calls = re.findall(r"^\s+call\w*\s", assembly, re.MULTILINE)
    assert bool(calls) == in_library, called
    if not in_library:
        # At the width of the machine's vectors: the loop stores whole registers.
        width = "zmm" if "zmm" in machine_code(m.relu, kind, 1, ()) else "ymm"
        assert re.search(rf"vmovup[sd]\s+%{width}\d+, ", assembly), "no vector store"


@pytest.mark.skipif(INTERPRETED, reason="compiled code")
def test_fma_rounds_once_in_the_interpreter_too():
    rng = np.random.default_rng(3)
    for kind in FLOATS:
        for scale in (0, -70, 60, -149 if kind is np.float32 else -1074):
            a, b = rng.normal(size=(2, 300)).astype(kind)
            c = (-a.astype(float) * b * (1 + rng.normal(size=300) * 2.0 ** -rng.integers(0, 60, 300))).astype(
                kind
            )
            a, c = np.ldexp(a, scale), np.ldexp(c, scale)
            np.testing.assert_array_equal(apply(m.fma, a, b, c), interpret(m.fma, a, b, c))
    # a false tie: float64 would round the sum to the middle between two float32 numbers, and then to the wrong one
    a, b, c = np.float32(1 + 2**-12), np.float32(1 + 2**-12), np.float32(2**-60)
    assert m.fma(a, b, c) == np.float32(1 + 2**-11 + 2**-23)
    assert m.fma(a, b, -c) == np.float32(1 + 2**-11)


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
    m.leaky_relu: ("leaky_relu", (0.1,)), m.elu: ("elu", (1.5,)), m.softplus: ("softplus", (2.0, 3.0)),
    m.gelu: "gelu", m.gelu_tanh: "gelu",
}  # fmt: skip


@pytest.mark.parametrize("function", PYTORCH, ids=lambda f: f.__name__)
def test_activations_are_pytorchs(function, torch):
    """Values and gradients in float64 (float32 gelu gives NaN at infinity in one of PyTorch's engines), NaN and infinity too."""
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


@pytest.mark.skipif(INTERPRETED, reason="the compiler's errors")
def test_mistakes_in_formulas_are_named():
    @formula
    def branches(x):
        return x if x > 0.0 else -x

    with pytest.raises(numba.TypingError, match="a formula has no branches: choose with select"):
        apply(branches, np.ones(3))

    mixed = numba.njit(lambda x: m.fma(x, 0.5, x))
    with pytest.raises(numba.TypingError, match=r"cannot mix float32 and float64.*lit\(0.5, x\)"):
        mixed(np.float32(1))
    with pytest.raises(
        numba.TypingError, match="takes float32, float64, int32, int64 and bool, not complex128"
    ):
        numba.njit(lambda x: m.exp(x))(1j)


@pytest.mark.plain
def test_lit_converts_to_the_type_of_a_number():
    cast = numba.njit(lambda x, like: m.lit(x, like))
    assert m.lit(0.1, np.float32(1)) == np.float32(0.1)
    for x, like, expected in (
        (0.1, np.float32(1), np.float32(0.1)),
        (np.float32(0.1), 1.0, float(np.float32(0.1))),
        (3, np.float32(1), 3.0),
        (True, 1.0, 1.0),
        (2.7, np.int64(1), 2),
        (np.int64(2**33 + 5), np.int32(1), 5),
    ):
        if INTERPRETED and isinstance(like, np.integer):
            continue  # NumPy refuses what does not fit
        assert cast(x, like) == expected
    tenth = numba.njit(lambda x: m.lit(0.1, x))
    assert tenth(np.ones(2, np.float32)) == np.float32(0.1)


@pytest.mark.plain
def test_formulas_take_python_numbers():
    assert m.exp(1.0) == pytest.approx(math.e)
    assert m.select(True, 1.0, 2.0) == 1
    assert dtype(0.5) is np.float64
    assert bits(np.float32(1)) == 0x3F800000
    assert bits(np.int64(0x3FF0000000000000)) == 1.0
