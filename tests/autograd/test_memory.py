"""Memory goes back when the last user name goes: by counting alone, without recursion, whatever a node saved."""

import gc
import weakref

import pytest

import fastgrad
from fastgrad.nn import functional as F

TARGET = fastgrad.tensor([0, 1])
# Every way of saving: nothing, inputs, the output, by-products, several outputs, views.
OPERATIONS = {
    "add": lambda x: x + x,
    "mul": lambda x: x * x,
    "div": lambda x: x / (x + 1),
    "pow": lambda x: x**x,
    "power of a number": lambda x: 2**x,
    "exp": lambda x: x.exp(),
    "sqrt": lambda x: x.sqrt(),
    "reciprocal": lambda x: x.reciprocal(),
    "sigmoid": lambda x: x.sigmoid(),
    "tanh": lambda x: x.tanh(),
    "relu": lambda x: x.relu(),
    "gelu": F.gelu,
    "softmax": lambda x: F.softmax(x, 0),
    "log_softmax": lambda x: F.log_softmax(x, 0),
    "cross entropy": lambda x: F.cross_entropy(x, TARGET),
    "mse": lambda x: F.mse_loss(x, x * 2),
    "dropout": F.dropout,
    "max": lambda x: x.max(),
    "max along": lambda x: x.max(0).values,
    "sum": lambda x: x.sum(0),
    "matmul": lambda x: x @ x,
    "linear": lambda x: F.linear(x, x, x[0]),
    "view": lambda x: x.view(4),
    "index": lambda x: x[TARGET],
    "changed in place": lambda x: (x * 1).exp_(),
    "changed by a view": lambda x: _through_a_view(x),
    "function that saves its output": lambda x: Exponential.apply(x),
}


class Exponential(fastgrad.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, gy):
        _x, y = ctx.saved_tensors
        return gy * y


def _through_a_view(x):
    y = x * 1
    y[0].exp_()
    return y


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("use", ["dropped", "backward", "second order"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_no_cycles(name, use):
    x = fastgrad.tensor([[0.3, 0.6], [0.2, 0.9]], requires_grad=True)
    y = OPERATIONS[name](x)
    tensor, node = weakref.ref(y), weakref.ref(y.grad_fn)
    if use == "backward":
        y.sum().backward()
    elif use == "second order":
        (gx,) = fastgrad.autograd.grad(y.sum(), x, create_graph=True)
        if gx.requires_grad:
            gx.sum().backward()
        del gx
    del y
    assert tensor() is None
    assert node() is None


@pytest.mark.usefixtures("no_collector")
def test_saved_tensors_go_with_backward():
    x = fastgrad.ones(3, requires_grad=True)
    hidden = x * 2
    y = (hidden * hidden).sum()
    saved = weakref.ref(hidden)
    del hidden
    assert saved() is not None
    y.backward()
    assert saved() is None


LONG_CHAINS = """
import gc, sys
import fastgrad as torch

class Same(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 1
    @staticmethod
    def backward(ctx, gy):
        return gy + 0 * ctx.saved_tensors[0]

def chain(step, count):
    y = torch.ones(1, requires_grad=True) * 1
    for _ in range(count):
        y = step(y)
    return y

gc.disable()  # it would walk the growing graph again and again
sys.setrecursionlimit(200)
for count, step in [
    (100_000, lambda y: y + 1),
    (100_000, lambda y: y * y),
    (100_000, lambda y: y.view(1)),
    (100_000, lambda y: y.mul_(1.0)),
    (20_000, Same.apply),
]:
    chain(step, count)  # dropped, never run back
    y = chain(step, count)
    y.backward(torch.ones(1))
    del y
print("freed")
"""


def test_a_chain_of_100_000_nodes(run_python):
    assert run_python("-c", LONG_CHAINS).stdout.strip() == "freed"


def test_views_of_a_tensor_are_not_collected_for_ever():
    data = fastgrad.zeros(1000)
    for k in range(1000):
        data[k]
    assert len(data._shared_cell()[1]) < 200
