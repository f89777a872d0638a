"""Behind a `Function` of the user's: the context that forward and backward share, and the node of one call.

The context stands beside the node, not in it: any attribute may be set on it, and it is asked where the node has no such
attribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .arithmetic import Arithmetic
from .graph import FREED_ERROR, Node, changed
from .passes import is_tensor

if TYPE_CHECKING:
    from .function import Function


class FunctionCtx:
    """What forward and backward of a `Function` hand to each other: saved tensors, and any attribute."""

    needs_input_grad: tuple[bool, ...] = ()  # for each argument: whether its gradient is wanted
    materialize_grads = True
    to_save: tuple[Any, ...] = ()
    dirty_tensors: tuple[Any, ...] = ()
    non_differentiable: tuple[Any, ...] = ()
    _kept: tuple[Any, ...] | None = ()  # (tensor, version, which output it is or None), None where nothing; freed: None
    _node: Any = None  # a weak reference to the node

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for backward, which finds them in `saved_tensors`; changing one in place is an error."""
        self.to_save = tensors

    def mark_dirty(self, *args: Any) -> None:
        """Say which inputs forward changed in place; each must be returned too."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Say which outputs have no gradient."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for an output that nothing depended on."""
        self.materialize_grads = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved. RuntimeError when the graph was freed, or a saved tensor changed in place."""
        if self._kept is None:
            raise RuntimeError(FREED_ERROR)
        return tuple([None if kept is None else self._unpack(*kept) for kept in self._kept])

    def _unpack(self, tensor: Any, version: int, index: int | None) -> Any:
        node = None if self._node is None else self._node()
        if tensor._version != version:
            raise changed(tensor, version, tensor._node if index is None else node, index or 0)
        if index is None:
            return tensor
        output = tensor._alias()
        output._node, output._output, output._requires_grad = node, index, node is not None
        return output

    def _keep(self, node: Node | None) -> None:
        """Save what forward asked for. Of an output only its memory: the node must not hold the tensor that holds it."""
        kept: list[Any] = []
        for k, tensor in enumerate(self.to_save):
            if tensor is None:
                kept.append(None)
                continue
            if not is_tensor(tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {k} is of type {type(tensor).__name__}"
                )
            if node is None:
                continue
            version = 0 if tensor._cell is None else tensor._cell[0]
            own = tensor._node is node
            kept.append((tensor._alias(), version, tensor._output) if own else (tensor, version, None))
        self.to_save = ()
        self._kept = tuple(kept)

    def __getattr__(self, name: str) -> Any:
        if name in ("next_functions", "name", "metadata", "register_hook", "register_prehook"):
            return getattr(self._node(), name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class FunctionNode(Node):
    """The node of one call of a `Function`."""

    function: type[Function]  # set by the subclass made for each Function
    record: Any

    def __init__(self, ctx: FunctionCtx, args: tuple[Any, ...]) -> None:
        tensors = [x for x in args if is_tensor(x)]
        needs = tuple([x._requires_grad for x in tensors])
        super().__init__(needs, tuple([_edge(x) if x._requires_grad else None for x in tensors]))
        self.ctx = ctx
        self.are_tensors = tuple([is_tensor(x) for x in args])
        self.inputs = [(x.shape, x.dtype) for x in tensors]
        self.kinds: list[Any] = []  # (shape, dtype) of each output, None where it is no tensor
        self.versions = ()  # ctx looks after what is saved, when it is asked for it

    def release(self) -> None:
        """Let go of what was saved."""
        self.ctx._kept = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ctx, name)


class _Record:
    """Stands where other nodes have their operation."""

    name = "Function"

    @staticmethod
    def derivative(node: FunctionNode, gy: Any) -> tuple[Any, ...]:
        """The user's backward, between checks of what it gets and of what it gives."""
        ctx = node.ctx
        given = [gy] if node.outputs is None else gy
        if ctx.materialize_grads:
            given = [
                Arithmetic.zeros(*kind) if g is None and kind is not None else g
                for g, kind in zip(given, node.kinds, strict=True)
            ]
        made = node.function._derivative()(ctx, *given)
        return _checked(node, made if isinstance(made, tuple) else (made,))


FunctionNode.record = _Record


def _checked(node: FunctionNode, results: tuple[Any, ...]) -> tuple[Any, ...]:
    """The gradients of the tensors among the arguments, each in its tensor's shape and dtype."""
    expected = len(node.are_tensors)
    if len(results) < expected or any(gx is not None for gx in results[expected:]):
        raise RuntimeError(
            f"function {node.name()} returned an incorrect number of gradients (expected {expected}, got {len(results)})"
        )
    gradients: list[Any] = []
    for k, (gx, is_one) in enumerate(zip(results, node.are_tensors, strict=False)):
        if not is_one:
            if gx is not None:
                raise RuntimeError(
                    f"function {node.name()} returned a gradient different than None at position {k + 1}, but the "
                    "corresponding forward input was not a Variable"
                )
            continue
        if gx is not None and not is_tensor(gx):
            raise RuntimeError(f"expected Variable or None (got {type(gx).__name__})")
        index = len(gradients)
        gradients.append(_fitting(node, gx, index) if gx is not None and node.next[index] is not None else None)
    return tuple(gradients)


def _fitting(node: FunctionNode, gx: Any, index: int) -> Any:
    shape, dtype = node.inputs[index]
    if gx.shape != shape:
        lead = len(gx.shape) - len(shape)
        if lead < 0 or any(n not in (1, size) for n, size in zip(shape, gx.shape[lead:], strict=True)):
            raise RuntimeError(
                f"Function {node.name()} returned an invalid gradient at index {index} - got {list(gx.shape)} but expected "
                f"shape compatible with {list(shape)}"
            )
        gx = Arithmetic.sum_to(gx, shape)
    return gx if gx.dtype is dtype else gx.to(dtype)


def _edge(x: Any) -> tuple[Any, int]:
    return (x, -1) if x._node is None else (x._node, x._output)
