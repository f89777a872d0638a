"""The one C function behind all compiled steps of an operation; see `objects.py`.

`call` is the function of a few Python callables, which differ in their spec: what to do, and the Python function that does
it where the case is not usual.
"""

# ruff: noqa: F405 -- numbers of the table and the spec, all in capitals
# mypy: ignore-errors

from __future__ import annotations

from inspect import isfunction

from .backward import *  # noqa: F403
from .objects import *  # noqa: F403
from .tape import *  # noqa: F403


def call(itself, given, count, names):
    """The C function of every callable: `count` arguments at `given`, and more under the names of a tuple (or 0)."""
    spec = itself + SPEC_BEGINS
    t, step, done = spec[TABLE], spec[STEP], UNKNOWN
    if step == LAUNCH:
        done = launch(t, spec, given, count, names)
    elif names != 0:
        done = UNKNOWN
    elif step == MAKE:
        if not is_unusual(t):
            done = new(t, given[0])
    elif step == RECORD:
        done = record(t, given, count)
    elif step == ATTACH:
        done = attach(t, given[0], given[1])
    elif step == SAVE:
        done = save(t, given, count, 0)
    elif step == SAVE_OUTPUT:
        done = save(t, given, count, given[1])
    elif step == SAVE_CROSSWISE:
        done = save_crosswise(t, given)
    elif step == DETACH:
        done = detach(t, given[0], 0)
    elif step == DATA:
        done = detach(t, given[0], 1)
    elif step == SET_DATA:
        done = set_data(t, given[0], given[1])
    elif step == BUMP:
        done = bump(t, given[0])
    elif step == FILL:
        done = fill(t, spec, given[0], given[1])
    elif step == SET_ZERO:
        done = set_zero(t, spec, given[0])
    elif step == IN_PLACE:
        done = in_place(t, spec, given, count)
    elif step == SUM:
        done = sum_all(t, spec, given, count)
    elif step == BACKWARD:
        done = backward(t, spec, given, count)
    elif step == RUN_TO_LEAVES:
        done = run_to_leaves(t, given)
    elif step == WINDOW:
        done = window(t, given[0], given[1], given[2] if count == 3 else t[ZERO])
    elif step == REMEMBER:
        done = remember(t, given[0])
    elif step == EACH_ROW:
        done = each_row(t, spec, given, count)
    elif step == CROSS:
        done = cross(t, spec, given, count)
    elif step == PLANNED:
        done = launch_planned(t, spec, given, count)
    elif step == SAME:
        done = same(t, spec, given, count)
    elif step == MULTIPLY:
        done = multiply(t, given, count)
    elif step == RELEASE:
        done = release(t, given[0])
    elif step == COUNT:
        done = next_number(t)
    if done != UNKNOWN:
        return done
    return invoke(t[CALL], spec[FALLBACK], given, count, names)


FUNCTIONS = [f for f in list(globals().values()) if isfunction(f) and f is not isfunction]  # `call` is the last
