"""Running totals along the middle of (outer, n, inner): each place has the sum, product or log-sum-exp of those up to it, or
(`back`) from it on.

Totals are kept in float64, as PyTorch keeps them, and rounded where they are written. A task is an outer, or, where inner is
1, eight of them side by side.
"""

from __future__ import annotations

from ..jit import at, helper, kernel
from ..math import INFINITY, exp, formula, lit, log1p, maximum, minimum, select


@formula
def add(a, b):
    return a + b


@formula
def multiply(a, b):
    return a * b


@formula
def add_exponents(a, b):
    """log(e**a + e**b)."""
    most, least = maximum(a, b), minimum(a, b)
    apart = select(abs(least) == INFINITY, select(least == most, 0.0, least - most), least - most)
    return most + log1p(exp(apart))


@helper
def run(combine, out, totals, x, outer, n, inner, back, lo, hi):
    """`totals`: as many as `outer * inner`, and 8 more; the kernel's own."""
    start, step = ((n - 1) * inner, -inner) if back else (0, inner)
    for task in range(lo, hi):
        if inner == 1:
            first, own = task * 8, at(totals, task * 8)
            rows = min(8, outer - first)
            given, made = at(x, first * n + start), at(out, first * n + start)
            for c in range(rows):
                own[c] = lit(given[c * n], own)
                made[c * n] = given[c * n]
            if rows == 8:
                for _place in range(1, n):
                    given, made = at(given, step), at(made, step)
                    for c in range(8):
                        own[c] = combine(own[c], lit(given[c * n], own))
                        made[c * n] = lit(own[c], out)
            else:
                for c in range(rows):
                    row, to, total = at(given, c * n), at(made, c * n), own[c]
                    for place in range(1, n):
                        total = combine(total, lit(row[place * step], own))
                        to[place * step] = lit(total, out)
            continue
        given, made = at(x, task * n * inner + start), at(out, task * n * inner + start)
        own = at(totals, task * inner)
        for c in range(inner):
            own[c] = lit(given[c], own)
            made[c] = given[c]
        for _place in range(1, n):
            given, made = at(given, step), at(made, step)
            for c in range(inner):
                own[c] = combine(own[c], lit(given[c], own))
                made[c] = lit(own[c], out)


@kernel("F* out, f64* totals, F* x, int outer, int n, int inner, int back")
def cumsum(out, totals, x, outer, n, inner, back, lo, hi):
    run(add, out, totals, x, outer, n, inner, back, lo, hi)


@kernel("F* out, f64* totals, F* x, int outer, int n, int inner, int back")
def cumprod(out, totals, x, outer, n, inner, back, lo, hi):
    run(multiply, out, totals, x, outer, n, inner, back, lo, hi)


@kernel("F* out, f64* totals, F* x, int outer, int n, int inner, int back")
def logcumsumexp(out, totals, x, outer, n, inner, back, lo, hi):
    run(add_exponents, out, totals, x, outer, n, inner, back, lo, hi)
