"""Euclidean distance and cosine of the rows of two tensors (rows, n), forward and backward; tasks are rows."""

from __future__ import annotations

from ..jit import at, kernel
from ..lanes import dot_lanes, spread_lanes, sum_lanes
from ..math import lit, sqrt
from ..pointers import load, store
from ..stack import buffer


@kernel("F* out, F* a, F* b, int n, F eps")
def distance(out, a, b, n, eps, lo, hi):
    """|a - b + eps|"""
    terms = buffer(a, 256)
    for row in range(lo, hi):
        total = lit(0.0, a)
        for first in range(0, n, 256):
            size = min(256, n - first)
            p, q = at(a, row * n + first), at(b, row * n + first)
            for j in range(size):
                d = load(p, j) - load(q, j) + eps
                terms[j] = d * d
            total += sum_lanes(terms, size)
        out[row] = sqrt(total)


@kernel("F* gradient, F* a, F* b, F* y, F* gy, int n, F eps")
def distance_backward(gradient, a, b, y, gy, n, eps, lo, hi):
    """Along a: gy (a - b + eps) / y, and 0 where the distance y is 0. Along b it is the negative."""
    for row in range(lo, hi):
        p, q, made = at(a, row * n), at(b, row * n), at(gradient, row * n)
        scale = lit(0.0, a) if y[row] == lit(0.0, a) else gy[row] / y[row]
        for j in range(n):
            store(made, j, (load(p, j) - load(q, j) + eps) * scale)


@kernel("F* out, F* factors, F* a, F* b, int n, int inside, F eps")
def cosine(out, factors, a, b, n, inside, eps, lo, hi):
    """a . b / (|a| |b|): norms not below eps, or (`inside`) roots of squares plus eps. Of the factors (rows, 3) backward
    makes the gradients: out = f0 a . b, and its slope along a is f0 b - f1 a, along b f0 a - f2 b."""
    zero, one = lit(0.0, a), lit(1.0, a)
    for row in range(lo, hi):
        p, q = at(a, row * n), at(b, row * n)
        product, first, second = dot_lanes(p, q, n, zero), spread_lanes(p, n, zero), spread_lanes(q, n, zero)
        if inside:
            first += eps
            second += eps
            share = one / sqrt(first * second)
            value = product * share
            steep_a, steep_b = value / first, value / second
        else:
            length_a, length_b = sqrt(first), sqrt(second)
            held_a, held_b = max(length_a, eps), max(length_b, eps)
            share = one / (held_a * held_b)
            value = product * share
            steep_a = zero if length_a == zero else value / (held_a * length_a)
            steep_b = zero if length_b == zero else value / (held_b * length_b)
        out[row] = value
        factors[3 * row] = share
        factors[3 * row + 1] = steep_a
        factors[3 * row + 2] = steep_b


@kernel("F* gradient, F* a, F* b, F* factors, F* gy, int n, int which")
def cosine_backward(gradient, a, b, factors, gy, n, which, lo, hi):
    """Along a: gy (f0 b - f1 a); `which` is 1, or 2 where a and b have changed places."""
    for row in range(lo, hi):
        p, q, made = at(a, row * n), at(b, row * n), at(gradient, row * n)
        across, along = gy[row] * factors[3 * row], gy[row] * factors[3 * row + which]
        for j in range(n):
            store(made, j, across * load(q, j) - along * load(p, j))
