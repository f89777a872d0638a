"""`autograd.grad`, graphs that are kept, gradients of gradients and `backward(inputs=...)` within a compiled step."""

import pytest

import fastgrad as torch
from fastgrad.nn import functional as F
from tests.compile.programs import Training, check


def by_hand(t, parameters, x, y):
    loss = F.cross_entropy(t.net(x), y)
    with torch.no_grad():
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            p -= 0.1 * g
    return loss


def assigned(t, parameters, x, y):
    loss = F.cross_entropy(t.net(x), y)
    for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        p.grad = g
    t.optimizer.step()
    return loss


def twice(t, parameters, x, y):
    t.optimizer.zero_grad()
    loss = F.cross_entropy(t.net(x), y)
    loss.backward(retain_graph=True)
    loss.backward()
    t.optimizer.step()
    return loss


def penalty(t, parameters, x, y):
    t.optimizer.zero_grad()
    loss = F.cross_entropy(t.net(x), y)
    gradients = torch.autograd.grad(loss, parameters, create_graph=True)
    (loss + sum(g.pow(2).sum() for g in gradients)).backward()
    t.optimizer.step()
    return loss


def of_an_input(t, parameters, x, y):
    z = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(t.net(z), y), z)[0]


def retained(t, parameters, x, y):
    t.optimizer.zero_grad()
    h = t.net[0](x)
    h.retain_grad()
    F.cross_entropy(t.net[2](h.relu()), y).backward()
    t.optimizer.step()
    return h.grad


def of_some(t, parameters, x, y):
    t.optimizer.zero_grad()
    loss = F.cross_entropy(t.net(x), y)
    loss.backward(inputs=parameters[:2])
    t.optimizer.step()
    return loss


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("form", [by_hand, assigned, twice, penalty, of_an_input, retained, of_some])
def test_forms_of_backward(form, threads):
    torch.set_num_threads(threads)

    def make():
        made = Training()
        parameters = list(made.net.parameters())
        made.step = lambda x, y: form(made, parameters, x, y)
        return made

    check(make, 20, replays=18)
