"""The usual case of a node's making, compiled; see `objects.py`."""

# ruff: noqa: F405 -- numbers of the table and the spec, all in capitals
# mypy: ignore-errors

from __future__ import annotations

from .objects import *  # noqa: F403


def next_number(t):
    number = t[COUNTER]
    t[COUNTER] = number + 1
    return invoke(t[INT_NEW], number)


def edge(t, x):
    """(what made a tensor, which of its outputs it is), or (the leaf itself, -1)."""
    made = invoke(t[TUPLE_NEW], 2)
    if x[t[AT_NODE]] == t[NONE]:
        made[t[ITEMS]] = shared(t, x)
        made[t[ITEMS] + 1] = shared(t, t[MINUS_ONE])
    else:
        made[t[ITEMS]] = shared(t, x[t[AT_NODE]])
        made[t[ITEMS] + 1] = shared(t, x[t[AT_OUTPUT]])
    return made


def record(t, given, count):
    """A node of the kind that stands first, over the tensors (or None) behind it."""
    if is_unusual(t):
        return UNKNOWN
    for k in range(1, count):
        if given[k] != t[NONE] and not is_tensor(t, given[k]):
            return UNKNOWN
    needs, edges = invoke(t[TUPLE_NEW], count - 1), invoke(t[TUPLE_NEW], count - 1)
    for k in range(1, count):
        place = t[ITEMS] + k - 1
        x = given[k]
        if x != t[NONE] and x[t[AT_REQUIRES]] == t[TRUE]:
            needs[place], edges[place] = shared(t, t[TRUE]), edge(t, x)
        else:
            needs[place], edges[place] = shared(t, t[FALSE]), shared(t, t[NONE])
    made = invoke(t[ALLOCATE], given[0], 0)
    if made != 0:
        made[t[NEEDS]] = needs
        made[t[NEXT]] = edges
        made[t[NUMBER]] = next_number(t)
        made[t[SAVED]] = shared(t, t[EMPTY])
        made[t[VERSIONS]] = shared(t, t[NONE])
        made[t[EXTRA]] = shared(t, t[NONE])
        made[t[SCRATCH]] = shared(t, t[NONE])
        made[t[OUTPUTS]] = shared(t, t[NONE])
        made[t[NODE_HOOKS]] = shared(t, t[NONE])
    return made


def attach(t, out, node):
    """Make a node the origin of its one output, which is given back."""
    if out[1] != t[TENSOR]:
        return UNKNOWN
    if out[t[AT_BASE]] != t[NONE]:
        done = remember(t, out)
        if done == UNKNOWN or done == 0:
            return done
        invoke(t[DECREF], done)
    replace(t, out, t[AT_NODE], shared(t, node))
    replace(t, out, t[AT_REQUIRES], shared(t, t[TRUE]))
    return shared(t, out)


def save(t, given, count, output):
    """Keep the tensors (or None) behind a node with their versions. The first is the node's `output`, where that is not 0:
    an alias is kept then."""
    numbered = 0
    for k in range(1, count):
        x = given[k]
        if x != t[NONE]:
            if not (is_tensor(t, x) and has_counting_cell(t, x)):
                return UNKNOWN
            if x[t[AT_CELL]] != t[NONE]:
                numbered = 1
    if output != 0:
        numbered = 1
        output = alias(t, output, cell_of(t, output))
        if output == 0:
            return 0
    kept = invoke(t[TUPLE_NEW], count - 1)
    versions = invoke(t[TUPLE_NEW], count - 1) if numbered else shared(t, t[UNTOUCHED])
    for k in range(1, count):
        place = t[ITEMS] + k - 1
        x = given[k]
        kept[place] = output if output != 0 and k == 1 else shared(t, x)
        if numbered:
            version = t[ZERO]
            if x != t[NONE] and x[t[AT_CELL]] != t[NONE]:
                version = invoke(t[LIST_GET], x[t[AT_CELL]], 0)
            versions[place] = shared(t, version)
    replace(t, given[0], t[SAVED], kept)
    replace(t, given[0], t[VERSIONS], versions)
    return shared(t, t[NONE])


def save_crosswise(t, given):
    """Keep of the two factors behind a node each that the other's gradient needs; a meta of the one that is left out."""
    node, a, b = given[0], given[1], given[2]
    if not (is_tensor(t, a) and is_tensor(t, b)):
        return UNKNOWN
    needs = node[t[NEEDS]]
    kept = room(3)
    kept[0], kept[1], kept[2] = node, a, b
    if needs[t[ITEMS] + 1] == t[FALSE]:
        kept[1] = t[NONE]
    if needs[t[ITEMS]] == t[FALSE]:
        kept[2] = t[NONE]
    if kept[1] == kept[2] and kept[1] == t[NONE]:
        return shared(t, t[NONE])
    done = save(t, kept, 3, 0)
    if done != UNKNOWN and done != 0:
        if kept[1] == t[NONE]:
            replace(t, node, t[EXTRA], shared(t, a[t[AT_META]]))
        if kept[2] == t[NONE]:
            replace(t, node, t[EXTRA], shared(t, b[t[AT_META]]))
    return done
