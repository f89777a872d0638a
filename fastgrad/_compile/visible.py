"""Memory of a plan that users see: what a step returns, and the gradients that it makes.

A tensor that somebody still holds is never written again: the plan then takes new memory. Who holds it, the reference
counts say: of the tensor, and of its memory, which views and arrays hold.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

from .. import _meta
from .._dtype import uint8
from .._storage import Storage, address_of
from .._tensor import Tensor, new
from ..autograd.graph import FREED, Node
from .memory import Buffer, TensorRef


class CompiledStepBackward(Node):
    """Stands for the graph of a tensor that a compiled step returned: it was freed within the step."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__((), ())
        self.versions = FREED


class Seen:
    """One tensor on visible memory."""

    __slots__ = ("leaf", "ref", "requires_grad", "tensor")

    def __init__(self, ref: TensorRef, requires_grad: bool, leaf: Any) -> None:
        self.ref, self.requires_grad, self.leaf = ref, requires_grad, leaf
        self.tensor: Any = None


class Visible:
    """A buffer with the tensors on it."""

    __slots__ = ("address", "buffer", "is_read", "meta", "places", "retired", "seen", "storage")

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer
        self.meta = _meta.contiguous((max(buffer.nbytes, 16),), uint8)
        self.places: list[tuple[int, int]] = []
        self.seen: list[Seen] = []
        self.is_read = False
        self.retired: list[tuple[Any, int, list[Any]]] = []  # memory that somebody held: (storage, address, tensors)
        holder = new(self.meta)
        self.storage: Any = holder._storage
        self.address = holder._address

    def add(self, ref: TensorRef, requires_grad: bool, leaf: Any) -> Seen:
        """A tensor that users will see here."""
        made = Seen(ref, requires_grad, leaf)
        # What lies here when a step begins may be read after the rows that write here: they write elsewhere.
        self.is_read = self.is_read or (leaf is not None and leaf.matters and leaf.had)
        if leaf is not None and not self.is_read and not self.seen:
            self._take_over(made)
        self.seen.append(made)
        return made

    def _take_over(self, made: Seen) -> None:
        """Write over the gradient that the recorded step left, so that a large net does not have a second set of them."""
        gradient, ref = made.leaf.tensor._grad, made.ref
        if gradient is None or gradient._meta is not ref.meta or ref.pointer.offset:
            return
        storage = gradient._storage
        if storage.__class__ is Storage and storage.pooled and gradient._address == address_of(storage):
            self.storage, self.address, made.tensor = storage, gradient._address, gradient

    def is_held(self) -> bool:
        """Whether anybody but the plan (and the leaves whose `.grad` it is) can still see this memory."""
        if self.is_read:
            return True
        bound = 0
        for seen in self.seen:
            tensor = seen.tensor
            if tensor is None:
                continue
            bound += 1
            own = 1 if seen.leaf is not None and seen.leaf.tensor._grad is tensor else 0
            if getrefcount(tensor) - own > _TENSOR_ALONE:
                return True
        return getrefcount(self.storage) - bound > _STORAGE_ALONE

    def renew(self, words: Any) -> None:
        """Take other memory, and let the rows write there: what was held earlier and is not any more, or new."""
        mine = (self.storage, self.address, [seen.tensor for seen in self.seen])
        for number, (storage, _, tensors) in enumerate(self.retired):
            if getrefcount(storage) == _RETIRED + len(tensors) and all(getrefcount(t) == _LISTED for t in tensors):
                self.storage, self.address, tensors = self.retired[number]
                self.retired[number] = mine
                break
        else:
            holder = new(self.meta)
            self.storage, self.address, tensors = holder._storage, holder._address, [None] * len(self.seen)
            self.retired = [*self.retired[-1:], mine]
        for place, offset in self.places:
            words[place] = self.address + offset
        for seen, tensor in zip(self.seen, tensors, strict=True):
            seen.tensor = tensor

    def forget(self, words: Any) -> None:
        """Give the memory away with its tensors, and take new one."""
        self.renew(words)
        self.retired.clear()

    def bind(self) -> None:
        """Make the tensors, or bring them back to how a step leaves them."""
        for seen in self.seen:
            tensor = seen.tensor
            if tensor is None:
                tensor = seen.tensor = object.__new__(Tensor)
                tensor._storage, tensor._meta = self.storage, seen.ref.meta
                tensor._address = self.address + seen.ref.pointer.offset
            tensor._requires_grad = seen.requires_grad
            tensor._node = CompiledStepBackward() if seen.requires_grad else None
            tensor._output = 0
            tensor._grad = tensor._hooks = tensor._base = tensor._cell = None
            if seen.leaf is not None:
                if seen.leaf.version:
                    tensor._cell = [seen.leaf.version, None]
                seen.leaf.tensor._grad = tensor


class _Held:
    storage: Any


def _counts() -> tuple[int, int, int, int]:
    """What getrefcount says in `is_held` and in `renew` when nobody else holds anything."""
    seen = Seen(None, False, None)  # type: ignore[arg-type]
    seen.tensor = _Held()
    tensor = seen.tensor
    holder = _Held()
    holder.storage = _Held()
    retired, storages = [(_Held(), 0, [_Held()])], []
    listed = [getrefcount(t) for _, _, tensors in retired for t in tensors]
    for storage, _, _ in retired:
        storages.append(getrefcount(storage))
    return getrefcount(tensor), getrefcount(holder.storage), storages[0], listed[0]


_TENSOR_ALONE, _STORAGE_ALONE, _RETIRED, _LISTED = _counts()
