"""Sums and extremes of runs of numbers, in explicit vector lanes.

LLVM may not reorder additions, so a plain loop would add one number at a time. Here the order is written down: 4 vectors of
64 bytes collect every 64th (float32) or 32nd (float64) number, a rest is added to the first of them, and all lanes are
added in a tree. The order depends on n alone, not on the processor's vector width: narrower machines split the vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

VECTOR_BYTES = 64
VECTORS = 4
_I64 = ir.IntType(64)


def _sum_in_python(p: Any, n: int) -> Any:
    return _sum_of_array([p[i] for i in range(n)], p.dtype)


def _sum_of_array(numbers: Any, dtype: Any) -> Any:
    n, lanes = len(numbers), VECTOR_BYTES // dtype.itemsize
    values = np.array(numbers, dtype)
    parts = np.zeros((VECTORS, lanes), dtype)
    whole = n // parts.size * parts.size
    with np.errstate(all="ignore"):
        for block in values[:whole].reshape(-1, VECTORS, lanes):
            parts += block
        for i in range(whole, n, lanes):
            rest = values[i : i + lanes]
            parts[0, : len(rest)] += rest
            if len(rest) < lanes:
                parts[0, len(rest) :] += dtype.type(-0.0)
        total = (parts[0] + parts[1]) + (parts[2] + parts[3])
        while len(total) > 1:
            total = total[: len(total) // 2] + total[len(total) // 2 :]
    return total[0]


def _max_in_python(p: Any, n: int) -> Any:
    with np.errstate(all="ignore"):
        return np.fmax.reduce(np.array([p[i] for i in range(n)], p.dtype), initial=p.dtype.type(-np.inf))


def _best_in_python(function: Any, start: float) -> Any:
    def best(p: Any, n: int) -> Any:
        with np.errstate(all="ignore"):
            return function.reduce(np.array([p[i] for i in range(n)], p.dtype), initial=p.dtype.type(start))

    return best


def _better(operator: str) -> Any:
    """Combines lanes into the larger or smaller of two; NaN beats all."""

    def combine(builder: Any, value: Any, part: Any) -> Any:
        wins = builder.or_(builder.fcmp_ordered(operator, value, part), builder.fcmp_unordered("uno", value, value))
        return builder.select(wins, value, part)

    return combine


def _larger(builder: Any, a: Any, b: Any) -> Any:
    """The larger lanes; where one is NaN, those of b."""
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _spread_in_python(p: Any, n: int, centre: Any) -> Any:
    with np.errstate(all="ignore"):
        return _sum_of_array([(p[i] - centre) * (p[i] - centre) for i in range(n)], p.dtype)


def _dot_in_python(p: Any, q: Any, n: int, centre: Any) -> Any:
    with np.errstate(all="ignore"):
        return _sum_of_array([p[i] * (q[i] - centre) for i in range(n)], p.dtype)


def _count_in_python(compare: Any) -> Any:
    def count(p: Any, n: int, centre: Any) -> Any:
        return p.dtype.type(np.count_nonzero([compare(p[i], centre) for i in range(n)]))

    return count


def _weighted_dot_in_python(p: Any, w: Any, q: Any, n: int, centre: Any) -> Any:
    with np.errstate(all="ignore"):
        return _sum_of_array([p[i] * w[i] * (q[i] - centre) for i in range(n)], p.dtype)


def _emit(
    builder: Any, pointers: Any, n: Any, scalar: Any, combine: Any, start_value: float, no_value: float, value: Any = None
) -> Any:
    """The instructions: two loops over whole vectors, a masked rest, and the tree.

    `combine(builder, values, parts)` takes vectors in, parts begin as `start_value`, `no_value` changes no number.
    `value(builder, *vectors)` makes what is combined of the vectors that lie at the pointers.
    """
    lanes = VECTOR_BYTES // scalar_bytes(scalar)
    vector = ir.VectorType(scalar, lanes)
    zero = ir.Constant(vector, [start_value] * lanes)
    step, wide = ir.Constant(_I64, lanes), ir.Constant(_I64, lanes * VECTORS)
    function, entry = builder.function, builder.block

    def load(index: Any) -> Any:
        places = [builder.bitcast(builder.gep(pointer, [index]), vector.as_pointer()) for pointer in pointers]
        loaded = [builder.load(at, align=scalar_bytes(scalar)) for at in places]
        return value(builder, *loaded) if value else loaded[0]

    head, body, middle = (function.append_basic_block(name) for name in ("wide", "wide_body", "single"))
    rest_body, tail = function.append_basic_block("single_body"), function.append_basic_block("tail")
    builder.branch(head)

    builder.position_at_end(head)
    i = builder.phi(_I64)
    parts = [builder.phi(vector) for _ in range(VECTORS)]
    for phi, start in ((i, ir.Constant(_I64, 0)), *((part, zero) for part in parts)):
        phi.add_incoming(start, entry)
    after = builder.add(i, wide)
    builder.cbranch(builder.icmp_signed("<=", after, n), body, middle)

    builder.position_at_end(body)
    for k, part in enumerate(parts):
        found = load(builder.add(i, ir.Constant(_I64, k * lanes)))
        part.add_incoming(combine(builder, found, part), body)
    i.add_incoming(after, body)
    builder.branch(head)

    builder.position_at_end(middle)
    j, first = builder.phi(_I64), builder.phi(vector)
    j.add_incoming(i, head)
    first.add_incoming(parts[0], head)
    next_j = builder.add(j, step)
    builder.cbranch(builder.icmp_signed("<=", next_j, n), rest_body, tail)

    builder.position_at_end(rest_body)
    first.add_incoming(combine(builder, load(j), first), rest_body)
    j.add_incoming(next_j, rest_body)
    builder.branch(middle)

    builder.position_at_end(tail)
    count = builder.sub(n, j)
    mask = _first_lanes(builder, count, lanes)
    name = f"llvm.masked.load.v{lanes}f{scalar_bytes(scalar) * 8}.p0"
    signature = ir.FunctionType(vector, [vector.as_pointer(), ir.IntType(32), mask.type, vector])
    masked = builder.module.globals.get(name) or ir.Function(builder.module, signature, name)
    nothing = ir.Constant(vector, [no_value] * lanes)
    rest = []
    for pointer in pointers:
        at = builder.bitcast(builder.gep(pointer, [j]), vector.as_pointer())
        rest.append(builder.call(masked, [at, ir.Constant(ir.IntType(32), scalar_bytes(scalar)), mask, nothing]))
    last = builder.select(mask, value(builder, *rest), nothing) if value else rest[0]
    first = combine(builder, last, first)
    total = combine(builder, combine(builder, first, parts[1]), combine(builder, parts[2], parts[3]))
    while lanes > 1:
        lanes //= 2
        undefined = ir.Constant(total.type, ir.Undefined)
        low = builder.shuffle_vector(total, undefined, _indexes(0, lanes))
        high = builder.shuffle_vector(total, undefined, _indexes(lanes, lanes))
        total = combine(builder, low, high)
    return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))


def _first_lanes(builder: Any, count: Any, lanes: int) -> Any:
    """A mask of the first `count` lanes."""
    wide = ir.VectorType(_I64, lanes)
    return builder.icmp_signed("<", ir.Constant(wide, list(range(lanes))), _splat(builder, count, lanes))


def _splat(builder: Any, number: Any, lanes: int) -> Any:
    """A vector that holds one number everywhere."""
    undefined = ir.Constant(ir.VectorType(number.type, lanes), ir.Undefined)
    single = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(single, undefined, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))


def _indexes(start: int, count: int) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(start, start + count)))


def scalar_bytes(scalar: Any) -> int:
    """Size of an IR float type."""
    return 4 if isinstance(scalar, ir.FloatType) else 8


if config.DISABLE_JIT:
    sum_lanes, max_lanes = _sum_in_python, _max_in_python
    spread_lanes, dot_lanes, weighted_dot_lanes = _spread_in_python, _dot_in_python, _weighted_dot_in_python
    largest_lanes, smallest_lanes = _best_in_python(np.maximum, -np.inf), _best_in_python(np.minimum, np.inf)
    product_lanes = _best_in_python(np.multiply, 1.0)
    at_most_lanes, equal_lanes = _count_in_python(np.less_equal), _count_in_python(np.equal)
else:

    def _sum_of(builder: Any, context: Any, kind: Any, arguments: Any, value: Any) -> Any:
        """The instructions of a sum of `value(builder, centre, *vectors)`; arguments are pointers, n, centre."""
        *pointers, n, number = arguments
        scalar = context.get_value_type(kind)
        centre = _splat(builder, number, VECTOR_BYTES // scalar_bytes(scalar))
        return _emit(
            builder, pointers, n, scalar, lambda b, x, y: b.fadd(y, x), 0.0, -0.0, lambda b, *v: value(b, centre, *v)
        )

    @intrinsic
    def spread_lanes(typing_context, p, n, centre):
        """The sum of (p[i] - centre)**2, in the order of `sum_lanes`."""

        def value(builder, middle, x):
            d = builder.fsub(x, middle)
            return builder.fmul(d, d)

        def generate(context, builder, signature, arguments):
            return _sum_of(builder, context, p.dtype, arguments, value)

        return p.dtype(p, types.int64, p.dtype), generate

    def _count_of(operator: str) -> Any:
        def value(builder, middle, x):
            one, none = (ir.Constant(x.type, [number] * x.type.count) for number in (1.0, 0.0))
            return builder.select(builder.fcmp_ordered(operator, x, middle), one, none)

        def count(typing_context, p, n, centre):
            def generate(context, builder, signature, arguments):
                return _sum_of(builder, context, p.dtype, arguments, value)

            return p.dtype(p, types.int64, p.dtype), generate

        return intrinsic(count)

    # How many of p[0] ... p[n - 1] are not above a number, or equal to it; exact up to 2**24.
    at_most_lanes, equal_lanes = _count_of("<="), _count_of("==")

    @intrinsic
    def dot_lanes(typing_context, p, q, n, centre):
        """The sum of p[i] (q[i] - centre), in the order of `sum_lanes`."""

        def value(builder, middle, x, y):
            return builder.fmul(x, builder.fsub(y, middle))

        def generate(context, builder, signature, arguments):
            return _sum_of(builder, context, p.dtype, arguments, value)

        return p.dtype(p, p, types.int64, p.dtype), generate

    @intrinsic
    def weighted_dot_lanes(typing_context, p, w, q, n, centre):
        """The sum of p[i] w[i] (q[i] - centre), in the order of `sum_lanes`."""

        def value(builder, middle, x, weight, y):
            return builder.fmul(builder.fmul(x, weight), builder.fsub(y, middle))

        def generate(context, builder, signature, arguments):
            return _sum_of(builder, context, p.dtype, arguments, value)

        return p.dtype(p, p, p, types.int64, p.dtype), generate

    @intrinsic
    def largest_lanes(typing_context, p, n):
        """The largest of p[0] ... p[n - 1], NaN where one is NaN; -inf where there is none."""

        def generate(context, builder, signature, arguments):
            scalar = context.get_value_type(p.dtype)
            return _emit(builder, [arguments[0]], arguments[1], scalar, _better(">"), float("-inf"), float("-inf"))

        return p.dtype(p, types.int64), generate

    @intrinsic
    def smallest_lanes(typing_context, p, n):
        """The smallest of p[0] ... p[n - 1], NaN where one is NaN; inf where there is none."""

        def generate(context, builder, signature, arguments):
            scalar = context.get_value_type(p.dtype)
            return _emit(builder, [arguments[0]], arguments[1], scalar, _better("<"), float("inf"), float("inf"))

        return p.dtype(p, types.int64), generate

    @intrinsic
    def product_lanes(typing_context, p, n):
        """The product of p[0] ... p[n - 1]."""

        def generate(context, builder, signature, arguments):
            scalar = context.get_value_type(p.dtype)
            return _emit(builder, [arguments[0]], arguments[1], scalar, lambda b, x, y: b.fmul(y, x), 1.0, 1.0)

        return p.dtype(p, types.int64), generate

    @intrinsic
    def sum_lanes(typing_context, p, n):
        """The sum of p[0] ... p[n - 1], in the order written at the top of this file."""

        def generate(context, builder, signature, arguments):
            scalar = context.get_value_type(p.dtype)
            # adding -0 changes no number, not even -0
            return _emit(builder, arguments[:1], arguments[1], scalar, lambda b, x, y: b.fadd(y, x), 0.0, -0.0)

        return p.dtype(p, types.int64), generate

    @intrinsic
    def max_lanes(typing_context, p, n):
        """The largest of p[0] ... p[n - 1], leaving out NaN; -inf where there is none."""

        def generate(context, builder, signature, arguments):
            scalar = context.get_value_type(p.dtype)
            return _emit(builder, arguments[:1], arguments[1], scalar, _larger, float("-inf"), float("-inf"))

        return p.dtype(p, types.int64), generate


__all__ = [
    "at_most_lanes", "dot_lanes", "equal_lanes", "largest_lanes", "max_lanes", "product_lanes", "smallest_lanes",
    "spread_lanes", "sum_lanes", "weighted_dot_lanes",
]  # fmt: skip
