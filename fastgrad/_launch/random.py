"""Random numbers drawn into tensors; the kernels stand in `kernels/cpu/random.py`.

A draw holds the generator's lock and runs on the caller, so that a stream is used in order. Strided tensors are filled in
the order of memory, the dimension of the longest stride first, as PyTorch does.
"""

from __future__ import annotations

from typing import Any

from .._dtype import dtype, float32, int64, uint8
from .._generator import Generator
from .._geometry import Size
from .._meta import Meta
from .._tensor import Tensor, empty, new, view
from . import core
from .core import GRAIN, Rows, contiguous, copy_into

_uniform = Rows("random.uniform")
_normal = Rows("random.normal")
_normal_one_by_one = Rows("random.normal_one_by_one")
_integers = Rows("random.integers")
_permutation = Rows("random.permutation")
_bernoulli = Rows("random.bernoulli")
_bernoulli_each = Rows("random.bernoulli_each")
_dropout = Rows("random.dropout")
_dropout_backward = Rows("activation.dropout_backward")

_BLOCKED = 16  # from this length on, normal numbers are made 16 at a time


def _memory_order(meta: Meta) -> list[int] | None:
    """The dimensions by decreasing stride; None where they stand so already."""
    if meta.contiguous:
        return None
    order = sorted(range(len(meta.shape)), key=lambda d: -meta.strides[d])
    return None if order == list(range(len(order))) else order


def _permuted(x: Tensor, order: list[int] | None) -> Tensor:
    if order is None:
        return x
    meta = x._meta
    return view(x, Size([meta.shape[d] for d in order]), tuple([meta.strides[d] for d in order]))


def _permuted_back(x: Tensor, order: list[int] | None) -> Tensor:
    """Undo `_permuted`, on memory that nobody else has."""
    if order is None:
        return x
    made = _permuted(x, sorted(range(len(order)), key=lambda d: order[d]))
    made._base = None
    return made


def new_like(x: Tensor, dtype: dtype) -> Tensor:
    """New dense memory with the dimensions in the order of the memory of `x`."""
    order = _memory_order(x._meta)
    shape = x._meta.shape
    return _permuted_back(empty(shape if order is None else Size([shape[d] for d in order]), dtype), order)


def _draw(row: int, out: Tensor, generator: Generator, *args: Any) -> Tensor:
    """Run a kernel over all of a contiguous tensor at once."""
    n = out._meta.numel
    with generator.lock:
        core.run(row, n, n, out._address, generator.address, *args)
    return out


def uniform(out: Tensor, low: float, high: float, generator: Generator) -> None:
    """Fill with uniform numbers in [low, high)."""
    row = _uniform[out._meta.dtype]
    if out._meta.contiguous:
        _draw(row, out, generator, low, high)
        return
    target = _permuted(out, _memory_order(out._meta))
    copy_into(target, _draw(row, empty(target.shape, target.dtype), generator, low, high))


def normal(out: Tensor, mean: float, std: float, generator: Generator) -> None:
    """Fill with normal numbers; fewer than 16, and those of a strided tensor, are drawn one by one."""
    kind = out._meta.dtype
    if not out._meta.contiguous:
        target = _permuted(out, _memory_order(out._meta))
        drawn = empty(target.shape, kind)
        copy_into(target, _draw(_normal_one_by_one[kind], drawn, generator, generator.spare, mean, std))
    elif out._meta.numel < _BLOCKED:
        _draw(_normal_one_by_one[kind], out, generator, generator.spare, mean, std)
    else:
        _draw(_normal[kind], out, generator, mean, std)


def integers(out: Tensor, low: int, span: int, words: int, generator: Generator) -> None:
    """Fill a tensor of any dtype with low + number % span, where a number is one word or two."""
    span = (span + 2**63) % 2**64 - 2**63  # the low 64 bits, as an int64
    target = _permuted(out, _memory_order(out._meta))
    if target._meta.contiguous and target._meta.dtype is int64:
        _draw(_integers[float32], target, generator, low, span, words)
    else:
        copy_into(target, _draw(_integers[float32], empty(target.shape, int64), generator, low, span, words))


def permutation(n: int, generator: Generator) -> Tensor:
    """The numbers 0 to n - 1 in random order."""
    return _draw(_permutation[float32], empty((n,), int64), generator, n)


def bernoulli(out: Tensor, p: float, generator: Generator) -> None:
    """Fill a tensor of any dtype with 1 (probability p) and 0."""
    target = _permuted(out, _memory_order(out._meta))
    copy_into(target, _draw(_bernoulli[float32], empty(target.shape, uint8), generator, p))


def bernoulli_each(p: Tensor, generator: Generator) -> Tensor:
    """1 with the probability that stands in `p`, else 0, in its dtype; drawn in row-major order."""
    p = contiguous(p)
    out, n = new(p._meta), p._meta.numel
    with generator.lock:
        core.run(_bernoulli_each[p._meta.dtype], n, n, out._address, p._address, generator.address)
    return out


def dropout(x: Tensor, p: float, generator: Generator) -> tuple[Tensor, tuple[Tensor, float, list[int] | None]]:
    """x / p with probability p, else x * 0; and what the derivative needs: which elements were kept, p, memory order."""
    order = _memory_order(x._meta)
    x = contiguous(_permuted(x, order))
    out, kept, n = new(x._meta), empty(x.shape, uint8), x._meta.numel
    with generator.lock:
        core.run(_dropout[x._meta.dtype], n, n, out._address, kept._address, x._address, generator.address, p)
    return _permuted_back(out, order), (kept, p, order)


def dropout_backward(gy: Tensor, drawn: tuple[Tensor, float, list[int] | None]) -> Tensor:
    """gy / p where `dropout` kept an element, else gy * 0."""
    kept, p, order = drawn
    gy = contiguous(_permuted(gy, order))
    gx, n = new(gy._meta), gy._meta.numel
    core.run(_dropout_backward[gy._meta.dtype], n, GRAIN, gx._address, gy._address, kept._address, p)
    return _permuted_back(gx, order)
