"""Hooks on tensors: order, removal, replacing the gradient, and what they may not return."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf

cases = Cases()


@cases(([("a", 1.0), ("b", 2.0)], [12.0]))
def hook_order(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    L = []
    y.register_hook(lambda g: (L.append(("a", g.item())), g * 2)[1])
    y.register_hook(lambda g: (L.append(("b", g.item())), g * 3)[1])
    h = y.register_hook(lambda g: L.append("c"))
    h.remove()
    y.backward()
    return (L, x.grad)


@cases(([7.0], [14.0]))
def hook_leaf(torch):
    x = leaf(torch, 1.0)
    L = []
    x.register_hook(lambda g: (L.append(g.item()), g * 2)[1])
    (x * 3 + x * 4).backward()
    return (L, x.grad)


@cases(([6.0],))
def hook_leaf_grad(torch):
    x = leaf(torch, 1.0)
    x.register_hook(lambda g: g * 2)
    return torch.autograd.grad(x * 3, x)


@cases(([10.0], [20.0]))
def hook_retain_order(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.backward()
    return (y.grad, x.grad)


@cases(([50.0], [100.0]))
def hook_retain_multi(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    y.register_hook(lambda g: g * 5)
    y.backward()
    return (y.grad, x.grad)


@cases(([30.0],))
def hook_captured(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    return torch.autograd.grad(y * 3, y)


@cases("TypeError: expected Variable, but hook returned 'float'")
def hook_bad_type(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    y.register_hook(lambda g: 3.0)
    return error(y.backward)


@cases("RuntimeError: hook 'myhook' has changed the size of value")
def hook_bad_shape(torch):
    x = leaf(torch, 1.0)
    y = x * 2

    def myhook(g):
        return torch.ones(2)

    y.register_hook(myhook)
    return error(y.backward)


@cases("RuntimeError: hook 'myhook' has changed the type of value (was...")
def hook_bad_dtype(torch):
    x = leaf(torch, 1.0)
    y = x * 2

    def myhook(g):
        return torch.ones(1, dtype=torch.float64)

    y.register_hook(myhook)
    return error(y.backward)


@cases("RuntimeError: hook 'myhook' has changed the size of value")
def hook_leaf_bad_shape(torch):
    x = leaf(torch, 1.0)

    def myhook(g):
        return torch.ones(2)

    x.register_hook(myhook)
    return error((x * 2).backward)


@cases("RuntimeError: cannot register a hook on a tensor that doesn't...")
def hook_no_grad_tensor(torch):
    x = torch.tensor([1.0])
    return error(lambda: x.register_hook(print))


@cases([1.0])
def hook_remove_twice(torch):
    x = leaf(torch, 1.0)
    h = x.register_hook(lambda g: g * 2)
    h.remove()
    h.remove()
    (x * 1).backward()
    return x.grad


@cases([3.0])
def hook_context(torch):
    x = leaf(torch, 1.0)
    with x.register_hook(lambda g: g * 2):
        (x * 1).backward()
    (x * 1).backward()
    return x.grad


@cases(["f", "g", "g"])
def hook_removed_inside(torch):
    x = leaf(torch, 1.0)
    y = x * 1
    L = []
    h = [None]

    def f(g):
        L.append("f")
        h[0].remove()

    h[0] = y.register_hook(f)
    y.register_hook(lambda g: L.append("g"))
    y.backward(retain_graph=True)
    y.backward()
    return L


@cases([3.0])
def hook_inplace_mod(torch):
    x = leaf(torch, 1.0)
    y = x * 1
    y.register_hook(lambda g: g.mul_(3) and None)
    y.backward()
    return x.grad


@cases(("ValueError: stop", None, None))
def hook_raises(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 2.0)
    y = x * w

    def f(g):
        raise ValueError("stop")

    y.register_hook(f)
    return (error(y.backward), x.grad, w.grad)


@cases([(False, False), (True, False)])
def hook_grad_mode(torch):
    x = leaf(torch, 1.0)
    y = x * 1
    L = []
    y.register_hook(lambda g: L.append((torch.is_grad_enabled(), g.requires_grad)))
    y.backward(retain_graph=True)
    torch.autograd.grad(y, x, create_graph=True)
    return L


@cases(([1.0], [10.0]))
def hook_nested_backward(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 5.0)
    y = x * 1

    def f(g):
        with torch.enable_grad():
            (w * w).backward()

    y.register_hook(f)
    y.backward()
    return (x.grad, w.grad)


@cases([1])
def tensorhook_captured_only(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    L = []
    y.register_hook(lambda go: L.append(1))
    torch.autograd.grad(y * 3, [y])
    return L


@cases([])
def tensorhook_not_needed(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 1.0)
    y = x * 2
    L = []
    y.register_hook(lambda go: L.append(1))
    torch.autograd.grad(y + w * 3, [w])
    return L


@cases(([[1.0, 1.0]], [2.0, 2.0], [[0.0, 2.0], [2.0, 0.0]], False, 0))
def multi_out_hooks(torch):
    x = torch.tensor([[1.0, 5.0], [7.0, 2.0]], requires_grad=True)
    v, i = x.max(1)
    L = []
    v.register_hook(lambda g: (L.append(g.tolist()), g * 2)[1])
    v.retain_grad()
    v.sum().backward()
    return (L, v.grad, x.grad, i.requires_grad, v.output_nr)


@cases([5.0])
def hook_sum_all_fan(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    L = []
    y.register_hook(lambda g: L.append(g.item()))
    (y + y * 3 + y.sum()).backward()
    return L


@cases(([1.0], [5.0]))
def hook_returns_same(torch):
    x = leaf(torch, 1.0)
    g0 = torch.ones(1)
    x.register_hook(lambda g: g)
    (x * 1).backward(g0)
    x.grad.mul_(5)
    return (g0, x.grad)


@cases(([[1.0]], [5.0]))
def hook_kept_grad(torch):
    x = leaf(torch, 1.0)
    L = []
    x.register_hook(L.append)
    (x * 1).backward()
    x.grad.mul_(5)
    return (L, x.grad)


@cases(([1.0], [2.0]))
def hook_return_kept(torch):
    x = leaf(torch, 1.0)
    k = torch.ones(1)
    x.register_hook(lambda g: k)
    (x * 1).backward()
    (x * 1).backward()
    return (k, x.grad)


@cases([5.0])
def hook_dup_leaf(torch):
    x = leaf(torch, 1.0)
    L = []
    x.register_hook(lambda g: L.append(g.item()))
    y = x * 2
    z = x * 3
    torch.autograd.grad(y + z, [x, y])
    return L


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
