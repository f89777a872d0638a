"""Kernels of random numbers, against NumPy's words, the reference, numbers written down, and PyTorch.

A draw is written once, for any backend: `draw(call, dtype, n, stream)`, where `call(name, dtype, n, *args)`
is the compiled kernel or the reference function of that name.
"""

from pathlib import Path

import numpy as np
import pytest
from fastgrad.kernels import jit, launcher
from fastgrad.kernels.reference import random as reference

from fastgrad._generator import Generator

pytestmark = pytest.mark.plain

DTYPES = ("float32", "float64")
SIZES = (0, 1, 2, 15, 16, 17, 31, 100, 1000) + (() if jit.interpreted() else (10**6,))
SEEDS = (0, 1, 420, 2**32 - 1, 2**40 + 7, -1, -(2**63))


def compiled(name, dtype, n, *args):
    given = [x.ctypes.data if isinstance(x, np.ndarray) else x for x in args]
    launcher.launch(jit.address(f"random.{name}", dtype), n, n, *given)


def specified(name, dtype, n, *args):
    getattr(reference, name)(*args)


def uniform(call, dtype, n, stream):
    out = np.empty(n, dtype)
    call("uniform", dtype, n, out, stream._block, -0.3, 0.7)
    return out


def normal(call, dtype, n, stream):
    out = np.empty(n, dtype)
    if n < 16:
        call("normal_one_by_one", dtype, n, out, stream._block, stream._waiting, 0.5, 2.0)
    else:
        call("normal", dtype, n, out, stream._block, 0.5, 2.0)
    return out


def integers(low, span, words):
    def draw(call, dtype, n, stream):
        out = np.empty(n, np.int64)
        call("integers", "float32", n, out, stream._block, low, span, words)
        return out

    return draw


def permutation(call, dtype, n, stream):
    out = np.empty(n, np.int64)
    call("permutation", "float32", n, out, stream._block, n)
    return out


def bernoulli(call, dtype, n, stream):
    out = np.empty(n, np.uint8)
    call("bernoulli", "float32", n, out, stream._block, 0.3)
    return out


def probabilities(n, dtype):
    return np.linspace(0, 1, n, dtype=dtype)


def bernoulli_each(call, dtype, n, stream):
    out = np.empty(n, dtype)
    call("bernoulli_each", dtype, n, out, probabilities(n, dtype), stream._block)
    return out


def inputs(n, dtype):
    return np.concatenate([[np.inf, -np.inf, -0.0], np.linspace(-3, 3, n)])[:n].astype(dtype)


def dropout(call, dtype, n, stream):
    x, out, kept = inputs(n, dtype), np.empty(n, dtype), np.empty(n, np.uint8)
    with np.errstate(invalid="ignore"):  # infinity times 0
        call("dropout", dtype, n, out, kept, x, stream._block, 1 - 0.3)
    usual = np.isfinite(x) & (x != 0)
    assert np.array_equal(out[usual] != 0, kept[usual] == 1)
    return out


def empty(torch, n, dtype):
    return torch.empty(n, dtype=getattr(torch, dtype))


def torch_dropout(torch, dtype, n, generator):
    saved = torch.get_rng_state()
    torch.set_rng_state(generator.get_state())
    out = torch.nn.functional.dropout(torch.from_numpy(inputs(n, dtype)), 0.3)
    generator.set_state(torch.get_rng_state())
    torch.set_rng_state(saved)
    return out


def torch_integers(low, high):
    return lambda torch, dtype, n, g: empty(torch, n, "int64").random_(low, high, generator=g)


# name: (the draw here, the same draw in PyTorch)
DRAWS = {
    "uniform": (uniform, lambda torch, dtype, n, g: empty(torch, n, dtype).uniform_(-0.3, 0.7, generator=g)),
    "normal": (normal, lambda torch, dtype, n, g: empty(torch, n, dtype).normal_(0.5, 2.0, generator=g)),
    "integers": (integers(-3, 10, 1), torch_integers(-3, 7)),
    "integers, one value": (integers(5, 1, 1), torch_integers(5, 6)),
    "integers, most of a word": (integers(0, 2**28 - 1, 1), torch_integers(0, 2**28 - 1)),
    "integers, two words": (integers(-7, 2**28, 2), torch_integers(-7, 2**28 - 7)),
    "integers, any positive": (
        integers(0, -(2**63), 2),
        lambda torch, dtype, n, g: empty(torch, n, "int64").random_(generator=g),
    ),
    "integers, any": (integers(0, 0, 2), torch_integers(-(2**63), None)),
    "integers, any int32": (
        integers(0, 2**31, 1),
        lambda torch, dtype, n, g: empty(torch, n, "int32").random_(generator=g),
    ),
    "permutation": (permutation, lambda torch, dtype, n, g: torch.randperm(n, generator=g)),
    "bernoulli": (
        bernoulli,
        lambda torch, dtype, n, g: empty(torch, n, "uint8").bernoulli_(0.3, generator=g),
    ),
    "bernoulli_each": (
        bernoulli_each,
        lambda torch, dtype, n, g: torch.bernoulli(torch.from_numpy(probabilities(n, dtype)), generator=g),
    ),
    "dropout": (dropout, torch_dropout),
}


def on_intel():
    try:
        return "GenuineIntel" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def skip_other_streams(name):
    if name in ("bernoulli", "dropout") and on_intel():
        pytest.skip("PyTorch draws these from another generator on Intel's processors")


@pytest.mark.parametrize("seed", SEEDS)
def test_words_are_numpys(seed):
    out = np.empty(2000, np.float32)
    compiled("uniform", "float32", 2000, out, Generator().manual_seed(seed)._block, 0.0, 1.0)
    words = np.random.RandomState(seed % 2**32).randint(0, 2**32, 2000, np.uint32)
    assert np.array_equal(out, ((words & 0xFFFFFF) / 2.0**24).astype(np.float32))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", DRAWS)
def test_reference(name, dtype):
    draw, _ = DRAWS[name]
    fast, slow = Generator().manual_seed(11), Generator().manual_seed(11)
    for n in (1, 2, 15, 16, 17, 31, 700):
        got, want = draw(compiled, dtype, n, fast), draw(specified, dtype, n, slow)
        if name == "normal":
            np.testing.assert_allclose(got, want, rtol=0, atol=64 * np.finfo(got.dtype).eps)
        else:
            np.testing.assert_array_equal(got, want)
        assert fast.state_bytes()[8:5016] == slow.state_bytes()[8:5016], f"other words used for {n}"


# Seed 420 in PyTorch 2.13 on the CPU.
WRITTEN_DOWN = [
    (uniform, "float32", 3, [0.50535417, -0.100960076, 0.6758533]),
    (uniform, "float64", 3, [0.14283366612911214, 0.5068266680516629, 0.47967828541143404]),
    (integers(0, 10, 1), "", 8, [1, 6, 2, 7, 5, 5, 0, 7]),
    (integers(0, 2**40, 2), "", 2, [762393588808, 576215208511]),
    (permutation, "", 8, [1, 5, 4, 0, 7, 6, 3, 2]),
]


@pytest.mark.parametrize(("draw", "dtype", "n", "numbers"), WRITTEN_DOWN)
def test_numbers_written_down(draw, dtype, n, numbers):
    got = draw(compiled, dtype, n, Generator().manual_seed(420))
    assert np.array_equal(got, np.array(numbers, got.dtype))


def test_normal_numbers_written_down():
    out = np.empty(17, np.float32)
    compiled("normal", "float32", 17, out, Generator().manual_seed(420)._block, 0.0, 1.0)
    want = np.float32([-0.007042601, -0.035502523, 0.50200695, -1.4816458])
    assert np.array_equal(out[[0, 1, 8, 16]], want)
    stream = Generator().manual_seed(420)
    compiled("normal_one_by_one", "float32", 3, out, stream._block, stream._waiting, 0.0, 1.0)
    assert np.array_equal(out[:3], np.float32([-1.6976525, 0.6374253, 0.07810662]))
    wide = np.empty(17)
    compiled("normal", "float64", 17, wide, Generator().manual_seed(420)._block, 0.0, 1.0)
    want = [0.10860233413347431, -0.3027266900807655, -0.5287589579959795, -0.6810185495598023]
    np.testing.assert_allclose(wide[[0, 1, 8, 16]], want, rtol=1e-14)  # the C library may differ


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", DRAWS)
def test_pytorch(name, dtype, torch):
    skip_other_streams(name)
    draw, theirs = DRAWS[name]
    for seed in SEEDS if name in ("uniform", "normal") else SEEDS[:3]:
        ours, generator = Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
        for n in SIZES:
            got, want = draw(compiled, dtype, n, ours), theirs(torch, dtype, n, generator).numpy()
            np.testing.assert_array_equal(got, want, f"{n} after seed {seed}")
            assert ours.state_bytes() == generator.get_state().numpy().tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_pytorch_in_any_order(seed, torch):
    pick = np.random.RandomState(seed)
    ours, generator = Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    names = [name for name in DRAWS if not (on_intel() and name in ("bernoulli", "dropout"))]
    for _ in range(100):
        name, dtype = pick.choice(names), pick.choice(DTYPES)
        n = int(pick.choice([1, 2, 3, 15, 16, 33, 623, 625]))
        draw, theirs = DRAWS[name]
        got, want = draw(compiled, dtype, n, ours), theirs(torch, dtype, n, generator).numpy()
        np.testing.assert_array_equal(got, want, f"{name} {dtype} {n}")
        assert ours.state_bytes() == generator.get_state().numpy().tobytes(), f"{name} {dtype} {n}"


@pytest.mark.parametrize("name", ["uniform", "integers", "integers, two words", "bernoulli"])
def test_a_stream_cut_in_two_is_the_same(name):
    draw, _ = DRAWS[name]
    whole, parts = Generator().manual_seed(5), Generator().manual_seed(5)
    for k in (1, 623, 624, 1001):
        together = draw(compiled, "float64", 2 * k, whole)
        halves = [draw(compiled, "float64", k, parts) for _ in range(2)]
        np.testing.assert_array_equal(together, np.concatenate(halves))


@pytest.mark.parametrize("dtype", DTYPES)
def test_uniform_never_gives_its_upper_bound(dtype):
    """One unit wide, the interval's numbers all round to its two ends."""
    low = np.dtype(dtype).type(1)
    high = np.nextafter(low, 2)
    out = np.empty(1000, dtype)
    compiled("uniform", dtype, 1000, out, Generator()._block, float(low), float(high))
    assert (out == low).all()


@pytest.mark.skipif(jit.interpreted(), reason="many numbers")
@pytest.mark.parametrize("dtype", DTYPES)
def test_normal_numbers_are_normal(dtype):
    n = 10**6
    out = np.empty(n, dtype)
    compiled("normal", dtype, n, out, Generator().manual_seed(3)._block, 0.0, 1.0)
    moments = [np.mean(out.astype(np.float64) ** k) for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.02)
    within = [np.mean(np.abs(out) < k) for k in (1, 2, 3)]
    np.testing.assert_allclose(within, [0.6827, 0.9545, 0.9973], atol=0.002)


@pytest.mark.slow
@pytest.mark.skipif(jit.interpreted(), reason="many numbers")
def test_long_permutation(torch):
    """From 2**32 / 20 elements on PyTorch takes another way. Needs 4 GB."""
    n = (2**32 - 1) // 20
    got = permutation(compiled, "", n, Generator().manual_seed(5))
    assert np.array_equal(got, torch.randperm(n, generator=torch.Generator().manual_seed(5)).numpy())
