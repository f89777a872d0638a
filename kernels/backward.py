"""The usual run back through the tape, compiled: from one tensor, to all leaves; see `objects.py`.

It is what `autograd/engine.py` does in Python, where more is asked for, and does the same in the same order. A node with
hooks, one with several outputs, and a second gradient for the same place go through the Python functions of that file.
"""

# ruff: noqa: F405 -- numbers of the table and the spec, all in capitals
# mypy: ignore-errors

from __future__ import annotations

from .launches import *  # noqa: F403
from .objects import *  # noqa: F403

# What a run keeps: a heap of (number, node), how many there are and how many have room; node -> gradient, leaf -> gradient,
# the places whose gradient is a sum made here, and whether nodes keep what they saved.
HEAP, WAITING, ROOM, PENDING, LEAVES, OWNED, RETAIN = range(7)
ONE32, ONE64 = 0x3F800000, 0x3FF0000000000000


def is_some(status):
    """Whether what a C function gave as an int is not 0."""
    return (status & 0xFFFFFFFF) != 0


# --- the heap: the node with the largest number is the next ---------------------------------------------------------


def push(t, run, node):
    if run[WAITING] == run[ROOM]:
        run[ROOM] = 2 * run[ROOM] + 16
        run[HEAP] = invoke(t[MEMORY], run[HEAP], 16 * run[ROOM])
    heap, k, number = run[HEAP], run[WAITING], invoke(t[INT_VALUE], node[t[NUMBER]])
    run[WAITING] = k + 1
    while k > 0 and heap[2 * ((k - 1) >> 1)] < number:
        above = (k - 1) >> 1
        heap[2 * k], heap[2 * k + 1] = heap[2 * above], heap[2 * above + 1]
        k = above
    heap[2 * k], heap[2 * k + 1] = number, node
    return 0


def pop(run):
    heap, n, k = run[HEAP], run[WAITING] - 1, 0
    run[WAITING] = n
    first, number, node = heap[1], heap[2 * n], heap[2 * n + 1]
    while 2 * k + 1 < n:
        below = 2 * k + 1
        if below + 1 < n and heap[2 * below + 2] > heap[2 * below]:
            below += 1
        if heap[2 * below] <= number:
            heap[2 * k], heap[2 * k + 1] = number, node
            return first
        heap[2 * k], heap[2 * k + 1] = heap[2 * below], heap[2 * below + 1]
        k = below
    heap[2 * k], heap[2 * k + 1] = number, node
    return first


# --- gradients on their way -----------------------------------------------------------------------------------------


def python(t, function, a, b, c, d, e, f, count):
    """Call a Python function with up to six objects; 0 where it raised, else 1."""
    given = room(6)
    given[0], given[1], given[2], given[3], given[4], given[5] = a, b, c, d, e, f
    made = invoke(t[CALL], function, given, count, 0)
    if made == 0:
        return 0
    invoke(t[DECREF], made)
    return 1


def arrive(t, run, edge, gx):
    """Let a gradient reach the end of an edge; 0 where that raised, else 1."""
    if gx == t[NONE] or edge == t[NONE]:
        return 1
    target, table = edge[t[ITEMS]], run[PENDING]
    is_leaf = edge[t[ITEMS] + 1] == t[MINUS_ONE]
    if is_leaf:
        table = run[LEAVES]
    known = invoke(t[DICT_GET], table, target)
    if run[OWNED] == 0 and (known != 0 or (not is_leaf and target[t[OUTPUTS]] != t[NONE])):
        run[OWNED] = invoke(t[SET_NEW], 0)
    if not is_leaf and target[t[OUTPUTS]] != t[NONE]:
        if not python(t, t[ARRIVE], table, edge, gx, run[OWNED], 0, 0, 4):
            return 0
    elif known != 0:
        return python(t, t[ADD], table, target, gx, target, run[OWNED], t[FALSE], 6)
    elif is_some(invoke(t[DICT_SET], table, target, gx)):
        return 0
    if known == 0 and not is_leaf:
        push(t, run, target)
    return 1


def is_as_saved(t, node):
    """Whether what a node saved is still at the version it had then."""
    saved, versions = node[t[SAVED]], node[t[VERSIONS]]
    if versions == t[FREED]:
        return 0
    n, m = invoke(t[TUPLE_SIZE], saved), invoke(t[TUPLE_SIZE], versions)
    for k in range(n if n < m else m):
        x = saved[t[ITEMS] + k]
        if x != t[NONE] and x[t[AT_CELL]] != t[NONE]:
            now, then = invoke(t[LIST_GET], x[t[AT_CELL]], 0), versions[t[ITEMS] + k]
            if now != then and invoke(t[INT_VALUE], now) != invoke(t[INT_VALUE], then):
                return 0
    return 1


def derive(t, run, node, gy):
    """What a node's derivative gives for the gradient of its output; afterwards the node may let go of what it saved."""
    given = room(2)
    given[0], given[1] = node, gy
    if node[t[NODE_HOOKS]] != t[NONE]:
        return invoke(t[CALL], t[WITH_HOOKS], given, 2, 0)
    versions = node[t[VERSIONS]]
    if versions != t[NONE] and not is_as_saved(t, node) and not python(t, t[CHECK], node, 0, 0, 0, 0, 0, 1):
        return 0
    record = invoke(t[GET_ATTRIBUTE], node, t[OPERATION])
    if record == 0:
        return 0
    derivative = invoke(t[GET_ATTRIBUTE], record, t[DERIVATIVE])
    invoke(t[DECREF], record)
    if derivative == 0:
        return 0
    results = invoke(t[CALL], derivative, given, 2, 0)
    invoke(t[DECREF], derivative)
    if run[RETAIN]:
        return results
    if results != 0 and versions == t[EMPTY]:  # it keeps in its own way what it saves
        python(t, t[LET_GO], node, 0, 0, 0, 0, 0, 1)
    elif results != 0 and versions != t[NONE]:
        replace(t, node, t[SAVED], shared(t, t[EMPTY]))
        replace(t, node, t[VERSIONS], shared(t, t[FREED]))
        replace(t, node, t[SCRATCH], shared(t, t[NONE]))
    return results


def spread(t, run, node, results):
    """Send the gradients of a node's inputs on; 0 where that raised, else 1."""
    edges = node[t[NEXT]]
    if results[1] != t[TUPLE]:
        return arrive(t, run, edges[t[ITEMS]], results)
    n, m = invoke(t[TUPLE_SIZE], edges), invoke(t[TUPLE_SIZE], results)
    for k in range(n if n < m else m):
        if not arrive(t, run, edges[t[ITEMS] + k], results[t[ITEMS] + k]):
            return 0
    return 1


def go(t, run):
    """Through all nodes; 0 where something raised, else 1."""
    while run[WAITING] > 0:
        node = shared(t, pop(run))
        gy = shared(t, invoke(t[DICT_GET], run[PENDING], node))
        invoke(t[DICT_REMOVE], run[PENDING], node)
        results = derive(t, run, node, gy)
        invoke(t[DECREF], gy)
        done = 0
        if results != 0:
            done = spread(t, run, node, results)
            invoke(t[DECREF], results)
        invoke(t[DECREF], node)
        if not done:
            return 0
    return 1


def run_back(t, root, gy, leaves, retain):
    """From a node whose one output has the gradient `gy`, into the dict `leaves`; 0 where something raised, else 1."""
    run = room(7)
    run[HEAP], run[WAITING], run[ROOM], run[OWNED] = 0, 0, 0, 0
    run[PENDING], run[LEAVES], run[RETAIN] = invoke(t[DICT_NEW]), leaves, retain
    invoke(t[DICT_SET], run[PENDING], root, gy)
    push(t, run, root)
    fine = go(t, run)
    error = room(3)
    invoke(t[ERROR_TAKE], error, error + 8, error + 16)
    invoke(t[MEMORY_FREE], run[HEAP])
    invoke(t[DECREF], run[PENDING])
    if run[OWNED] != 0:
        invoke(t[DECREF], run[OWNED])
    invoke(t[ERROR_PUT], error[0], error[1], error[2])
    return fine


# --- the leaves -----------------------------------------------------------------------------------------------------


def is_alone(t, x):
    """Whether only the pass holds a tensor, and no other tensor its memory."""
    return (x[0] & 0xFFFFFFFF) == 1 and (x[t[AT_STORAGE]][0] & 0xFFFFFFFF) == 1


def accumulate(t, launched, leaves):
    """Add what reached the leaves to their `.grad`; 0 where that raised, else 1."""
    at = room(3)  # where in the dictionary, a leaf, its gradient
    at[0] = 0
    while is_some(invoke(t[DICT_NEXT], leaves, at, at + 8, at + 16)):
        have, gradient = at[1][t[AT_GRAD]], at[2]
        contiguous = facts_of(t, gradient)[CONTIGUOUS]
        usual = have != t[NONE] or (contiguous and is_alone(t, gradient))
        if at[1][t[AT_HOOKS]] != t[NONE] or at[1][t[AT_REQUIRES]] != t[TRUE] or not usual:
            return python(t, t[ACCUMULATE], leaves, t[FALSE], 0, 0, 0, 0, 2)
    if not python(t, t[ACQUIRE], 0, 0, 0, 0, 0, 0, 0):
        return 0
    at[0], fine = 0, 1
    while fine and is_some(invoke(t[DICT_NEXT], leaves, at, at + 8, at + 16)):
        have, gradient = at[1][t[AT_GRAD]], at[2]
        if have == t[NONE]:
            replace(t, at[1], t[AT_GRAD], shared(t, gradient))
        else:
            done = onto(t, launched, have, gradient)
            if done == UNKNOWN:
                fine = python(t, t[ADD_INTO], have, gradient, 0, 0, 0, 0, 2)
            elif done == 0:
                fine = 0
            else:
                invoke(t[DECREF], done)
    return python(t, t[LEAVE], 0, 0, 0, 0, 0, 0, 0) and fine


def backward(t, spec, given, count):
    """`x.backward()` for a tensor of one element."""
    x = given[0]
    if count != 1 or is_unusual(t) or not is_tensor(t, x) or x[t[AT_REQUIRES]] != t[TRUE] or x[t[AT_NODE]] == t[NONE]:
        return UNKNOWN
    facts = facts_of(t, x)
    root = x[t[AT_NODE]]
    if facts[NUMEL] != 1 or facts[KIND] > 1 or not facts[CONTIGUOUS] or root[t[OUTPUTS]] != t[NONE]:
        return UNKNOWN
    before = invoke(t[GET_ATTRIBUTE], t[STATE], t[ENABLED])
    if before == 0 or is_some(invoke(t[SET_ATTRIBUTE], t[STATE], t[ENABLED], t[FALSE])):
        return 0
    seed, leaves = new(t, x[t[AT_META]]), invoke(t[DICT_NEW])
    address_of(t, seed)[0] = ONE64 if facts[KIND] else ONE32
    fine = run_back(t, root, seed, leaves, 0) and accumulate(t, spec[INPUTS], leaves)
    error = room(3)
    invoke(t[ERROR_TAKE], error, error + 8, error + 16)
    invoke(t[DECREF], seed)
    invoke(t[DECREF], leaves)
    invoke(t[SET_ATTRIBUTE], t[STATE], t[ENABLED], before)
    invoke(t[DECREF], before)
    invoke(t[ERROR_PUT], error[0], error[1], error[2])
    return shared(t, t[NONE]) if fine else 0


# --- the same for `autograd.grad` and a graph that is kept ------------------------------------------------------------


def leads_only_to(t, root, wanted):
    """Whether the graph ends in leaves that are keys of `wanted`, and has no hooks."""
    seen, todo, waiting, places, fine = invoke(t[DICT_NEW]), 0, 0, 0, 1
    node = root
    while fine and node != 0:
        edges, fine = node[t[NEXT]], node[t[NODE_HOOKS]] == t[NONE]
        for k in range(invoke(t[TUPLE_SIZE], edges)):
            edge = edges[t[ITEMS] + k]
            if edge != t[NONE]:
                target = edge[t[ITEMS]]
                if edge[t[ITEMS] + 1] == t[MINUS_ONE]:
                    if target[t[AT_HOOKS]] != t[NONE] or invoke(t[DICT_GET], wanted, target) == 0:
                        fine = 0
                elif invoke(t[DICT_GET], seen, target) == 0:
                    invoke(t[DICT_SET], seen, target, t[NONE])
                    if waiting == places:
                        places = 2 * places + 16
                        todo = invoke(t[MEMORY], todo, 8 * places)
                    todo[waiting] = target
                    waiting += 1
        node = 0
        if waiting > 0:
            waiting -= 1
            node = todo[waiting]
    invoke(t[MEMORY_FREE], todo)
    invoke(t[DECREF], seen)
    return fine


def run_to_leaves(t, given):
    """`engine._run_to_leaves(output, gradient, leaves, wanted, retain)`."""
    x, gy, leaves, wanted, retain = given[0], given[1], given[2], given[3], given[4]
    if is_unusual(t) or not is_tensor(t, x) or x[t[AT_NODE]] == t[NONE] or x[t[AT_NODE]][t[OUTPUTS]] != t[NONE]:
        return UNKNOWN
    if wanted != t[NONE] and not leads_only_to(t, x[t[AT_NODE]], wanted):
        return UNKNOWN
    return shared(t, t[TRUE]) if run_back(t, x[t[AT_NODE]], gy, leaves, retain == t[TRUE]) else 0
