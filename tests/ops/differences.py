"""Gradients by central differences, in float64: the oracle that needs no other library."""

import numpy as np

import fastgrad

STEP = 1e-5


def weights(out, seed=1):
    """Fixed random weights of the shape of `out`: with them every gradient of an operation becomes one of a number."""
    return np.random.default_rng(seed).uniform(0.5, 1.5, tuple(out.shape))


def weighted(t, out):
    return (out * t.from_numpy(np.asarray(weights(out)))).sum()


def numeric(function, arrays):
    """The gradients of a number, `function(*arrays)`, in each element of each array."""
    gradients = []
    for array in arrays:
        gradient = np.zeros(array.shape)
        for place in np.ndindex(*array.shape):
            kept = array[place]
            sides = []
            for step in (STEP, -STEP):
                array[place] = kept + step
                sides.append(function(*arrays))
            array[place] = kept
            gradient[place] = (sides[0] - sides[1]) / (2 * STEP)
        gradients.append(gradient)
    return gradients


def gradients(t, call, arrays, create_graph=False):
    """(leaves, gradients) of the weighted sum of `call(t, *leaves)`, zeros where a leaf has no part in it."""
    leaves = [t.from_numpy(array.copy()).requires_grad_() for array in arrays]
    loss = weighted(t, call(t, *leaves))
    found = t.autograd.grad(loss, leaves, create_graph=create_graph, allow_unused=True)
    return leaves, [t.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found)]


def value(call, *arrays):
    """The weighted sum as a number."""
    with fastgrad.no_grad():
        return weighted(fastgrad, call(fastgrad, *map(fastgrad.from_numpy, arrays))).item()


def slope(t, call, arrays):
    """The weighted sum of all first gradients, as a tensor that can be differentiated again, and the leaves."""
    leaves, first = gradients(t, call, arrays, create_graph=True)
    total = t.zeros((), dtype=t.float64)
    for g in first:
        total = total + weighted(t, g)
    return leaves, total


def second_gradients(t, call, arrays):
    """The gradients of `slope`; zeros where it does not depend on a leaf."""
    leaves, total = slope(t, call, arrays)
    if not total.requires_grad:
        return [np.zeros(array.shape) for array in arrays]
    found = t.autograd.grad(total, leaves, allow_unused=True)
    return [np.zeros(a.shape) if g is None else (g.detach() + 0).numpy() for a, g in zip(arrays, found)]
