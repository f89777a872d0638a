"""Modes, and what a user changes between the calls of a compiled step."""

import warnings

import pytest

import fastgrad as torch
from fastgrad import nn
from fastgrad.nn import functional as F
from tests.compile.programs import Training, batch, bits, check

# -- modules and modes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.BatchNorm1d, lambda n: nn.BatchNorm1d(n, momentum=None)])
def test_norms_in_training_and_evaluation(norm):
    def make():
        made = Training(norm(8), nn.Tanh())
        net, step = made.net, made.step

        def either(x, y):
            if net.training:
                return step(x, y)
            with torch.no_grad():
                return net(x), F.cross_entropy(net(x), y)

        made.step = either
        return made

    changes = {6: lambda t: t.net.eval(), 12: lambda t: t.net.train(), 18: lambda t: t.net[1].eval()}
    call = check(make, 24, changes, replays=4)
    assert call.recordings == 6  # the plan of the first mode is still there


def test_without_gradients():
    def make():
        made = Training()
        net = made.net

        def step(x, y):
            return net(x).softmax(1)

        made.step = step
        return made

    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            check(make, 8, replays=6)

    def inner():
        made = make()
        step = made.step

        @torch.no_grad()
        def decorated(x, y):
            return step(x, y)

        made.step = decorated
        return made

    check(inner, 8, replays=6)


def test_grad_mode_changed_between_calls():
    make = Training
    wanted, got = make(), make()
    got.net.load_state_dict(wanted.net.state_dict())
    plain, compiled = (lambda x: wanted.net(x)), torch.compile(lambda x: got.net(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a result with a graph may be left to eager mode
        for k in range(16):
            with torch.set_grad_enabled(k % 4 < 2):
                a, b = plain(batch(k)[0]), compiled(batch(k)[0])
            assert bits(a) == bits(b)
            if k % 4 < 2:
                a.sum().backward()
                b.sum().backward()
                assert bits([p.grad for p in wanted.net.parameters()]) == bits([p.grad for p in got.net.parameters()])


# -- changes between calls ---------------------------------------------------------------------------------------------


def replace_data(t):
    t.net[0].weight.data = torch.full((8, 6), 0.1)


def load(t):
    t.net.load_state_dict({name: value * 0.5 for name, value in t.net.state_dict().items()})


def load_optimizer(t):
    t.optimizer.load_state_dict(t.optimizer.state_dict())


def add_group(t):
    t.extra = torch.ones(4, requires_grad=True)
    t.extra.grad = torch.full((4,), 0.5)
    t.optimizer.add_param_group({"params": [t.extra], "lr": 0.3})


def assign_gradient(t):
    t.net[0].weight.grad = torch.ones(8, 6)


def drop_gradient(t):
    t.net[0].weight.grad = None


def add_hook(t):
    t.net[1].register_forward_hook(lambda module, args, output: output * 0.5)


def add_parameter_hook(t):
    t.net[0].weight.register_hook(lambda g: g * 2)


def freeze(t):
    t.net[0].weight.requires_grad_(False)


def exchange_layer(t):
    t.net[1] = nn.Sigmoid()


def exchange_parameter(t):
    t.net[2].bias = nn.Parameter(torch.ones(3))


def other_precision(t):
    torch.set_float32_matmul_precision("medium" if torch.get_float32_matmul_precision() == "highest" else "highest")


def other_threads(t):
    torch.set_num_threads(3 - torch.get_num_threads())


def change_in_place(t):
    with torch.no_grad():
        t.net[0].weight.mul_(0.5)


def other_betas(t):
    t.optimizer.param_groups[0]["betas"] = (0.5, 0.9)
    t.optimizer.param_groups[0]["weight_decay"] = 0.1


def other_option(t):
    t.optimizer.param_groups[0]["amsgrad"] = True


def clear_state(t):
    t.optimizer.state.clear()


def double(t):
    t.net.double()
    t.net.float()


CHANGES = [
    replace_data, load, load_optimizer, add_group, assign_gradient, drop_gradient, add_hook, add_parameter_hook, freeze,
    exchange_layer, exchange_parameter, other_precision, other_threads, change_in_place, other_betas, other_option,
    clear_state, double,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_between_calls(change):
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest")

    def both(t):
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision("highest")
        change(t)

    with warnings.catch_warnings():
        if change in (add_hook, add_parameter_hook):
            warnings.simplefilter("ignore")  # hooks may leave a step to eager mode
        call = check(Training, 16, {5: both, 9: change})
    assert call.recordings >= 2


def test_gradients_accumulate_where_the_user_drops_them():
    def make():
        made = Training()
        net = made.net

        def step(x, y):
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            return loss

        made.step = step
        return made

    def update(t):
        t.optimizer.step()
        t.optimizer.zero_grad()

    check(make, 16, dict.fromkeys((3, 6, 9, 12, 15), update))
    check(make, 16, {k: (lambda t: t.optimizer.zero_grad(set_to_none=False)) for k in (3, 6, 9, 12, 15)})
    check(make, 16, dict.fromkeys((5, 10), assign_gradient))
