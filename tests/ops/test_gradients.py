"""Every differentiable row of the case table: first and second gradients, against differences and against PyTorch."""

import numpy as np
import pytest

import fastgrad
from tests.ops.cases import CASES
from tests.ops.differences import gradients, numeric, second_gradients, slope, value, weighted
from tests.ops.inputs import LAYOUTS, assert_close, laid, numbers

DIFFERENTIABLE = [case for case in CASES if case.grad]
SMALL = 40  # elements: more tell a difference quotient nothing new
by_name = pytest.mark.parametrize("case", DIFFERENTIABLE, ids=lambda case: case.name)


def small(case):
    """The shapes of a case that have something to differentiate, and little enough of it."""
    return [shapes for shapes in case.shapes if 0 < sum(int(np.prod(shape)) for shape in shapes) <= SMALL]


@by_name
def test_gradients_are_differences(case):
    for shapes in small(case):
        arrays = numbers(case, shapes)
        _, found = gradients(fastgrad, case.call, arrays)
        expected = numeric(lambda *a: value(case.call, *a), arrays)
        for g, e in zip(found, expected):
            np.testing.assert_allclose(g.numpy(), e, rtol=1e-5, atol=1e-7, err_msg=f"{case.name} {shapes}")


@by_name
def test_second_gradients_are_differences(case):
    for shapes in small(case)[:4] if case.twice else ():
        arrays = numbers(case, shapes)
        found = second_gradients(fastgrad, case.call, arrays)
        expected = numeric(lambda *a: slope(fastgrad, case.call, a)[1].item(), arrays)
        for g, e in zip(found, expected):
            np.testing.assert_allclose(g, e, rtol=1e-5, atol=2e-6, err_msg=f"{case.name} {shapes}")


def leaf_gradients(t, case, arrays, layouts):
    """The gradients of leaves of which the inputs are views."""
    pairs = [laid(t, array, layout, requires_grad=True) for array, layout in zip(arrays, layouts)]
    loss = weighted(t, case.call(t, *[view for _, view in pairs]).double())
    loss.backward()
    return [None if leaf.grad is None else leaf.grad.numpy() for leaf, _ in pairs]


@by_name
def test_gradients_equal_pytorch(case, torch):
    for k, shapes in enumerate(case.shapes):
        for dtype in (np.float64, np.float32):
            arrays = numbers(case, shapes, dtype, seed=k)
            for j, layout in enumerate(LAYOUTS):
                layouts = [layout] + [LAYOUTS[(j + k + i) % len(LAYOUTS)] for i in range(1, len(shapes))]
                what = f"{case.name} {shapes} {layouts}"
                expected = leaf_gradients(torch, case, arrays, layouts)
                for g, e in zip(leaf_gradients(fastgrad, case, arrays, layouts), expected):
                    assert (g is None) == (e is None), what
                    if e is not None:
                        assert_close(g, e, 32, np.abs(e).max(initial=0.1), what)


@by_name
def test_second_gradients_equal_pytorch(case, torch):
    for shapes in small(case):
        arrays = numbers(case, shapes)
        expected = second_gradients(torch, case.call, arrays)
        for g, e in zip(second_gradients(fastgrad, case.call, arrays), expected):
            assert_close(g, e, 1000, np.abs(e).max(initial=0.1), f"{case.name} {shapes}")


@by_name
def test_gradients_are_the_same_with_the_graph_recorded(case):
    """The derivative computes the same bits whether the tape runs along or not."""
    for shapes in small(case):
        arrays = numbers(case, shapes)
        _, plain = gradients(fastgrad, case.call, arrays)
        _, recorded = gradients(fastgrad, case.call, arrays, create_graph=True)
        for a, b in zip(plain, recorded):
            name = f"{case.name} {shapes}"
            if case.name.startswith(("std", "var")):  # the mean is a by-product of the forward, or is taken anew
                np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-14, err_msg=name)
            else:
                np.testing.assert_array_equal(a.numpy(), b.detach().numpy(), name)


@by_name
def test_node_is_named_as_in_pytorch(case, torch):
    names = []
    for t in (fastgrad, torch):
        arrays = numbers(case, case.shapes[-1], np.float32)
        names.append(case.call(t, *[t.from_numpy(a).requires_grad_() for a in arrays]).grad_fn.name())
    assert names[0].rpartition("::")[2] == names[1].rpartition("::")[2]


@by_name
def test_a_second_backward_fails_where_it_does_in_pytorch(case, torch):
    """Freeing the graph takes away what was saved; an operation that saved nothing can go back twice."""
    failed = []
    for t in (fastgrad, torch):
        leaves = [t.from_numpy(a).requires_grad_() for a in numbers(case, case.shapes[0])]
        out = case.call(t, *leaves)
        t.autograd.grad(out, leaves, t.ones_like(out), allow_unused=True)
        try:
            t.autograd.grad(out, leaves, t.ones_like(out), allow_unused=True)
            failed.append(False)
        except RuntimeError as error:
            assert "Trying to backward through the graph a second time" in str(error)
            failed.append(True)
    assert failed[0] == failed[1]
