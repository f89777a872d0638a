"""A compiled step does what the step does: the same bits, the same state, at every call."""

from itertools import pairwise

import numpy as np
import pytest

import fastgrad as torch
from fastgrad import nn, optim


def network(widths=(20, 13, 8, 3)):
    torch.manual_seed(0)
    layers = []
    for k, (n_in, n_out) in enumerate(pairwise(widths)):
        layers += [nn.Linear(n_in, n_out), nn.ReLU() if k % 2 == 0 else nn.Sigmoid()]
    return nn.Sequential(*layers[:-1])


def batches(count, rows=50, n_in=20, classes=3):
    random = np.random.default_rng(0)
    return [
        (torch.tensor(random.random((rows, n_in), np.float32)), torch.tensor(random.integers(0, classes, rows)))
        for _ in range(count)
    ]


def training(optimizer=lambda p: optim.SGD(p, lr=0.1, momentum=0.9)):
    net = network()
    updater, loss_function = optimizer(net.parameters()), nn.CrossEntropyLoss()

    def step(x, y):
        updater.zero_grad()
        loss = loss_function(net(x), y)
        loss.backward()
        updater.step()
        return loss

    return net, updater, step


def assert_same(a, b):
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        assert np.array_equal(p.detach().numpy(), q.detach().numpy())
        assert (p.grad is None) == (q.grad is None)
        assert p.grad is None or np.array_equal(p.grad.numpy(), q.grad.numpy())
        assert p._version == q._version


def test_twenty_steps_are_eighteen_replays():
    net, _, step = training()
    other, _, plain = training()
    compiled = torch.compile(step)
    for x, y in batches(20):
        assert compiled(x, y).item() == plain(x, y).item()
        assert_same(net, other)
    assert (compiled.replays, compiled.recordings) == (18, 2)


def test_what_users_hold_is_never_written_again():
    net, _, step = training()
    _, _, plain = training()
    compiled = torch.compile(step)
    losses, gradients, arrays, wanted = [], [], [], []
    for x, y in batches(100):
        losses.append(compiled(x, y))
        wanted.append(plain(x, y).item())
        gradient = net[0].weight.grad
        gradients.append((gradient, gradient.numpy().copy()))
        arrays.append((net[2].weight.grad.numpy(), net[2].weight.grad.numpy().copy()))
    assert compiled.replays == 98
    assert [loss.item() for loss in losses] == wanted
    for held, then in gradients:
        assert np.array_equal(held.numpy(), then)
    for held, then in arrays:
        assert np.array_equal(held, then)


def test_the_last_ragged_batch_gets_a_plan_of_its_own():
    _, _, step = training()
    _, _, plain = training()
    compiled = torch.compile(step)
    for _ in range(4):
        for x, y in [*batches(3), *batches(1, rows=17)]:
            assert compiled(x, y).item() == plain(x, y).item()
    assert compiled.recordings == 4
    assert compiled.replays == 12


def test_a_learning_rate_is_a_slot():
    net, updater, step = training(lambda p: optim.Adam(p, lr=0.1))
    other, plain_updater, plain = training(lambda p: optim.Adam(p, lr=0.1))
    compiled = torch.compile(step)
    for k, (x, y) in enumerate(batches(10)):
        updater.param_groups[0]["lr"] = plain_updater.param_groups[0]["lr"] = 0.1 / (k + 1)
        compiled(x, y)
        plain(x, y)
        assert_same(net, other)
    assert compiled.replays == 8


def test_a_class_that_is_none_raises_and_changes_nothing():
    net, _, step = training()
    compiled = torch.compile(step)
    for x, y in batches(5):
        compiled(x, y)
    before = [p.detach().numpy().copy() for p in net.parameters()]
    x, y = batches(1)[0]
    y[3] = 7
    with pytest.raises(IndexError, match="Target 7 is out of bounds"):
        compiled(x, y)
    for p, then in zip(net.parameters(), before, strict=True):
        assert np.array_equal(p.detach().numpy(), then)
        assert p.grad is None
    compiled(*batches(1)[0])
    assert compiled.replays == 4


def test_dropout_draws_the_same_numbers():
    def make():
        net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
        updater = optim.SGD(net.parameters(), lr=0.1)

        def step(x, y):
            updater.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            updater.step()
            return loss

        return net, step

    results = []
    for compile_it in (False, True):
        torch.manual_seed(3)
        net, step = make()
        call = torch.compile(step) if compile_it else step
        results.append([call(x, y).item() for x, y in batches(12)])
        results[-1].append(torch.get_rng_state().numpy().tobytes())
        if compile_it:
            assert call.replays == 10
            net.eval()
            call(*batches(1)[0])
            assert call.replays == 10  # another mode is another recording
    assert results[0] == results[1]


@pytest.mark.parametrize("set_to_none", [True, False])
def test_gradients_accumulate(set_to_none):
    def make():
        net = network()
        updater = optim.SGD(net.parameters(), lr=0.1)

        def step(x, y, z, t):
            updater.zero_grad(set_to_none=set_to_none)
            (nn.functional.cross_entropy(net(x), y) / 2).backward()
            loss = nn.functional.cross_entropy(net(z), t) / 2
            loss.backward()
            updater.step()
            return loss

        return net, step

    (net, step), (other, plain) = make(), make()
    compiled = torch.compile(step)
    data = batches(40)
    for k in range(20):
        arguments = (*data[2 * k], *data[2 * k + 1])
        assert compiled(*arguments).item() == plain(*arguments).item()
        assert_same(net, other)
    assert compiled.replays == (18 if set_to_none else 17)  # which first finds no gradients, then some


def test_a_number_that_changes_is_refused_by_name():
    w = torch.zeros(3)
    counter = iter(range(100))

    def step(x):
        return (w * x * (0.5 + next(counter))).sum()

    compiled = torch.compile(step)
    compiled(torch.ones(3))
    compiled(torch.ones(3))
    with pytest.warns(RuntimeWarning, match=r"a number changes from call to call.*test_steps.py"):
        compiled(torch.ones(3))
    compiled(torch.ones(3))
    assert compiled.replays == 0


def test_a_number_that_python_reads_is_refused_by_line():
    def step(x):
        return x * 2 if x.sum().item() > 0 else x

    compiled = torch.compile(step)
    with pytest.warns(RuntimeWarning, match=r"is read by Python at .*test_steps.py"):
        assert compiled(torch.ones(3)).tolist() == [2, 2, 2]
    assert compiled(-torch.ones(3)).tolist() == [-1, -1, -1]


def test_numbers_may_be_returned():
    compiled = torch.compile(lambda x: {"sum": x.sum().item(), "mean": x.mean(), "name": "x"})
    for k in range(6):
        made = compiled(torch.full((4,), float(k)))
        assert (made["sum"], made["mean"].item(), made["name"]) == (4.0 * k, float(k), "x")
    assert compiled.replays == 4


def test_a_closure_that_changes_is_noticed():
    scale, data = 2.0, torch.ones(3)

    def step(x):
        return x * scale + data

    compiled = torch.compile(step)
    for _ in range(4):
        assert compiled(torch.ones(3)).tolist() == [3, 3, 3]
    scale = 5.0
    assert compiled(torch.ones(3)).tolist() == [6, 6, 6]
    data = torch.zeros(3)
    assert compiled(torch.ones(3)).tolist() == [5, 5, 5]


def test_a_plan_can_be_turned_off(monkeypatch):
    monkeypatch.setenv("FASTGRAD_COMPILE", "0")
    compiled = torch.compile(lambda x: x + 1)
    for _ in range(4):
        compiled(torch.ones(2))
    assert compiled.recordings == 0
    assert torch.compile(abs, disable=True) is abs


def test_nothing_is_done_again_while_nothing_moves():
    net, _, step = training()
    compiled = torch.compile(step)
    (x, y), places = batches(1)[0], set()
    for _ in range(40):
        loss = compiled(x, y)
        places.add(loss.data_ptr())
    assert len(places) <= 4  # two take turns, since the last loss is still held when the next is made
    assert compiled._last.is_quiet()
    held = net[0].weight.grad
    assert not compiled._last.is_quiet()
    then = held.numpy().copy()
    compiled(x, y)
    assert np.array_equal(held.numpy(), then)
    del held
    compiled(x, y)
    assert compiled._last.is_quiet()
    net[2].bias.requires_grad_(False)
    assert not compiled._last.is_quiet()
    compiled(x, y)
    assert compiled.recordings == 3


def test_eager_and_compiled_steps_may_take_turns():
    net, _, step = training(lambda p: optim.Adam(p, lr=0.1))
    other, _, plain = training(lambda p: optim.Adam(p, lr=0.1))
    compiled = torch.compile(step)
    for k, (x, y) in enumerate(batches(30)):
        assert (compiled if k % 3 else step)(x, y).item() == plain(x, y).item()
        assert_same(net, other)
    assert compiled.replays >= 16


def test_parameters_that_nothing_names_are_watched_too():
    parameters = [torch.ones(4, requires_grad=True)]
    hidden = {"optimizer": [[optim.SGD(parameters, lr=0.5)]]}
    reach = hidden.__getitem__  # a method of C, which nobody can look into

    def step(x):
        (updater,) = reach("optimizer")[0]
        w = updater.param_groups[0]["params"][0]
        updater.zero_grad()
        loss = (w * x).sum()
        loss.backward()
        updater.step()
        return loss

    compiled = torch.compile(step)
    for _ in range(4):
        compiled(torch.ones(4))
    before = parameters[0].data
    kept = before.clone()
    parameters[0].data = torch.zeros(4)
    compiled(torch.ones(4))
    assert np.array_equal(before.numpy(), kept.numpy())
    assert parameters[0].tolist() == [-0.5] * 4


def test_gradients_that_were_not_dropped_are_added_to():
    w = torch.ones(3, requires_grad=True)
    compiled = torch.compile(lambda x: (w * x).sum().backward())
    for _ in range(5):
        w.grad = None
        compiled(torch.ones(3))
    assert compiled.replays == 3
    for k in range(2, 6):
        compiled(torch.ones(3))
        assert w.grad.tolist() == [k] * 3


def test_a_class_that_is_none_leaves_the_step_count_alone():
    net, updater, step = training(lambda p: optim.Adam(p, lr=0.1))
    compiled = torch.compile(step)
    for x, y in batches(5):
        compiled(x, y)
    x, y = batches(1)[0]
    y[0] = -1
    with pytest.raises(IndexError):
        compiled(x, y)
    assert updater.state[net[0].weight]["step"].item() == 5
