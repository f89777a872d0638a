"""Losses of two tensors of one dtype, value and gradient in one pass; the kernels stand in `kernels/cpu/loss.py`."""

from __future__ import annotations

from .._geometry import SCALAR, broadcast
from .._tensor import Tensor, empty, new
from . import core, shape
from .core import Rows, binary_scalars, contiguous, ternary
from .reduce import sum_all

# Numbers in one partial sum, which is what a thread takes at a time: about 3 microseconds.
BLOCK = 16384


class Pair:
    """The three launches of a loss: its sum or mean with the gradient, its values, and gy times its slope along x."""

    def __init__(self, name: str, family: str = "loss") -> None:
        self._sum = Rows(f"{family}.{name}_sum")
        self.each = binary_scalars(f"{family}.{name}")  # each(x, t, p)
        self.backward = ternary(f"{family}.{name}_backward")  # backward(x, t, gy, p)

    def total(self, x: Tensor, t: Tensor, mean: bool, wanted: bool, p: float) -> tuple[Tensor, Tensor | None]:
        """The sum or mean of all values, and (where wanted) its gradient with respect to x, in the broadcast shape."""
        meta = x._meta
        if t._meta is not meta or not meta.contiguous:
            common = broadcast(x.shape, t.shape)
            x, t = contiguous(shape.expand(x, common)), contiguous(shape.expand(t, common))
            meta = x._meta
        n, kind = meta.numel, meta.dtype
        row = self._sum[kind]
        made, gradient = 0, None
        if wanted:
            gradient = new(meta)
            made = gradient._address
        blocks = 1 if n <= BLOCK else -(-n // BLOCK)
        out = empty(SCALAR if blocks == 1 else (blocks,), kind)
        count = float(n) if mean else 1.0
        core.run(row, blocks, 1, out._address, made, x._address, t._address, n, BLOCK, wanted, count, p)
        return out if blocks == 1 else sum_all(out), gradient


mse = Pair("mse")
l1 = Pair("l1")
smooth_l1 = Pair("smooth_l1")
huber = Pair("huber")
bce = Pair("bce")
bce_logits = Pair("bce_logits")
kl = Pair("kl", "likelihood")
kl_log = Pair("kl_log", "likelihood")
poisson_log = Pair("poisson_log", "likelihood")
poisson = Pair("poisson", "likelihood")
hinge = Pair("hinge", "margin")
soft = Pair("soft", "margin")
ranking = Pair("ranking", "margin")
match = Pair("match", "margin")
