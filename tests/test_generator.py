"""Seeds, states, errors and threads of `Generator`."""

import copy
import pickle
import threading

import numpy as np
import pytest
from fastgrad.kernels import jit, launcher

import fastgrad
from fastgrad import _generator
from fastgrad._generator import Generator

SEEDS = (0, 1, 420, 2**32 - 1, 2**40 + 7, 2**64 - 1, -1, -(2**63))


def draw(generator, n):
    out = np.empty(n, np.float32)
    with generator.lock:
        row = jit.address("random.uniform", "float32")
        launcher.launch(row, n, n, out.ctypes.data, generator.address, 0.0, 1.0)
    return out


def test_seeds():
    generator = Generator()
    assert generator.initial_seed() == 67280421310721
    assert generator.manual_seed(7) is generator
    assert generator.initial_seed() == 7
    assert generator.manual_seed(-1).initial_seed() == 2**64 - 1
    assert generator.manual_seed(np.int64(5)).initial_seed() == 5
    drawn = generator.seed()
    assert generator.initial_seed() == drawn < 2**64
    assert Generator().seed() != drawn


def test_only_the_low_32_bits_choose_the_stream():
    assert np.array_equal(draw(Generator().manual_seed(2**40 + 7), 5), draw(Generator().manual_seed(7), 5))


@pytest.mark.parametrize("seed", SEEDS)
def test_state_is_pytorchs(seed, torch):
    ours, theirs = Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    for n in (0, 3, 700):
        np.testing.assert_array_equal(draw(ours, n), torch.rand(n, generator=theirs).numpy())
        assert ours.state_bytes() == theirs.get_state().numpy().tobytes()


def test_states_go_both_ways(torch):
    ours, theirs = Generator().manual_seed(3), torch.Generator().manual_seed(4)
    torch.randn(3, generator=theirs)  # a fourth number waits
    ours.restore_bytes(theirs.get_state().numpy().tobytes())
    assert ours.state_bytes() == theirs.get_state().numpy().tobytes()
    draw(ours, 100)
    theirs.set_state(torch.frombuffer(bytearray(ours.state_bytes()), dtype=torch.uint8))
    assert torch.randn(1, generator=theirs).item() == np.float32(ours._waiting[1])
    np.testing.assert_array_equal(draw(ours, 1000), torch.rand(1000, generator=theirs).numpy())


@pytest.mark.parametrize(
    ("seed", "error", "text"),
    [
        (1.5, RuntimeError, "manual_seed expected a long, but got float"),
        ("a", RuntimeError, "manual_seed expected a long, but got str"),
        (True, RuntimeError, "manual_seed expected a long, but got bool"),
        (None, RuntimeError, "manual_seed expected a long, but got NoneType"),
        (2**64, ValueError, "Overflow when unpacking long long"),
        (-(2**63) - 1, ValueError, "Overflow when unpacking long long"),
    ],
)
def test_bad_seeds(seed, error, text, torch):
    for generator in (Generator(), torch.Generator()):
        with pytest.raises(error, match=text):
            generator.manual_seed(seed)


@pytest.mark.parametrize(
    ("length", "value", "text"),
    [
        (10, 0, "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 10"),
        (5056, 0, "Invalid mt19937 state"),
        (5056, 255, "Invalid mt19937 state"),
    ],
)
def test_bad_states(length, value, text, torch):
    generator = Generator().manual_seed(3)
    with pytest.raises(RuntimeError, match=text):
        generator.restore_bytes(bytes([value]) * length)
    with pytest.raises(RuntimeError, match=text):
        torch.Generator().set_state(torch.full((length,), value, dtype=torch.uint8))
    assert generator.state_bytes() == Generator().manual_seed(3).state_bytes()


def test_states_as_tensors(torch):
    generator = Generator().manual_seed(9)
    draw(generator, 10)
    state = generator.get_state()
    assert state.dtype is fastgrad.uint8
    assert tuple(state.shape) == (5056,)
    following = draw(generator, 700)
    generator.set_state(state)
    np.testing.assert_array_equal(draw(generator, 700), following)
    for wrong in (5, np.zeros(5056, np.uint8)):
        with pytest.raises(TypeError, match=f"expected a torch.ByteTensor, but got .*{type(wrong).__name__}"):
            generator.set_state(wrong)
    with pytest.raises(TypeError, match="RNG state must be a torch.ByteTensor"):
        generator.set_state(fastgrad.zeros(5056))


def test_copies_go_on_alike():
    generator = Generator().manual_seed(9)
    draw(generator, 10)
    copies = [copy.deepcopy(generator), pickle.loads(pickle.dumps(generator)), generator.clone_state()]
    following = draw(generator, 700)
    for other in copies:
        assert other.initial_seed() == 9
        np.testing.assert_array_equal(draw(other, 700), following)


def test_devices():
    assert Generator().device == fastgrad.device("cpu")
    assert Generator(device=fastgrad.device("cpu")).initial_seed() == 67280421310721
    with pytest.raises(RuntimeError, match="Expected one of cpu, cuda"):
        Generator("foo")
    with pytest.raises(RuntimeError, match="Cannot get CUDA generator"):
        Generator("cuda")


def test_default_generator():
    assert _generator.manual_seed(1.0) is _generator.default_generator
    assert _generator.initial_seed() == 1
    first = draw(_generator.default_generator, 5)
    with _generator.fork_rng():
        draw(_generator.default_generator, 50)
    following = draw(_generator.default_generator, 5)
    np.testing.assert_array_equal(draw(Generator().manual_seed(1), 10), np.concatenate([first, following]))
    saved = _generator.get_rng_state()
    again = draw(_generator.default_generator, 5)
    _generator.set_rng_state(saved)
    np.testing.assert_array_equal(draw(_generator.default_generator, 5), again)
    assert _generator.seed() == _generator.initial_seed()


def test_threads_draw_disjoint_parts_of_one_stream():
    generator = Generator().manual_seed(2)
    parts = []

    def work():
        for _ in range(50):
            parts.append(draw(generator, 1001))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = draw(Generator().manual_seed(2), 200 * 1001).reshape(200, 1001)
    assert sorted(p.tobytes() for p in parts) == sorted(p.tobytes() for p in whole)
