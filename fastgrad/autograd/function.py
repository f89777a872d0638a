"""`Function`: an operation whose derivative the user writes.

`Function.apply` runs the user's forward without recording and makes one node for the whole of it. The user's `ctx` stands
beside the node, not in it: any attribute may be set on it, and it is asked where the node has no such attribute.
"""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from .arithmetic import Arithmetic
from .graph import FREED_ERROR, Node, changed
from .modes import no_grad, state
from .passes import is_tensor

__all__ = ["Function", "FunctionCtx", "once_differentiable"]

NO_DERIVATIVE = (
    "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
)
LEGACY = (
    "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function with "
    "static forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
)
NOT_RETURNED = (
    "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified "
    "inplace must all be outputs of the Function."
)


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
        ctx, function = node.ctx, node.function
        given = [gy] if node.outputs is None else gy
        if ctx.materialize_grads:
            given = [
                Arithmetic.zeros(*kind) if g is None and kind is not None else g
                for g, kind in zip(given, node.kinds, strict=True)
            ]
        written, other = function.backward is not Function.backward, function.vjp is not Function.vjp
        if written and other:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement "
                "one of them."
            )
        made = (function.vjp if other else function.backward)(ctx, *given)
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


class Function:
    """Derive from this to write an operation's forward and backward yourself; call it by `apply`.

    `forward(ctx, *args)` takes and returns tensors (or anything else, which has no gradient) and is not recorded.
    `backward(ctx, *grad_outputs)` returns one gradient for each argument of forward, None where there is none. It is
    recorded under `create_graph`, so that second derivatives need no more than operations in it. Where forward is written
    without ctx, `setup_context(ctx, inputs, output)` saves what backward needs.

    >>> import fastgrad as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...     @staticmethod
    ...     def backward(ctx, gy):
    ...         (x,) = ctx.saved_tensors
    ...         return gy * 3 * x * x
    >>> x = torch.tensor([2.0], requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor([12.])
    """

    _node_class: type[FunctionNode]
    _ctx_class: type[FunctionCtx]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        name = f"{cls.__name__}Backward"
        cls._node_class = type(name, (FunctionNode,), {"function": cls})
        cls._ctx_class = type(name, (FunctionCtx,), {})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke "
            "them on the class itself. Instantiating an autograd function will raise an error in a future version of "
            "PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(LEGACY)

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The operation: `forward(ctx, *args)`, or `forward(*args)` beside `setup_context`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what backward needs, where forward is written without ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments from those of the outputs."""
        raise NotImplementedError(NO_DERIVATIVE)

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        """Another name for `backward`."""
        raise NotImplementedError(NO_DERIVATIVE)

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and record the call."""
        if cls is Function:
            cls.forward()
        with_ctx = cls.setup_context is Function.setup_context
        if kwargs:
            args = _positional(cls.forward, with_ctx, args, kwargs)
        ctx = cls._ctx_class()
        ctx.needs_input_grad = needs = tuple([is_tensor(x) and x._requires_grad for x in args])
        recorded = True in needs and state.enabled
        node = None
        if recorded:
            node = cls._node_class(ctx, args)
            ctx._node = weakref.ref(node)
        with no_grad():
            if with_ctx:
                output = cls.forward(ctx, *args)
            else:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
        several = isinstance(output, tuple)
        made = _attach(ctx, node, args, output if several else (output,))
        if node is not None and several:
            node.outputs = node.kinds
        ctx._keep(node)
        return made if several else made[0]


def _attach(ctx: FunctionCtx, node: FunctionNode | None, args: tuple[Any, ...], outputs: tuple[Any, ...]) -> Any:
    """The outputs with their place in the graph (none where nothing is recorded)."""
    inputs, dirty, constant = ({id(x) for x in xs} for xs in (args, ctx.dirty_tensors, ctx.non_differentiable))
    for what, tensors in (("mark_dirty", ctx.dirty_tensors), ("mark_non_differentiable", ctx.non_differentiable)):
        for x in tensors:
            if not is_tensor(x):
                raise RuntimeError(f"{what} can only accept variables, but argument is of type {type(x).__name__}")
    if (dirty & inputs) - {id(x) for x in outputs}:
        raise RuntimeError(NOT_RETURNED)
    made = []
    for index, out in enumerate(outputs):
        if is_tensor(out):
            differentiable = node is not None and id(out) not in constant and out.dtype.is_floating_point
            if id(out) in dirty:
                _change(out, node if differentiable else None, index, id(out) in inputs)
            else:
                if id(out) in inputs:  # an input as it is: its place in the graph stays its own
                    base, out = out._base or out, out._alias()
                    out._base = base
                out._requires_grad = differentiable
                out._node, out._output = (node, index) if differentiable else (None, 0)
        if node is not None:
            node.kinds.append((out.shape, out.dtype) if is_tensor(out) else None)
        made.append(out)
    return tuple(made)


def _change(out: Any, node: Node | None, index: int, is_input: bool) -> None:
    """Forward changed this tensor in place: it stands for the result from now on."""
    if not is_input:
        warnings.warn(
            "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated should be "
            "passed to ctx.mark_dirty().",
            UserWarning,
            stacklevel=4,
        )
    if node is not None and out._requires_grad and out._node is None:
        raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
    out._bump()
    if node is not None:
        result = out._alias()
        result._node, result._output, result._requires_grad = node, index, True
        Arithmetic.rebase(out, result)


def _positional(forward: Any, with_ctx: bool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Arguments given by name in their places, so that gradients have places too."""
    signature = inspect.signature(forward)
    bound = signature.bind(None, *args, **kwargs) if with_ctx else signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args[1:] if with_ctx else bound.args


class _Refusing(Node):
    """Behind a gradient that may not be differentiated."""

    class record:
        """Stands where other nodes have their operation."""

        @staticmethod
        def derivative(node: Node, gy: Any) -> Any:
            raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


_Refusing.__name__ = _Refusing.__qualname__ = "Error"


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator of a Function's `backward` that cannot be differentiated: trying to is an error, not a wrong number."""

    @functools.wraps(function)
    def backward(ctx: Any, *args: Any) -> Any:
        with no_grad():
            results = function(ctx, *args)
        if not state.enabled or not any(is_tensor(x) and x._requires_grad for x in args):
            return results
        refused = []
        for x in results if isinstance(results, tuple) else (results,):
            if is_tensor(x):
                x = x._alias()
                x._node, x._requires_grad = _Refusing((), ()), True
            refused.append(x)
        return tuple(refused)

    return backward
