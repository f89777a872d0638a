"""Reductions, running totals, and order."""

from tests.surface.samples import Family

reductions = Family("reductions")
COMMON = ("x", "c, 1", "c, -1, True", "c, dim=2, keepdim=True", "c, axis=1", "n, 1", "i, 0", "x, 5", "s")
for name in ("sum", "mean"):
    reductions.call(name, *COMMON, "c, (0, 2)", "c, axis=0, keepdims=True", "i, dtype=t.float32", "b", "e, 0",
        "x, (0, 0)", "c, (0,), True")
reductions.call("prod", *COMMON, "i", "b", "c, 1, dtype=t.float64", "x * b.float()", "x * b.float(), 1", "e, 0",
    "c, axis=0, keepdims=True")
for name in ("max", "min"):
    reductions.call(name, *COMMON, "ties", "ties, 1", "x, y", "i", "b", "e", "x, axis=0, keepdims=True")
for name in ("amax", "amin"):
    reductions.call(name, "x", "c, 1", "c, -1, True", "c, (0, 2)", "ties", "ties, 1", "i", "b", "n, 1", "e", "e, 1",
        "x, axis=0, keepdims=True")
reductions.call("aminmax", "x", "ties, dim=1", "c, dim=0, keepdim=True", "i", "n", "e")
for name in ("argmax", "argmin"):
    reductions.call(name, "x", "c, 1", "c, -1, True", "ties", "i, 0", "n", "e", "b", "x, axis=1, keepdims=True")
for name in ("var", "std"):
    reductions.call(name, *COMMON, "c, (0, 2)", "x, unbiased=False", "c, 1, False", "c, 1, correction=0",
        "c, dim=1, correction=2",
                    "c, (0, 1), True, True", "e", "i", "x[:, :1], 1", "x, axis=0, keepdims=True")  # fmt: skip
for name in ("var_mean", "std_mean"):
    reductions.call(name, "x", "c, 1", "c, (0, 2), keepdim=True", "c, 1, correction=0", "x, False")
reductions.call("norm", "x", "x, 1", "x, float('inf')", "x, 2, 1", "c, 3, (0, 2)", "x, 0", "x, float('-inf'), 1",
    "x, p='fro'", "x - x",
                "x, 2, 1, True", "i", "x, dim=1", "q, 'nuc'", "x - x, 1", "x, 2.5", "x, 'abc'")  # fmt: skip
for name in ("all", "any"):
    reductions.call(name, "b", "x", "b, 1", "b, dim=0, keepdim=True", "a", "e", "c > 0, (0, 1)", "n, 1",
        "b, axis=1, keepdims=True")
reductions.call("logsumexp", "x, 1", "c, (0, 2)", "c, -1, True", "n, 1", "i, 0", "x", "c, dim=0, keepdim=True")
reductions.call("median", "x", "ties", "c, 1", "c, -1, True", "n", "n, 1", "i", "e", "i, 1")
reductions.call("nanmedian", "x", "n", "n, 1", "i, 1")
reductions.call("quantile", "x, 0.3", "x, t.tensor([0.25, 0.5]), 1", "x, 0.5, dim=0, keepdim=True",
    "x, 0.4, interpolation='nearest'",
                "x, 0.4, interpolation='lower'", "x, 0.4, interpolation='higher'", "x, 0.4, interpolation='midpoint'",
                    "n, 0.5", "i, 0.5",
                "x, 1.5")  # fmt: skip
reductions.call("nanquantile", "n, 0.5", "x, 0.5, 1")
reductions.call("kthvalue", "x, 2", "c, 2, 1", "c, 1, dim=0, keepdim=True", "x, 9")
reductions.call("count_nonzero", "x", "b, 1", "n", "i", "c, (0, 1)")
reductions.call("dist", "x, y", "x, y, 1")
reductions.call("trace", "q", "i", "c")

for name in ("nansum", "nanmean"):
    reductions.call(name, "n", "x", "n, 1", "c, (0, 2), keepdim=True", "n, dim=0, dtype=t.float64", "i", "x, 3", "n, axis=1")

running = Family("running totals and order")
for name in ("cumsum", "cumprod"):
    running.call(name, "x, 1", "c, dim=0", "i, 1", "b, 0", "s, 0", "x, 1, dtype=t.float64", "n, 1", "x", "x, 3",
        "x * b.float(), 1", "x, axis=0")
running.call("logcumsumexp", "x, 1", "c, 0", "n, 1", "i, 0")
running.show("logcumsumexp over wide ranges", "t.logcumsumexp(t.cat([x, x + 50, x * 2], 1), 1)")
running.call("topk", "x, 2", "c, 1, 1", "x, 2, largest=False", "x, 4", "i, 2, 1", "c, 2, dim=0, sorted=True", "n, 2")
running.call("sort", "x", "ties, 1", "c, 0", "x, descending=True", "i, 1, True", "n",
    "x, 1, stable=True" if False else "x, stable=True", "s")
running.call("argsort", "x", "c, 0", "x, descending=True", "i, 1", "s", "ties, stable=True")
running.call("msort", "x", "i")
running.call("unique", "i", "ties", "h, return_counts=True", "h, return_inverse=True, return_counts=True", "g, dim=0",
    "h, sorted=True", "n[1:]")
running.call("bincount", "r", "r, p[0]", "r, minlength=5", "i.view(-1)", "x", "g")
running.call("histc", "x", "x, 4", "x, bins=5, min=-1, max=1", "i, 3", "x - x, 3")

FAMILIES = [reductions, running]
