"""Hooks of tensors are called at each replay, between two walks of the plan, and do all that they do in eager mode."""

import functools
import warnings

import pytest

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.nn import functional as F
from tests.compile.programs import Training, batch, bits, check


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


# -- what is left to eager mode ------------------------------------------------------------------------------------------


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
