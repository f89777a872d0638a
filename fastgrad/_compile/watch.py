"""Has anything moved since the last replay? One look of compiled code at the objects' own memory.

What a plan depends on, and what users could hold or have changed, is in the slots and the reference counts of Python
objects: a parameter's address, the tensor that is its `.grad`, the count of that tensor. While all of those words are what
they were when the last replay had ended, the next one has nothing to check, to bind or to renew. Otherwise, and on an
interpreter whose objects look different, `Replay` goes through everything in Python.
"""

from __future__ import annotations

import ctypes
import functools
from array import array
from typing import Any

from .._launch import native
from .._tensor import Tensor
from ..kernels import walker

_LEFT = {"_requires_grad": False, "_node": None, "_grad": None, "_hooks": None, "_base": None, "_cell": None}


@functools.cache
def _slots() -> dict[str, int] | None:
    """Where a tensor's slots lie, in bytes."""
    if not native.possible():
        return None
    names = ("_address", "_meta", "_requires_grad", "_node", "_grad", "_hooks", "_base", "_cell", "_storage")
    return {name: 8 * native.slot(Tensor, name) for name in names}


class Watch:
    """The words to look at. Empty until `arm` has been called; `is_quiet` is then the question."""

    def __init__(self) -> None:
        self._pairs = array("q")
        self._at = self._count = 0
        self._same = walker.same()
        self._alive: list[Any] = []  # objects whose addresses are expected words: they must not be others' tomorrow

    def is_quiet(self) -> bool:
        """Whether every word is what it was."""
        return self._count > 0 and self._same(self._at, self._count) == 1

    def disarm(self) -> None:
        self._count = 0

    def arm(self, tensors: list[Tensor], leaves: list[Tensor], owned: list[Tensor]) -> None:
        """Look from now on at the memory, geometry and requires_grad of `tensors`, at which tensor the `.grad` of `leaves`
        is, and at everything of the tensors that are `owned` by the plan: who holds them, and how they were left."""
        slots = _slots()
        if slots is None:
            return
        words: list[int] = []
        alive: list[Any] = []
        for tensor in tensors:
            for name in ("_address", "_meta", "_requires_grad"):
                alive.append(getattr(tensor, name))
                words += (id(tensor) + slots[name], id(alive[-1]))
        own = {id(tensor) for tensor in owned}  # which the plan holds
        for leaf in leaves:
            if id(leaf._grad) not in own:
                alive.append(leaf._grad)
            words += (id(leaf) + slots["_grad"], id(leaf._grad))
        for tensor in owned:
            for name, value in _LEFT.items():
                words += (id(tensor) + slots[name], id(value))
            alive.append(tensor._address)
            words += (id(tensor) + slots["_address"], id(alive[-1]))
        tensor = leaf = None  # type: ignore[assignment]
        self._alive = alive
        for number in range(len(owned)):  # counts: `owned` itself is one holder, and will be gone
            for counted, extra in ((id(owned[number]), 1), (id(owned[number]._storage), 0)):
                words += (counted, ctypes.c_int64.from_address(counted).value - extra)
        self._pairs = array("q", words)
        self._at, self._count = self._pairs.buffer_info()[0], len(words) // 2
