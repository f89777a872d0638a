"""The compiler of words, against the same functions in Python."""

import ctypes

import numpy as np
import pytest
from fastgrad.kernels import jit, store, words

pytestmark = pytest.mark.skipif(jit.interpreted(), reason="compiled code")
FIVE = 5


def branches(a, b):
    if a < b and not (a == 3 or b == FIVE):
        a += 10
    elif a & 1:
        b = b * a - 1
    else:
        a, b = b, a
    return (a if a > b else -b) + (a != b)


def helper(a):
    return a ^ FIVE


def loops(a, b):
    """A docstring, calls, both kinds of loop, and a return from the middle."""
    total = 0
    for k in range(2, a):
        for inner in range(k):
            total += helper(inner) | k
    while b > 0:
        b = b - 3
        if b == 4:
            return total
    return total * b


def memory(a, b):
    own = room(3)  # noqa: F821
    own[0], own[1] = a[0], a[1]
    own[2] = own[0] + own[1]
    for k in range(b):
        a[k] = own[2] * (a + 8 * k)[0]
    return own[2]


def calling(a, b):
    return invoke(a, b, b + 1)  # noqa: F821


def c_function(*functions):
    address = store.load(*words.compile_words(functions))
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(address)


@pytest.mark.parametrize("functions", [(branches,), (helper, loops)], ids=lambda functions: functions[-1].__name__)
def test_the_same_as_python(functions):
    made, wanted = c_function(*functions), functions[-1]
    for a in range(-3, 9):
        for b in range(-3, 9):
            assert made(a, b) == wanted(a, b), (a, b)


def test_memory_is_read_and_written_by_word():
    array = np.array([3, 4, 5], np.int64)
    assert c_function(memory)(array.ctypes.data, 3) == 7
    np.testing.assert_array_equal(array, [21, 28, 35])


def test_a_c_function_is_called_by_its_address():
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
    add = kind(lambda a, b: 100 * a + b)
    assert c_function(calling)(ctypes.cast(add, ctypes.c_void_p).value, 7) == 708


def outside(a, b):
    return a / b


def test_what_is_not_in_the_language_is_refused():
    with pytest.raises(SyntaxError, match="outside"):
        words.compile_words([outside])
