"""An error or Ctrl-C in the middle of backward leaves every `.grad` as it was, and the modes too."""

import gc
import signal

import pytest

import fastgrad


def failing(error):
    def hook(gradient):
        raise error

    return hook


@pytest.mark.parametrize("error", [ValueError("stop"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
@pytest.mark.parametrize("where", ["in the middle", "at a leaf"])
def test_gradients_are_left_alone(where, error):
    weights = [fastgrad.ones(2, requires_grad=True) for _ in range(5)]
    for w in weights:
        w.grad = fastgrad.full((2,), 7.0)
    y = fastgrad.ones(2)
    for k, w in enumerate(weights):
        y = y * w
        if where == "in the middle" and k == 2:
            y.register_hook(failing(error))
    if where == "at a leaf":
        weights[2].register_hook(failing(error))
    with pytest.raises(type(error)):
        y.sum().backward()
    assert [w.grad.tolist() for w in weights] == [[7.0, 7.0]] * 5
    assert fastgrad.is_grad_enabled()
    x = fastgrad.ones(1, requires_grad=True)
    (x * 2).backward()
    assert x.grad.item() == 2.0


@pytest.fixture
def virtual_alarm():
    """Raises KeyboardInterrupt when the process has computed for so many seconds; waiting for a core does not count."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("this platform has no such timer")
    before = signal.signal(signal.SIGVTALRM, signal.default_int_handler)
    gc.disable()  # other libraries call Python when the collector runs: what is raised there is lost
    yield lambda seconds: signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    gc.enable()
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def test_a_real_signal(virtual_alarm):
    """The signal arrives while the engine is at work; afterwards everything still works."""

    def start(gradient):
        virtual_alarm(0.001)  # the system rounds up, to some 10 ms; the pass takes 100

    w = fastgrad.ones(1, requires_grad=True)
    y = w * 1
    for _ in range(200_000):
        y = y * 1.0
    y.register_hook(start)
    with pytest.raises(KeyboardInterrupt):
        y.backward()
    assert w.grad is None
    (w * 3).backward()
    assert w.grad.item() == 3.0
