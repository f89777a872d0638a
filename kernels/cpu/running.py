"""Running totals along the middle of (outer, n, inner): each place has the sum, product or log-sum-exp of those up to it.

Totals are kept in float64, as PyTorch keeps them, and rounded where they are written. A task is an outer.
"""

from __future__ import annotations

import math

from ..jit import at, helper, kernel


@helper
def add(a, b):
    return a + b


@helper
def multiply(a, b):
    return a * b


@helper
def add_exponents(a, b):
    """log(e**a + e**b)."""
    if a != a or b != b:
        return a + b
    most, least = max(a, b), min(a, b)
    if most == least and most - least != 0.0:  # two equal infinities
        return most
    return most + math.log1p(math.exp(least - most))


@helper
def run(combine, out, totals, x, n, inner, lo, hi):
    """`totals`: (outer, inner), the kernel's own."""
    for outer in range(lo, hi):
        row, made, own = at(x, outer * n * inner), at(out, outer * n * inner), at(totals, outer * inner)
        for c in range(inner):
            own[c] = row[c]
            made[c] = row[c]
        if inner == 1:
            total = own[0]
            for r in range(1, n):
                total = combine(total, row[r])
                made[r] = total
            continue
        for _row in range(1, n):
            row, made = at(row, inner), at(made, inner)
            for c in range(inner):
                own[c] = combine(own[c], row[c])
                made[c] = own[c]


@kernel("F* out, f64* totals, F* x, int n, int inner")
def cumsum(out, totals, x, n, inner, lo, hi):
    run(add, out, totals, x, n, inner, lo, hi)


@kernel("F* out, f64* totals, F* x, int n, int inner")
def cumprod(out, totals, x, n, inner, lo, hi):
    run(multiply, out, totals, x, n, inner, lo, hi)


@kernel("F* out, f64* totals, F* x, int n, int inner")
def logcumsumexp(out, totals, x, n, inner, lo, hi):
    run(add_exponents, out, totals, x, n, inner, lo, hi)
