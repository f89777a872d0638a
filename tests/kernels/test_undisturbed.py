"""What may happen while a kernel is compiled: a fork in another thread, Ctrl-C."""

import os
import signal
import threading
import time

import pytest
from fastgrad.kernels import store

from fastgrad.autograd import engine


def test_an_interrupt_waits_for_the_end_of_the_block():
    steps = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        with store.undisturbed():
            signal.raise_signal(signal.SIGINT)
            steps.append("inside")
            with store.undisturbed():
                signal.raise_signal(signal.SIGINT)
            steps.append("after the inner block")
        steps.append("outside")
    assert steps == ["inside", "after the inner block"]
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_leaves_the_handler_as_it_was():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), store.undisturbed():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_and_ignored_interrupts_are_left_alone():
    found = []
    own = signal.getsignal(signal.SIGINT)

    def work():
        with store.undisturbed():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work()
    finally:
        signal.signal(signal.SIGINT, own)
    assert found == [own, signal.SIG_IGN]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.parametrize("lock", [store.lock, engine._adding], ids=["compiling", "adding gradients"])
@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_child_does_not_find_a_lock_that_another_thread_holds(lock):
    held = threading.Event()

    def work():
        with lock:
            held.set()
            time.sleep(0.3)

    thread = threading.Thread(target=work)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(timeout=60) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join()
    assert lock.acquire(timeout=60)  # and the parent has let go of it
    lock.release()
