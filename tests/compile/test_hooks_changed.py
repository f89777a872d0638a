"""Hooks that a plan cannot have, that come and go, and that fail."""

import warnings

import pytest

import fastgrad as torch
from fastgrad import nn
from tests.compile.hooked import Hooked, behind
from tests.compile.programs import batch, bits, check


def refused(make, match, calls=6):
    with pytest.warns(RuntimeWarning, match=match):
        call = check(make, calls)
    assert call.replays == 0


def test_a_tensor_that_a_hook_leaves_for_the_step():
    def make():
        w = torch.ones(4, requires_grad=True)

        def step(x):
            w.grad = None
            left = []
            y = w * x
            y.register_hook(lambda g: left.append(g * 2))
            (y * y).sum().backward()
            return left[0]

        return step

    with pytest.warns(RuntimeWarning, match="a hook made"):
        call = check(make, 4, arguments=lambda k: (torch.full((4,), float(k)),))
    assert call.replays == 0


def test_a_hook_that_reads_what_a_forward_hook_has_kept():
    def outside(t):
        kept = []
        t.first.register_forward_hook(lambda module, args, output: kept.append(output))
        t.first.weight.register_hook(lambda g: g * kept[-1].sum())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert check(lambda: Hooked(outside), 6).replays == 0


def test_a_hook_that_assigns_a_gradient():
    def outside(t):
        def hook(g):
            t.last.bias.grad = torch.ones(3)

        t.first.weight.register_hook(hook)

    refused(lambda: Hooked(outside), r"a hook changes a \.grad")


def test_an_error_that_the_step_catches():
    def make():
        w = torch.ones(4, requires_grad=True)

        def fail(g):
            raise ValueError("no")

        w.register_hook(fail)

        def step(x):
            try:
                (w * x).sum().backward()
            except ValueError:
                return x + 1
            return x

        return step

    check(make, 4, arguments=lambda k: (torch.full((4,), float(k)),))


# -- changes and errors ----------------------------------------------------------------------------------------------------


def test_hooks_added_and_removed_between_calls():
    handles = []

    def add(t):
        handles.append(t.first.weight.register_hook(lambda g: g * 2))

    def remove(t):
        handles.pop().remove()

    call = check(Hooked, 24, {6: add, 12: remove, 18: behind(lambda t, p: t.keep("grad", p.grad.clone()))}, replays=14)
    assert call.recordings >= 6


@pytest.mark.parametrize("register", ["register_hook", "register_post_accumulate_grad_hook"])
@pytest.mark.parametrize("set_to_none", [False, True])
def test_an_error_in_a_hook(register, set_to_none):
    seen = []
    for compiled in (False, True):
        torch.manual_seed(3)
        made = Hooked(set_to_none=set_to_none)

        def fail(_, made=made):
            made.calls += 1
            if made.calls in (5, 6):
                raise ValueError("not this one")

        getattr(made.first.weight, register)(fail)
        step = torch.compile(made.step) if compiled else made.step
        states = []
        for k in range(12):
            if k in (4, 5):
                with pytest.raises(ValueError, match="not this one"):
                    step(*batch(k))
            else:
                step(*batch(k))
            states.append(made.state())
        seen.append(states)
    assert seen[0] == seen[1]
    assert step.replays >= 7


@pytest.mark.parametrize("wrong", [lambda g: g[0], lambda g: g.double(), lambda g: 3])
def test_what_a_hook_may_not_return(wrong):
    made = Hooked(lambda t: t.first.weight.register_hook(lambda g: wrong(g) if len(t.log) > 3 else t.keep("", g)))
    step, errors = torch.compile(made.step), []
    for call in (step, step, step, step, step, made.step):
        try:
            call(*batch(0))
        except (RuntimeError, TypeError) as error:
            errors.append((type(error), str(error)))
    assert len(errors) == 2
    assert errors[0] == errors[1]
    assert step.replays == 2


def test_a_hook_that_suddenly_replaces_a_gradient():
    def drop(t, p):
        t.calls += 1
        if t.calls == 4:
            p.grad = None

    made = Hooked(behind(drop))
    step = torch.compile(made.step)
    for k in range(3):
        step(*batch(k))
    with pytest.raises(RuntimeError, match="changes which tensor"):
        step(*batch(3))




def both(make, calls):
    """What `calls` give to a step in eager mode and compiled, and the compiled step."""
    found = []
    for compiled in (False, True):
        step, seen = make()
        called = torch.compile(step) if compiled else step
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            found.append([(bits(called(x)), *map(bits, seen())) for x in calls])
    return found, called


def test_a_hook_that_changes_a_tensor_of_the_step():
    def make():
        w = torch.ones(3, requires_grad=True)

        def step(x):
            w.grad, total = None, torch.zeros(3)
            h = w * x
            h.register_hook(lambda g: [total.add_(g), None][1])
            h.sum().backward()
            return total + 1

        return step, lambda: [w.grad]

    (eager, compiled), step = both(make, [torch.full((3,), float(k)) for k in range(6)])
    assert eager == compiled
    assert step.replays == 4


def test_a_variable_that_a_hook_sets_and_the_step_reads():
    def make():
        net = nn.Linear(4, 1)
        updater = torch.optim.SGD(net.parameters(), lr=0.1)
        nn.init.constant_(net.weight, 0.5)
        nn.init.zeros_(net.bias)

        def step(x):
            bad, h = False, net(x)

            def hook(g):
                nonlocal bad
                bad = g.abs().max().item() > 1

            h.register_hook(hook)
            updater.zero_grad()
            loss = h.pow(2).mean()
            loss.backward()
            if not bad:
                updater.step()
            return loss

        return step, lambda: [net.weight]

    (eager, compiled), step = both(make, [torch.ones(2, 4) * (1 if k < 5 else 20) for k in range(9)])
    assert eager == compiled
    assert step.replays == 0


@pytest.mark.parametrize("kind", ["register_hook", "register_post_accumulate_grad_hook"])
def test_gradients_that_are_dropped_at_the_end_of_the_step(kind):
    def make():
        w, seen = torch.ones(2, requires_grad=True), []
        updater = torch.optim.SGD([w], lr=0.1)
        getattr(w, kind)(lambda x: seen.append((x if x.grad is None else x.grad).sum().item()))

        def step(x):
            loss = (w * x).sum()
            loss.backward()
            updater.step()
            updater.zero_grad()
            return loss

        return step, lambda: [w, torch.tensor(seen), torch.tensor(w.grad is None)]

    (eager, compiled), step = both(make, [torch.full((2,), float(k)) for k in range(6)])
    assert eager == compiled
    assert step.replays == 4


@pytest.mark.parametrize("change", ["memory", "state", "attribute"])
def test_what_a_hook_changes_behind_the_step_is_an_error(change):
    w, calls = torch.ones(3, requires_grad=True), [0]
    updater = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    net = nn.Linear(1, 1)
    net.factor = 2.0

    def hook(g):
        calls[0] += 1
        if calls[0] == 5 and change == "memory":
            w.data = w.data.clone()
        elif calls[0] == 5 and change == "state":
            updater.state.clear()
        elif calls[0] == 5:
            net.factor = 3.0

    w.register_hook(hook)

    @torch.compile
    def step(x):
        updater.zero_grad()
        loss = (w * x).sum() * net.factor
        loss.backward()
        updater.step()
        return loss

    for _ in range(4):
        step(torch.ones(3))
    with pytest.raises(RuntimeError, match="changed what the step goes on with"):
        step(torch.ones(3))
    step(torch.ones(3))  # recorded anew
