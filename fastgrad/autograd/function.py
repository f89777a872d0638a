"""`Function`: an operation whose derivative the user writes.

`Function.apply` runs the user's forward without recording and makes one node for the whole of it (see context.py).
"""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from .arithmetic import Arithmetic
from .context import FunctionCtx, FunctionNode
from .graph import Node
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
    def _derivative(cls) -> Callable[..., Any]:
        """The one of `backward` and `vjp` that was written."""
        if cls.vjp is Function.vjp:
            return cls.backward
        if cls.backward is not Function.backward:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement "
                "one of them."
            )
        return cls.vjp

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
                    base, out = out if out._base is None else out._base, out._alias()
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
