"""Tensor: a window (offset, shape, strides) on a storage, and its place in the graph.

The methods that compute stand in `_methods.py`, one line each, as names of operations. Here is what a tensor is: its
fields, how one is made, how it is seen from NumPy, and its side of autograd.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _dtype
from . import _meta
from ._geometry import SCALAR, Size, wrap_dim
from ._meta import Meta
from ._storage import (
    _HEADER, FILL_WITH_NAN, Memory, Storage, Window, address_of, borrow, fill_with_nan, fresh, is_writable, small,
)  # fmt: skip
from .autograd import engine, passes
from .autograd.graph import Handle, Node


class device:
    """Where a tensor's memory is. `device("cpu")`, `device("cuda", 0)`, `device("cuda:0")`."""

    __slots__ = ("type", "index")

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        if not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' must be str, not {_name_of(type)}")
        kind, _, number = type.partition(":")
        if kind not in ("cpu", "cuda"):
            raise RuntimeError(f"Expected one of cpu, cuda device type at start of device string: {kind}")
        self.type = kind
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        return f"device(type='{self.type}'{'' if self.index is None else f', index={self.index}'})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


def _name_of(value: Any) -> str:
    return type(value).__name__


CPU = device("cpu")


class Tensor:
    """A multi-dimensional array of one dtype that can be part of a graph.

    Make one with `tensor`, `zeros`, `rand`, ...; the constructor takes sizes (`Tensor(2, 3)`, uninitialised) or data
    (`Tensor([1, 2])`) and always gives the default dtype, as PyTorch's does.

    >>> import fastgrad as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = (
        "_storage", "_address", "_meta", "_requires_grad", "_grad", "_node", "_output", "_cell", "_base", "_hooks",
        "__weakref__",
    )  # fmt: skip

    _storage: Memory
    _address: int  # of element 0
    _meta: Meta  # shape, strides, dtype
    _requires_grad: bool
    _grad: Tensor | None
    _node: Node | None  # what made it, None for a leaf
    _output: int  # which of the node's outputs it is
    _cell: list[Any] | None  # [version, views], shared with views and detach(); None until somebody needs it
    _base: Tensor | None  # whose memory a view looks at
    _hooks: LeafHooks | None

    shape = property(attrgetter("_meta.shape"), doc="The size of each dimension.")
    dtype = property(attrgetter("_meta.dtype"), doc="The type of the elements.")
    _strides = property(attrgetter("_meta.strides"))
    _numel = property(attrgetter("_meta.numel"))
    _contiguous = property(attrgetter("_meta.contiguous"))

    def __new__(cls, *data: Any) -> Tensor:
        from .ops import data as construct

        return construct.legacy(*data)

    if TYPE_CHECKING:  # the methods of _methods.py

        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __lt__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...

    # --- geometry -------------------------------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def dim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one of its sizes; IndexError for a dimension that is not there."""
        if dim is None:
            return self.shape
        n = len(self.shape)
        if not -max(n, 1) <= dim < max(n, 1) or n == 0:
            if n == 0:
                raise IndexError("Dimension specified as 0 but tensor has no dimensions")
            raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
        return self.shape[dim]

    def stride(self, dim: int | None = None) -> Any:
        """Steps between neighbours along each dimension, in elements."""
        return self._strides if dim is None else self._strides[wrap_dim(dim, len(self.shape))]

    def numel(self) -> int:
        """The number of elements."""
        return self._numel

    nelement = numel

    @property
    def _offset(self) -> int:
        return (self._address - address_of(self._storage)) // self._meta.dtype.itemsize

    def storage_offset(self) -> int:
        """Where element 0 lies in the storage, in elements."""
        return self._offset

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._address

    def element_size(self) -> int:
        return self.dtype.itemsize

    def is_contiguous(self) -> bool:
        return self._contiguous

    def is_floating_point(self) -> bool:
        return self.dtype.is_floating_point

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    @property
    def device(self) -> device:
        return CPU

    @property
    def is_cuda(self) -> bool:
        return False

    # --- values as Python and NumPy see them ----------------------------------------------------------------------

    def _array(self) -> Any:
        """A NumPy view for use inside one call; it must not outlive the tensor."""
        storage, meta = self._storage, self._meta
        if storage.__class__ is Storage and meta.numel:
            array, address, start, free, _ = storage.block  # type: ignore[union-attr]
            if free is not None:
                kind = meta.dtype
                strides = None if meta.contiguous else tuple([s * kind.itemsize for s in meta.strides])
                return np.ndarray(meta.shape, kind.numpy, array, start + self._address - address, strides)
        return self._view_array()

    def _view_array(self) -> Any:
        """A NumPy view that keeps the memory alive."""
        size = self.dtype.itemsize
        if not self._numel:
            return np.empty(self.shape, self.dtype.numpy)
        strides = tuple([s * size for s in self._strides])
        readonly = not is_writable(self._storage)
        return np.asarray(
            Window(self._storage, self._address, self.shape, strides, self.dtype.numpy.str, readonly)
        )

    def numpy(self, *, force: bool = False) -> Any:
        """A NumPy array on the same memory. RuntimeError for a tensor that requires grad, unless `force=True`."""
        if self._requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        return self._view_array()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    # NumPy must not take over `array * tensor`: its result would leave the graph.
    __array_priority__ = 1000

    def item(self) -> Any:
        """The value of a tensor with one element, as a Python number; RuntimeError for any other."""
        if self._numel != 1:
            raise RuntimeError(f"a Tensor with {self._numel} elements cannot be converted to Scalar")
        return self._array().item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self._array().tolist()

    def __bool__(self) -> bool:
        if self._numel != 1:
            if self._numel == 0:
                raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self._sole())

    def __int__(self) -> int:
        return int(self._sole())

    def _sole(self) -> Any:
        if self._numel != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.item()

    def __index__(self) -> int:
        if self.dtype.category == 2 or self._numel != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __iter__(self) -> Iterable[Tensor]:
        if not self.shape:
            raise TypeError("iteration over a 0-d tensor")
        return iter([self[i] for i in range(self.shape[0])])

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        from ._format import represent

        return represent(self)

    def __format__(self, spec: str) -> str:
        if not self.shape:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    __hash__ = object.__hash__  # tensors are equal as keys only if they are one; `==` compares elements

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """A leaf in memory of its own, gradient included; RuntimeError for a tensor that was computed."""
        if self._node is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
                "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
                "see https://github.com/pytorch/pytorch/pull/103001"
            )
        made = memo[id(self)] = _rebuilt(self._array().copy(order="K"), self._requires_grad)
        if self._grad is not None:
            made._grad = self._grad.__deepcopy__(memo)
        return made

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _rebuilt, (self._array().copy(order="K"), self._requires_grad)

    # --- the graph ------------------------------------------------------------------------------------------------

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
        self._requires_grad = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
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
        return self._output

    @property
    def grad(self) -> Tensor | None:
        """The gradient collected by `backward`, None before the first."""
        if self._node is not None and self._grad is None:
            _warn_not_a_leaf(self)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {_name_of(value)}")
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value.dtype is not self.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype.name}' to a tensor with dtype "
                    f"'{self.dtype.name}'. Please ensure that the gradient and the tensor have the same dtype"
                )
            if value.shape != self.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
                    f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
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
        if self._node is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._hooks is None:
            self._hooks = LeafHooks()
        return Handle(self._hooks.after, hook)

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
        made._cell = None
        return made

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {_name_of(value)}")
        self._storage, self._address, self._meta = value._storage, value._address, value._meta

    @property
    def _version(self) -> int:
        return 0 if self._cell is None else self._cell[0]

    def _shared_cell(self) -> list[Any]:
        """The version cell, for somebody who shares it."""
        cell = self._cell
        if cell is None:
            cell = self._cell = [0, None]
        return cell

    def _bump(self) -> None:
        """Count an in-place change."""
        self._shared_cell()[0] += 1

    def _alias(self) -> Tensor:
        made: Tensor = _new(Tensor)
        made._storage = self._storage
        made._address = self._address
        made._meta = self._meta
        made._requires_grad = False
        made._grad = made._node = made._base = made._hooks = None
        made._output = 0
        made._cell = self._cell or self._shared_cell()
        return made


_new = object.__new__


class LeafHooks:
    """Hooks on a leaf: before its gradient is added to `.grad`, and after."""

    __slots__ = ("before", "after")

    def __init__(self) -> None:
        self.before: dict[int, Callable[..., Any]] = {}
        self.after: dict[int, Callable[..., Any]] = {}


def new(meta: Meta) -> Tensor:
    """A new contiguous tensor with any contents."""
    made: Tensor = _new(Tensor)
    if meta.small:
        made._storage = memory = small(meta.nbytes)
        made._address = id(memory) + _HEADER
    else:
        made._storage = storage = _new(Storage)
        try:
            storage.block = block = meta.free.pop()
        except IndexError:
            storage.block = block = fresh(meta.nbytes)
        made._address = block[1]
    if FILL_WITH_NAN:
        fill_with_nan(made._address, meta.nbytes)
    made._meta = meta
    made._requires_grad = False
    made._grad = made._node = made._base = made._hooks = made._cell = None
    made._output = 0
    return made


def empty(shape: tuple[int, ...], dtype: _dtype.dtype, numel: int | None = None) -> Tensor:
    """A new contiguous tensor with any contents, by shape and dtype."""
    return new(_meta.contiguous(shape, dtype))


def view(base: Tensor, shape: Size, strides: tuple[int, ...], offset: int | None = None) -> Tensor:
    """Another window on the memory of `base`; `offset` is absolute, in elements (None: where `base` begins)."""
    kind = base._meta.dtype
    made = window(base, _meta.strided(shape, strides, kind))
    if offset is not None:
        made._address = address_of(base._storage) + offset * kind.itemsize
    return made


def window(base: Tensor, meta: Meta) -> Tensor:
    """Another window on the memory of `base`, beginning where it begins."""
    made: Tensor = _new(Tensor)
    made._storage = base._storage
    made._address = base._address
    made._meta = meta
    made._requires_grad = False
    made._grad = made._node = made._hooks = None
    made._output = 0
    made._cell = base._cell or base._shared_cell()
    made._base = base if base._base is None else base._base
    return made


def from_array(array: Any) -> Tensor:
    """A tensor on the memory of a NumPy array of a dtype that tensors have."""
    kind = _dtype.from_numpy(array.dtype)
    if any(step % kind.itemsize for step in array.strides):
        raise ValueError("the strides of the array are not multiples of its element size")
    made: Tensor = _new(Tensor)
    made._storage = borrow(array)
    made._address = address_of(made._storage)
    made._meta = _meta.strided(Size(array.shape), tuple([step // kind.itemsize for step in array.strides]), kind)
    made._requires_grad = False
    made._grad = made._node = made._base = made._hooks = made._cell = None
    made._output = 0
    return made


def _rebuilt(array: Any, requires_grad: bool) -> Tensor:
    """A tensor from its copied or pickled parts."""
    made = from_array(array)
    made._requires_grad = requires_grad
    return made


def _warn_not_a_leaf(tensor: Tensor) -> None:
    if not tensor.retains_grad:
        warnings.warn(
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
            "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
            "Tensor, use .retain_grad() on the non-leaf Tensor.",
            UserWarning,
            stacklevel=3,
        )
