"""Nodes as a program sees them: hooks on them, `next_functions`, saved tensors."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf

cases = Cases()


@cases([("tuple", [5.0, 1.0], [1.0])])
def node_hook(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 5.0)
    y = x * w
    L = []
    y.grad_fn.register_hook(lambda gi, go: L.append((type(gi).__name__, [g.item() for g in gi], [g.item() for g in go])))
    y.backward()
    return L


@cases(([50.0], [1.0]))
def node_hook_replace(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 5.0)
    y = x * w
    y.grad_fn.register_hook(lambda gi, go: (gi[0] * 10, gi[1]))
    y.backward()
    return (x.grad, w.grad)


@cases([[5.0, None]])
def node_hook_none_input(torch):
    x = leaf(torch, 1.0)
    c = torch.tensor([5.0])
    y = x * c
    L = []
    y.grad_fn.register_hook(lambda gi, go: L.append([g if g is None else g.item() for g in gi]))
    y.backward()
    return L


@cases("RuntimeError: hook 'hk' has returned an incorrect number of values...")
def node_hook_wrong_count(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 5.0)
    y = x * w

    def hk(gi, go):
        return (gi[0],)

    y.grad_fn.register_hook(hk)
    return error(y.backward)


@cases("TypeError: expected Variable, but hook returned 'int'")
def node_hook_bad(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 5.0)
    y = x * w

    def hk(gi, go):
        return (3, 4)

    y.grad_fn.register_hook(hk)
    return error(y.backward)


@cases(([[1.0]], [8.0]))
def node_prehook(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    L = []
    y.grad_fn.register_prehook(lambda go: (L.append([g.item() for g in go]), (go[0] * 4,))[1])
    y.backward()
    return (L, x.grad)


@cases(([3.0], [24.0]))
def node_prehook_capture(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    y.grad_fn.register_prehook(lambda go: (go[0] * 4,))
    return torch.autograd.grad(y * 3, [y, x])


@cases([])
def node_prehook_captured_only(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    L = []
    y.grad_fn.register_prehook(lambda go: L.append(1))
    torch.autograd.grad(y * 3, [y])
    return L


@cases("TypeError: expected tuple, but hook returned 'int'")
def node_prehook_bad(torch):
    x = leaf(torch, 1.0)
    y = x * 2

    def hk(go):
        return 3

    y.grad_fn.register_prehook(hk)
    return error(y.backward)


@cases(("TypeError: expected tuple, but hook returned 'Tensor'", None))
def node_prehook_single_tensor(torch):
    x = leaf(torch, 1.0)
    y = x * 2

    def hk(go):
        return go[0] * 3

    y.grad_fn.register_prehook(hk)
    return (error(y.backward), x.grad)


@cases(("TypeError: expected tuple, but hook returned 'Tensor'", None))
def node_hook_single_tensor(torch):
    x = leaf(torch, 1.0)
    y = x * 2.0

    def hk(gi, go):
        return gi[0] * 3

    y.grad_fn.register_hook(hk)
    return (error(y.backward), x.grad)


@cases(["tensor", "pre", "post"])
def node_pre_order(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    L = []
    y.grad_fn.register_prehook(lambda g: L.append("pre"))
    y.register_hook(lambda g: L.append("tensor"))
    y.grad_fn.register_hook(lambda a, b: L.append("post"))
    y.backward()
    return L


@cases(("AccumulateGrad", "torch::autograd::AccumulateGrad", 0, True, (), True))
def acc_grad_node(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    a, i = y.grad_fn.next_functions[0]
    return (type(a).__name__, a.name(), i, a.variable is x, a.next_functions, y.grad_fn.next_functions[0][0] == a)


@cases((True, True, [True, True]))
def the_order_of_inputs(torch):
    x, w, b = (torch.ones(size, requires_grad=True) for size in ((2, 3), (2, 3), 2))
    y, z = torch.nn.functional.linear(x, w, b), torch.where(x > 1, x, w)
    first, second = (node.variable for node, _ in y.grad_fn.next_functions[:2])
    chosen = [node.variable is leaf for (node, _), leaf in zip(z.grad_fn.next_functions, (x, w), strict=True)]
    return first is b, second is x, chosen


@cases((True, True))
def acc_grad_same(torch):
    x = leaf(torch, 1.0)
    y = x * 2 + x
    f = y.grad_fn.next_functions
    return (f[0][0].next_functions[0][0] is f[1][0], hash(f[0][0].next_functions[0][0]) == hash(f[1][0]))


@cases(
    (
        [("torch::autograd::AccumulateGrad", 0), ("torch::autograd::AccumulateGrad", 0)],
        [("torch::autograd::AccumulateGrad", 0), (None, 0)],
        [("torch::autograd::AccumulateGrad", 0), (None, 0)],
        [("torch::autograd::AccumulateGrad", 0), (None, 0)],
    )
)
def next_functions(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 2.0)
    c = torch.ones(1)
    return (
        [(f and f.name(), i) for f, i in (x * w).grad_fn.next_functions],
        [(f and f.name(), i) for f, i in (x * c).grad_fn.next_functions],
        [(f and f.name(), i) for f, i in (x * 2).grad_fn.next_functions],
        [(f and f.name(), i) for f, i in (x + 2).grad_fn.next_functions],
    )


@cases(("<MulBackward0 object at 0", "tensor([2.], grad_fn=<MulBackward0>)", "<AccumulateGrad object at"))
def grad_fn_repr(torch):
    x = leaf(torch, 1.0)
    return (repr((x * 2).grad_fn)[:25], str(x * 2), repr((x * 2).grad_fn.next_functions[0][0])[:25])


@cases(({"a": 1}, True))
def grad_fn_meta(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    y.grad_fn.metadata["a"] = 1
    return (y.grad_fn.metadata, y.grad_fn is y.grad_fn)


@cases(
    (
        [1.0],
        [2.0],
        2.718,
        "AttributeError: 'MulBackward0' object has no attribute '_saved_foo'",
        "AttributeError: 'MulBackward0' object has no attribute 'foo'",
    )
)
def saved_attr(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 2.0)
    y = x * w
    z = x.exp()
    return (
        y.grad_fn._saved_self,
        y.grad_fn._saved_other,
        round(z.grad_fn._saved_result.item(), 3),
        error(lambda: y.grad_fn._saved_foo),
        error(lambda: y.grad_fn.foo),
    )


@cases("RuntimeError: Trying to backward through the graph a second time...")
def saved_freed(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 2.0)
    y = x * w
    y.backward()
    return error(lambda: y.grad_fn._saved_self)


@cases(True)
def saved_is_input(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 2.0)
    y = x * w
    return y.grad_fn._saved_self is x


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
