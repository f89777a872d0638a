"""CUDA kernels: fastgrad's second device, under the names and with the arguments of `kernels/cpu`.

What `fastgrad._launch` calls on each device (a row is what a kernel and a float type make):

    on the CPU                             here                           is
    jit.address(name, dtype)               row(name, dtype)               a kernel's row, compiled at its first use
    launcher.launch(row, total, grain, *a) launch(row, total, grain, *a)  the call: integers, addresses, floats
    matmul.plan.gemm(dtype, m, n, k, ...)  gemm(dtype, m, n, k, ...)      every matrix product
    a block of the storage's pool          Memory(nbytes), put(array)     device memory, known by its address
                                           synchronize()                  waits until what was launched is done

Every elementwise kernel of the CPU is here too, made from the same scalar function. The others:

    class_loss.target_weight  class_loss.cross_entropy  elementwise.fill  reduce.sum_runs  reduce.sum_columns  update.sgd

All addresses that a kernel reads, those in a table or a layout too, are the device's. A kernel raises nothing: what it
finds wrong it writes into a status word, which the caller reads. With NUMBA_ENABLE_CUDASIM=1 all of it runs in numba's
simulator, slowly, on the host's memory; `simulated` says so, `available()` whether anything can run.
"""

from ._target import Memory, available, put, simulated, synchronize
from .declare import Kernel, Row, launch, row
from .matmul import gemm

__all__ = ["Kernel", "Memory", "Row", "available", "gemm", "launch", "put", "row", "simulated", "synchronize"]
