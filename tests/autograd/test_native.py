"""The compiled steps of an operation: they leave the objects that the Python functions leave, and step aside as needed."""

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

    watched = [x, w, b, big, x._meta, w._meta, big._meta, x._storage, None, True, False, (), Tensor, Storage]
    for _ in range(20):
        everything()
    before = [sys.getrefcount(thing) for thing in watched]
    for _ in range(300):
        everything()
    after = [sys.getrefcount(thing) for thing in watched]
    assert max(abs(b - a) for a, b in zip(before, after, strict=True)) < 100


def test_wrong_operands_raise_what_python_raises():
    with pytest.raises(RuntimeError, match="The size of tensor a"):
        fg.ones(2) * fg.ones(3)
    with pytest.raises(NotImplementedError):
        fg._launch.mul(fg.ones(2, dtype=fg.int64), fg.ones(2, dtype=fg.int64))
