"""A plan's memory is there when it is made, after the second call: replays do not make the process larger."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

import pytest
from fastgrad.kernels import pages, pool
from fastgrad.kernels.cpu.matmul import scratch

import fastgrad as torch
from fastgrad import nn

PAGES = Path("/proc/self/pagemap")


def is_present(address: int, nbytes: int) -> bool:
    """Whether each page of some memory has been given out."""
    first, last = address // mmap.PAGESIZE, (address + nbytes - 1) // mmap.PAGESIZE
    with PAGES.open("rb") as table:
        table.seek(8 * first)
        words = table.read(8 * (last - first + 1))
    return bool(words) and all(byte & 0x80 for byte in words[7::8])


def can_be_asked_for() -> bool:
    """Whether the system gives out pages before they are written."""
    fresh = mmap.mmap(-1, 1 << 20)
    address = ctypes.addressof(ctypes.c_char.from_buffer(fresh))
    absent = not is_present(address, 1 << 20)
    pages.make_present(address, 1 << 20)
    return absent and is_present(address, 1 << 20)


@pytest.mark.skipif(not PAGES.exists(), reason="this system does not tell which pages are present")
@pytest.mark.parametrize("threads", [1, 2])
def test_all_pages_are_there_after_two_calls(threads: int) -> None:
    if not can_be_asked_for():
        pytest.skip("this system cannot give out pages before they are written")
    torch.set_num_threads(threads)
    net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 5))
    x, y = torch.rand(2000, 20), torch.randint(0, 5, (2000,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    @torch.compile
    def step(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        optimizer.zero_grad()
        logits = net(x)
        loss = nn.functional.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        return loss, logits

    for _ in range(2):
        step(x, y)
    (replay,) = step._plans.values()
    plan = replay.plan
    assert step.replays == 0
    assert plan.arena_bytes > 1 << 18
    assert is_present(plan.arena._address, plan.arena_bytes)
    for visible in plan.visible.values():
        assert is_present(visible.address, visible.buffer.nbytes)
    for stack in pool.prepare():
        assert is_present(stack, 1)
        slot = (stack >> 20) % scratch.SLOTS
        assert is_present(scratch.address() + scratch.HEAD_BYTES + slot * scratch.SLOT_BYTES, scratch.SLOT_BYTES)


def test_where_there_is_no_memory_for_a_plan_the_step_runs_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(plan: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("fastgrad._compile.plan.make_present", refuse)
    step = torch.compile(lambda x: (x * 2 + 1).relu())
    x = torch.randn(50)
    expected = (x * 2 + 1).relu()
    assert torch.equal(step(x), expected)
    with pytest.warns(RuntimeWarning, match="no plan could be made"):
        second = step(x)
    assert torch.equal(second, expected)
    assert torch.equal(step(x), expected)
    assert step.replays == 0
