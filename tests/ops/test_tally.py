"""Counts, questions, totals and extremes of integers and bools, against PyTorch, with ties and over any dimensions."""

import numpy as np
import pytest

import fastgrad
from tests.ops.test_integers import dtypes, layouts, numbers, same

DIMS = (None, 0, 1, -1, (0, 1), (0, 2), ())


def cube(dtype, shape=(3, 5, 4), seed=0):
    made = numbers(dtype, shape, seed)
    if dtype.startswith("float"):
        made.reshape(-1)[::3] = 0
        made.reshape(-1)[1::7] = np.nan
    return made


def pair(t, made):
    """Values and places as one tensor."""
    return t.stack([made.values.long(), made.indices])


@pytest.mark.parametrize("dtype", dtypes())
@pytest.mark.parametrize("name", ["any", "all", "count_nonzero"])
def test_questions_and_counts(torch, name, dtype):
    for values in (cube(dtype), np.ones((3, 5, 4), dtype), np.zeros((3, 5, 4), dtype), cube(dtype)[:, :0]):
        for dim in DIMS:
            if dim == () and name != "count_nonzero":
                continue
            same(torch, lambda t, x, dim=dim: getattr(t, name)(x) if dim is None else getattr(t, name)(x, dim),
                 lambda t, values=values: t.from_numpy(values.copy()))  # fmt: skip
    for make in layouts(cube(dtype, (6, 11))):
        same(torch, lambda t, x: getattr(t, name)(x), make)
    if name != "count_nonzero":
        same(torch, lambda t, x: getattr(t, name)(x, 1, True), lambda t: t.from_numpy(cube(dtype)))


@pytest.mark.parametrize("dtype", dtypes("float32", "float64"))
@pytest.mark.parametrize("name", ["sum", "amax", "amin"])
def test_folds(torch, name, dtype):
    for dim in DIMS:
        for keepdim in (False, True):
            same(torch, lambda t, x, dim=dim, keepdim=keepdim: getattr(t, name)(x, () if dim is None else dim, keepdim),
                 lambda t: t.from_numpy(cube(dtype)))  # fmt: skip
    for make in layouts(cube(dtype, (6, 11))):
        same(torch, lambda t, x: getattr(t, name)(x, 0), make)
    same(torch, lambda t, x: t.sum(x, 0, dtype=t.int32), lambda t: t.from_numpy(cube(dtype)))


@pytest.mark.parametrize("dtype", dtypes("float32", "float64"))
@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes(torch, name, dtype):
    def values(t):
        return t.from_numpy(cube(dtype))

    same(torch, lambda t, x: getattr(t, name)(x), values)
    for dim in (0, 1, 2, -1):
        same(torch, lambda t, x, dim=dim: getattr(t, name)(x, dim).values, values)
        same(torch, lambda t, x, dim=dim: getattr(t, name)(x, dim, True).values, values)
        same(torch, lambda t, x, dim=dim: t.take_along_dim(x, getattr(t, name)(x, dim, True).indices, dim), values)
        if dtype != "bool":
            same(torch, lambda t, x, dim=dim: t.take_along_dim(x, getattr(t, f"arg{name}")(x, dim, True), dim), values)
    if dtype != "bool":
        same(torch, lambda t, x: getattr(t, f"arg{name}")(x[0, :1] * 0), values)
        same(torch, lambda t, x: x.reshape(-1)[getattr(t, f"arg{name}")(x)], values)
    places = getattr(fastgrad, name)(fastgrad.tensor([[3, 3, 1], [1, 3, 1]]), 1).indices.tolist()
    assert places == ([0, 1] if name == "max" else [2, 0])


@pytest.mark.parametrize("dtype", dtypes("float32", "float64"))
def test_long_ones(torch, dtype):
    """More than one task, and more than one block of each run and column."""
    values = numbers(dtype, (1000, 70))
    for name in ("sum", "any", "all", "count_nonzero", "amax", "amin"):
        for dim in ((), 0, 1) if name not in ("any", "all") else (0, 1):
            same(torch, lambda t, x, name=name, dim=dim: getattr(t, name)(x, dim), lambda t: t.from_numpy(values.copy()))
        if name in ("any", "all"):
            same(torch, lambda t, x, name=name: getattr(t, name)(x), lambda t: t.from_numpy(values.copy()))


@pytest.mark.parametrize("dtype", dtypes())
def test_equal(torch, dtype):
    for shape in ((6, 11), (300, 200), (0, 3)):
        values = numbers(dtype, shape)
        others = [values]
        for place in (0, values.size // 2, values.size - 1):
            if values.size:
                other = values.copy()
                before = other.reshape(-1)[place]
                other.reshape(-1)[place] = not before if dtype == "bool" else before // 2 + 3
                others.append(other)
        for other in others:
            wanted = torch.equal(torch.from_numpy(values), torch.from_numpy(other))
            ours = fastgrad.tensor(values), fastgrad.tensor(other)
            assert fastgrad.equal(*ours) is wanted
            assert fastgrad.equal(ours[0].t(), ours[1].t()) is wanted
            assert fastgrad.equal(ours[0].t().contiguous(), ours[1].t()) is wanted
            assert fastgrad.equal(ours[0], ours[1].double()) is wanted or dtype == "int64"
    assert not fastgrad.equal(fastgrad.tensor([1.0]), fastgrad.tensor([[1.0]]))
    nan = fastgrad.tensor([float("nan"), 1.0])
    assert not fastgrad.equal(nan, nan)
