"""Fits the polynomials and rational functions of `kernels/math/tables.py` and prints them.

`python benchmarks/candidates/fit_polynomials.py [exp log erf normal gelu angles]` needs mpmath and takes minutes.
A fit is a linear least-squares problem, repeated with weights that push the largest errors down until they
are nearly equal (Lawson), and with the last denominator divided out (Sanathanan and Koerner). The weight
makes the error that of the finished function. The coefficients are then rounded to the float type; the
error printed is the one after rounding.
"""

import argparse
import textwrap
from collections.abc import Callable

import mpmath as mp
import numpy as np

mp.mp.prec = 200
Real = Callable[[mp.mpf], mp.mpf]


def fit(f: Real, weight: Real, low, high, upper: int, lower: int = 0) -> list[list]:
    """[p, q] of these degrees, lowest coefficient first, q[0] = 1, with small max |weight (f - p / q)|."""
    count = 8 * (upper + lower + 2)
    middle, radius = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
    xs = [middle - radius * mp.cos(mp.pi * (i + mp.mpf(1) / 2) / count) for i in range(count)]
    fs, ws = [f(x) for x in xs], [weight(x) for x in xs]
    bottom, ripple = [mp.mpf(1)] * count, [mp.mpf(1)] * count
    best = None
    for turn in range(36):
        system, right = mp.matrix(count, upper + lower + 1), mp.matrix(count, 1)
        for i, x in enumerate(xs):
            w = ws[i] * mp.sqrt(ripple[i]) / abs(bottom[i])
            for k in range(upper + 1):
                system[i, k] = w * x**k
            for k in range(1, lower + 1):
                system[i, upper + k] = -w * fs[i] * x**k
            right[i] = w * fs[i]
        c = list(mp.lu_solve(system.T * system, system.T * right))
        p, q = c[: upper + 1], [mp.mpf(1), *c[upper + 1 :]]
        bottom = [mp.polyval(q[::-1], x) for x in xs]
        errors = [abs(ws[i] * (mp.polyval(p[::-1], xs[i]) / bottom[i] - fs[i])) for i in range(count)]
        if best is None or max(errors) < best[0]:
            best = max(errors), p, q
        if turn > 3:
            ripple = [r * (e / max(errors) + mp.mpf("1e-3")) for r, e in zip(ripple, errors, strict=True)]
            ripple = [r / max(ripple) for r in ripple]
    assert best is not None
    return [best[1], best[2]]


def show(name: str, dtype, f: Real, weight: Real, low, high, upper: int, lower: int = 0) -> None:
    """Fits and prints the rounded coefficients as a line of a table."""
    low, high = mp.mpf(low), mp.mpf(high)
    parts = [[float(dtype(float(v))) for v in part] for part in fit(f, weight, low, high, upper, lower)]

    def value(x):
        top, bottom = (mp.polyval([mp.mpf(v) for v in part[::-1]], x) for part in parts)
        return top / bottom

    grid = [low + (high - low) * mp.mpf(i) / 999 for i in range(1000)]
    worst = max(abs(weight(x) * (f(x) - value(x))) for x in grid)
    print(f"    # error 2**{float(mp.log(worst, 2)):.1f}")
    for label, part in zip((name, f"{name}_below"), parts if lower else parts[:1], strict=False):
        numbers = ", ".join(map(repr, part)) + ","
        print(f"    {label}=(")
        print(textwrap.indent(textwrap.fill(numbers, 100, break_on_hyphens=False), " " * 8))
        print("    ),", flush=True)


def exp_rest(r: mp.mpf) -> mp.mpf:
    return sum(r**k / mp.factorial(k + 2) for k in range(40))


def log_rest(f: mp.mpf) -> mp.mpf:
    return (mp.log1p(f) - f + f * f / 2) / f**3 if abs(f) > mp.mpf("1e-8") else mp.mpf(1) / 3 - f / 4


def erf_over_x(t: mp.mpf) -> mp.mpf:
    x = mp.sqrt(t)
    return mp.erf(x) / x if x else 2 / mp.sqrt(mp.pi)


def normal_over_x(t: mp.mpf) -> mp.mpf:
    """(Phi(x) - 1/2) / x."""
    return erf_over_x(t / 2) / mp.sqrt(8)


def gelu_slope_over_x(t: mp.mpf) -> mp.mpf:
    """(d/dx (x Phi(x)) - 1/2) / x."""
    return normal_over_x(t) + mp.exp(-t / 2) / mp.sqrt(2 * mp.pi)


def odd_rest(f: Real) -> Real:
    """(f(x) - x) / x**3 of an odd function, in t = x**2."""
    return lambda t: (f(mp.sqrt(t)) / mp.sqrt(t) - 1) / t


def cosine_rest(t: mp.mpf) -> mp.mpf:
    return (mp.cos(mp.sqrt(t)) - 1 + t / 2) / t**2


def odd_weight(f: Real) -> Real:
    return lambda t: t * mp.sqrt(t) / f(mp.sqrt(t))


def tables(dtype, names: list[str]) -> None:
    single = dtype is np.float32
    print(dtype.__name__)
    if "exp" in names:  # the weight serves expm1, which is smaller near 0

        def weight(r):
            return r * r / abs(mp.expm1(r)) if r else mp.mpf(0)

        half = mp.log(2) / 2 * mp.mpf("1.0005")
        show("exp", dtype, exp_rest, weight, -half, half, 4 if single else 10)
    if "log" in names:

        def weight(f):
            return f**3 / mp.log1p(f) if f else mp.mpf(0)

        show("log", dtype, log_rest, weight, mp.sqrt(0.5) - 1, mp.sqrt(2) - 1, 7 if single else 19)
    if "erf" in names:
        middle = mp.mpf(1.125)

        def inner(s):
            return erf_over_x(s + middle) - 1

        def weight(s):
            return 1 / erf_over_x(s + middle)

        # A centre c at which c and erf(c) are both numbers of the float type, to many more bits than it has.
        value = mp.mpf(float(dtype(float(mp.erf(2.75 if single else 3.75)))))
        centre = mp.mpf(float(dtype(float(mp.erfinv(value)))))

        def outer(s):
            return (mp.erf(centre + s) - value) / s if s else 2 / mp.sqrt(mp.pi) * mp.exp(-(centre**2))

        split, limit = mp.mpf(1.5), mp.mpf(4 if single else 6)
        show("erf_inner", dtype, inner, weight, -middle, middle, 8 if single else 15)
        print(f"    erf_centre={float(centre)!r},\n    erf_at_centre={float(value)!r},")
        show("erf_outer", dtype, outer, abs, split - centre, limit - centre, 11 if single else 31)
    if "normal" in names:
        limit, degrees = (32, (5, 5)) if single else (72, (12, 12))
        show("normal", dtype, normal_over_x, mp.sqrt, "1e-20", limit, *degrees)
    if "gelu" in names:
        limit, degrees = (40, (6, 7)) if single else (84, (13, 14))
        show("slope", dtype, gelu_slope_over_x, mp.sqrt, "1e-20", limit, *degrees)
    if "angles" in names:
        tiny, quarter = mp.mpf("1e-20"), (mp.pi / 4 * mp.mpf("1.01")) ** 2
        show("sin", dtype, odd_rest(mp.sin), odd_weight(mp.sin), tiny, quarter, 2 if single else 5)
        show("cos", dtype, cosine_rest, lambda t: t**2 / mp.cos(mp.sqrt(t)), tiny, quarter, 2 if single else 5)
        show("atan", dtype, odd_rest(mp.atan), odd_weight(mp.atan), tiny, mp.tan(mp.pi / 8) ** 2, 3 if single else 10)
        show("asin", dtype, odd_rest(mp.asin), odd_weight(mp.asin), tiny, mp.mpf(0.25), 4 if single else 11)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=["exp", "log", "erf", "normal", "gelu", "angles"])
    names = parser.parse_args().names
    for dtype in (np.float32, np.float64):
        tables(dtype, names)


if __name__ == "__main__":
    main()
