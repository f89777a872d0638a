"""Compiled functions with `backward()` outside: what may happen between the passes, and who may be in them."""

import numpy as np
import pytest

import fastgrad as torch
from fastgrad import nn
from tests.compile.passes import both, network, rows, run
from tests.compile.programs import bits

# -- between forward and backward --------------------------------------------------------------------------------------


def test_passes_that_never_go_back_are_replays_too():
    plain, model = both()
    for k in range(5):
        assert bits(model(rows(k))) == bits(plain(rows(k)))
    assert model._compiled.replays == 6
    held = model(rows(9))  # whose backward pass may come
    assert run(model, 7) == run(plain, 7)
    assert model._compiled.replays == 7
    held.sum().backward()
    assert run(model, 8) == run(plain, 8)
    assert model._compiled.replays == 8


@pytest.mark.parametrize("last", [(), (nn.Sigmoid(),)])
def test_changes_between_the_passes_are_seen_as_in_eager_mode(last):
    def change(net, x, out, which):
        with torch.no_grad():
            [*net.parameters(), x, out][which].mul_(2)

    for which in range(6):
        plain, model = both(last=last)
        for net in (plain, model):
            x = rows(5)
            out = net(x)
            change(net, x, out, which)
            expected = which in (2, 4) or (which == 5 and last)  # the second weight, x, and the result where it is saved
            if expected:
                with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                    out.sum().backward()
            else:
                net.zero_grad()
                out.sum().backward()
        assert model._compiled.replays == 2
        if not expected:
            assert bits([p.grad for p in plain.parameters()]) == bits([p.grad for p in model.parameters()])


def test_a_result_that_nobody_saved_may_be_changed():
    plain, model = both()
    for net in (plain, model):
        net.zero_grad()
        out = net(rows(4))
        out.mul_(3).add_(1).relu_()
        out.sum().backward()
    assert bits([p.grad for p in plain.parameters()]) == bits([p.grad for p in model.parameters()])


def test_gradients_of_any_geometry():
    losses = [
        lambda out: out.sum(), lambda out: (out.t().contiguous() * torch.ones(3, 12)).t().pow(2).sum(),
        lambda out: out[:, 1:].sum(), lambda out: out.pow(2).mean(), lambda out: out[::2].exp().sum(),
    ]  # fmt: skip
    plain, model = both(nn.Dropout(0.4), nn.BatchNorm1d(8))
    for k in range(10):
        seen = []
        for net in (plain, model):
            torch.manual_seed(k)
            seen.append(run(net, k, losses[k % 5]))
        assert seen[0] == seen[1]
    assert model._compiled.replays == 11


def test_the_gradient_may_be_an_argument_or_the_result_itself():
    last = (nn.Sigmoid(), nn.Linear(3, 6), nn.Sigmoid())
    plain, model = network(last=last), torch.compile(network(last=last))
    for k in range(5):
        for net in (plain, model):
            net.zero_grad()
            x = rows(k)
            out = net(x)
            out.backward(x if k % 2 else out.detach())
        assert bits([p.grad for p in plain.parameters()]) == bits([p.grad for p in model.parameters()])
    assert model._compiled.replays == 3


def test_backward_twice():
    plain, model = both()
    for net in (plain, model):
        net.zero_grad()
        loss = net(rows(3)).sum()
        loss.backward(retain_graph=True)
        loss.backward()
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            loss.backward()
    assert bits([p.grad for p in plain.parameters()]) == bits([p.grad for p in model.parameters()])


def test_gradients_that_are_kept_stay():
    _, model = both()
    held = []
    for k in range(6):
        run(model, k)
        held.append([(p.grad, p.grad.numpy().copy()) for p in model.parameters()])
    for gradient, then in [pair for pairs in held for pair in pairs]:
        assert np.array_equal(gradient.numpy(), then)


def test_new_memory_of_a_parameter_is_named():
    _, model = both()
    out = model(rows(1))
    model._orig_mod[2].weight.data = torch.zeros(3, 8)
    with pytest.raises(RuntimeError, match="cannot be run once more"):
        out.sum().backward()


# -- graphs of gradients -----------------------------------------------------------------------------------------------


def penalty(net, x):
    x.requires_grad_()
    (gx,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    net.zero_grad()
    gx.pow(2).sum().backward()
    return bits([gx.detach(), *[p.grad for p in net.parameters()]])


def test_gradients_of_gradients():
    plain, model = network(), torch.compile(network())
    for k in range(6):
        assert penalty(model, rows(k)) == penalty(plain, rows(k))
        x = rows(k).requires_grad_()
        assert bits(torch.autograd.grad(model(x).sum(), x)) == bits(torch.autograd.grad(plain(x).sum(), x))


@pytest.mark.parametrize(("layer", "why"), [(nn.Dropout(0.5), "random numbers"), (nn.BatchNorm1d(8), "BatchNorm")])
def test_a_forward_pass_that_must_not_be_repeated_says_so(layer, why):
    plain, model = both(layer, nn.Tanh())
    for net in (plain, model):
        torch.manual_seed(0)
        out = net(rows(0))
        before = bits([torch.get_rng_state(), *net.buffers()])
        if net is model:
            with pytest.raises(RuntimeError, match=f"{why}.*_orig_mod"):
                torch.autograd.grad(out.sum(), list(net.parameters()), create_graph=True)
            assert bits([torch.get_rng_state(), *net.buffers()]) == before
        else:
            torch.autograd.grad(out.sum(), list(net.parameters()), create_graph=True)
    model.eval()
    plain.eval()
    for k in range(4):
        assert penalty(model, rows(k)) == penalty(plain, rows(k))


def test_a_gradient_penalty_inside():
    def make():
        net = network()

        def loss(x):
            x = x.detach().requires_grad_()
            (gx,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
            return gx.pow(2).sum()

        return net, loss

    (plain, wanted), (net, loss) = make(), make()
    compiled = torch.compile(loss)
    for k in range(6):
        for module, call in ((plain, wanted), (net, compiled)):
            module.zero_grad()
            call(rows(k)).backward()
        assert bits([p.grad for p in net.parameters()]) == bits([p.grad for p in plain.parameters()])
    assert compiled.replays == 3


# -- hooks -------------------------------------------------------------------------------------------------------------


def test_hooks_are_called_once_a_pass():
    counts = []
    for compiled in (False, True):
        net, calls, seen = network(), [], []
        model = torch.compile(net) if compiled else net
        for k in range(8):
            if k == 2:
                net[0].weight.register_hook(lambda g, calls=calls: calls.append("weight") or g * 2)
            if k == 4:
                net[2].bias.register_post_accumulate_grad_hook(lambda p, calls=calls: calls.append("after"))
            leaf = rows(k).requires_grad_()
            x = leaf * 2
            x.register_hook(lambda g, calls=calls: calls.append("input") or g * 3)
            x.retain_grad()
            net.zero_grad()
            model(x).pow(2).sum().backward()
            seen.append(bits([leaf.grad, x.grad, *[p.grad for p in net.parameters()]]))
        counts.append((calls, seen))
    assert counts[0] == counts[1]
    assert model._compiled.replays >= 2
