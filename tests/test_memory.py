"""Storage: alignment, reuse, who keeps memory alive, and no growth over training steps."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import textwrap
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

import fastgrad as torch
from fastgrad import _meta, _storage
from fastgrad._tensor import new


def test_large_blocks_are_aligned() -> None:
    for n in (200, 1000, 12_345, 1_000_000):
        assert torch.empty(n).data_ptr() % _storage.ALIGNMENT == 0


def test_a_dead_block_is_used_again() -> None:
    gc.collect()  # so that no other block comes back in between
    first = torch.empty(100_000)
    address = first.data_ptr()
    del first
    assert torch.empty(100_000).data_ptr() == address


@pytest.mark.parametrize("n", [3, 100_000])
def test_an_array_keeps_the_memory_of_its_tensor(n: int) -> None:
    x = torch.full((n,), 7.0)
    array, address = x.numpy(), x.data_ptr()
    del x
    others = [torch.zeros(n) for _ in range(8)]
    assert all(other.data_ptr() != address for other in others)
    assert (array == 7).all()
    array[0] = 1  # and it is writable


@pytest.mark.parametrize("n", [3, 100_000])
def test_a_view_keeps_the_memory_of_its_base(n: int) -> None:
    x = torch.full((n,), 7.0)
    view = x[1:]
    address = x.data_ptr()
    del x
    assert all(torch.zeros(n).data_ptr() != address for _ in range(8))
    assert view.tolist() == [7.0] * (n - 1)


def test_numpy_and_tensor_share_memory_both_ways() -> None:
    x = torch.zeros(4)
    x.numpy()[2] = 5
    assert x.tolist() == [0, 0, 5, 0]
    array = np.zeros(4, np.float32)
    y = torch.from_numpy(array)
    y += 1
    assert array.tolist() == [1, 1, 1, 1]
    array[0] = 9
    assert y[0].item() == 9


def test_empty_and_one_byte_tensors_have_memory_of_their_own() -> None:
    a, b = torch.zeros(1, dtype=torch.bool), torch.zeros(1, dtype=torch.bool)
    a.fill_(True)
    assert a.item() is True
    assert b.item() is False
    assert torch.zeros(0).numel() == 0


def test_equal_geometry_is_one_object() -> None:
    assert torch.zeros(3, 4)._meta is torch.ones(3, 4)._meta
    assert torch.zeros(3, 4).t()._meta is torch.ones(3, 4).t()._meta
    assert torch.zeros(3, 4)._meta is not torch.zeros(3, 4).double()._meta


@pytest.fixture
def small_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A pool that keeps 32 MB at most, so that a test fills it soon."""
    monkeypatch.setattr(_storage, "KEEP_BYTES", 32 << 20)
    usual, _storage.waiting[1] = _storage.waiting[1], 32 << 20
    _storage.release_pool()
    yield
    _storage.waiting[1] = usual
    _storage.release_pool()


@pytest.mark.usefixtures("small_pool")
def test_the_pool_is_capped() -> None:
    size = 1 << 20
    held = [torch.empty(size) for _ in range(2 * _storage.KEEP_BYTES // (4 * size))]
    _storage.release_pool()
    del held
    assert 0 < _storage.pooled_bytes() <= _storage.KEEP_BYTES
    _storage.release_pool()
    assert _storage.pooled_bytes() == 0


@pytest.mark.usefixtures("small_pool")
def test_the_pool_is_capped_over_all_sizes() -> None:
    for size in range(10 << 16, 80 << 16, 3 << 16):  # one after the other: nothing fits the next
        torch.empty(size)
        assert _storage.pooled_bytes() <= _storage.KEEP_BYTES
    held = [torch.empty(size) for size in range(10 << 16, 80 << 16, 3 << 16)]  # and all at once
    del held
    assert _storage.pooled_bytes() <= _storage.KEEP_BYTES
    many = [torch.empty(n) for n in range(1000, 20_000, 100) for _ in range(7)]
    del many
    assert _storage.pooled_bytes() <= _storage.KEEP_BYTES


@pytest.mark.usefixtures("small_pool")
def test_what_a_step_uses_again_stays_in_the_pool() -> None:
    addresses = set()
    for _ in range(50):
        held = [torch.empty(4 << 16) for _ in range(16)]  # 16 MB, in all 25 times what may wait
        addresses |= {x.data_ptr() for x in held}
        del held
    assert len(addresses) <= 32


def test_no_memory_left_is_a_clear_error(run_python) -> None:  # type: ignore[no-untyped-def]
    wanted = "RuntimeError DefaultCPUAllocator: can't allocate memory: you tried to allocate 40000000000000000 bytes."
    done = run_python(
        "-c",
        textwrap.dedent("""
        import fastgrad as torch
        for make in (torch.rand, torch.zeros, torch.empty):
            try:
                make(10**16)
            except Exception as error:
                print(type(error).__name__, error)
        print(torch.ones(3).sum().item())
    """),
    )
    assert done.stdout.splitlines() == [wanted] * 3 + ["3.0"]
    assert "ignored" not in done.stderr


@pytest.mark.parametrize("sizes", [(2**62,), (10**12, 10**12)])
def test_sizes_that_no_number_holds(sizes: tuple[int, ...]) -> None:
    with pytest.raises(RuntimeError, match="Storage size calculation overflowed with sizes=") as raised:
        torch.empty(sizes)
    assert str(raised.value).endswith(str(list(sizes)))
    assert torch.ones(1).expand(2**62).shape == (2**62,)


def test_tensors_are_freed_by_counting_alone() -> None:
    gc.disable()
    try:
        w = torch.ones(3, requires_grad=True)
        loss = (w.exp() * w.sqrt()).sum()
        loss.backward()
        gone = [weakref.ref(loss), weakref.ref(loss.grad_fn)]
        del loss
        assert [reference() for reference in gone] == [None, None]
    finally:
        gc.enable()


def test_debug_mode_fills_new_memory_with_nan() -> None:
    code = """
        import fastgrad as torch
        for n in (3, 100_000):
            assert torch.empty(n).isnan().all() if hasattr(torch.Tensor, "isnan") else True
            x = torch.empty(n)
            assert all(v != v for v in x[:3].tolist())
            del x
            assert all(v != v for v in torch.empty(n)[:3].tolist())
    """
    environment = {**os.environ, "FASTGRAD_DEBUG_MEMORY": "nan"}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, check=True, timeout=600)


def test_training_steps_do_not_grow() -> None:
    torch.set_num_threads(2)
    nn, optim = torch.nn, torch.optim
    net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
    updater, loss_function = optim.Adam(net.parameters()), nn.CrossEntropyLoss()
    x, y = torch.rand(128, 64), torch.randint(0, 10, (128,))

    def steps(count: int) -> int:
        for _ in range(count):
            updater.zero_grad()
            loss_function(net(x), y).backward()
            updater.step()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = steps(20)
    # Kilobytes. The other thread, where it takes part for the first time, touches its stack and its place for packing: some
    # 2,000. A leak of one hidden activation a step would be 26,000.
    assert steps(200) - before <= 8192


def test_metas_of_many_shapes_are_forgotten() -> None:
    before = _meta._MOST
    try:
        _meta._MOST = 100
        for n in range(300):
            assert new(_meta.contiguous((n,), torch.float32)).shape == (n,)
        assert len(_meta._contiguous) <= 101
    finally:
        _meta._MOST = before
