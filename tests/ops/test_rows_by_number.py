"""Rows by one tensor of places, which a kernel takes: against PyTorch, with places from the end, none, and gradients."""

import numpy as np
import pytest

import fastgrad
from tests.ops.test_integers import numbers, same

INDEXES = ([3, -1, 0, 0], [], [[0, 6], [-7, 2]], 2)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32"])
@pytest.mark.parametrize("shape", [(7,), (7, 3), (7, 2, 5), (7, 0)])
def test_rows(torch, dtype, shape):
    values = numbers(dtype, (7, 10)).reshape(-1)[: int(np.prod(shape))].reshape(shape)
    for index in INDEXES:
        places = np.array(index, np.int64)
        same(torch, lambda t, x, places=places: x[t.tensor(places)], lambda t: t.from_numpy(values.copy()))
        if places.ndim == 1:
            same(torch, lambda t, x, places=places: x.index_select(0, t.tensor(abs(places))),
                 lambda t: t.from_numpy(values.copy()))  # fmt: skip
    for bad in (7, -8) if values.size else ():
        same(torch, lambda t, x, bad=bad: x[t.tensor([0, bad])], lambda t: t.from_numpy(values.copy()))
        same(torch, lambda t, x, bad=bad: x.index_select(0, t.tensor([0, bad])), lambda t: t.from_numpy(values.copy()))


def test_gradients(torch):
    values = numbers("float64", (7, 3))
    for take in (lambda t, x: x.index_select(0, t.tensor([1, 1, 4])), lambda t, x: x[t.tensor([1, -6, 4])]):
        found = []
        for t in (fastgrad, torch):
            x = t.from_numpy(values.copy()).requires_grad_()
            (take(t, x) ** 3).sum().backward()
            found.append(x.grad.numpy())
        np.testing.assert_allclose(*found)
        x = fastgrad.from_numpy(values.copy() / 100).requires_grad_()
        assert fastgrad.autograd.gradgradcheck(lambda x, take=take: take(fastgrad, x) ** 3, (x,))


def test_rows_in_a_compiled_step():
    places = fastgrad.tensor([0, -1, 3])
    step = fastgrad.compile(lambda x, places: x[places] * 2)
    for _ in range(4):
        x, places = fastgrad.randn(9, 4), (places + 1) % 9
        assert fastgrad.equal(step(x, places), x[places] * 2)
