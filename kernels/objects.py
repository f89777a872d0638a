"""The usual case of a tensor's making, compiled.

On small tensors an operation is bookkeeping: Python makes an object of slots, fills them, looks up what a launch needs, in
1 to 2 microseconds where the kernel takes 0.1. This file, `launches.py`, `tape.py` and `backward.py` do these steps on the
objects' memory, through CPython's own functions, in a tenth of a microsecond each; `steps.py` tells how they are reached.
They take the usual case only: whatever they do not know (strides, integers, inference mode, a hook on launches) is UNKNOWN
to them, and goes to the same step written in Python. Nothing here knows a Tensor: which slot lies where is measured by the
caller (`fastgrad/_launch/native.py`) and comes in a table.

The language is that of `words.py`: everything is a 64-bit word, and an object is its address. A function that makes an
object gives a reference to it to its caller; 0 stands for an error that Python has been told of.
"""

# ruff: noqa: F821 -- `invoke` and `room` belong to the language
# mypy: ignore-errors

from __future__ import annotations

# The table. Functions of CPython:
ALLOCATE, BYTES_NEW, INT_NEW, INT_VALUE, INCREF, DECREF, TUPLE_NEW, TUPLE_GET, TUPLE_SIZE = range(9)
LIST_NEW, LIST_GET, LIST_SET, LIST_SIZE, LIST_CUT, LIST_APPEND, CALL, SUBTYPE, MEMSET = range(9, 18)
DICT_NEW, DICT_GET, DICT_SET, DICT_REMOVE, DICT_NEXT, SET_NEW, GET_ATTRIBUTE, SET_ATTRIBUTE = range(18, 26)
MEMORY, MEMORY_FREE, ERROR_TAKE, ERROR_PUT, WEAK_NEW = range(26, 31)
# where the contents of a bytes object and of a float begin, in bytes, and those of a tuple, in words;
BYTES, FLOAT, ITEMS = range(31, 34)
# objects;
TENSOR, STORAGE, LIST, TUPLE, FLOAT_TYPE, INT_TYPE, NONE, TRUE, FALSE, ZERO, MINUS_ONE, NOUGHT, EMPTY = range(34, 47)
UNTOUCHED, FREED, OUT, PAIRS, STATE, ENABLED, OPERATION, DERIVATIVE, MEAN = range(47, 56)
# functions of Python, for what is not usual;
NEW, ADD, ADD_INTO, ARRIVE, WITH_HOOKS, CHECK, LET_GO, ACCUMULATE, ACQUIRE, LEAVE = range(56, 66)
# slots, in words: of a tensor, a storage, a meta, a node;
AT_STORAGE, AT_ADDRESS, AT_META, AT_REQUIRES, AT_GRAD, AT_NODE, AT_OUTPUT, AT_CELL, AT_BASE, AT_HOOKS = range(66, 76)
BLOCK, FACTS, FREE, NEEDS, NEXT, NUMBER, SAVED, VERSIONS, EXTRA, SCRATCH, OUTPUTS, NODE_HOOKS = range(76, 88)
# the address of four words of which one is not 0 where nothing is usual; the number of the next node; the most numbers that
# are worked on by one thread; whether to fill new memory with NaN; the address of how many bytes wait in the pool, and may.
UNUSUAL, COUNTER, GRAIN, FILL_WITH_NAN, WAITING_BYTES, TABLE_WORDS = range(88, 94)

# A meta's facts: 0 for float32, 1 for float64, more for integers and bools; whether contiguous; how many elements and bytes;
# whether the memory is a bytes object; how many dimensions, the size of the last and how often it is there.
KIND, CONTIGUOUS, NUMEL, NBYTES, SMALL, NDIM, LAST, ROWS = range(8)

# A spec lies in a bytes object: what the callable does, what it falls back to, how many tensors a launch takes (numbers
# follow them) or the spec of the launch that a step makes; the metas of the results for floats (or, in their place, the dict
# of a launch's plans) and the kernel's rows, by KIND. A row that a kernel does not have, or that was not used yet, is 0.
TABLE, STEP, FALLBACK, INPUTS, META32, META64, ROW32 = range(7)
KINDS = 8
SPEC_WORDS = ROW32 + KINDS
MAKE, LAUNCH, RECORD, ATTACH, SAVE, SAVE_OUTPUT, DETACH, DATA, SET_DATA, RELEASE, COUNT = range(11)
BUMP, FILL, SET_ZERO, IN_PLACE, SUM, BACKWARD, WINDOW, REMEMBER, EACH_ROW, CROSS, MULTIPLY = range(11, 22)
SAVE_CROSSWISE, PLANNED, RUN_TO_LEAVES, SAME = range(22, 26)
SPEC_BEGINS = 32  # bytes behind the object's address

UNKNOWN = -1  # the result of a step that is not usual


def shared(t, x):
    """`x`, with a reference more."""
    invoke(t[INCREF], x)
    return x


def replace(t, x, place, value):
    """Give a slot another object."""
    before = x[place]
    x[place] = value
    if before != 0:
        invoke(t[DECREF], before)
    return 0


def is_tensor(t, x):
    return x[1] == t[TENSOR] or (invoke(t[SUBTYPE], x[1], t[TENSOR]) & 0xFFFFFFFF) != 0


def address_of(t, x):
    return invoke(t[INT_VALUE], x[t[AT_ADDRESS]])


def facts_of(t, x):
    return x[t[AT_META]][t[FACTS]] + t[BYTES]


def is_unusual(t):
    flags = t[UNUSUAL]
    return flags[0] | flags[1] | flags[2] | flags[3]


# --- tensors --------------------------------------------------------------------------------------------------------


def bare(t, meta):
    """A tensor without memory and version cell."""
    made = invoke(t[ALLOCATE], t[TENSOR], 0)
    if made != 0:
        made[t[AT_META]] = shared(t, meta)
        made[t[AT_REQUIRES]] = shared(t, t[FALSE])
        made[t[AT_GRAD]] = shared(t, t[NONE])
        made[t[AT_NODE]] = shared(t, t[NONE])
        made[t[AT_BASE]] = shared(t, t[NONE])
        made[t[AT_HOOKS]] = shared(t, t[NONE])
        made[t[AT_OUTPUT]] = shared(t, t[ZERO])
    return made


def new(t, meta):
    """A new contiguous tensor with any contents."""
    facts = meta[t[FACTS]] + t[BYTES]
    block = 0
    if facts[SMALL] == 0:
        free = meta[t[FREE]]
        waiting = invoke(t[LIST_SIZE], free)
        if waiting == 0:
            given = room(1)
            given[0] = meta
            return invoke(t[CALL], t[NEW], given, 1, 0)
        block = shared(t, invoke(t[LIST_GET], free, waiting - 1))
        invoke(t[LIST_CUT], free, waiting - 1, waiting, 0)
    made = bare(t, meta)
    if made == 0:
        return 0
    if block == 0:
        memory = invoke(t[BYTES_NEW], 0, facts[NBYTES])
        start = memory + t[BYTES]
        address = invoke(t[INT_NEW], start)
    else:
        memory = invoke(t[ALLOCATE], t[STORAGE], 0)
        memory[t[BLOCK]] = block
        address = shared(t, invoke(t[TUPLE_GET], block, 1))
        start = invoke(t[INT_VALUE], address)
    made[t[AT_STORAGE]] = memory
    made[t[AT_ADDRESS]] = address
    made[t[AT_CELL]] = shared(t, t[NONE])
    if t[FILL_WITH_NAN]:
        invoke(t[MEMSET], start, 255, facts[NBYTES])
    return made


def cell_of(t, x):
    """The version cell of a tensor, made where there is none yet; the tensor's own reference."""
    cell = x[t[AT_CELL]]
    if cell == t[NONE]:
        cell = invoke(t[LIST_NEW], 2)
        invoke(t[LIST_SET], cell, 0, shared(t, t[ZERO]))
        invoke(t[LIST_SET], cell, 1, shared(t, t[NONE]))
        replace(t, x, t[AT_CELL], cell)
    return cell


def alias(t, x, cell):
    """Another tensor on the memory of `x`, outside the graph."""
    made = bare(t, x[t[AT_META]])
    if made != 0:
        made[t[AT_STORAGE]] = shared(t, x[t[AT_STORAGE]])
        made[t[AT_ADDRESS]] = shared(t, x[t[AT_ADDRESS]])
        made[t[AT_CELL]] = shared(t, cell)
    return made


def window(t, base, meta, distance):
    """A view: another tensor on the memory of `base`, of which it begins a distance (an int, in bytes) further on."""
    if is_unusual(t) or not is_tensor(t, base) or not has_counting_cell(t, base):
        return UNKNOWN
    made = bare(t, meta)
    if made != 0:
        made[t[AT_STORAGE]] = shared(t, base[t[AT_STORAGE]])
        made[t[AT_ADDRESS]] = shared(t, base[t[AT_ADDRESS]])
        if distance != t[ZERO]:
            start = address_of(t, base) + invoke(t[INT_VALUE], distance)
            replace(t, made, t[AT_ADDRESS], invoke(t[INT_NEW], start))
        made[t[AT_CELL]] = shared(t, cell_of(t, base))
        whole = base[t[AT_BASE]]
        replace(t, made, t[AT_BASE], shared(t, base if whole == t[NONE] else whole))
    return made


def remember(t, view):
    """Note a view with the memory it looks at."""
    cell = view[t[AT_CELL]]
    if cell[1] != t[LIST]:
        return UNKNOWN
    views = invoke(t[LIST_GET], cell, 1)
    if views == t[NONE]:
        views = invoke(t[LIST_NEW], 0)
        invoke(t[LIST_SET], cell, 1, views)
    elif invoke(t[LIST_SIZE], views) >= 64:  # now and then those are struck off that are gone
        return UNKNOWN
    reference = invoke(t[WEAK_NEW], view, 0)
    if reference == 0:
        return 0
    invoke(t[LIST_APPEND], views, reference)
    invoke(t[DECREF], reference)
    return shared(t, t[NONE])


def has_counting_cell(t, x):
    """Whether a tensor has no version cell, or one that counts (that of inference mode is of another class)."""
    cell = x[t[AT_CELL]]
    return cell == t[NONE] or cell[1] == t[LIST]


def detach(t, x, own_versions):
    if is_tensor(t, x) and has_counting_cell(t, x):
        return alias(t, x, t[NONE] if own_versions else cell_of(t, x))
    return UNKNOWN


def set_data(t, x, value):
    """Let a tensor stand on another's memory."""
    if is_unusual(t) or not is_tensor(t, value) or (value[t[AT_META]][t[FACTS]] + t[BYTES])[KIND] > 1:
        return UNKNOWN
    replace(t, x, t[AT_STORAGE], shared(t, value[t[AT_STORAGE]]))
    replace(t, x, t[AT_ADDRESS], shared(t, value[t[AT_ADDRESS]]))
    replace(t, x, t[AT_META], shared(t, value[t[AT_META]]))
    return shared(t, t[NONE])


def bump(t, x):
    """Count a change in place."""
    if not has_counting_cell(t, x):
        return UNKNOWN
    cell = cell_of(t, x)
    invoke(t[LIST_SET], cell, 0, invoke(t[INT_NEW], invoke(t[INT_VALUE], invoke(t[LIST_GET], cell, 0)) + 1))
    return shared(t, t[NONE])


def release(t, storage):
    """Give the block of a storage back to the pool, if it came from there and the pool has room."""
    block = storage[t[BLOCK]]
    free = invoke(t[TUPLE_GET], block, 3)
    if free != t[NONE]:
        waiting = t[WAITING_BYTES]
        now = waiting[0] + invoke(t[INT_VALUE], invoke(t[TUPLE_GET], block, 4))
        if now > waiting[1]:
            return UNKNOWN
        waiting[0] = now
        invoke(t[LIST_APPEND], free, block)
    return shared(t, t[NONE])
