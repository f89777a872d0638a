"""Steps that are on the tape: `differentiable=True`, against PyTorch, in values and in what flows through them."""

import numpy as np
import pytest

import fastgrad
from tests.optim.test_optimizers import grid

CASES = [
    *grid("SGD", momentum=[0, 0.9], nesterov=[False], weight_decay=[0, 0.1], maximize=[False, True]),
    *grid("SGD", momentum=[0.9], nesterov=[True]),
    *grid("Adam", amsgrad=[False, True], weight_decay=[0, 0.1], maximize=[False, True]),
    *grid("AdamW", weight_decay=[0.1]),
    *grid("RMSprop", momentum=[0, 0.9], centered=[False, True], weight_decay=[0, 0.1]),
    *grid("Adagrad", lr_decay=[0.3], initial_accumulator_value=[0.5], weight_decay=[0, 0.1]),
    *grid("Adadelta", weight_decay=[0, 0.1]),
    *grid("Adamax", weight_decay=[0, 0.1], maximize=[False, True]),
    *grid("NAdam", decoupled_weight_decay=[False, True], weight_decay=[0, 0.1]),
    *grid("RAdam", betas=[(0.9, 0.5), (0.9, 0.999)], decoupled_weight_decay=[False, True], weight_decay=[0, 0.1]),
]


def unrolled(library, name, options, steps=4):
    """Values after some steps, and the derivatives of their sum to the start, to the slopes and to the learning rate."""
    rng = np.random.default_rng(0)
    start = library.from_numpy(rng.standard_normal((2, 3))).requires_grad_()
    slope = library.from_numpy(rng.standard_normal((2, 3))).requires_grad_()
    w = start.clone()
    optimizer = getattr(library.optim, name)([w], lr=0.1, differentiable=True, **options)
    for _ in range(steps):
        w.grad = slope * w.clone()
        optimizer.step()
    wanted = library.autograd.grad((w * w).sum(), [start, slope])
    return [w.detach().numpy(), *[g.numpy() for g in wanted]]


@pytest.fixture(autouse=True)
def _double(torch):
    """Counts are of the default dtype, and PyTorch corrects Adam's bias in it here."""
    for library in (fastgrad, torch):
        library.set_default_dtype(library.float64)
    yield
    for library in (fastgrad, torch):
        library.set_default_dtype(library.float32)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_steps_and_what_flows_through_them_are_pytorchs(torch, name, options):
    # PyTorch overwrites what amsgrad, Adamax and a centered RMSprop saved: there only a single step has a derivative.
    steps = 1 if name == "Adamax" or options.get("centered") or options.get("amsgrad") else 4
    mine, other = (unrolled(library, name, options, steps) for library in (fastgrad, torch))
    for ours, theirs in zip(mine, other, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_what_flows_through_steps_is_the_derivative(name, options):
    if name == "SGD" and options["momentum"]:
        pytest.skip("the first momentum is a constant to the tape, as in PyTorch")

    def end(start, slope):
        w = start.clone()
        optimizer = getattr(fastgrad.optim, name)([w], lr=0.1, differentiable=True, **options)
        for _ in range(3):
            w.grad = slope * w.clone()
            optimizer.step()
        return w

    rng = np.random.default_rng(0)
    start, slope = (fastgrad.from_numpy(rng.standard_normal((2, 2))).requires_grad_() for _ in range(2))
    assert fastgrad.autograd.gradcheck(end, (start, slope))


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam"])
def test_the_tape_and_the_kernel_make_the_same_step(name):
    rng = np.random.default_rng(1)
    start, slopes = rng.standard_normal(5), rng.standard_normal((6, 5))
    ends = []
    for differentiable in (False, True):
        w = fastgrad.from_numpy(start.copy())
        optimizer = getattr(fastgrad.optim, name)([w], differentiable=differentiable)
        for slope in slopes:
            w.grad = fastgrad.from_numpy(slope)
            optimizer.step()
        ends.append(w.numpy())
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-7)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_gradient_reaches_the_learning_rate(torch, name):
    found = []
    for library in (fastgrad, torch):
        rate = library.tensor(0.1, dtype=library.float64, requires_grad=True)
        w = library.ones(3, dtype=library.float64)
        optimizer = getattr(library.optim, name)([w], lr=rate, differentiable=True)
        for _ in range(3):
            w.grad = w * 2
            optimizer.step()
        found.append(library.autograd.grad(w.sum(), rate)[0].item())
    assert found[0] == pytest.approx(found[1], rel=1e-10)


def test_leaves_that_require_a_gradient_cannot_be_stepped_on_the_tape(torch):
    for library in (fastgrad, torch):
        w = library.ones(1, requires_grad=True)
        w.grad = library.ones(1)
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
            library.optim.SGD([w], differentiable=True).step()
