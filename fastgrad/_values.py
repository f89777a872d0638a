"""The values of a tensor as Python and NumPy see them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _recording
from ._storage import Storage, Window, is_writable
from .autograd import modes

if TYPE_CHECKING:
    from ._tensor import Tensor


class _Memory(ctypes.c_char * (1 << 62)):  # type: ignore[misc]
    """Memory from an address on, to be looked at as an array, which says how much of it there is."""

    of: Any


class Values:
    """What Tensor has of conversions: to arrays, numbers, lists, text, copies."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Any: ...


    def _array(self) -> Any:
        """A NumPy view for use inside one call; it must not outlive the tensor."""
        if _recording.active is not None:
            _recording.active.looked_at(self)
        storage, meta = self._storage, self._meta
        if meta.numel and (storage.__class__ is not Storage or is_writable(storage)):
            strides = None if meta.contiguous else tuple([s * meta.dtype.itemsize for s in meta.strides])
            memory = _Memory.from_address(self._address)
            memory.of = storage  # which the array keeps alive
            return np.ndarray(meta.shape, meta.dtype.numpy, memory, 0, strides)
        return self._view_array()

    def _view_array(self) -> Any:
        """A NumPy view that keeps the memory alive."""
        if _recording.active is not None:
            _recording.active.looked_at(self)
        size = self.dtype.itemsize
        if not self._numel:
            return np.empty(self.shape, self.dtype.numpy)
        strides = tuple([s * size for s in self._strides])
        readonly = not is_writable(self._storage)
        return np.asarray(
            Window(self._storage, self._address, self.shape, strides, self.dtype.numpy.str, readonly)
        )

    def numpy(self, *, force: bool = False) -> Any:
        """A NumPy array on the same memory. RuntimeError for a tensor that requires grad, unless `force=True` or inside
        `no_grad`."""
        if self._requires_grad and not force and modes.state.enabled:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        if _recording.active is not None:
            return _recording.active.read(self, "numpy", self._view_array)
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
        if _recording.active is not None:
            return _recording.active.read(self, "item", lambda: self._array().item())
        return self._array().item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        if _recording.active is not None:
            return _recording.active.read(self, "tolist", lambda: self._array().tolist())
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

    def __repr__(self) -> str:
        from ._format import represent

        return represent(self)

    def __format__(self, spec: str) -> str:
        if not self.shape:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    __hash__ = object.__hash__  # tensors are equal as keys only if they are one; `==` compares elements

    def __copy__(self) -> Tensor:
        """Another tensor on the same memory, outside the graph."""
        made: Tensor = self.data
        made._requires_grad = self._requires_grad
        return made

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


def _rebuilt(array: Any, requires_grad: bool) -> Tensor:
    """A tensor from its copied or pickled parts."""
    from ._tensor import from_array

    made = from_array(array)
    made._requires_grad = requires_grad
    return made
