"""The state behind random numbers: seeds, saving and restoring, and the lock that keeps a stream in order.

The numbers themselves are made by the kernels of the family `random`, which read and move on the block of
memory that a Generator owns. A caller holds `lock` from before it passes `address` until the kernel has
returned: two threads that draw at once then get disjoint parts of one stream.
"""

from __future__ import annotations

import contextlib
import operator
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _recording

if TYPE_CHECKING:
    from fastgrad import Tensor, device

# The block: a spare word, the 624 words, how many of them are used (as in kernels/cpu/mersenne.py: a stream
# that has not begun holds only its seed); then two float64: 1.0 and a normal number that waits to be given
# out, or 0.0 and anything.
_SIZE = 624
_FRESH = _SIZE + 1
_POSITION = 1 + _SIZE
_SPARE = 628
_BLOCK = _SPARE + 4

# How PyTorch lays out the state of its CPU generator: a state saved there continues here, and back.
_LAYOUT = np.dtype(
    [
        ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("words", "<u8", _SIZE),
        ("unused_x", "<f8"), ("normal", "<f8"), ("unused_rho", "<f8"), ("has_normal", "<i4"), ("rest", "V12"),
    ]
)  # fmt: skip

_FIXED_SEED = 67280421310721  # of a Generator that was never seeded


class Generator:
    """A stream of random numbers of one's own, the same as PyTorch's on the CPU for the same seed.

    >>> import fastgrad
    >>> generator = fastgrad.Generator().manual_seed(0)
    >>> first = fastgrad.rand(3, generator=generator)
    >>> bool((fastgrad.rand(3, generator=generator.manual_seed(0)) == first).all())
    True
    """

    __slots__ = ("__weakref__", "_block", "_seed", "_waiting", "address", "lock", "spare")

    def __init__(self, device: Any = "cpu") -> None:
        if device != "cpu":
            _only_cpu(device)
        self._block = np.zeros(_BLOCK, np.uint32)
        self._waiting = self._block[_SPARE:].view(np.float64)
        self.address = self._block.ctypes.data
        self.spare = self._waiting.ctypes.data
        self.lock = threading.Lock()
        self.manual_seed(_FIXED_SEED)

    @property
    def device(self) -> device:
        """The device that the numbers are made on: always the CPU."""
        import fastgrad

        return fastgrad.device("cpu")

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream that belongs to `seed`, and return the generator.

        Seeds from -2**63 to 2**64 - 1 are allowed, a negative one counts as seed + 2**64. The low 32 bits
        choose the stream. RuntimeError for what is no integer, ValueError outside that range.
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        _recording.refuse("a generator is seeded")
        seed = operator.index(seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        with self.lock:
            self._seed = seed % 2**64
            self._block[1] = seed & 0xFFFFFFFF
            self._block[_POSITION] = _FRESH
            self._waiting[0] = 0.0
        return self

    def seed(self) -> int:
        """Seed with a number from the operating system, and return that number."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed that the stream was started with."""
        return self._seed

    def get_state(self) -> Tensor:
        """The state as a uint8 tensor of 5056 elements, in PyTorch's layout."""
        import fastgrad

        return fastgrad.from_numpy(np.frombuffer(bytearray(self.state_bytes()), np.uint8))

    def set_state(self, new_state: Tensor) -> None:
        """Continue from a state that `get_state` gave, here or in PyTorch."""
        import fastgrad

        if not isinstance(new_state, fastgrad.Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        if new_state.dtype is not fastgrad.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        self.restore_bytes(new_state.numpy().tobytes())

    def clone_state(self) -> Generator:
        """A new generator that will give the same numbers as this one."""
        made = Generator()
        made.restore_bytes(self.state_bytes())
        return made

    def state_bytes(self) -> bytes:
        """The state as 5056 bytes, in PyTorch's layout."""
        _recording.refuse("a generator's state is read")
        state = np.zeros((), _LAYOUT)
        with self.lock:
            position = int(self._block[_POSITION])
            state["seed"] = self._seed
            fresh = position == _FRESH
            state["left"], state["next"] = (1, 0) if fresh else (_SIZE + 1 - position, position)
            state["words"] = _first_words(self._seed) if fresh else self._block[1:_POSITION]
            state["seeded"] = 1
            if self._waiting[0]:
                state["has_normal"], state["normal"] = 1, self._waiting[1]
        return state.tobytes()

    def restore_bytes(self, saved: bytes) -> None:
        """Continue from what `state_bytes` gave. RuntimeError for anything else; nothing changes then."""
        _recording.refuse("a generator's state is set")
        if len(saved) != _LAYOUT.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_LAYOUT.itemsize} "
                f"but found the input RNG state size to be {len(saved)}"
            )
        state = np.frombuffer(saved, _LAYOUT)[0]
        left, following = int(state["left"]), int(state["next"])
        if not (state["seeded"] == 1 and 0 < left <= _SIZE and following <= _SIZE):
            raise RuntimeError("Invalid mt19937 state")
        with self.lock:
            self._seed = int(state["seed"])
            self._block[1:_POSITION] = state["words"]
            self._block[_POSITION] = _SIZE if left == 1 else following  # left 1: used up, or not begun
            self._waiting[:] = bool(state["has_normal"]), state["normal"]

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_bytes, (self.state_bytes(),)


def _from_bytes(saved: bytes) -> Generator:
    made = Generator()
    made.restore_bytes(saved)
    return made


def _first_words(seed: int) -> list[int]:
    """What MT19937 makes of a seed at first; the kernels do the same when a stream begins."""
    words = [seed & 0xFFFFFFFF]
    for i in range(1, _SIZE):
        words.append((1812433253 * (words[-1] ^ (words[-1] >> 30)) + i) & 0xFFFFFFFF)
    return words


def _only_cpu(device: Any) -> None:
    import fastgrad

    kind = fastgrad.device(device).type
    if kind != "cpu":
        raise RuntimeError(f"Cannot get {kind.upper()} generator: random numbers are made on the CPU")


_default = Generator()
_default.seed()
_own = threading.local()  # .generator of a thread that has one


def __getattr__(name: str) -> Any:
    if name == "default_generator":  # the process's, but for a thread that has one of its own
        return _current()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _current() -> Generator:
    found: Generator = getattr(_own, "generator", _default)
    return found


def use_in_this_thread(generator: Generator) -> None:
    """Let this thread draw from a default stream of its own: a loader's workers do, so that batches do not depend on which
    worker is first.
    """
    _own.generator = generator


def _after_fork() -> None:
    # another thread of the parent may have held it
    _default.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def manual_seed(seed: int) -> Generator:
    """Start the default stream that belongs to `seed`, as `Generator.manual_seed`; return its generator.

    >>> import fastgrad
    >>> _ = fastgrad.manual_seed(420)
    >>> fastgrad.randint(0, 10, (3,)).tolist()
    [1, 6, 2]
    """
    return _current().manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator with a number from the operating system, and return that number."""
    return _current().seed()


def initial_seed() -> int:
    """The seed that the default stream was started with."""
    return _current().initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state, as a uint8 tensor."""
    return _current().get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Continue the default stream from a state that `get_rng_state` gave."""
    _current().set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """After the block the default stream goes on as if nothing had been drawn inside.

    `devices` is PyTorch's list of GPUs, and has no meaning here.

    >>> import fastgrad
    >>> _ = fastgrad.manual_seed(420)
    >>> with fastgrad.random.fork_rng():
    ...     _ = fastgrad.rand(100)
    >>> fastgrad.randint(0, 10, (3,)).tolist()
    [1, 6, 2]
    """
    if not enabled:
        yield
        return
    saved = _current().state_bytes()
    try:
        yield
    finally:
        _current().restore_bytes(saved)
