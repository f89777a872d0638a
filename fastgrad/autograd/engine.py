"""Backward through the tape: in decreasing order of node numbers, which is an order that the graph allows, since a node
only ever points to earlier ones. No recursion, so a chain of 100,000 nodes is as easy as one of ten.

Gradients on their way are borrowed or owned. The first to reach a node is borrowed (somebody else may hold it too), the
second makes a new sum, later ones are added into that in place. A borrowed gradient becomes a leaf's `.grad` only as a
copy; one that nobody else holds is taken as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from heapq import heappop, heappush
from sys import getrefcount
from typing import Any

from .. import _recording
from . import anomaly, hooks
from .arithmetic import Arithmetic
from .graph import FREED, Node
from .modes import state


def run(
    outputs: Sequence[Any],
    gradients: Sequence[Any],
    retain_graph: bool,
    create_graph: bool,
    wanted: Sequence[Any] | None,
) -> list[Any] | None:
    """Send `gradients` back from `outputs`. With `wanted` (tensors), return their gradients in order, None where nothing
    reached; without, add into the `.grad` of every leaf."""
    if retain_graph and not state.retains:
        state.retains = True
        try:
            return run(outputs, gradients, True, create_graph, wanted)
        finally:
            state.retains = False
    if _recording.active is not None:
        _recording.active.went_back = True
    before = state.enabled
    state.enabled = create_graph and not state.inference
    try:
        if state.anomaly:
            with anomaly.watching(outputs):
                return _run(outputs, gradients, retain_graph, create_graph, wanted)
        return _run(outputs, gradients, retain_graph, create_graph, wanted)
    finally:
        state.enabled = before


def _run(
    outputs: Sequence[Any], gradients: Sequence[Any], retain: bool, create: bool, wanted: Sequence[Any] | None
) -> list[Any] | None:
    leaves: dict[Any, Any] = {}  # leaf -> the gradient that has reached it
    if not create and len(outputs) == 1 and (wanted is None or all(tensor._node is None for tensor in wanted)):
        by_leaf = None if wanted is None else dict.fromkeys(wanted)
        if _run_to_leaves(outputs[0], gradients[0], leaves, by_leaf, retain):
            if wanted is not None:
                return [leaves.get(tensor) for tensor in wanted]
            _accumulate(leaves, create)
            return None
    pending: dict[Any, Any] = {}  # node -> the gradient that has reached it; a list for a node with several outputs
    heap: list[tuple[int, Node]] = []
    owned: set[Any] = set()  # the targets whose gradient is a sum made here, which may be added to in place
    captures: dict[tuple[Any, int], Any] = {}
    useful: set[Node] | None = None
    if wanted is not None:
        captures = {_edge(t): None for t in wanted}
        useful = _useful([t._node for t in outputs if t._node is not None], captures)
    plain = useful is None and not create
    # The outputs stand for the inputs of a node that has just run.
    edges: Any = [_edge(tensor) for tensor in outputs]
    results: Any = gradients
    while True:
        for edge, gx in zip(edges, results):
            if gx is None or edge is None:
                continue
            target, index = edge
            if index < 0:
                if target in leaves:
                    _add(leaves, target, gx, target, owned, create)
                else:
                    leaves[target] = gx
            elif target.outputs is not None:
                if target not in pending:
                    heappush(heap, (-target.number, target))
                _arrive(pending, edge, gx, owned, create)
            elif target in pending:
                _add(pending, target, gx, target, owned, create)
            else:
                pending[target] = gx
                heappush(heap, (-target.number, target))
        results = gx = edge = None
        if not heap:
            break
        node = heappop(heap)[1]
        gy = pending.pop(node)
        edges = node.next
        if node.hooks is not None:
            gy = hooks.on_outputs(node, gy)
        if useful is not None:
            _capture(node, gy, captures)
            if node not in useful:
                results = ()
                continue
        if node.hooks is not None:
            gy = hooks.before_node(node, gy)
        versions = node.versions
        if versions is not None:
            for then, tensor in zip(versions, node.saved) if versions is not FREED else _FREED:
                if tensor is not None and (0 if tensor._cell is None else tensor._cell[0]) != then:
                    node.unpack()  # raises the error that fits
            tensor = None
        results = node.record.derivative(node, gy) if plain else _derivative(node, gy, create, useful, captures)
        if node.hooks is not None:
            results = hooks.after_node(node, results, gy)
        gy = None
        if versions is not None and not retain:
            node.release()
        if results.__class__ is not tuple:
            results = (results,)
    if wanted is None:
        _accumulate(leaves, create)
        return None
    for leaf, gx in leaves.items():
        if (leaf, -1) in captures:
            captures[leaf, -1] = gx if leaf._hooks is None else hooks.on_tensor(leaf._hooks.before, gx)
    return [captures[_edge(t)] for t in wanted]


def _run_to_leaves(output: Any, gradient: Any, leaves: dict[Any, Any], wanted: dict[Any, None] | None, retain: bool) -> bool:
    """Put into `leaves` what reaches them, if that is all that is wanted, and say whether it was: compiled code knows how
    (`kernels/backward.py`)."""
    return False


def _add(table: Any, key: Any, gradient: Any, target: Any, owned: set[Any], create: bool) -> None:
    """Add a further gradient to what `table[key]` has collected."""
    have = table[key]
    if have is None:
        table[key] = gradient
    elif create or target not in owned:
        table[key] = Arithmetic.add(have, gradient)
        owned.add(target)
    else:
        Arithmetic.add_into(have, gradient)


def _arrive(pending: dict[Any, Any], edge: tuple[Any, int], gx: Any, owned: set[Any], create: bool = False) -> None:
    """Let a gradient reach one of the outputs of a node that has several."""
    target, index = edge
    _add(pending.setdefault(target, [None] * len(target.outputs)), index, gx, edge, owned, create)


def _with_hooks(node: Node, gy: Any) -> Any:
    """All that happens at a node with hooks in a usual pass, for the compiled one (`kernels/backward.py`)."""
    gy = hooks.before_node(node, hooks.on_outputs(node, gy))
    node.unpack()
    results = hooks.after_node(node, node.record.derivative(node, gy), gy)
    if not state.retains:
        node.release()
    return results


class _Freed:
    """Stands for a saved tensor of a freed node: its version fits nothing."""

    _cell = (-1,)


_FREED = ((0, _Freed()),)


def _edge(tensor: Any) -> tuple[Any, int]:
    return (tensor, -1) if tensor._node is None else (tensor._node, tensor._output)


def _useful(roots: list[Node], captures: dict[tuple[Any, int], Any]) -> set[Node]:
    """The nodes from which a wanted tensor can be reached. Edges point to lower numbers, so one sorted sweep decides."""
    seen = set(roots)
    todo = list(seen)
    while todo:
        for edge in todo.pop().next:
            if edge is not None and edge[1] >= 0 and edge[0] not in seen:
                seen.add(edge[0])
                todo.append(edge[0])
    useful: set[Node] = set()
    for node in sorted(seen, key=lambda n: n.number):
        if any(edge is not None and (edge in captures or edge[0] in useful) for edge in node.next):
            useful.add(node)
    return useful


def _capture(node: Node, gy: Any, captures: dict[tuple[Any, int], Any]) -> None:
    for index, gradient in enumerate([gy] if node.outputs is None else gy):
        if (node, index) in captures:
            captures[node, index] = gradient


def _derivative(node: Node, gy: Any, create: bool, useful: set[Node] | None, captures: dict[tuple[Any, int], Any]) -> Any:
    needs, saved = node.needs, node.saved
    if useful is not None:  # nothing is computed for inputs that lead nowhere wanted
        needs = tuple([n and (e in captures or e[0] in useful) for n, e in zip(needs, node.next, strict=True)])
    if create and node.holds_output:  # the output as the tape knows it, for the next order of derivative
        output = saved[0]._alias()
        output._node, output._requires_grad = node, True
        saved = (output, *saved[1:])
    if needs != node.needs or saved is not node.saved:
        return node.record.derivative(node.with_saved(needs, saved), gy)
    return node.record.derivative(node, gy)


class _Probe:
    __slots__ = ("_storage",)


def _references(leaves: dict[Any, Any]) -> tuple[int, int]:
    """What getrefcount says of a gradient that only the pass holds, and of its memory if no other tensor has it. The
    numbers differ between versions of Python, so they are read off code of the same form as `_accumulate`'s."""
    _leaf, gradient = leaves.popitem()
    return getrefcount(gradient), getrefcount(gradient._storage)


def _calibrate() -> tuple[int, int]:
    leaves: dict[Any, Any] = {0: _Probe()}
    leaves[0]._storage = _Probe()
    return _references(leaves)


_ALONE, _SOLE = _calibrate()


def _accumulate(leaves: dict[Any, Any], create: bool) -> None:
    """Add what reached the leaves to their `.grad`. Nothing was written before this point, and hooks that may still raise
    run first: an error or Ctrl-C in the middle of backward leaves every `.grad` as it was."""
    for leaf in leaves:
        if leaf._hooks is not None and leaf._hooks.before:
            leaves[leaf] = hooks.on_tensor(leaf._hooks.before, leaves[leaf])
    _add_to_grads(leaves, create)


_adding = threading.RLock()  # two threads may run back at once, and reach the same leaf


def _add_to_grads(leaves: dict[Any, Any], create: bool) -> None:
    if _recording.active is not None:
        _recording.active.saw_leaves(leaves)
    watched = [leaf for leaf in leaves if leaf._hooks is not None and leaf._hooks.after]
    with _adding:
        while leaves:
            leaf, gradient = leaves.popitem()
            have = leaf._grad
            if not leaf._requires_grad:
                continue  # changed its mind since the graph was made
            if have is None:
                # Nobody else has the tensor, and no other tensor its memory: it may become `.grad` as it is.
                alone = getrefcount(gradient) == _ALONE and getrefcount(gradient._storage) == _SOLE
                leaf._grad = gradient if alone and gradient._contiguous else Arithmetic.copy(gradient)
            elif create:
                leaf._grad = Arithmetic.add(have, gradient)
            else:
                Arithmetic.add_into(have, gradient)
    call = hooks.behind_grad if _recording.active is None else _recording.active.hooks.behind_grad
    for leaf in watched:
        for hook in list(leaf._hooks.after.values()):
            call(hook, leaf)


def store(leaves: dict[Any, Any], create: bool) -> None:
    """Add gradients, whose hooks have been called, to the `.grad` of leaves."""
    before = state.enabled
    state.enabled = create
    try:
        _add_to_grads(leaves, create)
    finally:
        state.enabled = before
