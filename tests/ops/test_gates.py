"""glu and prelu: values and gradients of two orders as in PyTorch, along any dimension, in any memory."""

import numpy as np
import pytest

import fastgrad
from fastgrad.autograd import gradcheck, gradgradcheck
from fastgrad.nn import functional as F
from tests.ops.inputs import LAYOUTS, laid


def outcome(library, call, arrays, layouts):
    pairs = [laid(library, array, layout, requires_grad=True) for array, layout in zip(arrays, layouts)]
    y = call(library.nn.functional, *[view for _, view in pairs])
    weights = library.from_numpy(np.cos(np.arange(y.numel())).reshape(tuple(y.shape)).astype(arrays[0].dtype))
    leaves = [leaf for leaf, _ in pairs]
    first = library.autograd.grad((y * weights).sum(), leaves, create_graph=True)
    second = library.autograd.grad(sum((g * g).sum() for g in first), leaves)
    return y.grad_fn.name(), [t.detach().numpy() for t in (y, *first, *second)]


GLU = [((4,), 0), ((3, 4), -1), ((4, 3), 0), ((2, 6, 3), 1), ((2, 6, 0), 1)]
PRELU = [((5,), (1,)), ((4, 3), (3,)), ((4, 3), (1,)), ((2, 3, 4), (3,)), ((), (1,)), ((7,), ())]
CASES = [(f"glu {shape} {dim}", (shape,), lambda f, x, dim=dim: f.glu(x, dim)) for shape, dim in GLU]
CASES += [(f"prelu {shape}", shape, lambda f, x, w: f.prelu(x, w)) for shape in PRELU]


@pytest.mark.parametrize(("name", "shapes", "call"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_as_pytorch(torch, name, shapes, call, dtype):
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.standard_normal(shape), dtype) for shape in shapes]
    for k, layout in enumerate(LAYOUTS):
        layouts = [layout, LAYOUTS[k - 1]]
        (node, ours), (other, theirs) = (outcome(t, call, arrays, layouts) for t in (fastgrad, torch))
        assert node == other
        for got, want in zip(ours, theirs, strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=2e-5 if dtype == "float32" else 1e-11, atol=1e-6)


@pytest.mark.parametrize(("name", "shapes", "call"), CASES[:4] + CASES[5:9], ids=lambda x: x if isinstance(x, str) else "")
def test_gradients_are_differences(name, shapes, call):
    rng = np.random.default_rng(1)
    tensors = [fastgrad.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes]
    assert gradcheck(lambda *given: call(F, *given), tensors)
    assert gradgradcheck(lambda *given: call(F, *given), tensors)


def test_integers(torch):
    for library in (fastgrad, torch):
        f, x = library.nn.functional, library.arange(-3, 9)
        assert f.relu6(x).tolist() == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6]
        assert f.hardtanh(x, -1.5, 1.5).tolist()[:6] == [-1, -1, -1, 0, 1, 1]
        assert f.threshold(x, 2.5, 7.9).tolist() == [7] * 6 + [3, 4, 5, 6, 7, 8]
        assert f.softsign(x).dtype is library.float32
