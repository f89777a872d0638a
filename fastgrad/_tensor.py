"""Tensor: a window (offset, shape, strides) on a storage, and its place in the graph.

Here is what a tensor is, its fields and geometry, and how one is made. How its values look from outside stands in
`_values.py`, its side of autograd in `_differentiable.py`; the methods that compute are names of operations, one line each,
in `_methods.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from . import _dtype, _meta
from ._device import CPU, device
from ._differentiable import Differentiable, LeafHooks
from ._geometry import Size, wrap_dim
from ._meta import Meta
from ._storage import _HEADER, FILL_WITH_NAN, Memory, Storage, address_of, borrow, fill_with_nan, fresh
from ._values import Values
from .autograd import modes
from .autograd.graph import Node


class Tensor(Values, Differentiable):
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

    def is_contiguous(self, *, memory_format: Any = None) -> bool:
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

    @property
    def _version(self) -> int:
        """How often this memory was changed in place; RuntimeError for a tensor made in inference mode."""
        if self._cell is None:
            return 0
        if self._cell.__class__ is modes.InferenceCell:
            raise RuntimeError("Inference tensors do not track version counter.")
        version: int = self._cell[0]
        return version

    def is_inference(self) -> bool:
        """Whether this tensor was made in inference mode, and so can never be part of a graph."""
        return self._cell.__class__ is modes.InferenceCell

    def _is_view(self) -> bool:
        return self._base is not None

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


def _fill(made: Tensor) -> None:
    fill_with_nan(made._address, made._meta.nbytes)


# Called with every tensor that gets new memory, before anything is written there: the recorder of a compiled step.
watch: Callable[[Tensor], None] | None = _fill if FILL_WITH_NAN else None


def set_watch(watcher: Callable[[Tensor], None] | None) -> None:
    """Let `watcher(tensor)` see every tensor that gets new memory; None ends it."""
    global watch
    modes.unusual[modes.WATCH] = watcher is not None
    if watcher is None or not FILL_WITH_NAN:
        watch = watcher if watcher is not None or not FILL_WITH_NAN else _fill
        return

    def both(made: Tensor) -> None:
        _fill(made)
        watcher(made)

    watch = both


def new(meta: Meta) -> Tensor:
    """A new contiguous tensor with any contents."""
    made: Tensor = _new(Tensor)
    if meta.small:
        made._storage = memory = bytes(meta.nbytes)
        made._address = id(memory) + _HEADER
    else:
        try:
            block = meta.free.pop()
        except IndexError:
            block = fresh(meta.nbytes)
        made._storage = storage = _new(Storage)
        storage.block = block
        made._address = block[1]
    made._meta = meta
    if watch is not None:
        watch(made)
    made._requires_grad = False
    made._grad = made._node = made._base = made._hooks = made._cell = None
    made._output = 0
    if modes.unusual[0] and modes.state.inference:
        made._cell = modes.InferenceCell((0, None))
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


def window(base: Tensor, meta: Meta, distance: int = 0) -> Tensor:
    """Another window on the memory of `base`, which begins so many bytes behind the beginning of `base`."""
    made: Tensor = _new(Tensor)
    made._storage = base._storage
    made._address = base._address + distance
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
    if modes.unusual[0] and modes.state.inference:
        made._cell = modes.InferenceCell((0, None))
    return made
