"""Programs whose steps no plan could repeat: they run eagerly, and say so."""

import contextlib
import dataclasses
import sys

import fastgrad as torch
from fastgrad import optim
from fastgrad.nn import functional as F
from tests.compile.table import Table, batch, network, seen

program = Table()


@dataclasses.dataclass
class Losses:
    loss: torch.Tensor


@program(replays=0, warns=True)
def a_result_of_another_type(compile):
    step = compile(lambda x: Losses((x - 1).relu().sum()))
    return [step(torch.rand(3) * k).loss for k in (1, 1, 1, 9, 9)]


@program(replays=0, warns=True)
def a_result_that_looks_later(compile):
    @compile
    def step(x):
        count = (x > 0).sum()
        return lambda: count

    return [step(torch.tensor(values))() for values in ([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, -1.0])]


@program(replays=0, warns=True)
def a_graph_that_is_kept(compile):
    model = network()

    @compile
    def step(x, y):
        model.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward(retain_graph=True)
        return loss

    found = []
    for _ in range(5):
        step(*batch()).backward()
        found.append(seen(model))
    return found


@program(replays=0, warns=True)
def a_graph_of_something_else(compile):
    maker, judge = network(6, 6), network(6, 1)
    slow, fast = optim.SGD(maker.parameters(), lr=0.1), optim.SGD(judge.parameters(), lr=0.1)

    @compile
    def step(z):
        fake = maker(z)
        fast.zero_grad()
        judge(fake.detach()).mean().backward()
        fast.step()
        return fake

    found = []
    for _ in range(6):
        fake = step(torch.rand(4, 6))
        slow.zero_grad()
        (-judge(fake).mean()).backward()
        slow.step()
        found.append(seen(maker) + seen(judge))
    return found


def with_a_bad_class(step):
    found = []
    for k in range(6):
        x, y = batch()
        if k == 4:
            y[0] = 7
        found.append(step(x, y))
    return found


@program(replays=0, warns=True)
def an_error_that_the_step_catches(compile):
    model = network()

    @compile
    def step(x, y):
        try:
            with torch.no_grad():
                return F.cross_entropy(model(x), y)
        except IndexError:
            return torch.zeros(())

    return with_a_bad_class(step)


@program(replays=0, warns=True)
def an_error_that_the_step_suppresses(compile):
    model = network()

    @compile
    def step(x, y):
        with torch.no_grad(), contextlib.suppress(IndexError):
            return F.cross_entropy(model(x), y)
        return torch.zeros(())

    return with_a_bad_class(step)


@program(replays=0, warns=True)
def an_argument_that_gets_a_gradient(compile):
    model = network()

    @compile
    def step(x, y):
        x.requires_grad_(True)
        F.cross_entropy(model(x), y).backward()
        return (x + 0.1 * x.grad.sign()).detach()

    found = []
    for _ in range(5):
        x, y = batch()
        found.append((step(x, y), x.requires_grad, x.grad))
    return found


def test_a_plan_keeps_no_batch_alive():
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    @torch.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(4):
        x, y = batch()
        gradient = model[0].weight.grad
        before = [sys.getrefcount(one) for one in (x, x._storage, y, gradient)]
        step(x, y)
        held = 1 if gradient is not None else 0  # `.grad` itself, which is another one now
        after = [sys.getrefcount(one) for one in (x, x._storage, y, gradient)]
        assert after[:3] == before[:3]
        assert not held or after[3] <= before[3]


test_same_bits = program.test()
