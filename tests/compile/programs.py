"""Running a program eagerly and compiled, from the same seed: it must give and leave the same bits."""

import numpy as np

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.nn import functional as F


def bits(value):
    """A result as something that `==` compares."""
    if isinstance(value, torch.Tensor):
        array = value.detach().numpy()
        return str(value.dtype), array.shape, array.tobytes(), value.requires_grad
    if isinstance(value, dict):
        return {key: bits(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [bits(inner) for inner in value]
    return value


class Training:
    """A small classifier with its optimizer; `step` is the whole training step."""

    def __init__(self, *middle, optimizer=lambda p: optim.Adam(p, lr=0.01)):
        self.net = nn.Sequential(nn.Linear(6, 8), *(middle or (nn.ReLU(),)), nn.Linear(8, 3))
        self.optimizer = optimizer(self.net.parameters())
        net, updater = self.net, self.optimizer

        def step(x, y):
            updater.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            updater.step()
            return loss

        self.step = step

    def state(self):
        found = [bits([p, p.grad]) for p in self.net.parameters()] + [bits(b) for b in self.net.buffers()]
        for group in self.optimizer.param_groups:
            for p in group["params"]:
                found += [bits(p), bits(p.grad), bits(dict(self.optimizer.state[p]))]
        return [*found, bits(torch.get_rng_state())]


def batch(seed, rows=12):
    draw = np.random.default_rng(seed)
    return torch.tensor(draw.standard_normal((rows, 6)), dtype=torch.float32), torch.tensor(draw.integers(0, 3, rows))


def check(make, calls=10, changes=None, arguments=batch, replays=None):
    """Run the program of `make()` eagerly and compiled; `changes[k]` is what happens before call k."""
    seen = []
    for compiled in (False, True):
        torch.manual_seed(11)
        program = make()
        step = program.step if isinstance(program, Training) else program
        call = torch.compile(step) if compiled else step
        results = []
        for k in range(calls):
            if changes and k in changes:
                changes[k](program)
            given = arguments(k)
            results.append(bits(call(**given) if isinstance(given, dict) else call(*given)))
        seen.append((results, program.state() if isinstance(program, Training) else None))
    for k, (wanted, got) in enumerate(zip(seen[0][0], seen[1][0], strict=True)):
        assert got == wanted, f"call {k}"
    assert seen[1][1] == seen[0][1]
    if replays is not None:
        assert call.replays >= replays, call.notes
    return call
