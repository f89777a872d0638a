"""Matrix products: every one goes through `gemm`, which takes any strides, so no operand is copied to transpose it."""

from __future__ import annotations

import struct
from itertools import product
from operator import mul
from typing import Any

from .. import _meta
from .._geometry import Size, broadcast, collapse, expand_strides
from .._meta import Meta
from .._tensor import Tensor, empty, new
from ..kernels.cpu.matmul import precision
from ..kernels.pool import get_num_threads
from . import core
from .native import has_native


def _engine() -> Any:
    """The engine, loaded by the first product, so that importing fastgrad need not."""
    from ..kernels.cpu.matmul import plan

    return plan


# Prepared products by the geometry of their operands, the form, the number of threads, and the precision.
_prepared: dict[tuple[Meta, Meta, str, int, str], Any] = {}


def _prepare(left: Meta, right: Meta, form: str) -> Any:
    """The parts of a product that do not change from call to call: the engine's plan, and the meta of the result."""
    key = (left, right, form, get_num_threads(), precision.current)
    found = _prepared.get(key)
    if found is None:
        if len(_prepared) > 10_000:
            _prepared.clear()
        (rows, columns), a, b = left.shape, left.strides, right.strides
        if form == "nn":  # A @ B
            m, k, n = rows, columns, right.shape[1]
        elif form == "nt":  # A @ B.T
            m, k, n, b = rows, columns, right.shape[0], b[::-1]
        else:  # A.T @ B
            m, k, n, a = columns, rows, right.shape[1], a[::-1]
        result = _meta.contiguous((m, n), left.dtype)
        ready = _engine().prepare(left.dtype.name, m, n, k, (n, 1), a, b)
        core.Rows.names[ready[2][0]] = "matmul.product"
        if form == "tn":
            split = _engine().prepare_split(left.dtype.name, m, n, k, a, b)
            if split is not None:
                ready = split
        found = _prepared[key] = ((*ready, None if len(ready) == 4 else _block(ready)), result)
    return found


def _block(ready: Any) -> bytes | None:
    """A prepared product as compiled code reads it (`multiply` in `kernels/launches.py`)."""
    entry, transposed, head, out_steps, a_steps, b_steps, tail = ready
    if entry is not None:
        return None
    words = [*head, 0, *out_steps, 0, *a_steps, 0, *b_steps, 0, 0, transposed, *tail]
    row, total, grain, *arguments = words
    out = len(head) - 3
    first = out + 1 + len(out_steps)
    second = first + 1 + len(a_steps)
    bias = second + 1 + len(b_steps) + 1
    if transposed:
        first, second = second, first
    return struct.pack(f"{8 + len(arguments)}q", out, first, second, bias, len(arguments), row, total, grain, *arguments)


@has_native("MULTIPLY")
def _multiply(ready: Any, out: Tensor, a: Tensor | int, b: Tensor, bias: Tensor | None = None) -> None:
    """Run a prepared product on its operands; the first may be an address."""
    left = a if isinstance(a, int) else a._address
    _run(ready, out._address, left, b._address, 0 if bias is None else bias._address)


def _run(ready: Any, out: int, a: int, b: int, bias: int = 0) -> None:
    entry, transposed, head, out_steps, a_steps, b_steps, tail = ready[:7]
    if transposed:
        a, b = b, a
    (entry or core.run)(*head, out, *out_steps, a, *a_steps, b, *b_steps, 0, bias, transposed, *tail)


def matmul(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """(..., n, k) @ (..., k, m) -> (..., n, m) for float tensors of one dtype, any strides; batches broadcast."""
    left, right = a._meta, b._meta
    if len(left.shape) != 2 or len(right.shape) != 2:
        return _batched(a, b)
    ready, result = _prepare(left, right, "nn")
    if out is None:
        out = new(result)
    _multiply(ready, out, a, b)
    return out


def _batched(a: Tensor, b: Tensor) -> Tensor:
    """Batches of matrices, at any distances from one another: what is not one run of equal steps takes several launches,
    each along the longest such run."""
    lead = broadcast(a.shape[:-2], b.shape[:-2])
    n, k, m = a.shape[-2], a.shape[-1], b.shape[-1]
    out = empty(Size((*lead, n, m)), a.dtype)
    if not out._numel:
        return out
    columns = [expand_strides(x.shape[:-2], x._strides[:-2], lead) for x in (a, b)]
    sizes, (a_steps, b_steps, out_steps) = collapse(lead, [*columns, out._strides[:-2]])
    along, bytes_ = sizes.index(max(sizes)), a.dtype.itemsize
    for place in product(*[range(1 if d == along else size) for d, size in enumerate(sizes)]):
        a_at, b_at, out_at = (bytes_ * sum(map(mul, place, steps)) for steps in (a_steps, b_steps, out_steps))
        _engine().gemm(
            a.dtype.name, n, m, k, out._address + out_at, m, 1, a._address + a_at, a._strides[-2], a._strides[-1],
            b._address + b_at, b._strides[-2], b._strides[-1], batch=sizes[along], out_batch=out_steps[along],
            a_batch=a_steps[along], b_batch=b_steps[along], launch=_run_batch,
        )  # fmt: skip
    return out


def _run_batch(row: int, *rest: int) -> None:
    core.Rows.names[row] = "matmul.product"
    core.run(row, *rest)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(n, k) @ (m, k).T + (m,) -> (n, m)."""
    ready, result = _prepare(x._meta, weight._meta, "nt")
    out = new(result)
    _multiply(ready, out, x, weight, bias if bias is None or bias._meta.contiguous else core.copy(bias))
    return out


def weight_gradients(gy: Tensor, x: Tensor, with_bias: bool) -> tuple[Tensor, Tensor | None]:
    """gy.T @ x for gy (n, m) and x (n, k), and the column sums of gy (with ones in front, a product too)."""
    ready, result = _prepare(gy._meta, x._meta, "tn")
    weight = new(result)
    _multiply_long(ready, weight, gy, x)
    if not with_bias:
        return weight, None
    ready, result, one = _prepare_sums(gy._meta)
    bias = new(result)
    _multiply_long(ready, bias, one, gy)
    return weight, bias


def _multiply_long(ready: Any, out: Tensor, a: Tensor | int, b: Tensor) -> None:
    """Run a prepared product, or a split one: its panels, then their sum."""
    if len(ready) != 5:
        _multiply(ready, out, a, b)
        return
    parts, first, last, (move, a_move, b_move), _ = ready
    n, left = out._numel, a if isinstance(a, int) else a._address
    panels = empty(Size((parts, n)), out.dtype)
    _run(first, panels._address, left, b._address)
    _run(last, panels._address + move, left + a_move, b._address + b_move)
    core.run(_sum_columns[out.dtype], 1, 1, out._address, panels._address, parts, n, parts)


_sum_columns = core.Rows("reduce.sum_columns")


def _prepare_sums(meta: Meta) -> Any:
    key = (meta, meta, "sums", get_num_threads(), "")  # which no precision changes
    found = _prepared.get(key)
    if found is None:
        (n, m), engine = meta.shape, _engine()
        ready = engine.prepare_split(meta.dtype.name, 1, m, n, (0, 0), meta.strides, True)
        ready = ready or engine.column_sums(meta.dtype.name, n, m, *meta.strides)
        ready = (*ready, None if len(ready) == 4 else _block(ready))
        found = _prepared[key] = (ready, _meta.contiguous((m,), meta.dtype), engine.one(meta.dtype.name))
    return found
