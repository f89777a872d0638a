"""L-BFGS against PyTorch, on problems where both see the same numbers."""

import copy

import numpy as np
import pytest

import fastgrad
from tests.optim.test_optimizers import grid

CASES = [
    *grid("", lr=[1, 0.5], max_iter=[4, 20], history_size=[3, 100]),
    *grid("", line_search_fn=["strong_wolfe"], lr=[1, 0.1], max_iter=[1, 5, 20], history_size=[3]),
    *grid("", line_search_fn=["strong_wolfe"], max_eval=[3], tolerance_grad=[1e-2]),
    *grid("", tolerance_change=[1e-2], line_search_fn=[None, "strong_wolfe"]),
]
START = np.random.default_rng(0).standard_normal((3, 2))


def bowl(library, a, b):
    return ((a - 1) ** 2).sum() + 5 * ((a.sum() - b) ** 2).sum() + 0.1 * (b**4).sum()


def valley(library, a, b):
    return 10 * ((a[1:] - a[:-1] ** 2) ** 2).sum() + ((1 - a) ** 2).sum() + (b * b).sum()


def run(library, function, options, steps):
    a = library.from_numpy(START.copy()).requires_grad_()
    b = library.from_numpy(START[0].copy()).requires_grad_()
    unused = library.zeros(2, dtype=library.float64, requires_grad=True)
    optimizer = library.optim.LBFGS([a, unused, b], **options)
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = function(library, a, b)
        loss.backward()
        calls.append(loss.item())
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    state = optimizer.state[a]
    return losses, calls, a.detach().numpy(), b.detach().numpy(), state["n_iter"], state["func_evals"]


@pytest.mark.parametrize("function", [bowl, valley])
@pytest.mark.parametrize("options", [options for _, options in CASES])
def test_steps_are_pytorchs(torch, function, options):
    if function is valley and "line_search_fn" not in options:
        pytest.skip("without a line search it runs away, and every rounding with it")
    mine, other = (run(library, function, options, 3) for library in (fastgrad, torch))
    assert len(mine[1]) == len(other[1])
    assert mine[4:] == other[4:]
    for ours, theirs in zip(mine[:4], other[:4]):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_it_continues_from_its_state():
    def made():
        w = fastgrad.from_numpy(START.copy()).requires_grad_()
        return w, fastgrad.optim.LBFGS([w], max_iter=3, line_search_fn="strong_wolfe")

    def step(w, optimizer):
        def closure():
            optimizer.zero_grad()
            loss = valley(fastgrad, w, w[0])
            loss.backward()
            return loss

        optimizer.step(closure)

    w, optimizer = made()
    step(w, optimizer)
    v, other = made()
    v.data.copy_(w.detach())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    step(w, optimizer)
    step(v, other)
    np.testing.assert_array_equal(v.detach().numpy(), w.detach().numpy())


def test_at_the_lowest_point_it_stays(torch):
    for library in (fastgrad, torch):
        w = library.zeros(2, requires_grad=True)
        optimizer = library.optim.LBFGS([w])

        def closure():
            optimizer.zero_grad()
            loss = (w * w).sum()
            loss.backward()
            return loss

        assert optimizer.step(closure).item() == 0
        assert w.tolist() == [0, 0]
        assert set(optimizer.state[w]) == {"func_evals", "n_iter"}


def test_it_needs_a_closure():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'closure'"):
        fastgrad.optim.LBFGS([fastgrad.ones(1)]).step()
