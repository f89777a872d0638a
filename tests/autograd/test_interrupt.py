"""An error or Ctrl-C in the middle of backward leaves every `.grad` as it was, and the modes too."""

import signal
import threading

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


def test_a_real_signal():
    """The signal arrives while the engine is at work; afterwards everything still works."""
    w = fastgrad.ones(1, requires_grad=True)
    y = w * 1
    for _ in range(200_000):
        y = y * 1.0
    timer = threading.Timer(0.001, signal.raise_signal, [signal.SIGINT])
    y.register_hook(lambda gradient: timer.start())
    with pytest.raises(KeyboardInterrupt):
        y.backward()
    assert w.grad is None
    (w * 3).backward()
    assert w.grad.item() == 3.0
