"""How formulas work: the same bits everywhere, loops that vectorise, literals, and clear mistakes."""

import inspect
import math
import platform
import re

import numba
import numpy as np
import pytest
from fastgrad.kernels import math as m
from fastgrad.kernels.formula import bits, dtype, formula
from numba import types

from tests.kernels.formula_loops import FLOATS, INTERPRETED, apply, interpret, loop, numbers

# In the interpreter NumPy scalars warn of overflow.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def arguments(function, kind):
    """(arrays, constants) that fit a formula's parameters."""
    x = numbers(kind, 12)
    count = len(inspect.signature(function).parameters)
    constants = {m.leaky_relu: (0.1,), m.elu: (1.1, 1.5, 0.7), m.softplus: (2.0, 3.0)}
    constants |= {m.leaky_relu_gradient: (0.1,), m.elu_gradient: (1.1, 1.5, 0.7), m.softplus_gradient: (2.0, 3.0)}
    fixed = constants.get(function, ())
    return [np.roll(x, 5 * k) for k in range(count - len(fixed))], fixed


NO_NUMBERS = ("INFINITY", "NAN", "beyond_angles", "beyond_quotients", "formula", "select")  # give bools, or are no formulas
FORMULAS = [getattr(m, name) for name in m.__all__ if name not in NO_NUMBERS]
BY_LIBRARY = ("sine", "cosine", "tangent", "far_fmod", "far_remainder", "far_floor_divide")


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
    """The assembly of a loop over raw pointers."""
    compiled = loop(function, constants, inputs, types.CPointer(numba.from_dtype(np.dtype(kind))))
    return compiled.inspect_asm(compiled.signatures[0])


@pytest.mark.skipif(INTERPRETED, reason="compiled code")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 assembly")
@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("function", FORMULAS, ids=lambda f: f.__name__)
def test_loops_vectorise(function, kind):
    arrays, constants = arguments(function, kind)
    assembly = machine_code(function, kind, len(arrays), constants)
    called = re.findall(r"^\s+(?:call\w*|jmp\w*)\s+\*?([^.\s]\S*)", assembly, re.MULTILINE)
    in_library = function.__name__ in BY_LIBRARY or (function is m.power and kind is np.float64)
    calls = re.findall(r"^\s+call\w*\s", assembly, re.MULTILINE)
    assert bool(calls) == in_library, called
    if not in_library:
        # At the width of the machine's vectors: the loop stores whole registers.
        width = "zmm" if "zmm" in machine_code(m.relu, kind, 1, ()) else "ymm"
        assert re.search(rf"vmov[ud]\w+\s+%{width}\d+, ", assembly), "no vector store"


@pytest.mark.skipif(INTERPRETED, reason="compiled code")
def test_fma_rounds_once_in_the_interpreter_too():
    rng = np.random.default_rng(3)
    for kind in FLOATS:
        for scale in (0, -70, 60, -149 if kind is np.float32 else -1074):
            a, b = rng.normal(size=(2, 300)).astype(kind)
            near = 1 + rng.normal(size=300) * 2.0 ** -rng.integers(0, 60, 300)
            c = (-a.astype(float) * b * near).astype(kind)
            a, c = np.ldexp(a, scale), np.ldexp(c, scale)
            np.testing.assert_array_equal(apply(m.fma, a, b, c), interpret(m.fma, a, b, c))
    # a false tie: float64 rounds the sum to the middle between two float32 numbers, and then to the wrong one
    a, b, c = np.float32(1 + 2**-12), np.float32(1 + 2**-12), np.float32(2**-60)
    assert m.fma(a, b, c) == np.float32(1 + 2**-11 + 2**-23)
    assert m.fma(a, b, -c) == np.float32(1 + 2**-11)


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
        numba.TypingError, match="takes floats, integers and bools, not complex128"
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
