"""Rows of reductions beyond sums and extremes, of running totals, and of elements moved and put."""

import numpy as np

from tests.ops.case import CUBE, MATRIX, Family

FULL = tuple(s for s in MATRIX + CUBE if 0 not in s[0])
SQUARE = (((1, 1),), ((3, 3),), ((2, 4, 4),), ((2, 0, 3),))
moments = Family({"mixes": True})
moments("prod", lambda t, x: x.prod(), np.prod, low=0.5, high=1.5)
moments("prod over 0", lambda t, x: x.prod(0), lambda x: x.prod(0), low=0.5, high=1.5, shapes=MATRIX)
moments("prod keepdim", lambda t, x: t.prod(x, 1, True), lambda x: x.prod(1, keepdims=True), low=0.5, high=1.5, shapes=CUBE)
moments("prod with a zero", lambda t, x: (x * t.tensor([0.0, 1.0, 2.0]).to(x.dtype)).prod(1),
        lambda x: (x * np.array([0, 1, 2], x.dtype)).prod(1), shapes=(((2, 3),), ((4, 3),)), special=False)  # fmt: skip
for name in ("amax", "amin"):
    moments(name, lambda t, x, n=name: getattr(t, n)(x), lambda x, n=name: getattr(np, n)(x), shapes=FULL)
    moments(f"{name} over some", lambda t, x, n=name: getattr(x, n)((0, -1)), lambda x, n=name: getattr(np, n)(x, (0, -1)),
            shapes=FULL)  # fmt: skip
moments("logsumexp", lambda t, x: t.logsumexp(x, -1), lambda x: np.logaddexp.reduce(x, -1), shapes=FULL)
moments("logsumexp over some", lambda t, x: x.logsumexp((0, 2), True),
        lambda x: np.log(np.exp(x).sum((0, 2), keepdims=True)), shapes=CUBE[:3])  # fmt: skip
moments("cumsum", lambda t, x: x.cumsum(0), lambda x: x.cumsum(0), shapes=MATRIX + CUBE)
moments("cumsum over -1", lambda t, x: t.cumsum(x, -1), lambda x: x.cumsum(-1), shapes=MATRIX + CUBE)
moments("cumprod", lambda t, x: x.cumprod(0), lambda x: x.cumprod(0), low=0.5, high=1.5, shapes=MATRIX + CUBE)
moments("logcumsumexp", lambda t, x: x.logcumsumexp(0), lambda x: np.logaddexp.accumulate(x, 0), shapes=MATRIX[:3],
        special=False)  # fmt: skip
moments("var", lambda t, x: x.var(correction=0), np.var, shapes=FULL)
moments("var keepdim", lambda t, x: x.var(-1, correction=0, keepdim=True), lambda x: x.var(-1, keepdims=True), shapes=FULL)
moments("std over some", lambda t, x: t.std(x, (0, 2)), lambda x: x.std((0, 2), ddof=1), shapes=(((2, 3, 4),), ((3, 1, 2),)))
for p in (1, 1.5, 2, 3):
    moments(f"norm {p}", lambda t, x, p=p: t.norm(x, p), lambda x, p=p: (np.abs(x) ** p).sum() ** (1 / p), shapes=FULL,
            special=p in (1, 2))  # fmt: skip
moments("norm over 1", lambda t, x: x.norm(2, 1), lambda x: np.sqrt((x * x).sum(1)), shapes=FULL)
moments("norm inf", lambda t, x: x.norm(float("inf"), 0), lambda x: np.abs(x).max(0), shapes=FULL)

moved = Family({"mixes": False})
moved("flip", lambda t, x: x.flip(0), lambda x: np.flip(x, 0), shapes=MATRIX + CUBE)
moved("roll", lambda t, x: t.roll(x, (1, -1), (0, 1)), lambda x: np.roll(x, (1, -1), (0, 1)), shapes=MATRIX)
moved("tril", lambda t, x: x.tril(), np.tril, shapes=SQUARE)
moved("triu", lambda t, x: t.triu(x, 1), lambda x: np.triu(x, 1), shapes=SQUARE)
moved("sort", lambda t, x: x.sort(0).values, lambda x: np.sort(x, 0), shapes=MATRIX + CUBE)
moved("sort descending", lambda t, x: t.sort(x, descending=True)[0], lambda x: -np.sort(-x), shapes=FULL)
moved("masked_fill", lambda t, x: x.masked_fill(x > 0, 0.5), lambda x: np.where(x > 0, x.dtype.type(0.5), x))
moved("scatter a number", lambda t, x: x.scatter(0, t.zeros(*x.shape, dtype=t.int64)[:1], 2.5),
      lambda x: np.concatenate([np.full_like(x[:1], 2.5), x[1:]]), shapes=FULL)  # fmt: skip
moved("scatter_add", lambda t, x: x.scatter_add(0, t.zeros(*x.shape, dtype=t.int64), x * 2),
      lambda x: np.concatenate([x[:1] + 2 * x.sum(0, keepdims=True), x[1:]]),
      shapes=FULL, mixes=True, special=False)  # fmt: skip
moved("index_add", lambda t, x: x.index_add(0, t.zeros(x.shape[0], dtype=t.int64), x, alpha=0.5),
      lambda x: np.concatenate([x[:1] + x.dtype.type(0.5) * x.sum(0, keepdims=True), x[1:]]),
      shapes=FULL, mixes=True, special=False)  # fmt: skip
