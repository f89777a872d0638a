"""New tensors of random numbers: same seed, same numbers as PyTorch on the CPU."""

from __future__ import annotations

from typing import Any

from .. import _dtype
from .._generator import Generator
from .._geometry import broadcast
from .._launch import random as launch
from .._tensor import Tensor, empty
from .convert import to_dtype
from .create import finish, size_of
from .op import op
from .out import with_out
from .pointwise import zeros
from .refill import bernoulli_, check_probabilities, normal_, random_, refuse_integers, stream, uniform_


def _new(given: tuple[Any, ...], size: Any, dtype: Any, name: str) -> Tensor:
    kind = _dtype.get_default_dtype() if dtype is None else _dtype.wanted(dtype)
    return empty(size_of(given if size is None else (size,), name), kind)


def _fresh(x: Tensor) -> Tensor:
    """What nobody has seen without its numbers: filling it was no change in place."""
    x._cell = None
    return x


@with_out
def rand(
    *given: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform numbers in [0, 1); sizes as arguments or as one tuple.

    >>> import fastgrad as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    return finish(_fresh(uniform_(_new(given, size, dtype, "rand"), generator=generator)), device, requires_grad)


@with_out
def randn(
    *given: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1; sizes as arguments or as one tuple.

    >>> import fastgrad as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randn(2)
    tensor([ 1.5410, -0.2934])
    """
    return finish(_fresh(normal_(_new(given, size, dtype, "randn"), generator=generator)), device, requires_grad)


@with_out
def randint(
    *given: Any,
    low: int = 0,
    high: int | None = None,
    size: Any = None,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`randint(high, size)`, `randint(low, high, size)`: integers in [low, high), int64 unless `dtype` is given.

    RuntimeError for an empty range, and for one that the dtype cannot hold.

    >>> import fastgrad as torch
    >>> _ = torch.manual_seed(420)
    >>> torch.randint(0, 10, (3,))
    tensor([1, 6, 2])
    """
    places = list(given)
    if size is None and places:
        size = places.pop()
    if high is None and places:
        high = places.pop()
    if places:
        low = places.pop()
    if places or not (isinstance(size, (tuple, list)) and isinstance(low, int) and isinstance(high, int)):
        shown = ", ".join([type(x).__name__ for x in given])
        raise TypeError(
            f"randint() received an invalid combination of arguments - got ({shown}), but expected (int high, tuple of ints "
            "size) or (int low, int high, tuple of ints size)"
        )
    made = _new((), size, _dtype.int64 if dtype is None else dtype, "randint")
    return finish(_fresh(random_(made, low, high, generator=generator)), device, requires_grad)


@with_out
def randperm(n: int, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The integers 0 to n - 1 in random order.

    >>> import fastgrad as torch
    >>> torch.randperm(4).sum()
    tensor(6)
    """
    kind = _dtype.int64 if dtype is None else _dtype.wanted(dtype)
    size_of((n,), "randperm")
    if kind.category == 1 and n > 2 ** (8 * kind.itemsize - kind.is_signed):
        raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow")
    return finish(to_dtype(launch.permutation(n, stream(generator, "randperm")), kind), device, requires_grad)


def _like(input: Tensor, dtype: Any) -> Tensor:
    return launch.new_like(input, input.dtype if dtype is None else _dtype.wanted(dtype))


def rand_like(
    input: Tensor, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform numbers in [0, 1), in the shape and dtype of `input`.

    >>> import fastgrad as torch
    >>> torch.rand_like(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    return finish(_fresh(uniform_(_like(input, dtype), generator=generator)), device, requires_grad)


def randn_like(
    input: Tensor, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Normal numbers, in the shape and dtype of `input`.

    >>> import fastgrad as torch
    >>> torch.randn_like(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    return finish(_fresh(normal_(_like(input, dtype), generator=generator)), device, requires_grad)


def randint_like(
    input: Tensor,
    *bounds: int,
    low: int = 0,
    high: int | None = None,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`randint_like(input, high)`, `randint_like(input, low, high)`: integers in the shape and dtype of `input`.

    >>> import fastgrad as torch
    >>> torch.randint_like(torch.ones(2), 5, 6)
    tensor([5., 5.])
    """
    places = list(bounds)
    high = places.pop() if high is None and places else high
    low = places.pop() if places else low
    return finish(_fresh(random_(_like(input, dtype), low, high, generator=generator)), device, requires_grad)


@with_out
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers; mean and std are tensors (broadcast), or both numbers together with a `size`.

    Only with a `size` are `dtype`, `device` and `requires_grad` looked at.

    >>> import fastgrad as torch
    >>> torch.normal(torch.tensor([1.0, 2.0]), 0.0)
    tensor([1., 2.])
    """
    means, deviations = isinstance(mean, Tensor), isinstance(std, Tensor)
    if deviations:
        if bool((std < 0).any()):
            raise RuntimeError("normal expects all elements of std >= 0.0")
    elif std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if not (means or deviations):
        if size is None:
            raise TypeError("normal() with numbers for mean and std needs a size")
        made = normal_(_new((), size, dtype, "normal"), mean, std, generator=generator)
        return finish(_fresh(made), device, requires_grad)
    shape = broadcast(mean.shape, std.shape) if means and deviations else mean.shape if means else std.shape
    drawn = normal_(empty(shape, mean.dtype if means else std.dtype), generator=generator)
    mean, std = (x.detach() if isinstance(x, Tensor) else x for x in (mean, std))
    return drawn * std + mean


@with_out
def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None) -> Tensor:
    """1 with the probability that stands in `input` (or with probability `p` everywhere), else 0.

    RuntimeError for what is no probability.

    >>> import fastgrad as torch
    >>> torch.bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    if p is not None:
        return bernoulli_(empty(input.shape, input.dtype), p, generator=generator)
    refuse_integers(input.dtype, "bernoulli_tensor_cpu_p_")
    check_probabilities(input)
    return _bernoulli(input, generator=stream(generator, "bernoulli"))


@op(name="Bernoulli")
def _bernoulli(ctx: Any, p: Tensor, *, generator: Generator) -> Tensor:
    return launch.bernoulli_each(p, generator)


@_bernoulli.derivative
def bernoulli_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return zeros(gy)
