"""The table of operation cases: one row an operation, which drives `test_values.py` and `test_gradients.py`.

A row says what to call, on inputs of which shapes and from which numbers. `call(t, *inputs)` must run under fastgrad and
under PyTorch (`t` is the library); `numpy(*arrays)` is the same in NumPy, by default `call(numpy, *arrays)`. A call that
takes attributes is a row for each that matters. To cover a new operation, add its row; nothing else.
"""

from typing import Any

import numpy as np

from tests.ops.case import BOUNDS, CUBE, MATRIX, ONE, TWO, Family
from tests.ops.cases_math import mathematics
from tests.ops.cases_reduce import moments, moved

unary = Family({})
unary("neg", lambda t, x: -x)
unary("exp", lambda t, x: t.exp(x))
unary("log", lambda t, x: t.log(x), low=0.05)
unary("sqrt", lambda t, x: t.sqrt(x), low=0.05)
unary("reciprocal", lambda t, x: t.reciprocal(x))
unary("abs", lambda t, x: abs(x))
unary("sign", lambda t, x: t.sign(x), lambda x: np.where(np.isnan(x), 0, np.sign(x)))
unary("add a number", lambda t, x: x + 1.5)
unary("number minus", lambda t, x: 2 - x)
unary("minus a number", lambda t, x: x - 0.7)
unary("times a number", lambda t, x: 2.5 * x)
unary("divided by a number", lambda t, x: x / 0.3)
unary("number divided by", lambda t, x: 2 / x)
unary("square", lambda t, x: t.square(x))
unary("pow 2", lambda t, x: x**2)
unary("pow 3", lambda t, x: x**3)
unary("pow 0", lambda t, x: x**0)
unary("pow 1", lambda t, x: x**1)
unary("pow -1", lambda t, x: x**-1)
unary("pow 0.5", lambda t, x: x**0.5, low=0.05, special=False)  # PyTorch's own pow(-inf, 0.5) is its sqrt's NaN
unary("pow 1.7", lambda t, x: x**1.7, low=0.05)
unary("number pow", lambda t, x: 1.3**x)
unary("0 pow", lambda t, x: 0**x, lambda x: np.power(0.0, x).astype(x.dtype), low=0.05, twice=False)
unary("clamp", lambda t, x: x.clamp(-1, 1.25), lambda x: np.clip(x, -1, 1.25))
unary("clamp below", lambda t, x: x.clamp(min=0.5), lambda x: np.maximum(x, x.dtype.type(0.5)))
unary("clamp above", lambda t, x: t.clamp(x, max=0.5), lambda x: np.minimum(x, x.dtype.type(0.5)))
unary("clamp crossed", lambda t, x: x.clamp(1, -1), lambda x: np.where(np.isnan(x), x, -1).astype(x.dtype))
unary("clamp_min", lambda t, x: x.clamp_min(0.5), lambda x: np.maximum(x, x.dtype.type(0.5)))
unary("clamp_max", lambda t, x: x.clamp_max(0.5), lambda x: np.minimum(x, x.dtype.type(0.5)))
unary("where a number", lambda t, x: t.where(x > 0, x, 0.5), lambda x: np.where(x > 0, x, x.dtype.type(0.5)))
unary("remainder of a number", lambda t, x: x % 0.7, lambda x: x % x.dtype.type(0.7), ulp=8)
unary("floor division", lambda t, x: x // 0.7, lambda x: x // x.dtype.type(0.7), grad=False)
unary("to float64", lambda t, x: x.double(), lambda x: x.astype(np.float64))
unary("clone", lambda t, x: x.clone(), np.copy)
unary("isnan", lambda t, x: t.isnan(x), grad=False)
unary("isinf", lambda t, x: t.isinf(x), grad=False)
unary("isfinite", lambda t, x: t.isfinite(x), grad=False)
unary("logical_not", lambda t, x: t.logical_not(x), grad=False)
unary("argmax", lambda t, x: x.argmax(), shapes=tuple(s for s in ONE if 0 not in s[0]), grad=False)
unary("argmin", lambda t, x: x.argmin(), shapes=tuple(s for s in ONE if 0 not in s[0]), grad=False)
unary("all", lambda t, x: (x > 0).all(), grad=False)
unary("any", lambda t, x: (x > 2).any(), grad=False)
unary("unique", lambda t, x: x.unique(), lambda x: np.unique(x, equal_nan=False), grad=False)

binary = Family({"shapes": TWO})
binary("add", lambda t, a, b: a + b)
binary("sub", lambda t, a, b: a - b)
binary("mul", lambda t, a, b: a * b)
binary("div", lambda t, a, b: a / b, gap=0.1)
binary("add scaled", lambda t, a, b: t.add(a, b, alpha=0.7), lambda a, b: a + a.dtype.type(0.7) * b, mixes=True)
binary("sub scaled", lambda t, a, b: t.sub(a, b, alpha=0.7), lambda a, b: a - a.dtype.type(0.7) * b, mixes=True)
binary("pow", lambda t, a, b: a**b, low=0.05)
binary("maximum", lambda t, a, b: t.maximum(a, b))
binary("minimum", lambda t, a, b: t.minimum(a, b))
binary("clamp below tensors", lambda t, a, b: t.clamp(a, min=b), np.maximum)
binary("clamp above tensors", lambda t, a, b: t.clamp(a, max=b), np.minimum)
binary("where", lambda t, a, b: t.where(a > 0, a, b))
binary("div trunc", lambda t, a, b: t.div(a, b, rounding_mode="trunc"), lambda a, b: np.trunc(a / b))
binary("div floor", lambda t, a, b: t.div(a, b, rounding_mode="floor"), np.floor_divide)
binary("remainder", lambda t, a, b: a % b, gap=0.3, ulp=8)
for symbol in ("eq", "ne", "lt", "le", "gt", "ge"):
    plain = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater}
    binary(symbol, lambda t, a, b, s=symbol: getattr(t, s)(a, b), plain.get(symbol, np.greater_equal), grad=False)
binary("clamp between", lambda t, x, a, b: t.clamp(x, a, b), lambda x, a, b: np.minimum(np.maximum(x, a), b), shapes=BOUNDS)

reduction = Family({"mixes": True})
reduction("sum", lambda t, x: x.sum())
reduction("sum over 0", lambda t, x: x.sum(0), shapes=MATRIX)
reduction("sum over -1", lambda t, x: t.sum(x, -1), shapes=MATRIX)
reduction("sum over some", lambda t, x: x.sum((0, 2)), shapes=CUBE)
reduction("sum keepdim", lambda t, x: x.sum(1, keepdim=True), lambda x: x.sum(1, keepdims=True), shapes=CUBE)
reduction("sum in float64", lambda t, x: x.sum(0, dtype=t.float64), shapes=MATRIX)
reduction("mean", lambda t, x: x.mean(), shapes=tuple(s for s in ONE if 0 not in s[0]))
reduction("mean over 0", lambda t, x: x.mean(0), shapes=MATRIX)
reduction("mean over some", lambda t, x: t.mean(x, (0, -1)), lambda x: x.mean((0, -1)), shapes=CUBE)
reduction("mean keepdim", lambda t, x: x.mean(0, keepdim=True), lambda x: x.mean(0, keepdims=True), shapes=MATRIX)
FULL = tuple(s for s in MATRIX + CUBE if 0 not in s[0])
for extreme in ("max", "min"):
    reduction(extreme, lambda t, x, e=extreme: getattr(t, e)(x), shapes=FULL)
    reduction(f"{extreme} over 0", lambda t, x, e=extreme: getattr(x, e)(0)[0],
              lambda x, e=extreme: getattr(x, e)(0), shapes=FULL)  # fmt: skip
    reduction(f"{extreme} keepdim", lambda t, x, e=extreme: getattr(x, e)(dim=-1, keepdim=True).values,
              lambda x, e=extreme: getattr(x, e)(-1, keepdims=True), shapes=FULL)  # fmt: skip
    reduction(f"arg{extreme} over -1", lambda t, x, e=extreme: getattr(x, f"arg{e}")(-1), shapes=FULL, grad=False)

layout = Family({})
layout("view", lambda t, x: (x + 0).reshape(-1), lambda x: x.reshape(-1))
layout("reshape of a transpose", lambda t, x: x.t().reshape(-1), lambda x: x.T.reshape(-1), shapes=MATRIX)
layout("flatten", lambda t, x: x.flatten(1), lambda x: x.reshape(len(x), int(np.prod(x.shape[1:]))), shapes=CUBE)
layout("t", lambda t, x: x.t(), lambda x: x.T, shapes=MATRIX)
layout("T", lambda t, x: x.T, shapes=MATRIX)
layout("mT", lambda t, x: x.mT, shapes=CUBE)
layout("transpose", lambda t, x: x.transpose(0, -1), lambda x: x.swapaxes(0, -1), shapes=CUBE)
layout("permute", lambda t, x: x.permute(2, 0, 1), lambda x: x.transpose(2, 0, 1), shapes=CUBE)
layout("unsqueeze", lambda t, x: x.unsqueeze(0), lambda x: x[None])
layout("squeeze", lambda t, x: x.squeeze())
layout("squeeze 0", lambda t, x: x[None].squeeze(0), lambda x: x)
layout("expand", lambda t, x: x.expand(4, *x.shape), lambda x: np.broadcast_to(x, (4, *x.shape)))
layout("contiguous", lambda t, x: x.t().contiguous(), lambda x: x.T, shapes=MATRIX)
layout("cat", lambda t, x: t.cat([x, x * 2, x]), lambda x: np.concatenate([x, x * 2, x]), shapes=MATRIX)
layout("cat along -1", lambda t, x: t.cat([x, x[..., :1]], -1), lambda x: np.concatenate([x, x[..., :1]], -1), shapes=CUBE)
layout("stack", lambda t, x: t.stack([x, x + 1]))
layout("stack along 1", lambda t, x: t.stack([x, x], dim=1), lambda x: np.stack([x, x], 1), shapes=MATRIX)
layout("select", lambda t, x: x[-1], shapes=FULL)
layout("slice", lambda t, x: x[1:, ::2], shapes=MATRIX)
layout("slice of slices", lambda t, x: x[:, 1:][:, None, ..., 0], shapes=CUBE[:2])
layout("narrow", lambda t, x: x.narrow(1, 0, 2), lambda x: x[:, :2], shapes=CUBE[:2])
layout("rows by a list", lambda t, x: x[[0, -1, 0]], shapes=FULL)
layout("elements by two lists", lambda t, x: x[[0, -1], [0, 0]], shapes=FULL)
layout("lists around a slice", lambda t, x: x[[0, -1], :, [0, 0]], shapes=tuple(s for s in CUBE if 0 not in s[0]))
layout("mask", lambda t, x: x[x > 0])
layout("index_select", lambda t, x: x.index_select(1, (t.tensor if t is not np else np.array)([0, 0])),
       lambda x: x[:, [0, 0]], shapes=FULL)  # fmt: skip
layout("gather", lambda t, x: x.gather(0, t.tensor([[0] * x.shape[1]])), lambda x: x[:1],
       shapes=tuple(s for s in MATRIX if 0 not in s[0]))  # fmt: skip
layout("write a part", lambda t, x: _written(x * 1, (slice(None), 0), x[:, 1] * 2),
       lambda x: _written(x.copy(), (slice(None), 0), x[:, 1] * 2), shapes=CUBE[:2])  # fmt: skip
layout("write a mask", lambda t, x: _written(x * 1, x > 0, 0.5), lambda x: _written(x.copy(), x > 0, 0.5))

product = Family({"mixes": True})
PAIRS = {
    "mm": (((2, 3), (3, 4)), ((1, 1), (1, 1)), ((5, 0), (0, 3)), ((0, 3), (3, 2)), ((33, 17), (17, 65))),
    "mv": (((2, 3), (3,)), ((0, 3), (3,)), ((4, 1), (1,))),
    "vm": (((3,), (3, 4)),),
    "dot": (((3,), (3,)), ((0,), (0,)), ((65,), (65,))),
    "bmm": (((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (1, 4, 5)), ((3, 1, 2, 2), (2, 2, 3)), ((2, 0, 3), (2, 3, 1))),
    "rows": (((2, 3, 4), (4, 5)), ((2, 3, 4), (4,)), ((2, 0, 4), (4, 5))),
}
for kind, shapes in PAIRS.items():
    product(f"matmul {kind}", lambda t, a, b: a @ b, shapes=shapes)
product("outer", lambda t, a, b: t.outer(a, b), shapes=(((3,), (4,)), ((1,), (0,))), mixes=False)
THREE = (((4,), (2, 3), (3, 4)), ((2, 4), (2, 3), (3, 4)), ((2, 1), (2, 5), (5, 3)), ((1,), (1, 0), (0, 2)))
product("addmm", lambda t, x, a, b: t.addmm(x, a, b), lambda x, a, b: x + a @ b, shapes=THREE)
product("addmm scaled", lambda t, x, a, b: t.addmm(x, a, b, beta=0.5, alpha=2),
        lambda x, a, b: x.dtype.type(0.5) * x + 2 * (a @ b), shapes=THREE)  # fmt: skip
product("linear", lambda t, x, w, b: t.nn.functional.linear(x, w, b), lambda x, w, b: x @ w.T + b,
        shapes=(((2, 3), (4, 3), (4,)), ((3,), (2, 3), (2,)), ((2, 2, 3), (1, 3), (1,)),
                ((0, 3), (2, 3), (2,))))  # fmt: skip
product("linear without bias", lambda t, x, w: t.nn.functional.linear(x, w), lambda x, w: x @ w.T,
        shapes=(((2, 3), (4, 3)), ((2, 2, 3), (1, 3)), ((2, 3), (3,))))  # fmt: skip


def _written(x: Any, index: Any, value: Any) -> Any:
    x[index] = value
    return x


FAMILIES = (unary, binary, reduction, layout, product, mathematics, moments, moved)
CASES = [row for family in FAMILIES for row in family.rows]
