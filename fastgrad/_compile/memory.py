"""Memory as a recording knows it: which buffer an address belongs to, at the moment it is asked."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from .._meta import Meta
from .._storage import Storage, address_of
from .._tensor import Tensor

TEMPORARY, ARGUMENT, OUTSIDE, GRADIENT = "temporary", "argument", "outside", "gradient"


class Buffer:
    """A block of memory that a step touches.

    temporary   made by the step itself: a plan gives it a place of its own
    argument    behind the step's `index`-th tensor argument: another one at each call
    outside     of a parameter, a state, a closure's tensor: it stays where it is, and `owner` keeps it alive
    gradient    the `.grad` that the `index`-th leaf had before the step: looked up at each call
    """

    __slots__ = ("address", "constant", "index", "kind", "made_by_hand", "nbytes", "number", "owner", "shift", "touched")

    def __init__(self, number: int, kind: str, address: int, nbytes: int, index: int = -1, owner: Any = None) -> None:
        self.number, self.kind, self.address, self.nbytes = number, kind, address, nbytes
        self.index, self.owner = index, owner
        self.shift = 0  # how far behind the block's start the argument or gradient begins
        self.touched = False  # by a row or a call
        self.made_by_hand = False  # NumPy wrote into it before anybody touched it
        self.constant: bytes | None = None  # what it held then

    def __repr__(self) -> str:
        return f"{self.kind}{self.number if self.index < 0 else self.index}"


class Pointer:
    """An address as buffer and offset in bytes."""

    __slots__ = ("buffer", "offset")

    def __init__(self, buffer: Buffer, offset: int) -> None:
        self.buffer, self.offset = buffer, offset

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pointer) and self.buffer is other.buffer and self.offset == other.offset

    def __hash__(self) -> int:
        return hash((id(self.buffer), self.offset))

    def __repr__(self) -> str:
        return f"{self.buffer}+{self.offset}" if self.offset else repr(self.buffer)


class TensorRef:
    """A tensor as pointer and geometry."""

    __slots__ = ("meta", "pointer")

    def __init__(self, pointer: Pointer, meta: Meta) -> None:
        self.pointer, self.meta = pointer, meta


def extent(tensor: Tensor) -> tuple[int, int]:
    """(first address, bytes) of the memory that a tensor may see: its whole block where that is fastgrad's own."""
    storage = tensor._storage
    if storage.__class__ is bytes:
        return address_of(storage), len(storage)
    if isinstance(storage, Storage) and storage.pooled:
        array, address, start, _, _ = storage.block
        return address, array.nbytes - start
    meta = tensor._meta
    ends = [(size - 1) * step for size, step in zip(meta.shape, meta.strides, strict=True) if size]
    low, high = sum(min(0, end) for end in ends), sum(max(0, end) for end in ends) + 1
    size = meta.dtype.itemsize
    return tensor._address + low * size, (high - low) * size


def related(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors may see one block of memory."""
    if a._storage is b._storage:
        return True
    if all(x._storage.__class__ is bytes or (isinstance(x._storage, Storage) and x._storage.pooled) for x in (a, b)):
        return False
    (low, size), (other, many) = extent(a), extent(b)
    return low < other + many and other < low + size


class Memory:
    """Buffers by address. One that is added takes the place of those it overlaps: they have been freed."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self._starts: list[int] = []
        self._at: dict[int, Buffer] = {}

    def add(self, kind: str, address: int, nbytes: int, index: int = -1, owner: Any = None) -> Buffer:
        """A new buffer."""
        made = Buffer(len(self.buffers), kind, address, nbytes, index, owner)
        self.buffers.append(made)
        at = bisect_right(self._starts, address)
        first = at
        if at and self._at[self._starts[at - 1]].address + self._at[self._starts[at - 1]].nbytes > address:
            first = at - 1
        while at < len(self._starts) and self._starts[at] < address + nbytes:
            at += 1
        for start in self._starts[first:at]:
            del self._at[start]
        self._starts[first:at] = [address]
        self._at[address] = made
        return made

    def add_tensor(self, kind: str, tensor: Tensor, index: int = -1) -> Buffer:
        """The buffer of a tensor that was there before, added unless it is known."""
        address, nbytes = extent(tensor)
        found = self.find(address)
        if found is not None and found.address + found.nbytes >= address + nbytes:
            return found
        return self.add_new(kind, tensor, index)

    def add_new(self, kind: str, tensor: Tensor, index: int = -1) -> Buffer:
        """The buffer of a tensor on memory that is not what it was, if any was known there."""
        address, nbytes = extent(tensor)
        made = self.add(kind, address, nbytes, index, tensor)
        made.shift = tensor._address - address
        return made

    def find(self, address: int) -> Buffer | None:
        """The buffer that holds an address, if one does."""
        at = bisect_right(self._starts, address) - 1
        if at < 0:
            return None
        found = self._at[self._starts[at]]
        return found if address < found.address + max(found.nbytes, 1) else None

    def pointer(self, address: int) -> Pointer | None:
        """An address as buffer and offset."""
        found = self.find(address)
        return None if found is None else Pointer(found, address - found.address)
