"""Hooks around steps, saving and loading; each library is asked the same."""

import importlib

import pytest

import fastgrad
from fastgrad import optim


def libraries(torch):
    return fastgrad, torch


def made(library):
    w = library.ones(2, requires_grad=True)
    w.grad = library.ones(2)
    return w, library.optim.SGD([w], lr=0.5)


def test_hooks_around_a_step_are_called_in_pytorchs_order(torch):
    def record(library):
        log = []
        w, optimizer = made(library)
        module = importlib.import_module(f"{library.__name__}.optim.optimizer")
        handles = [
            optimizer.register_step_pre_hook(lambda o, a, k: log.append(("own before", len(a), dict(k), w[0].item()))),
            optimizer.register_step_post_hook(lambda o, a, k: log.append(("own after", len(a), dict(k), w[0].item()))),
            module.register_optimizer_step_pre_hook(lambda o, a, k: log.append(("every before", o is optimizer))),
            module.register_optimizer_step_post_hook(lambda o, a, k: log.append(("every after", o is optimizer))),
        ]
        optimizer.step()
        optimizer.step(closure=None)
        for handle in handles:
            handle.remove()
        optimizer.step()
        return log

    assert record(fastgrad) == record(torch)


def test_a_hook_may_change_the_arguments_of_a_step():
    _, optimizer = made(fastgrad)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 7), {}))
    assert optimizer.step() == 7


def test_hooks_around_state_are_pytorchs(torch):
    def record(library):
        log = []
        _, optimizer = made(library)
        optimizer.register_state_dict_pre_hook(lambda o: log.append("second"))
        optimizer.register_state_dict_pre_hook(lambda o: log.append("first"), prepend=True)
        optimizer.register_state_dict_post_hook(lambda o, d: {**d, "extra": 1})
        optimizer.register_state_dict_post_hook(lambda o, d: log.append(sorted(d)))
        optimizer.register_load_state_dict_pre_hook(lambda o, d: log.append(d.pop("extra")))
        optimizer.register_load_state_dict_pre_hook(lambda o, d: {**d, "extra": 2}, prepend=True)
        optimizer.register_load_state_dict_post_hook(lambda o: log.append(o.param_groups[0]["lr"]))
        given = optimizer.state_dict()
        optimizer.load_state_dict(given)
        return [*log, given["extra"]]

    assert record(fastgrad) == record(torch)


def test_optimizers_of_ones_own_have_them_too(torch):
    def run(library):
        class Constant(library.optim.Optimizer):
            def step(self, closure=None):
                log.append("step")

        class Other(Constant):
            pass

        log = []
        optimizer = Other([library.ones(1)], {})
        optimizer.register_step_pre_hook(lambda *_: log.append("before"))
        optimizer.register_step_post_hook(lambda *_: log.append("after"))
        optimizer.step()
        return log

    assert run(fastgrad) == run(torch) == ["before", "step", "after"]


@pytest.mark.parametrize("kind", [optim.Adam, optim.NAdam])
def test_a_refresh_writes_what_the_next_launch_reads(kind):
    """What a replay of a recorded step relies on: a launch made again after a refresh is the next step."""
    from fastgrad._launch import core

    w, v = (fastgrad.ones(3, requires_grad=True) for _ in range(2))
    stepped, replayed = (kind([p], lr=0.1) for p in (w, v))
    for rate in (0.1, 0.2, 0.05):
        w.grad = fastgrad.full((3,), rate)
        stepped.param_groups[0]["lr"] = replayed.param_groups[0]["lr"] = rate
        stepped.step()
        if rate == 0.1:
            v.grad = fastgrad.full((3,), rate)
            replayed.step()
        else:
            v.grad.fill_(rate)
            replayed._refresh_slots()
            for launch in replayed._table.launches:
                core.run(*launch)
        assert v.tolist() == w.tolist()
        assert replayed.state[v]["step"].item() == stepped.state[w]["step"].item()


def test_counts_have_the_default_dtype(torch):
    for library in (fastgrad, torch):
        library.set_default_dtype(library.float64)
        try:
            w = library.ones(2, requires_grad=True)
            optimizer = library.optim.NAdam([w], lr=0.1)
            for _ in range(3):
                w.grad = library.ones(2)
                optimizer.step()
        finally:
            library.set_default_dtype(library.float32)
        assert str(optimizer.state[w]["mu_product"].dtype) == "torch.float64"
        if library is fastgrad:
            expected = optimizer.state[w]["mu_product"].item(), w[0].item()
    assert (optimizer.state[w]["mu_product"].item(), w[0].item()) == pytest.approx(expected, rel=1e-15)
