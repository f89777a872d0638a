"""A small training with hooks of tensors."""

import functools

import fastgrad as torch
from fastgrad.nn import functional as F
from tests.compile.programs import Training, bits


class Hooked(Training):
    """A training with hooks: `outside(self)` registers some before the steps, `inside(self, h, x)` in each."""

    def __init__(self, outside=None, inside=None, set_to_none=True, **options):
        super().__init__(**options)
        self.log, self.calls, self.drops, self.random = [], 0, set_to_none, torch.Generator().manual_seed(5)
        self.first, self.last = self.net[0], self.net[-1]
        if outside is not None:
            outside(self)
        first, last, updater = self.first, self.last, self.optimizer

        def step(x, y):
            updater.zero_grad(set_to_none)
            h = first(x)
            if inside is not None:
                inside(h, x)
            loss = F.cross_entropy(last(h.relu()), y)
            loss.backward()
            updater.step()
            return loss

        self.step = step

    def keep(self, name, tensor):
        self.log.append((name, tensor, bits(tensor)))

    def state(self):
        for _, tensor, then in self.log:
            assert bits(tensor) == then  # what a hook keeps is not written again
        return [*super().state(), [(name, then) for name, _, then in self.log], self.calls, bits(self.random.get_state())]


def on_weight(hook):
    return lambda t: t.first.weight.register_hook(functools.partial(hook, t))


def behind(hook):
    return lambda t: t.last.weight.register_post_accumulate_grad_hook(functools.partial(hook, t))
