"""The one file that imports a CUDA compiler: numba's, or its simulator where NUMBA_ENABLE_CUDASIM=1 is set.

Everything that differs between the two stands here. Kernels take from it

    cuda             threadIdx, shared, local, syncthreads
    pointer, at      as in `kernels/pointers.py`; a launch passes addresses, so arrays never reach the compiler
    helper, smaller  marks a function that kernels call; `smaller` is one, for sizes
    simulated        the simulator starts a Python thread for each of the GPU's: kernels ask for fewer of them there

Launches go to the default stream, one after the other, and return at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda as compiler
from numba import types
from numba.core import config
from numba.extending import intrinsic

from .. import pointers

simulated = bool(config.ENABLE_CUDASIM)
config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # a small network has small grids, and that is no mistake
TYPES = ("float32", "float64", "int64", "int32", "uint64", "uint32", "uint8")

# The compile flags stay at numba's defaults: no fastmath, so divisions and roots round correctly and subnormal numbers
# stay. NVVM alone would still contract a * b + c; numba has no switch for that, so kernels write such sums as fma(a, b, c).

if simulated:
    from numba.cuda.simulator import kernel as _simulator

    class _Running:
        """`cuda` as a kernel sees it: the launch that is running. (The simulator's own way, to exchange a function's
        globals, is not safe for helpers, which many threads enter and leave.)"""

        def __getattr__(self, name: str) -> Any:
            return getattr(_simulator._get_kernel_context(), name)

    cuda: Any = _Running()
    pointer: Any = pointers.Pointer
    scalar_types = {name: getattr(np, name) for name in TYPES}

    def at(p: Any, k: int) -> Any:
        return pointer(p.address + int(k) * p.dtype.itemsize, p.dtype)

    def memory_of(array: Any) -> Any:
        return array

    def helper(function: Any) -> Any:
        return function

else:
    cuda, pointer, at = compiler, pointers.pointer, pointers.at
    scalar_types = {name: getattr(types, name) for name in TYPES}
    helper = compiler.jit(device=True)

    @intrinsic
    def memory_of(typing_context, array):
        """The pointer to a shared array's first number: an index into a pointer is not looked at for being negative."""

        def generate(context, builder, signature, arguments):
            return context.make_array(array)(context, builder, arguments[0]).data

        return types.CPointer(array.dtype)(array), generate


@helper
def smaller(a, b):
    """The smaller of two sizes. (numba's own `min` does not compile for CUDA.)"""
    return a if a < b else b


def available() -> bool:
    """Whether kernels can run: on a GPU, or in the simulator."""
    return bool(compiler.is_available())


def compile_row(function: Callable[..., None], signature: str) -> Any:
    """A row that can be launched, `compiled[blocks, threads](*args)`; RuntimeError where there is no device."""
    if simulated:
        return compiler.jit(_quiet(function))
    if not available():
        raise RuntimeError("no CUDA device was found; NUMBA_ENABLE_CUDASIM=1 runs the kernels in numba's simulator")
    return compiler.jit(signature)(function)


def _quiet(function: Callable[..., None]) -> Callable[..., None]:
    """NumPy's scalars warn where a GPU computes infinity or NaN; the setting belongs to a thread."""

    @functools.wraps(function)
    def quiet(*args: Any) -> None:
        with np.errstate(all="ignore"):
            function(*args)

    return quiet


def synchronize() -> None:
    """Wait until everything that was launched is done."""
    compiler.synchronize()


class Memory:
    """A block of device memory. It is freed with the last reference to this object."""

    __slots__ = ("_bytes", "address", "nbytes")

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes
        self._bytes = compiler.device_array(max(nbytes, 1), np.uint8)
        interface = self._bytes.__array_interface__ if simulated else self._bytes.__cuda_array_interface__
        self.address: int = interface["data"][0]

    def write(self, array: np.ndarray) -> None:
        """Copy a NumPy array to the device; it fills the block."""
        if array.nbytes != self.nbytes:
            raise ValueError(f"an array of {array.nbytes} bytes does not fill a block of {self.nbytes}")
        if array.nbytes:
            self._bytes.copy_to_device(np.ascontiguousarray(array).reshape(-1).view(np.uint8))

    def read(self, shape: Any, dtype: Any) -> np.ndarray:
        """A new array with what stands in the block, after all launches so far are done."""
        array = np.empty(shape, dtype)
        if array.nbytes != self.nbytes:
            raise ValueError(f"an array of {array.nbytes} bytes does not hold a block of {self.nbytes}")
        if array.nbytes:
            self._bytes.copy_to_host(array.reshape(-1).view(np.uint8))
        return array


def put(array: Any) -> Memory:
    """New device memory with the contents of an array."""
    array = np.asarray(array)
    memory = Memory(array.nbytes)
    memory.write(array)
    return memory
