"""The compiled steps of an operation: they leave the objects that the Python functions leave, and step aside as needed."""

import gc
import sys
from types import BuiltinFunctionType

import pytest

import fastgrad as fg
from fastgrad._launch import core, native
from fastgrad._storage import Storage
from fastgrad._tensor import Tensor
from fastgrad.autograd import modes
from fastgrad.autograd.graph import Node

fg.ones(1).mul(1)  # the first launch puts them in place
pytestmark = pytest.mark.skipif(not native.possible(), reason="the Python functions are used here")
FIELDS = [name for name in Tensor.__slots__ if not name.startswith("__")]


def fields(x):
    return {name: getattr(x, name) for name in FIELDS if name not in ("_storage", "_address")}


def python(function):
    """The function that compiled code falls back to."""
    (found,) = [f for f, *_ in native.STEPS if f.__name__ == function]
    return found


def test_they_are_in_place():
    assert isinstance(core.new, BuiltinFunctionType)
    assert isinstance(fg._launch.mul, BuiltinFunctionType)


def test_slots_are_where_they_were_found():
    for kind in (Tensor, Node, Storage):
        names = [name for name in kind.__slots__ if not name.startswith("__")]
        places = [native.slot(kind, name) for name in names]
        assert len(set(places)) == len(places)
        assert all(2 <= place < kind.__basicsize__ // 8 for place in places)


@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (500, 20)])
@pytest.mark.parametrize("dtype", [fg.float32, fg.float64, fg.int64])
def test_a_new_tensor_has_the_same_fields(shape, dtype):
    meta = fg.empty(shape, dtype=dtype)._meta
    ours, plain = core.new(meta), python("new")(meta)
    assert fields(ours) == fields(plain)
    assert type(ours._storage) is type(plain._storage)
    ours._array()[...] = 1
    assert (ours == 1).all()


def test_an_alias_has_the_same_fields():
    x = fg.rand(3, requires_grad=True)
    for made, wanted in ((x.detach(), python("detach")(x)), (x[1:].data, None)):
        assert made._storage is x._storage
        assert made._base is None
        if wanted is not None:
            assert fields(made) == fields(wanted)
    assert x.detach()._cell is x._cell
    assert x.data._cell is None


@pytest.mark.parametrize("function", [lambda x, y: x * y, lambda x, y: (x + y).sigmoid(), lambda x, y: x.pow(2) * y.relu()])
def test_nodes_have_the_same_fields(function):
    x, y = fg.rand(3, requires_grad=True), fg.rand(3)
    ours = function(x, y).grad_fn
    modes.unusual[modes.HOOK] = True
    try:
        plain = function(x, y).grad_fn
    finally:
        modes.unusual[modes.HOOK] = False
    for name in ("needs", "versions", "extra"):
        ours_has, plain_has = getattr(ours, name), getattr(plain, name)
        assert ours_has == plain_has or tuple(ours_has)[: len(plain_has)] == plain_has[: len(ours_has)]
    assert type(ours) is type(plain)
    assert len(ours.saved) == len(plain.saved)
    assert ours.number < plain.number


class hooked:
    """Launches that somebody listens to are all made in Python."""

    def __enter__(self):
        self.rows = []

        def hook(row, *rest):
            self.rows.append(row)
            core.launch_entry()(row, *rest)

        core.set_hook(hook)
        return self

    def __exit__(self, *_):
        core.set_hook(None)


def step(x, w, b):
    loss = ((x * w + b).sigmoid() - x).pow(2).mean()
    loss.backward()
    return loss


def steps_of(name):
    """A step, its values and its gradients, as functions of fresh leaves."""
    torch, nn = fg, fg.nn.functional
    target = torch.tensor([0, 2, 1, 2])
    return {
        "softmax": lambda x, w, b: nn.softmax(x @ w, 1).pow(2).sum(),
        "log_softmax": lambda x, w, b: nn.log_softmax(x * 3, dim=-1)[:, 1].mean(),
        "cross_entropy": lambda x, w, b: nn.cross_entropy(x @ w + b, target),
        "nothing_wanted": lambda x, w, b: nn.cross_entropy(x.detach(), target) + b.sum(),
        "linear": lambda x, w, b: nn.linear(nn.relu(nn.linear(x, w, b)), w).tanh().sum(),
        "views": lambda x, w, b: (x.view(-1, 2)[1:3].reshape(4) * x[0, 0] + w.t()[1][0]).sum() + b.view(3, 1).sum(0)[0],
        "fan_out": lambda x, w, b: sum([x * k for k in range(5)], w.sum()).exp().mean() + b[0] * b[0],
        "several_outputs": lambda x, w, b: (x.max(1)[0] * torch.stack([b[0]] * 4)).sum() + w.mean(),
    }[name]


@pytest.mark.parametrize(
    "name", ["softmax", "log_softmax", "cross_entropy", "nothing_wanted", "linear", "views", "fan_out", "several_outputs"]
)
@pytest.mark.parametrize("dtype", [fg.float32, fg.float64])
def test_python_gives_the_same_bits(name, dtype):
    fg.manual_seed(3)
    leaves = fg.rand(4, 3, dtype=dtype), fg.rand(3, 3, dtype=dtype), fg.rand(3, dtype=dtype)
    results = []
    for plain in (False, True, False):
        x, w, b = [leaf.clone().requires_grad_() for leaf in leaves]
        modes.unusual[modes.HOOK] = plain
        try:
            for _ in range(2):  # the second adds to what the first left in `.grad`
                loss = steps_of(name)(x, w, b)
                loss.backward()
        finally:
            modes.unusual[modes.HOOK] = False
        results.append([loss.tolist(), *[None if leaf.grad is None else leaf.grad.tolist() for leaf in (x, w, b)]])
    assert results[0] == results[1] == results[2]


def test_a_target_that_is_no_class_is_named():
    with pytest.raises(IndexError, match="Target 7 is out of bounds"):
        fg.nn.functional.cross_entropy(fg.rand(2, 3), fg.tensor([1, 7]))


def both_ways(function):
    """What a function gives by compiled code, and by Python's."""
    ours = function()
    modes.unusual[modes.HOOK] = True
    try:
        return ours, function()
    finally:
        modes.unusual[modes.HOOK] = False


@pytest.mark.parametrize("wanted", ["wxb", "x", "bw", "xx"])
def test_gradients_of_a_kept_graph_are_those_of_python(wanted):
    fg.manual_seed(3)
    leaves = {name: fg.randn(shape, requires_grad=True) for name, shape in (("w", (4, 3)), ("x", (5, 4)), ("b", (3,)))}
    for name, leaf in leaves.items():
        leaf.requires_grad_(name in wanted or wanted == "bw")  # of "bw", x is a leaf that nobody asks for
    y = (leaves["x"] @ leaves["w"] + leaves["b"]).tanh()
    y = (y * y + y.exp()).chunk(2, 0)[0]
    seed = fg.randn(y.shape)
    inputs = [leaves[name] for name in wanted]
    for _ in range(3):
        ours, plain = both_ways(lambda: fg.autograd.grad(y, inputs, seed, retain_graph=True))
        assert [g.tolist() for g in ours] == [g.tolist() for g in plain]
        assert all(leaf.grad is None for leaf in leaves.values())
    fg.autograd.grad(y, inputs, seed)
    with pytest.raises(RuntimeError, match="second time"):
        fg.autograd.grad(y, inputs, seed)


def test_a_kept_graph_is_gone_through_by_compiled_code():
    x = fg.ones(8, requires_grad=True)
    y = x.mul(2).exp()
    seen = []
    sys.setprofile(lambda frame, event, argument: seen.append(frame.f_code.co_name) if event == "call" else None)
    try:
        fg.autograd.grad(y, x, y.detach(), retain_graph=True)
        y.backward(y.detach(), retain_graph=True)
    finally:
        sys.setprofile(None)
    assert "_run" in seen
    assert "_edge" not in seen
    assert x.grad.tolist() == (2 * y * y).tolist()


def test_a_gradient_that_raises_halfway_in_a_kept_graph_leaves_it_usable():
    class Fails(fg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gy):
            if fails:
                raise ValueError("no gradient today")
            return gy

    fails, x = True, fg.ones(3, requires_grad=True)
    y = Fails.apply(x * 2).sum()
    with pytest.raises(ValueError, match="today"):
        fg.autograd.grad(y, x, retain_graph=True)
    assert fg.is_grad_enabled()
    fails = False
    assert fg.autograd.grad(y, x, retain_graph=True)[0].tolist() == [2.0, 2.0, 2.0]


def test_what_raises_in_backward_leaves_no_trace():
    x = fg.ones(2, requires_grad=True)
    y = (x * x).exp()

    def stop(gradient):
        raise KeyError("stop")

    y.register_hook(stop)
    with pytest.raises(KeyError, match="stop"):
        y.sum().backward()
    assert x.grad is None
    assert fg.is_grad_enabled()
    saved = (x * x).exp()
    saved.data.add_(1)
    loss = (saved * saved).sum()
    saved.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    assert x.grad is None
    assert fg.is_grad_enabled()


def test_a_hook_sees_every_launch():
    x, w, b = fg.rand(50), fg.rand(1, requires_grad=True), fg.rand(1, requires_grad=True)
    wanted = step(x, w, b), w.grad, b.grad
    w.grad = b.grad = None
    with hooked() as told:
        loss = step(x, w, b)
    assert len(told.rows) >= 12
    assert [t.tolist() for t in (loss, w.grad, b.grad)] == [t.tolist() for t in wanted]


def test_inference_mode_is_seen():
    with fg.inference_mode():
        assert (fg.ones(2) * 2).is_inference()
        assert (fg.ones(2, 500) * 2).is_inference()
    assert not (fg.ones(2) * 2).is_inference()


def test_nothing_is_kept():
    """Every reference that is taken is given back."""
    x, w, b = fg.rand(50), fg.rand(1, requires_grad=True), fg.rand(1, requires_grad=True)
    big = fg.rand(500, 20, requires_grad=True)

    def everything():
        step(x, w, b)
        fg.relu(big * big).sum().backward()
        w.data -= 0.01 * w.grad.data
        w.grad.data.zero_()
        b.detach()
        for name in ("softmax", "cross_entropy", "linear", "views", "fan_out", "several_outputs"):
            steps_of(name)(small, matrix, vector).backward()

    small, matrix, vector = [fg.rand(*sizes, requires_grad=True) for sizes in ((4, 3), (3, 3), (3,))]
    watched = [x, w, b, big, small, matrix, x._meta, w._meta, big._meta, small._meta, x._storage]
    watched += [None, True, False, (), Tensor, Storage]
    for _ in range(20):
        everything()
    gc.collect()  # what other tests left in cycles refers to the same layouts
    before = [sys.getrefcount(thing) for thing in watched]
    for _ in range(300):
        everything()
    after = [sys.getrefcount(thing) for thing in watched]
    assert max(abs(b - a) for a, b in zip(before, after, strict=True)) < 100


def test_wrong_operands_raise_what_python_raises():
    with pytest.raises(RuntimeError, match="The size of tensor a"):
        fg.ones(2) * fg.ones(3)
    with pytest.raises(NotImplementedError):
        fg._launch.exp(fg.ones(2, dtype=fg.int64))
