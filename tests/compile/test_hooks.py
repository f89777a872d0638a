"""Hooks of tensors are called at each replay, between two walks of the plan, and do all that they do in eager mode."""

import functools

import pytest

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.nn import functional as F
from tests.compile.hooked import Hooked, behind, on_weight
from tests.compile.programs import Training, batch, bits, check


def limited(t, g):
    if g.norm().item() > 0.05:
        return g / g.norm()
    return None


def in_turns(t, g):
    t.calls += 1
    return g * 3 if t.calls % 2 else None


def in_place(t, g):
    g.mul_(0.5)


def everywhere(t):
    for name, p in t.net.named_parameters():
        p.register_hook(functools.partial(t.keep, name))
        p.register_post_accumulate_grad_hook(lambda p, name=name: t.keep(name, p.grad if t.drops else p.grad.clone()))


def two(t):
    t.first.bias.register_hook(lambda g: g + 1)
    t.first.bias.register_hook(lambda g: t.keep("second", g))
    t.first.bias.register_hook(lambda g: g * 2)


def changes_parameters(t):
    def hook(g):
        t.last.bias.data.add_(0.01)
        return g * t.last.bias.detach()[0]

    t.first.weight.register_hook(hook)


OUTSIDE = {
    "kept": on_weight(lambda t, g: t.keep("weight", g)),
    "replaced": on_weight(lambda t, g: g * 2),
    "changed in place": on_weight(in_place),
    "a view is returned": on_weight(lambda t, g: g.t().contiguous().t()),
    "limited by its value": on_weight(limited),
    "replaced at times": on_weight(in_turns),
    "noise": on_weight(lambda t, g: g + torch.randn_like(g)),
    "noise of a generator": on_weight(lambda t, g: g + torch.randn(g.shape, generator=t.random)),
    "an array": on_weight(lambda t, g: t.keep("array", torch.from_numpy(g.numpy() * 2))),
    "a fixed tensor is returned": on_weight(lambda t, g: t.first.weight.detach()),
    "everywhere": everywhere,
    "several": two,
    "parameters change": changes_parameters,
    "behind, kept": behind(lambda t, p: t.keep("grad", p.grad.clone())),
    "behind, in place": behind(lambda t, p: [p.grad.mul_(0.5), None][1]),
    "behind, its value": behind(lambda t, p: t.log.append((p.grad.sum().item(), p.data.clone(), bits(p.data)))),
    "before and behind": lambda t: [two(t), behind(lambda t, p: t.keep("grad", p.grad.clone()))(t)],
}


def with_mask(h, x):
    mask = (h > 0).float() * 2
    h.register_hook(lambda g: g * mask)


def with_default(h, x):
    mask = (h > 0).float()
    h.register_hook(lambda g, mask=mask: g * mask)


def with_helper(h, x):
    scale, number = h.detach().abs().mean(), 3.0

    def helper(g):
        return g * scale + number

    h.register_hook(lambda g: helper(g) * 0.1)


def with_own_counter(h, x):
    count = 0

    def hook(g):
        nonlocal count
        count += 1
        return g * count

    h.register_hook(hook)


def of_a_product(h, x):
    a = h * 2
    a.register_hook(lambda g: g + 1)
    a.sum().backward(retain_graph=True)


INSIDE = {
    "clamped": lambda h, x: h.register_hook(lambda g: g.clamp(-0.01, 0.01)),
    "a mask of the step": with_mask,
    "an argument": lambda h, x: h.register_hook(lambda g: g * x.sum()),
    "a default": with_default,
    "a helper": with_helper,
    "a counter of the call": with_own_counter,
    "an expanded gradient": of_a_product,
    "a bound function": lambda h, x: h.register_hook(torch.tanh),
}
OPTIMIZERS = {"sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9), "adam": lambda p: optim.Adam(p, lr=0.01)}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("case", OUTSIDE)
def test_hooks_from_outside(case, optimizer, threads):
    torch.set_num_threads(threads)
    made = functools.partial(Hooked, OUTSIDE[case], set_to_none=threads == 1, optimizer=OPTIMIZERS[optimizer])
    check(made, 20, replays=19 - threads)  # where gradients stay, the first call finds none


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", INSIDE)
def test_hooks_that_the_step_registers(case, threads):
    torch.set_num_threads(threads)
    check(lambda: Hooked(None, INSIDE[case]), 20, replays=18)


def test_the_order_of_calls():
    def outside(t):
        everywhere(t)
        t.names = []
        for name, p in t.net.named_parameters():
            p.register_hook(lambda g, name=name: t.names.append(name))

    seen = []
    for compiled in (False, True):
        torch.manual_seed(0)
        made = Hooked(outside, None)
        step = torch.compile(made.step) if compiled else made.step
        for k in range(6):
            step(*batch(k))
        seen.append((made.names, [name for name, _, _ in made.log]))
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 24


# -- optimizers in hooks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_an_optimizer_that_steps_in_a_hook(make):
    def program():
        made = Training()
        owners = {p: make([p]) for p in made.net.parameters()}

        def hook(p):
            owners[p].step()
            owners[p].zero_grad()

        for p in owners:
            p.register_post_accumulate_grad_hook(hook)
        net = made.net

        def step(x, y):
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            return loss

        made.step = step
        return made

    check(program, 20, replays=18)


def test_hooks_of_a_compiled_model():
    seen = []
    for compiled in (False, True):
        torch.manual_seed(4)
        log = []

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 3)

            def forward(self, x):
                h = self.a(x)
                h.register_hook(lambda g: g.clamp(-0.01, 0.01))
                return self.b(h.relu())

        net = Net()
        net.b.weight.register_hook(lambda g, log=log: log.append(bits(g)))
        model = torch.compile(net) if compiled else net
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        for k in range(10):
            x, y = batch(k)
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        seen.append(([bits([p, p.grad]) for p in net.parameters()], log))
    assert seen[0] == seen[1]
    assert len(log) == 10
    assert model._compiled.replays >= 8
    assert "hook:<lambda>" in model._compiled.summary()
