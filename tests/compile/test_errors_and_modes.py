"""Errors inside a compiled step, threads that call it, and the memory that it needs."""

import gc
import sys
import threading
import warnings
from pathlib import Path

import pytest

import fastgrad as torch
from fastgrad._compile.record import Recorder
from tests.compile.programs import Training, batch, bits, check

# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:fastgrad.compile")  # the step counts, which leaves it to eager mode
def test_an_exception_while_recording():
    training, other = Training(), Training()
    other.net.load_state_dict(training.net.state_dict())
    number = [0]
    bad = {0, 1, 4, 5}

    def step(x, y):
        number[0] += 1
        loss = training.step(x, y)
        if number[0] - 1 in bad:
            raise KeyError("stop")
        return loss

    compiled = torch.compile(step)
    for k in range(4):
        if k in bad:
            with pytest.raises(KeyError, match="stop"):
                compiled(*batch(k))
            assert torch.ones(2).add(1).tolist() == [2, 2]
            with pytest.raises(KeyError, match="stop"):
                number[0] -= 1
                compiled(*batch(k))
            other.step(*batch(k))
        else:
            compiled(*batch(k))
        other.step(*batch(k))
    for k in range(6):
        assert bits(torch.compile(other.step)(*batch(k))) == bits(training.step(*batch(k)))
    assert training.state() == other.state()


def test_an_error_of_fastgrad_while_recording_and_while_replaying():
    call = torch.compile(Training().step)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="shape"):
            call(torch.ones(4, 5), torch.zeros(4, dtype=torch.int64))
    for k in range(6):
        call(*batch(k))
    assert call.replays == 4
    for _ in range(3):
        with pytest.raises(RuntimeError, match="shape"):
            call(torch.ones(4, 5), torch.zeros(4, dtype=torch.int64))
        with pytest.raises(IndexError, match="out of bounds"):
            call(batch(0)[0], torch.full((12,), 5))
    call(*batch(9))
    assert call.replays == 5


def test_a_step_within_a_step():
    training, other = Training(), Training()
    other.net.load_state_dict(training.net.state_dict())
    inner = torch.compile(training.step)
    outer = torch.compile(lambda x, y: inner(x, y) * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(8):
            assert bits(outer(*batch(k)).detach()) == bits((other.step(*batch(k)) * 2).detach())
    assert training.state() == other.state()


# -- threads and memory ------------------------------------------------------------------------------------------------


def test_two_threads_call_one_step():
    w = torch.rand(40, 40)

    def step(x):
        return torch.tanh(x @ w).sum(1)

    compiled = torch.compile(step)
    inputs = [torch.rand(30, 40) for _ in range(8)]
    wanted = [bits(step(x)) for x in inputs]
    wrong = []

    def work(start):
        for k in range(400):
            n = (start + k) % 8
            if bits(compiled(inputs[n])) != wanted[n]:
                wrong.append(n)

    workers = [threading.Thread(target=work, args=(3 * n,)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
    assert compiled.replays > 0


def test_another_thread_works_while_a_step_is_recorded():
    x = torch.rand(30, 30)
    wanted, stop, wrong = bits(torch.exp(x @ x).sum()), threading.Event(), []

    def work():
        while not stop.is_set():
            if bits(torch.exp(x @ x).sum()) != wanted:
                wrong.append(1)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(15):
            check(Training, 5, replays=3)
    finally:
        stop.set()
        worker.join()
    assert not wrong


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_ten_thousand_replays_need_no_memory():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    call = torch.compile(Training().step)
    data = batch(0)
    for _ in range(500):
        call(*data)
    gc.collect()
    before, blocks = resident(), sys.getallocatedblocks()
    for _ in range(10_000):
        call(*data)
    assert call.replays == 10_498
    assert sys.getallocatedblocks() - blocks < 500
    assert resident() - before < 8_000_000  # the system may give a page of 2 MB where there were small ones


def test_what_another_thread_reads_is_no_part_of_a_recording():
    recorder, done = Recorder([], []), threading.Event()
    x, inside = torch.ones(3), threading.Event()

    def reading():
        inside.set()
        return done.wait(60)

    with recorder:
        other = threading.Thread(target=lambda: recorder.read(x, "numpy", reading))
        other.start()
        assert inside.wait(60)
        y = x * 2
        done.set()
        other.join()
        recorder.finish(y)
    assert [event.name for event in recorder.events] == ["elementwise.mul_scalar.float32"]
