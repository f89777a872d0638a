"""Optimizer updates: all parameters of a model in one launch.

The blocks that describe the parameters are those of `kernels/cpu/update.py`, in device memory with device addresses, and
the arithmetic is the same, operation by operation. A block of threads does a chunk.
"""

from __future__ import annotations

import numpy as np

from ..cpu.update import PARAMETER, SLOTS, STARTS, STATE, WIDTH, descent
from ..math import fma, lit, select
from ._target import at, cuda, pointer
from .declare import THREADS, kernel


@kernel("i64* table, i64* gradients, i64* chunks, type F", per="block")
def sgd(table, gradients, chunks, F, lo, hi, step):
    """lr, momentum, dampening, weight_decay, nesterov, maximize; state: momentum buffer (absent when momentum is 0)."""
    for chunk in range(lo, hi, step):
        number, first, last = chunks[3 * chunk], chunks[3 * chunk + 1], chunks[3 * chunk + 2]
        if gradients[number] == 0:
            continue
        row = at(table, WIDTH * number)
        values, gradient = pointer(row[PARAMETER], F), pointer(gradients[number], F)
        buffer, slots = pointer(row[STATE], F), pointer(row[SLOTS], np.float64)
        rate, momentum = lit(-slots[0], values), lit(slots[1], values)
        take, decay = lit(1.0 - slots[2], values), lit(slots[3], values)
        nesterov, sign = slots[4] != 0.0, lit(1.0 - 2.0 * slots[5], values)
        decays, starts = slots[3] != 0.0, row[STARTS] != 0
        for i in range(first + cuda.threadIdx.x, last, THREADS):
            x = values[i]
            g = descent(gradient[i], sign, decays, decay, x)
            if slots[1] != 0.0:
                velocity = g if starts else fma(take, g, momentum * buffer[i])
                buffer[i] = velocity
                g = select(nesterov, fma(momentum, velocity, g), velocity)
            values[i] = fma(rate, g, x)
