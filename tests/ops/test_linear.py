"""`linear` with every kind of bias, and batches of which there are none: values, gradients and errors are PyTorch's."""

import numpy as np
import pytest
from fastgrad.kernels import jit
from fastgrad.kernels.cpu.matmul import plain

import fastgrad

DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool")
ROWS = ((2, 2), (2,), (1, 2, 2), (2, 2, 2), (0, 2), (2, 0, 2))
BIASES = ((3,), (), (1,), (1, 3), (1, 1), (2, 3), (2, 1), (1, 2, 3), (2, 2, 3), (4,), (2, 2))
# A bias that fits the rows of the last two dimensions; PyTorch takes all rows together here, and refuses it.
OURS = {((2, 2, 2), (2, 1))}


def counted(t, shape, dtype="float32"):
    return t.tensor(np.arange(1.0, 1 + np.prod(shape)).reshape(shape)).to(getattr(t, dtype))


def outcome(call):
    """Values with their shape and dtype, or the type and the text of the error."""
    try:
        made = call()
    except Exception as error:
        return type(error), str(error)
    return [(str(x.dtype).split(".")[1], tuple(x.shape), x.detach().numpy().tolist()) for x in made]


def both(torch, call):
    return outcome(lambda: call(fastgrad)), outcome(lambda: call(torch))


@pytest.mark.parametrize("rows", [(2, 2), (2,), (1, 2, 2)])
@pytest.mark.parametrize("bias", DTYPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_a_bias_of_another_dtype_is_refused(torch, dtype, bias, rows):
    def call(t):
        return [t.nn.functional.linear(counted(t, rows, dtype), counted(t, (3, 2), dtype), counted(t, (3,), bias))]

    ours, theirs = both(torch, call)
    assert ours == theirs
    assert (ours[0] is RuntimeError) == (dtype != bias)


def test_a_bias_that_is_given_another_dtype_later_is_refused():
    layer = fastgrad.nn.Linear(2, 3)
    layer(fastgrad.ones(4, 2))
    layer.bias.data = fastgrad.ones(3, dtype=fastgrad.float64)
    with pytest.raises(RuntimeError, match="self and mat2 must have the same dtype, but got Double and Float"):
        layer(fastgrad.ones(4, 2))


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("rows", ROWS)
def test_a_bias_of_any_shape(torch, rows, bias):
    def call(t):
        leaves = [counted(t, shape).requires_grad_() for shape in (rows, (3, 2), bias)]
        made = t.nn.functional.linear(*leaves)
        (made * counted(t, made.shape)).sum().backward()
        return [made, *(x.grad for x in leaves)]

    if (rows, bias) in OURS:
        made, _, _, gb = call(fastgrad)
        x, w, b = (counted(fastgrad, shape).numpy() for shape in (rows, (3, 2), bias))
        np.testing.assert_array_equal(made.detach().numpy(), x @ w.T + b)
        assert gb.shape == bias
        return
    ours, theirs = both(torch, call)
    if isinstance(theirs, tuple):
        assert ours[0] is theirs[0]
    else:
        assert ours == theirs


@pytest.mark.parametrize("bias", [(2, 3), (2, 1), (1, 3), ()])
def test_gradients_of_a_bias_of_another_shape(bias):
    leaves = [counted(fastgrad, shape, "float64").requires_grad_() for shape in ((2, 2), (3, 2), bias)]
    assert fastgrad.autograd.gradcheck(fastgrad.nn.functional.linear, leaves)
    assert fastgrad.autograd.gradgradcheck(fastgrad.nn.functional.linear, leaves)


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 0, 3, 4), (1, 4, 5)), ((2, 0, 3, 4), (2, 0, 4, 5)), ((0, 2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (0, 4, 5)),
     ((2, 0, 0, 4), (2, 1, 4, 5)), ((0, 3, 4), (4, 5)), ((2, 3, 0), (2, 0, 4)), ((2, 2, 3, 0), (2, 0, 4)),
     ((0,), (2, 0, 3))],
)  # fmt: skip
def test_products_of_no_matrices_or_of_empty_ones(torch, a, b, dtype):
    def call(t):
        x, y = counted(t, a, dtype), counted(t, b, dtype)
        if dtype == "int64":
            return [t.matmul(x, y)]
        made = t.matmul(x.requires_grad_(), y.requires_grad_())
        made.sum().backward()
        return [made, x.grad, y.grad]

    ours, theirs = both(torch, call)
    assert ours == theirs


LEADS = (((8, 1), (8,)), ((2, 3), (2, 3)), ((3,), ()), ((2, 1, 3), (4, 1)), ((1,), (2, 1, 2)))


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("leads", LEADS)
def test_batches_in_any_order_of_their_dimensions(torch, leads, gradients):
    rng = np.random.default_rng(0)
    for _ in range(6):
        given = []
        for lead, sizes in zip(leads, ((5, 7), (7, 6)), strict=True):
            order = rng.permutation(len(lead) + 2)
            given.append((rng.standard_normal([(*lead, *sizes)[d] for d in order]), np.argsort(order).tolist()))
        results = []
        for t in (fastgrad, torch):
            a, b = (t.tensor(values).permute(*order) for values, order in given)
            if gradients:
                a, b = a.detach().requires_grad_(), b.detach().requires_grad_()
            made = [a @ b, a @ b[..., 0].reshape(-1)[:7]]
            if gradients:
                (made[0] ** 2).sum().backward()
                made[1].sum().backward()
                made += [a.grad, b.grad]
            results.append([x.detach().numpy() for x in made])
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


SOURCES = {
    "stretched": (lambda: (fastgrad.randn(8, 1, 6, 7), fastgrad.randn(4, 7, 5)), 4),
    "exchanged": (lambda: (fastgrad.randn(4, 3, 6, 7).transpose(0, 1), fastgrad.randn(3, 4, 7, 5)), 3),
    "turned": (lambda: (fastgrad.randn(16, 7, 6).mT, fastgrad.randn(7, 5)), 1),
    "turned, by a vector": (lambda: (fastgrad.randn(16, 7, 6).mT, fastgrad.randn(7)), 1),
}


@pytest.mark.skipif(jit.interpreted() or plain.WANTED, reason="steps are compiled for compiled kernels")
@pytest.mark.parametrize("name", SOURCES)
def test_batches_are_not_copied(name):
    make, launches = SOURCES[name]
    step = fastgrad.compile(lambda a, b: a @ b)
    for _ in range(4):
        a, b = make()
        assert (step(a, b) == a @ b).all()
    rows = [line.split()[1] for line in step.summary().splitlines()[1:] if line.strip()[:1].isdigit()]
    assert rows == ["matmul.product"] * launches
