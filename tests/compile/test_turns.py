"""What is switched to and fro (the mode of modules, which parameters are frozen) chooses among plans that are kept."""

import pytest

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.nn import functional as F
from tests.compile.programs import Training, batch, bits, check


def deep():
    return Training(nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3))


def freeze(*layers):
    def change(t):
        for k, layer in enumerate(t.net):
            for p in layer.parameters():
                p.requires_grad_(k not in layers)

    return change


SWITCHES = {
    "modes": [lambda t: t.net.train(), lambda t: t.net.eval()],
    "frozen layers": [freeze(), freeze(0)],
    "three ways": [freeze(), freeze(0), freeze(4)],
    "modes and frozen layers": [
        lambda t: [t.net.train(), freeze()(t)], lambda t: [t.net.eval(), freeze()(t)],
        lambda t: [t.net.train(), freeze(0)(t)], lambda t: [t.net.eval(), freeze(0, 1)(t)],
    ],
}  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", SWITCHES)
def test_a_step_whose_surroundings_take_turns(case, threads):
    torch.set_num_threads(threads)
    ways = SWITCHES[case]
    changes = {k: ways[k % len(ways)] for k in range(40)}
    call = check(deep, 40, changes, replays=40 - 2 * len(ways))
    assert call.recordings == 2 * len(ways)


@pytest.mark.parametrize("case", SWITCHES)
def test_a_compiled_model_whose_surroundings_take_turns(case):
    ways, seen = SWITCHES[case], []
    for compiled in (False, True):
        torch.manual_seed(11)
        made, losses = deep(), []
        model = torch.compile(made.net) if compiled else made.net
        for k in range(40):
            ways[k % len(ways)](made)
            x, y = batch(k)
            made.optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            made.optimizer.step()
            losses.append(bits(loss))
        seen.append((losses, made.state()))
    assert seen[0] == seen[1]
    assert model._compiled.replays == 40 - 2 * len(ways)


def test_two_networks_in_half_steps():
    """A generator and its critic: each is frozen, and its result wants no gradients, while the other one learns."""
    seen = []
    for compiled in (False, True):
        torch.manual_seed(0)
        maker = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 6))
        critic = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1))
        make, judge = (torch.compile(maker), torch.compile(critic)) if compiled else (maker, critic)
        optimizers = optim.Adam(critic.parameters()), optim.Adam(maker.parameters())
        losses = []
        for k in range(40):
            x, _ = batch(k)
            critic.requires_grad_(k % 2 == 0)
            maker.requires_grad_(k % 2 == 1)
            optimizers[k % 2].zero_grad()
            loss = judge(make(x)).pow(2).mean() if k % 2 else (judge(x) - 1).pow(2).mean() + make(x).mean()
            loss.backward()
            optimizers[k % 2].step()
            losses.append(bits(loss))
        seen.append((losses, [bits([p, p.grad]) for p in (*maker.parameters(), *critic.parameters())]))
    assert seen[0] == seen[1]
    assert make._compiled.replays >= 34
    assert judge._compiled.replays >= 34


def test_more_ways_than_plans_are_kept():
    def make():
        return Training(*[layer for _ in range(4) for layer in (nn.Linear(8, 8), nn.ReLU())])

    def change(k):
        return lambda t: [p.requires_grad_(not (k % 10) & (1 << n)) for n in range(4) for p in t.net[2 * n + 1].parameters()]

    with pytest.warns(RuntimeWarning, match="recordings more than replays"):
        call = check(make, 40, {k: change(k) for k in range(40)})
    assert len(call._plans) <= 8
    assert len(call._candidates) <= 8
