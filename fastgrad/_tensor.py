"""Tensor: a window (offset, shape, strides) on a storage, and its place in the graph.

The methods that compute stand in `_methods.py`, one line each, as names of operations. Here is what a tensor is: its
fields, how one is made, how it is seen from NumPy, and its side of autograd.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _dtype
from ._geometry import SCALAR, Size, contiguous_strides, is_contiguous
from ._storage import Storage, Window, allocate, borrow
from .autograd import functional
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
        "_storage", "_address", "_offset", "shape", "_strides", "dtype", "_numel", "_contiguous",
        "_requires_grad", "_grad", "_node", "_output", "_cell", "_base", "_hooks", "_after_accumulate", "__weakref__",
    )  # fmt: skip

    # Address of element 0; offset and strides in elements; _cell is [version, views], shared with views and detach().
    _storage: Storage
    _address: int
    _offset: int
    shape: Size
    _strides: tuple[int, ...]
    dtype: _dtype.dtype
    _numel: int
    _contiguous: bool
    _requires_grad: bool
    _grad: Tensor | None
    _node: Node | None
    _output: int
    _cell: list[Any]
    _base: Tensor | None
    _hooks: dict[int, Callable[..., Any]] | None
    _after_accumulate: dict[int, Callable[..., Any]] | None

    def __new__(cls, *data: Any) -> Tensor:
        from .ops import create

        return create.legacy(*data)

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
        return self._strides if dim is None else self._strides[dim]

    def numel(self) -> int:
        """The number of elements."""
        return self._numel

    nelement = numel

    def storage_offset(self) -> int:
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
        return CPU if self._storage.device == "cpu" else device(self._storage.device)

    @property
    def is_cuda(self) -> bool:
        return self._storage.device != "cpu"

    # --- values as Python and NumPy see them ----------------------------------------------------------------------

    def _array(self) -> Any:
        """A NumPy view for use inside one call; it must not outlive the tensor."""
        storage = self._storage
        size = self.dtype.itemsize
        if storage.size and self._numel:
            start = storage.start + self._address - storage.address
            strides = None if self._contiguous else tuple([s * size for s in self._strides])
            return np.ndarray(self.shape, self.dtype.numpy, storage.block, start, strides)
        return self._view_array()

    def _view_array(self) -> Any:
        """A NumPy view that keeps the memory alive."""
        size = self.dtype.itemsize
        if not self._numel:
            return np.empty(self.shape, self.dtype.numpy)
        strides = tuple([s * size for s in self._strides])
        readonly = self._storage.size == 0 and not self._storage.block.flags.writeable
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
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

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
        if not self.shape and spec:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def __hash__(self) -> int:
        return id(self)

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
            self._hooks = {}
        return Handle(self._hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], Any]) -> Handle:
        """Call `hook(tensor)` after a gradient was added to this leaf's `.grad`."""
        if self._node is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._after_accumulate is None:
            self._after_accumulate = {}
        return Handle(self._after_accumulate, hook)

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Add the gradient of this tensor with respect to every leaf into the leaf's `.grad`; see `autograd.backward`."""
        functional.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory and version, outside the graph."""
        return self._alias()

    @property
    def data(self) -> Tensor:
        """The same memory, outside the graph, with a version of its own: changes made through it go unnoticed."""
        made = self._alias()
        made._cell = [0, None]
        return made

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {_name_of(value)}")
        self._storage, self._address, self._offset = value._storage, value._address, value._offset
        self.shape, self._strides, self.dtype = value.shape, value._strides, value.dtype
        self._numel, self._contiguous = value._numel, value._contiguous

    @property
    def _version(self) -> int:
        version: int = self._cell[0]
        return version

    def _alias(self) -> Tensor:
        made: Tensor = _new(Tensor)
        made._storage, made._address, made._offset = self._storage, self._address, self._offset
        made.shape, made._strides, made.dtype = self.shape, self._strides, self.dtype
        made._numel, made._contiguous = self._numel, self._contiguous
        made._requires_grad = False
        made._grad = made._node = made._base = made._hooks = made._after_accumulate = None
        made._output = 0
        made._cell = self._cell
        return made

    def _is_sole_owner(self) -> bool:
        """Whether no other tensor or array can see this tensor's memory."""
        return self._contiguous and self._storage_references() == _SOLE

    def _storage_references(self) -> int:
        return sys.getrefcount(self._storage)


_new = object.__new__


def empty(shape: Size, dtype: _dtype.dtype, numel: int) -> Tensor:
    """A new contiguous tensor with any contents. `numel` is the product of `shape`, which callers know."""
    made: Tensor = _new(Tensor)
    made._storage = storage = allocate(numel * dtype.itemsize)
    made._address = storage.address
    made._offset = 0
    made.shape = shape
    made._strides = contiguous_strides(shape)
    made.dtype = dtype
    made._numel = numel
    made._contiguous = True
    made._requires_grad = False
    made._grad = made._node = made._base = made._hooks = made._after_accumulate = None
    made._output = 0
    made._cell = [0, None]
    return made


def view(base: Tensor, shape: Size, strides: tuple[int, ...], offset: int, numel: int) -> Tensor:
    """Another window on the memory of `base`; `offset` is absolute, in elements."""
    made: Tensor = _new(Tensor)
    made._storage = base._storage
    made._address = base._address + (offset - base._offset) * base.dtype.itemsize
    made._offset = offset
    made.shape = shape
    made._strides = strides
    made.dtype = base.dtype
    made._numel = numel
    made._contiguous = is_contiguous(shape, strides)
    made._requires_grad = False
    made._grad = made._node = made._hooks = made._after_accumulate = None
    made._output = 0
    made._cell = base._cell
    made._base = base if base._base is None else base._base
    return made


def from_array(array: Any) -> Tensor:
    """A tensor on the memory of a NumPy array of a dtype that tensors have."""
    kind = _dtype.from_numpy(array.dtype)
    if any(step % kind.itemsize for step in array.strides):
        raise ValueError("the strides of the array are not multiples of its element size")
    made: Tensor = _new(Tensor)
    made._storage = borrow(array)
    made._address = made._storage.address
    made._offset = 0
    made.shape = Size(array.shape)
    made._strides = tuple([step // kind.itemsize for step in array.strides])
    made.dtype = kind
    made._numel = array.size
    made._contiguous = is_contiguous(made.shape, made._strides)
    made._requires_grad = False
    made._grad = made._node = made._base = made._hooks = made._after_accumulate = None
    made._output = 0
    made._cell = [0, None]
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


def _count_sole() -> int:
    """What getrefcount says of a storage that one tensor holds, seen from a method as `_is_sole_owner` sees it."""
    made = empty(SCALAR, _dtype.float32, 1)
    return Tensor._storage_references(made)


_SOLE = _count_sole()
