"""The usual case of a launch, compiled: small contiguous tensors, the kernel on the caller's thread; see `objects.py`."""

# ruff: noqa: F405 -- numbers of the table and the spec, all in capitals; the language of `words.py`
# mypy: ignore-errors

from __future__ import annotations

from .objects import *  # noqa: F403

MOST = 16384  # numbers that a reduction works on at once


def launch(t, spec, given, count, names):
    """Run an elementwise kernel's row on contiguous tensors of one meta, or on a pair of metas that was planned before, and
    on numbers (floats). The result is new, or `out` by name."""
    inputs = spec[INPUTS]
    if count < inputs or count > 5 or is_unusual(t) or not is_tensor(t, given[0]):
        return UNKNOWN
    meta = given[0][t[AT_META]]
    facts = meta[t[FACTS]] + t[BYTES]
    if spec[ROW32 + facts[KIND]] == 0:
        return UNKNOWN
    result, numel, layout = meta, facts[NUMEL], 0
    if inputs == 1:
        if not facts[CONTIGUOUS]:
            return UNKNOWN
    else:
        if not is_tensor(t, given[1]):
            return UNKNOWN
        if given[1][t[AT_META]] != meta or not facts[CONTIGUOUS]:
            pair = invoke(t[TUPLE_NEW], 2)
            pair[t[ITEMS]] = shared(t, meta)
            pair[t[ITEMS] + 1] = shared(t, given[1][t[AT_META]])
            plan = invoke(t[DICT_GET], t[PAIRS], pair)
            invoke(t[DECREF], pair)
            if plan == 0:
                return UNKNOWN
            result = invoke(t[TUPLE_GET], plan, 0)
            numel = invoke(t[INT_VALUE], invoke(t[TUPLE_GET], plan, 1))
            layout = invoke(t[INT_VALUE], invoke(t[TUPLE_GET], plan, 2))
    if numel > t[GRAIN]:
        return UNKNOWN
    block = room(8)
    block[0], block[1], block[3] = numel, layout, address_of(t, given[0])
    if inputs == 2:
        block[4] = address_of(t, given[1])
    for k in range(inputs, count):
        if given[k][1] != t[FLOAT_TYPE]:
            return UNKNOWN
        block[3 + k] = given[k] + t[FLOAT]
    if names == 0:
        made = new(t, result)
        if made == 0:
            return 0
    else:
        out = given[count]
        if names[t[ITEMS]] != t[OUT][t[ITEMS]] or layout != 0 or not is_tensor(t, out) or out[t[AT_META]] != meta:
            return UNKNOWN
        made = shared(t, out)
    block[2] = address_of(t, made)
    invoke(spec[ROW32 + facts[KIND]], block, 0, numel)
    return made


def launch_planned(t, spec, given, count):
    """`launch` for kernels whose result is of another dtype, or which take three tensors or a mask: every layout is one that
    was planned before, and found by the metas of the inputs in a dict of the launch's own. The last input
    has the row's type."""
    inputs = spec[INPUTS]
    if count < inputs or count > 6 or is_unusual(t):
        return UNKNOWN
    for k in range(inputs):
        if not is_tensor(t, given[k]):
            return UNKNOWN
    for k in range(inputs, count):
        if given[k][1] != t[FLOAT_TYPE]:
            return UNKNOWN
    kind = facts_of(t, given[inputs - 1])[KIND]
    if spec[ROW32 + kind] == 0:
        return UNKNOWN
    metas = invoke(t[TUPLE_NEW], inputs)
    for k in range(inputs):
        metas[t[ITEMS] + k] = shared(t, given[k][t[AT_META]])
    plan = invoke(t[DICT_GET], spec[META32], metas)
    invoke(t[DECREF], metas)
    if plan == 0:
        return UNKNOWN
    numel = invoke(t[INT_VALUE], invoke(t[TUPLE_GET], plan, 1))
    if numel > t[GRAIN]:
        return UNKNOWN
    made = new(t, invoke(t[TUPLE_GET], plan, 0))
    if made == 0:
        return 0
    block = room(10)
    block[0], block[1], block[2] = numel, invoke(t[INT_VALUE], invoke(t[TUPLE_GET], plan, 2)), address_of(t, made)
    for k in range(inputs):
        block[3 + k] = address_of(t, given[k])
    for k in range(inputs, count):
        block[3 + k] = given[k] + t[FLOAT]
    invoke(spec[ROW32 + kind], block, 0, numel)
    return made


def fill(t, spec, x, value):
    """Write a number over a contiguous tensor: a float over floats, a small integer over integers."""
    if is_unusual(t) or not is_tensor(t, x):
        return UNKNOWN
    facts = facts_of(t, x)
    if not facts[CONTIGUOUS] or facts[NUMEL] > t[GRAIN] or spec[ROW32 + facts[KIND]] == 0:
        return UNKNOWN
    block = room(2)
    block[0], block[1] = address_of(t, x), value + t[FLOAT]
    if value[1] != t[FLOAT_TYPE]:
        if facts[KIND] < 2 or value[1] != t[INT_TYPE]:
            return UNKNOWN
        block[1] = invoke(t[INT_VALUE], value)
        if block[1] == 0 - 1:  # or too long for a word, of which Python has been told
            error = room(3)
            invoke(t[ERROR_TAKE], error, error + 8, error + 16)
            for k in range(3):
                if error[k] != 0:
                    invoke(t[DECREF], error[k])
            return UNKNOWN
    elif facts[KIND] > 1:
        return UNKNOWN
    invoke(spec[ROW32 + facts[KIND]], block, 0, facts[NUMEL])
    return shared(t, x)


def is_quiet(t, x):
    """Whether a change of a tensor in place needs no check and no record, whatever the grad mode is."""
    if not is_tensor(t, x) or not has_counting_cell(t, x) or x[t[AT_REQUIRES]] != t[FALSE]:
        return 0
    return x[t[AT_BASE]] == t[NONE] or x[t[AT_BASE]][t[AT_REQUIRES]] == t[FALSE]


def set_zero(t, spec, x):
    """`x.zero_()`."""
    if not is_quiet(t, x):
        return UNKNOWN
    done = fill(t, spec[INPUTS], x, t[NOUGHT])
    if done != UNKNOWN:
        invoke(t[DECREF], bump(t, x))
    return done


def onto(t, launched, x, other):
    """A launch of two tensors of one meta, over the first."""
    if other[t[AT_META]] != x[t[AT_META]] or not facts_of(t, x)[CONTIGUOUS]:
        return UNKNOWN
    if other[t[AT_STORAGE]] == x[t[AT_STORAGE]] and address_of(t, other) != address_of(t, x):
        return UNKNOWN  # they may overlap
    given = room(3)
    given[0], given[1], given[2] = x, other, x
    done = launch(t, launched, given, 2, t[OUT])
    if done > 0:
        invoke(t[DECREF], bump(t, x))
    return done


def in_place(t, spec, given, count):
    """`x += y` and the like, for a tensor y that does not require grad."""
    if count != 2 or not is_quiet(t, given[0]) or not is_tensor(t, given[1]) or given[1][t[AT_REQUIRES]] != t[FALSE]:
        return UNKNOWN
    return onto(t, spec[INPUTS], given[0], given[1])


def sum_all(t, spec, given, count):
    """The sum of a few numbers that lie side by side, or another thing that is made of all."""
    if count != 1 or is_unusual(t) or not is_tensor(t, given[0]):
        return UNKNOWN
    facts = facts_of(t, given[0])
    n = facts[NUMEL]
    if not facts[CONTIGUOUS] or n == 0 or n > MOST or spec[ROW32 + facts[KIND]] == 0:
        return UNKNOWN
    made = new(t, spec[META32 + (facts[KIND] & 1)])
    if made != 0:
        block = room(4)
        block[0], block[1], block[2], block[3] = address_of(t, made), address_of(t, given[0]), n, n
        invoke(spec[ROW32 + facts[KIND]], block, 0, 1)
    return made


def same(t, spec, given, count):
    """Whether two tensors of one meta are equal, element for element. Those that differ mostly do so at once."""
    if count != 2 or is_unusual(t) or not is_tensor(t, given[0]) or not is_tensor(t, given[1]):
        return UNKNOWN
    meta, facts = given[0][t[AT_META]], facts_of(t, given[0])
    n = facts[NUMEL]
    if given[1][t[AT_META]] != meta or not facts[CONTIGUOUS] or spec[ROW32 + facts[KIND]] == 0:
        return UNKNOWN
    block, note = room(5), room(1)
    note[0] = 0
    block[0], block[1], block[2] = note, address_of(t, given[0]), address_of(t, given[1])
    block[3] = n if n <= t[GRAIN] else 1024
    block[4] = block[3]
    invoke(spec[ROW32 + facts[KIND]], block, 0, 1)
    if note[0] & 255:
        return shared(t, t[FALSE])
    return shared(t, t[TRUE]) if n <= t[GRAIN] else UNKNOWN


def each_row(t, spec, given, count):
    """f(x, dim) or f(y, gy, dim) along the last dimension: a softmax or its derivative."""
    inputs = spec[INPUTS]
    if count != inputs + 1 or is_unusual(t) or not is_tensor(t, given[0]):
        return UNKNOWN
    facts = facts_of(t, given[0])
    if facts[KIND] > 1 or not facts[CONTIGUOUS] or facts[NUMEL] == 0 or facts[NUMEL] > MOST or facts[NDIM] == 0:
        return UNKNOWN
    if spec[ROW32 + facts[KIND]] == 0 or invoke(t[INT_VALUE], given[inputs]) != facts[NDIM] - 1:
        return UNKNOWN
    if inputs == 2 and (not is_tensor(t, given[1]) or given[1][t[AT_META]] != given[0][t[AT_META]]):
        return UNKNOWN
    made = new(t, given[0][t[AT_META]])
    if made != 0:
        block = room(4)
        block[0], block[1] = address_of(t, made), address_of(t, given[0])
        if inputs == 2:
            block[2] = address_of(t, given[1])
        block[1 + inputs] = facts[LAST]
        invoke(spec[ROW32 + facts[KIND]], block, 0, facts[ROWS])
    return made


def cross(t, spec, given, count):
    """(loss, gradient or None) of scores (rows, n) and classes, from x, target, weight, ignored, reduction, wanted."""
    x, target = given[0], given[1]
    if count != 6 or is_unusual(t) or not is_tensor(t, x) or not is_tensor(t, target) or given[2] != t[NONE]:
        return UNKNOWN
    facts = facts_of(t, x)
    if facts[KIND] > 1 or not facts[CONTIGUOUS] or not facts_of(t, target)[CONTIGUOUS] or facts[NDIM] != 2:
        return UNKNOWN
    if facts[NUMEL] == 0 or facts[NUMEL] > MOST or given[4] != t[MEAN] or spec[ROW32 + facts[KIND]] == 0:
        return UNKNOWN
    wanted = given[5] == t[TRUE]
    gradient, out, made = new(t, x[t[AT_META]]), new(t, spec[META32 + facts[KIND]]), invoke(t[TUPLE_NEW], 2)
    block, notes = room(12), room(2)
    block[0], block[1], block[2] = address_of(t, out), address_of(t, gradient), address_of(t, x)
    block[3], block[4], block[5], block[6] = address_of(t, target), 0, notes, notes + 8
    block[7], block[8], block[9], block[10] = facts[ROWS], facts[LAST], facts[ROWS], 10 if wanted else 2
    block[11] = invoke(t[INT_VALUE], given[3])
    notes[0], notes[1] = 0, 0
    invoke(spec[ROW32 + facts[KIND]], block, 0, 1)
    made[t[ITEMS]] = out
    made[t[ITEMS] + 1] = gradient if wanted else shared(t, t[NONE])
    if not wanted:
        invoke(t[DECREF], gradient)
    if notes[1] & 255:  # some target is no class: Python says which
        invoke(t[DECREF], made)
        return UNKNOWN
    return made


def address_or_int(t, x):
    return invoke(t[INT_VALUE], x) if x[1] == t[INT_TYPE] else address_of(t, x)


def multiply(t, given, count):
    """A prepared product of one task. What is prepared ends in a block: where the addresses of the result, the operands and
    the bias belong in it, how many words there are, and the launch: row, total, grain, arguments."""
    plan = invoke(t[TUPLE_GET], given[0], 7)
    if is_unusual(t) or plan == t[NONE] or count < 4:
        return UNKNOWN
    plan += t[BYTES]
    if plan[6] > plan[7]:
        return UNKNOWN
    block = room(40)
    for k in range(plan[4]):
        block[k] = plan[8 + k]
    block[plan[0]] = address_of(t, given[1])
    block[plan[1]] = address_or_int(t, given[2])
    block[plan[2]] = address_of(t, given[3])
    if count == 5 and given[4] != t[NONE]:
        block[plan[3]] = address_of(t, given[4])
    invoke(plan[5], block, 0, plan[6])
    return shared(t, t[NONE])
