"""Anomaly detection names the line of the forward pass whose derivative failed or gave NaN."""

import warnings

import pytest

import fastgrad
from tests.autograd.outcome import leaf


def caught(function):
    """The error's text and the texts of the warnings before it, without what PyTorch adds about its own sources."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            function()
            text = None
        except Exception as error:
            text = str(error)
    return text, [str(warning.message).partition(" (Triggered internally")[0] for warning in seen]


def root_of_zero(torch):
    y = (leaf(torch, 0.0) * 1).sqrt()  # the line that is to blame
    (y * 0).sum().backward()


def test_nan_names_the_node_and_the_line():
    with fastgrad.autograd.set_detect_anomaly(True):
        text, (warning,) = caught(lambda: root_of_zero(fastgrad))
    assert text == "Function 'SqrtBackward0' returned nan values in its 0th output."
    assert warning.startswith("Error detected in SqrtBackward0. Traceback of forward call that caused the error:\n")
    assert "# the line that is to blame" in warning
    assert "fastgrad/" not in warning, "frames of the library itself say nothing"


def test_error_in_a_derivative_names_the_line():
    class Broken(fastgrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, gy):
            raise KeyError("lost")

    def program():
        Broken.apply(leaf(fastgrad, 1.0)).backward()  # here

    with fastgrad.autograd.set_detect_anomaly(True):
        text, (warning,) = caught(program)
    assert text == "'lost'"
    assert warning.startswith("Error detected in BrokenBackward. ")
    assert "# here" in warning


def changed_saved(torch):
    y = leaf(torch, 1.0) * 1
    z = y * y
    y.add_(1)
    z.backward()


def forward_outside(torch):
    torch.autograd.set_detect_anomaly(False)
    y = leaf(torch, -1.0).sqrt()
    torch.autograd.set_detect_anomaly(True)
    y.backward()


def second_order(torch):
    x = leaf(torch, 0.0)
    (gx,) = torch.autograd.grad(x**1.5, x, create_graph=True)
    (gx * 0).backward()


@pytest.mark.parametrize("program", [root_of_zero, changed_saved, forward_outside, second_order])
def test_as_in_pytorch(program, torch):
    outcomes = []
    for library in (fastgrad, torch):
        with library.autograd.set_detect_anomaly(True):
            text, warned = caught(lambda library=library: program(library))
        outcomes.append((text, [message.partition("\n  File")[0] for message in warned]))
    assert outcomes[0] == outcomes[1]


def test_nan_may_be_let_through():
    x = leaf(fastgrad, -1.0)
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        mode = fastgrad.autograd.detect_anomaly(check_nan=False)
    with mode:
        x.sqrt().backward()
    assert x.grad.item() != x.grad.item()


def test_settings_are_put_back():
    mode = fastgrad.autograd.anomaly_mode
    init = fastgrad.autograd.graph.Node.__init__
    assert not mode.is_anomaly_enabled()
    with fastgrad.autograd.set_detect_anomaly(True, check_nan=False):
        assert (mode.is_anomaly_enabled(), mode.is_anomaly_check_nan_enabled()) == (True, False)
        with fastgrad.autograd.set_detect_anomaly(False):
            assert not mode.is_anomaly_enabled()
        assert mode.is_anomaly_enabled()
    assert (mode.is_anomaly_enabled(), mode.is_anomaly_check_nan_enabled()) == (False, True)
    assert fastgrad.autograd.graph.Node.__init__ is init, "nodes cost nothing more once it is off"


def test_gradients_are_the_same():
    def gradient():
        x = leaf(fastgrad, 0.5, 2.0)
        ((x * x).exp() + x.log()).sum().backward()
        return x.grad.tolist()

    with fastgrad.autograd.set_detect_anomaly(True):
        watched = gradient()
    assert watched == gradient()
