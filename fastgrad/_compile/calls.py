"""A call of a compiled function: what of its arguments decides the plan, and what graphs its result has."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from .events import replaced
from .memory import related


def has_graph(tensor: Tensor) -> bool:
    """Whether a backward pass from here is still to come: this tensor wants gradients, and nothing was let go of."""
    node = tensor._node
    if node is None:
        return False
    todo, seen = [node], {node}
    while todo:
        at = todo.pop()
        if at.freed:
            return False
        for above in at.next:
            if above is not None and above[1] >= 0 and above[0] not in seen:
                seen.add(above[0])
                todo.append(above[0])
    return True


def returned(result: Any) -> list[Tensor]:
    """The tensors in what a function returned."""
    found: list[Tensor] = []
    replaced(result, Tensor, found.append)
    return found


def fast_key(args: Any, kwargs: Any) -> list[Any] | None:
    """The metas of the arguments, where these are tensors and nothing else."""
    if kwargs or not all(isinstance(arg, Tensor) for arg in args):
        return None
    if any(related(args[i], args[j]) for j in range(len(args)) for i in range(j)):
        return None
    return [arg._meta for arg in args]


def signature(value: Any, tensors: list[Tensor], objects: list[Any]) -> Any:
    """What of the arguments decides the plan; tensors and other objects in them are collected on the way."""
    if isinstance(value, Tensor):
        for number, known in enumerate(tensors):
            if known is value:
                return ("same", number)
        # One block under two arguments is one buffer of the plan, in which each has its place.
        places = [(k, value._address - known._address) for k, known in enumerate(tensors) if related(known, value)]
        tensors.append(value)
        return (value._meta, value._requires_grad, *places)
    if isinstance(value, dict):
        return tuple([(key, signature(inner, tensors, objects)) for key, inner in value.items()])
    if isinstance(value, (list, tuple)):
        return (type(value), *[signature(inner, tensors, objects) for inner in value])
    if isinstance(value, (int, float, complex, str, bytes, bool, type(None))):
        return (type(value), repr(value) if isinstance(value, (float, complex)) else value)  # 0.0 is not -0.0
    objects.append(value)
    return id(value)
