"""Backward through the tape: in decreasing order of node numbers, which is an order that the graph allows, since a node
only ever points to earlier ones. No recursion, so a chain of 100,000 nodes is as easy as one of ten.

Gradients on their way are borrowed or owned. The first to reach a node is borrowed (somebody else may hold it too), the
second makes a new sum, later ones are added into that in place. A borrowed gradient becomes a leaf's `.grad` only as a
copy; one that nobody else holds is taken as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from sys import getrefcount
from typing import Any

from .graph import FREED, Node
from .modes import state


class Arithmetic:
    """The few things the engine does to gradients. The package of operations fills them in."""

    add: Any = None  # add(a, b) -> new tensor, recorded when recording is on
    add_into: Any = None  # add_into(a, b): a += b, never recorded
    copy: Any = None  # copy(a) -> contiguous new tensor, recorded when recording is on
    ones_like: Any = None
    zeros_like: Any = None


def run(
    outputs: Sequence[Any],
    gradients: Sequence[Any],
    retain_graph: bool,
    create_graph: bool,
    wanted: Sequence[Any] | None,
) -> list[Any] | None:
    """Send `gradients` back from `outputs`. With `wanted` (tensors), return their gradients in order, None where nothing
    reached; without, add into the `.grad` of every leaf."""
    before = state.enabled
    state.enabled = create_graph
    try:
        return _run(outputs, gradients, retain_graph, create_graph, wanted)
    finally:
        state.enabled = before


def _run(
    outputs: Sequence[Any], gradients: Sequence[Any], retain: bool, create: bool, wanted: Sequence[Any] | None
) -> list[Any] | None:
    gathered = _Gathered(create)
    pending, leaves, heap = gathered.pending, gathered.leaves, gathered.heap
    captures: dict[tuple[Any, int], Any] = {}
    useful: set[Node] | None = None
    if wanted is not None:
        captures = {_edge(t): None for t in wanted}
        useful = _useful([t._node for t in outputs if t._node is not None], captures)
    for tensor, gradient in zip(outputs, gradients, strict=True):
        gathered.deliver(*_edge(tensor), gradient)
    gradient = tensor = None
    plain = useful is None and not create
    while heap:
        node = heappop(heap)[1]
        gy = pending.pop(node)
        if node.hooks is not None:
            gy = _before(node, gy)
        if useful is not None:
            _capture(node, gy, captures)
            if node not in useful:
                continue
        versions = node.versions
        if versions is not None:
            for then, tensor in zip(versions, node.saved) if versions is not FREED else _FREED:  # noqa: B905
                if tensor is not None and (0 if tensor._cell is None else tensor._cell[0]) != then:
                    node.unpack()  # raises the error that fits
        results = node.record.derivative(node, gy) if plain else _derivative(node, gy, create, useful, captures)
        if node.hooks is not None:
            results = _after(node, results, gy)
        gy = tensor = None
        if versions is not None and not retain:
            node.release()
        for edge, gx in zip(node.next, results if results.__class__ is tuple else (results,)):  # noqa: B905
            if gx is None or edge is None:
                continue
            target, index = edge
            if index < 0:
                if target not in leaves:
                    leaves[target] = gx
                    continue
            elif target not in pending and target.outputs is None:  # the usual case, without a call
                pending[target] = gx
                heappush(heap, (-target.number, target))
                continue
            gathered.deliver(target, index, gx)
        results = gx = None
    if wanted is None:
        _accumulate(leaves, create)
        return None
    for leaf, gx in leaves.items():
        if (leaf, -1) in captures:
            captures[leaf, -1] = gx if leaf._hooks is None else run_tensor_hooks(leaf._hooks.before, gx)
    return [captures[_edge(t)] for t in wanted]


class _Freed:
    """Stands for a saved tensor of a freed node: its version fits nothing."""

    _cell = (-1,)


_FREED = ((0, _Freed()),)


def _edge(tensor: Any) -> tuple[Any, int]:
    return (tensor, -1) if tensor._node is None else (tensor._node, tensor._output)


class _Gathered:
    """Gradients that have reached nodes and leaves in this pass."""

    def __init__(self, create: bool) -> None:
        self.create = create
        self.pending: dict[Node, Any] = {}  # a list for a node with several outputs
        self.leaves: dict[Any, Any] = {}
        self.heap: list[tuple[int, Node]] = []
        self.owned: set[tuple[Any, int]] = set()  # sums made here, which may be added to in place

    def deliver(self, target: Any, index: int, gradient: Any) -> None:
        """Add a gradient to what has reached this output of the target so far."""
        if index < 0:
            table, key = self.leaves, target
        else:
            if target not in self.pending:
                self.pending[target] = None if target.outputs is None else [None] * len(target.outputs)
                heappush(self.heap, (-target.number, target))
            table, key = (self.pending, target) if target.outputs is None else (self.pending[target], index)
        have = table.get(key) if table.__class__ is dict else table[key]
        if have is None:
            table[key] = gradient
        elif (target, index) in self.owned and not self.create:
            Arithmetic.add_into(have, gradient)
        else:
            table[key] = Arithmetic.add(have, gradient)
            self.owned.add((target, index))


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


def _derivative(
    node: Node, gy: Any, create: bool, useful: set[Node] | None, captures: dict[tuple[Any, int], Any]
) -> Any:
    if useful is None and not create:
        return node.record.derivative(node, gy)
    needs, saved = node.needs, node.saved
    if useful is not None:  # nothing is computed for inputs that lead nowhere wanted
        node.needs = tuple([n and (e in captures or e[0] in useful) for n, e in zip(needs, node.next, strict=True)])
    if create and node.holds_output:  # the output as the tape knows it, for the next order of derivative
        output = saved[0]._alias()
        output._node, output._requires_grad = node, True
        node.saved = (output, *saved[1:])
    try:
        return node.record.derivative(node, gy)
    finally:
        node.needs, node.saved = needs, saved


def _before(node: Node, gy: Any) -> Any:
    """Hooks on the tensors this node made, tensors that retain their gradient, and hooks before the node."""
    hooks = node.hooks
    several = node.outputs is not None
    values = list(gy) if several else [gy]
    for index, registered in hooks.get("tensor", {}).items():
        if values[index] is not None:
            values[index] = run_tensor_hooks(registered, values[index])
    for index, reference in hooks.get("retain", {}).items():
        tensor = reference()
        if tensor is not None and values[index] is not None:
            tensor._grad = values[index] if tensor._grad is None else Arithmetic.add(tensor._grad, values[index])
    for hook in list(hooks.get("pre", {}).values()):
        made = hook(tuple(values))
        if made is not None:
            values = list(made) if isinstance(made, tuple) else [made]
    return values if several else values[0]


def _after(node: Node, results: Any, gy: Any) -> Any:
    """Hooks behind the node: they see the gradients of its inputs and outputs, and may replace the former."""
    given = results if results.__class__ is tuple else (results,)
    for hook in list(node.hooks.get("post", {}).values()):
        made = hook(given, tuple(gy) if node.outputs is not None else (gy,))
        if made is not None:
            given = made if isinstance(made, tuple) else (made,)
    return given


def run_tensor_hooks(hooks: Any, gradient: Any) -> Any:
    """Call a tensor's hooks in turn; one that returns a tensor replaces the gradient."""
    if hooks:
        for hook in list(hooks.values()):
            made = hook(gradient)
            if made is not None:
                gradient = made
    return gradient


class _Probe:
    __slots__ = ("_storage",)


def _references(leaves: dict[Any, Any]) -> tuple[int, int]:
    """What getrefcount says of a gradient that only the pass holds, and of its memory if no other tensor has it. The
    numbers differ between versions of Python, so they are read off code of the same form as `_accumulate`'s."""
    leaf, gradient = leaves.popitem()
    return getrefcount(gradient), getrefcount(gradient._storage)


def _calibrate() -> tuple[int, int]:
    leaves: dict[Any, Any] = {0: _Probe()}
    leaves[0]._storage = _Probe()
    return _references(leaves)


_ALONE, _SOLE = _calibrate()


def _accumulate(leaves: dict[Any, Any], create: bool) -> None:
    """Add what reached the leaves to their `.grad`. Nothing was written before this point, so an error or Ctrl-C in the
    middle of backward leaves every `.grad` as it was."""
    while leaves:
        leaf, gradient = leaves.popitem()
        if leaf._grad is None and leaf._hooks is None:
            # Nobody else has the tensor, and no other tensor its memory: it may become `.grad` as it is.
            alone = getrefcount(gradient) == _ALONE and getrefcount(gradient._storage) == _SOLE
            leaf._grad = gradient if alone and gradient._contiguous else Arithmetic.copy(gradient)
            continue
        if leaf._hooks is not None and leaf._hooks.before:
            gradient = run_tensor_hooks(leaf._hooks.before, gradient)
        _store(leaf, gradient, create)


def _store(leaf: Any, gradient: Any, create: bool) -> None:
    have = leaf._grad
    if have is None:
        leaf._grad = Arithmetic.copy(gradient)
    elif create:
        leaf._grad = Arithmetic.add(have, gradient)
    else:
        Arithmetic.add_into(have, gradient)
    if leaf._hooks is not None:
        for hook in list(leaf._hooks.after.values()):
            hook(leaf)


def store(tensors: Sequence[Any], gradients: Sequence[Any], create: bool) -> None:
    """Add gradients to the `.grad` of these tensors, leaves or not; None adds nothing."""
    before = state.enabled
    state.enabled = create
    try:
        for tensor, gradient in zip(tensors, gradients, strict=True):
            if gradient is not None:
                _store(tensor, gradient, create)
    finally:
        state.enabled = before
