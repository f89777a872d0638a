"""A small network and its compiled twin, with `backward()` outside."""

import copy

import numpy as np

import fastgrad as torch
from fastgrad import nn
from tests.compile.programs import bits


def network(*middle, last=()):
    torch.manual_seed(2)
    return copy.deepcopy(nn.Sequential(nn.Linear(6, 8), *(middle or (nn.Tanh(),)), nn.Linear(8, 3), *last))


def rows(seed, count=12):
    return torch.tensor(np.random.default_rng(seed).standard_normal((count, 6)), dtype=torch.float32)


def run(model, k, loss=lambda out: out.pow(2).mean(), **keywords):
    """Gradients of one pass, and what else it leaves."""
    model.zero_grad()
    out = model(rows(k, **keywords))
    loss(out).backward()
    return bits([out.detach(), *[p.grad for p in model.parameters()], *model.buffers()]), bits(torch.get_rng_state())


def both(*middle, last=()):
    """A network and its compiled twin, warm: two passes were recorded and one was replayed."""
    plain, model = network(*middle, last=last), torch.compile(network(*middle, last=last))
    for k in range(3):
        seen = []
        for net in (plain, model):
            torch.manual_seed(k)
            seen.append(run(net, k))
        assert seen[0] == seen[1]
    assert model._compiled.replays == 1
    return plain, model
