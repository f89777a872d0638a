"""A tensor's side of autograd: whether it wants a gradient, the gradient, hooks, running back, leaving the graph."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _recording
from ._suggest import naming_keywords
from .autograd import engine, modes, passes
from .autograd.graph import Handle, Node

if TYPE_CHECKING:
    from ._tensor import Tensor


class LeafHooks:
    """Hooks on a leaf: before its gradient is added to `.grad`, and after."""

    __slots__ = ("before", "after")

    def __init__(self) -> None:
        self.before: dict[int, Callable[..., Any]] = {}
        self.after: dict[int, Callable[..., Any]] = {}


class Differentiable:
    """What Tensor has of the graph."""

    __slots__ = ()
    _hooks: LeafHooks | None
    _output: int

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


    @property
    def requires_grad(self) -> bool:
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and not self.dtype.is_floating_point:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if self._node is not None and not value:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
                "subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if value and self.is_inference() and not modes.state.inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Make this leaf require grad (or not), in place."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the user made this tensor, rather than a recorded operation."""
        return self._node is None

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor, None for a leaf."""
        return self._node

    @property
    def output_nr(self) -> int:
        """Which of the outputs of `grad_fn` this is; 0 for a leaf."""
        return max(0, self._output)

    @property
    def grad(self) -> Tensor | None:
        """The gradient collected by `backward`, None before the first."""
        if _recording.active is not None and self._node is None:
            _recording.active.saw_leaves((self,))
        if self._grad is None and (self._node is not None or self._output == GRAD_NOT_KEPT):
            _say_why_there_is_none(self)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Differentiable):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value.dtype is not self.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype.scalar_name.lower()}' to a tensor with "
                    f"grad_dtype '{self.dtype.scalar_name}'. The gradient must match the tensor's grad_dtype (defaults to "
                    "the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or None to "
                    "allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may "
                    "break downstream systems that assume they match."
                )
            if value.shape != self.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
                    f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
        if _recording.active is not None:
            _recording.active.saw_leaves((self,), False)
        self._grad = value
        if self._output == GRAD_NOT_KEPT:
            self._output = 0

    @grad.deleter
    def grad(self) -> None:
        if _recording.active is not None:
            _recording.active.saw_leaves((self,), False)
        self._grad = None

    @property
    def retains_grad(self) -> bool:
        """Whether this tensor, though no leaf, keeps its gradient."""
        node = self._node
        return bool(node is not None and node.hooks and self._output in node.hooks.get("retain", {}))

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in `.grad` although it is no leaf."""
        if not self._requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is not None:
            self._node._hooks().setdefault("retain", {})[self._output] = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Any]) -> Handle:
        """Call `hook(grad)` when the gradient of this tensor is known; a tensor it returns takes its place."""
        if not self._requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            hooks = self._node._hooks().setdefault("tensor", {}).setdefault(self._output, {})
            return Handle(hooks, hook)
        if self._hooks is None:
            self._hooks = LeafHooks()
        return Handle(self._hooks.before, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], Any]) -> Handle:
        """Call `hook(tensor)` after a gradient was added to this leaf's `.grad`."""
        if not self._requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._hooks is None:
            self._hooks = LeafHooks()
        return Handle(self._hooks.after, hook)

    @naming_keywords
    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Add the gradient of this tensor with respect to every leaf into the leaf's `.grad`; see `autograd.backward`."""
        if gradient is None and inputs is None and not create_graph and self._requires_grad and self._meta.numel == 1:
            engine.run((self,), (engine.Arithmetic.ones_like(self),), bool(retain_graph), False, None)
        else:
            passes.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory and version, outside the graph."""
        return self._alias()

    @property
    def data(self) -> Tensor:
        """The same memory, outside the graph, with a version of its own: changes made through it go unnoticed."""
        made = self._alias()
        if not self.is_inference():
            made._cell = None
        return made

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Differentiable):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self._requires_grad and not value.is_floating_point():
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        self._storage, self._address, self._meta = value._storage, value._address, value._meta


NOT_KEPT = "this .grad was not kept: the step that made it is compiled with keep_grads=False"
GRAD_NOT_KEPT = -3  # where other tensors have the number of an output: a compiled step used up the gradient of this leaf


def _say_why_there_is_none(tensor: Differentiable) -> None:
    if tensor._output == GRAD_NOT_KEPT:
        raise RuntimeError(NOT_KEPT)
    if not tensor.retains_grad:
        warnings.warn(
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
            "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
            "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you "
            "access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information.",
            UserWarning,
            stacklevel=3,
        )
