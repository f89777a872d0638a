"""Random numbers: new tensors, tensors filled in place, and dropout. Same seed, same numbers as PyTorch on the CPU."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .. import _dtype
from .. import _generator as generators
from .._generator import Generator
from .._geometry import broadcast
from .._launch import random as launch
from .._tensor import Tensor, empty
from . import inplace
from .convert import to_dtype
from .create import finish, size_of
from .op import op
from .pointwise import zeros

# --- new tensors --------------------------------------------------------------------------------------------------------


def _stream(generator: Any, name: str) -> Generator:
    if generator is None:
        return generators.default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{name}(): argument 'generator' must be torch.Generator, not {type(generator).__name__}")
    return generator


def _kind(dtype: Any) -> _dtype.dtype:
    return _dtype.get_default_dtype() if dtype is None else _dtype.wanted(dtype)


def _refuse_integers(kind: _dtype.dtype, kernel: str) -> None:
    if kind.category != 2:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.scalar_name}'")


def rand(
    *given: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform numbers in [0, 1); sizes as arguments or as one tuple.

    >>> import fastgrad as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    made = empty(size_of(given if size is None else (size,), "rand"), _kind(dtype))
    uniform_(made, generator=generator)
    return finish(made, device, requires_grad)


def randn(
    *given: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1; sizes as arguments or as one tuple.

    >>> import fastgrad as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randn(2)
    tensor([ 1.5410, -0.2934])
    """
    made = empty(size_of(given if size is None else (size,), "randn"), _kind(dtype))
    normal_(made, generator=generator)
    return finish(made, device, requires_grad)


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
    numbers = list(given)
    if size is None and numbers:
        size = numbers.pop()
    if len(numbers) == 2:
        low, high = numbers
    elif len(numbers) == 1:
        (high,) = numbers if high is None else (high,)
        low = numbers[0] if high is not numbers[0] else low
    if not (isinstance(size, (tuple, list)) and isinstance(high, int) and isinstance(low, int)):
        shown = ", ".join([type(x).__name__ for x in given])
        raise TypeError(
            f"randint() received an invalid combination of arguments - got ({shown}), but expected (int high, tuple of ints "
            "size) or (int low, int high, tuple of ints size)"
        )
    made = empty(size_of((size,), "randint"), _dtype.int64 if dtype is None else _dtype.wanted(dtype))
    random_(made, low, high, generator=generator)
    return finish(made, device, requires_grad)


def randperm(
    n: int, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The integers 0 to n - 1 in random order.

    >>> import fastgrad as torch
    >>> torch.randperm(4).sum()
    tensor(6)
    """
    kind = _dtype.int64 if dtype is None else _dtype.wanted(dtype)
    size_of((n,), "randperm")
    if kind.category == 1 and n > 2 ** (8 * kind.itemsize - kind.is_signed):
        raise RuntimeError(f"value cannot be converted to type {_C_NAMES[kind.name]} without overflow")
    return finish(to_dtype(launch.permutation(n, _stream(generator, "randperm")), kind), device, requires_grad)


def rand_like(
    input: Tensor, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform numbers in [0, 1), in the shape and dtype of `input`."""
    return rand(input.shape, generator=generator, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def randn_like(
    input: Tensor, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Normal numbers, in the shape and dtype of `input`."""
    return randn(input.shape, generator=generator, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def randint_like(
    input: Tensor, *bounds: int, low: int = 0, high: int | None = None, generator: Any = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`randint_like(input, high)`, `randint_like(input, low, high)`: integers in the shape and dtype of `input`."""
    return randint(
        *bounds, low=low, high=high, size=tuple(input.shape), generator=generator, dtype=dtype or input.dtype, device=device,
        requires_grad=requires_grad,
    )  # fmt: skip


def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None) -> Tensor:
    """Normal numbers; mean and std are tensors (broadcast), or both numbers together with a `size`.

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
        return normal_(empty(size_of((size,), "normal"), _kind(dtype)), mean, std, generator=generator)
    shape = broadcast(mean.shape, std.shape) if means and deviations else mean.shape if means else std.shape
    drawn = normal_(empty(shape, mean.dtype if means else std.dtype), generator=generator)
    mean, std = (x.detach() if isinstance(x, Tensor) else x for x in (mean, std))
    return drawn * std + mean


def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None) -> Tensor:
    """1 with the probability that stands in `input` (or with probability `p` everywhere), else 0.

    RuntimeError for what is no probability.

    >>> import fastgrad as torch
    >>> torch.bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    if p is not None:
        return bernoulli_(empty(input.shape, input.dtype), p, generator=generator)
    _refuse_integers(input.dtype, "bernoulli_tensor_cpu_p_")
    _check_probabilities(input)
    return _bernoulli(input, generator=_stream(generator, "bernoulli"))


def _check_probabilities(p: Tensor) -> None:
    array = p._array()
    if not ((array >= 0) & (array <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, "
            "please report an enhancement request to PyTorch.)"
        )


@op(name="Bernoulli")
def _bernoulli(ctx: Any, p: Tensor, *, generator: Generator) -> Tensor:
    return launch.bernoulli_each(p, generator)


@_bernoulli.derivative
def bernoulli_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return zeros(gy)


# --- in place -----------------------------------------------------------------------------------------------------------


def _filled(x: Tensor, name: str, draw: Callable[[Tensor], None]) -> Tensor:
    """Draw over `x`. What it held before gets the gradient 0."""
    inplace.check(x)
    if inplace.recorded(x):
        return inplace.replace(x, lambda old: _DRAWN[name](old, draw=draw))
    draw(x)
    x._bump()
    return x


def _drawn(name: str) -> Any:
    @op(name=name)
    def drawn(ctx: Any, x: Tensor, *, draw: Callable[[Tensor], None]) -> Tensor:
        made = empty(x.shape, x.dtype)
        draw(made)
        return made

    drawn.derivative(bernoulli_derivative)
    return drawn


_DRAWN = {name: _drawn(name) for name in ("Uniform", "Normal", "Bernoulli2", "Random")}


def uniform_(x: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Any = None, **named: float) -> Tensor:
    """Fill with uniform numbers in [from, to). RuntimeError where from > to."""
    from_ = _from(named, from_, "uniform_")
    _refuse_integers(x.dtype, "check_uniform_bounds")
    if from_ > to:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={from_:g} > to={to:g}")
    stream = _stream(generator, "uniform_")
    return _filled(x, "Uniform", lambda out: launch.uniform(out, float(from_), float(to), stream))


def normal_(x: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal numbers. RuntimeError for a negative standard deviation."""
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    _refuse_integers(x.dtype, "normal_kernel_cpu")
    stream = _stream(generator, "normal_")
    return _filled(x, "Normal", lambda out: launch.normal(out, float(mean), float(std), stream))


def bernoulli_(x: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with 1, with probability `p` (a number, or a tensor that is broadcast), and 0."""
    stream = _stream(generator, "bernoulli_")
    if isinstance(p, Tensor):
        _check_probabilities(p)
        each = p.detach().expand(x.shape)
        return _filled(x, "Bernoulli2", lambda out: inplace.launch.copy_into(out, launch.bernoulli_each(each, stream)))
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    return _filled(x, "Bernoulli2", lambda out: launch.bernoulli(out, float(p), stream))


_C_NAMES = {
    "uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int", "int64": "int64_t", "bool": "bool",
}  # fmt: skip
_DIGITS = {"float32": 24, "float64": 53}  # all integers up to 2**digits have a place in the dtype


def random_(x: Tensor, from_: int | None = None, to: int | None = None, *, generator: Any = None, **named: int) -> Tensor:
    """`random_()`, `random_(to)`, `random_(from, to)`: fill with integers in [from, to).

    Without bounds: all that are not negative and have a place in the dtype. RuntimeError for an empty range, and for
    bounds that the dtype cannot hold.
    """
    from_ = _from(named, from_, "random_")
    stream, kind = _stream(generator, "random_"), x.dtype
    digits = _DIGITS.get(kind.name) or (1 if kind is _dtype.bool_ else 8 * kind.itemsize - kind.is_signed)
    if from_ is None and to is None:
        span = 2**digits + (kind.category == 2)
        words = 2 if digits > 32 else 1
        return _filled(x, "Random", lambda out: launch.integers(out, 0, span, words, stream))
    if to is None and not named:
        from_, to = 0, from_
    low, high = from_ or 0, 2**digits if to is None else to
    assert high is not None
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    _check_bounds(low, high, kind, digits)
    span = high - low
    return _filled(x, "Random", lambda out: launch.integers(out, low, span, 1 if span < 2**28 else 2, stream))


def _check_bounds(low: int, high: int, kind: _dtype.dtype, digits: int) -> None:
    least = -(2**digits) if kind.is_signed else 0
    most = 2**digits - (kind.category != 2)
    for name, value in (("from", low), ("to - 1", high - 1)):
        if least <= value <= most:
            continue
        if kind.category != 2:
            raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[kind.name]}")
        warnings.warn(
            f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {kind.scalar_name.lower()} "
            "can support discrete uniform distribution only within this range. This warning will become an error in version "
            "1.7 release, please fix the code in advance",
            stacklevel=4,
        )


def _from(named: dict[str, Any], given: Any, function: str) -> Any:
    """`from` is no name that Python allows for a parameter, but callers may use it."""
    found = named.pop("from", given)
    if named:
        raise TypeError(f"{function}() got an unexpected keyword argument '{next(iter(named))}'")
    return found


# --- dropout ------------------------------------------------------------------------------------------------------------


@op(name="Mul")
def _dropout(ctx: Any, x: Tensor, *, keep: float) -> Tensor:
    y, ctx.extra = launch.dropout(x, keep, generators.default_generator)
    ctx.save()  # a second backward fails, as PyTorch's does
    return y


@_dropout.derivative
def dropout_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return _dropout_backward(gy, drawn=ctx.extra)


@op(name="Mul")
def _dropout_backward(ctx: Any, gy: Tensor, *, drawn: Any) -> Tensor:
    ctx.extra = drawn
    ctx.save()
    return launch.dropout_backward(gy, drawn)


_dropout_backward.derivative(dropout_derivative)


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """While training, an element is kept with probability 1 - p and then divided by it, else multiplied by 0.

    >>> import fastgrad as torch
    >>> torch.dropout(torch.ones(3), 1.0, True)
    tensor([0., 0., 0.])
    """
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    if not train or p == 0.0 or input._meta.numel == 0:
        return input
    if input.dtype.category != 2:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {input.dtype.scalar_name}")
    if p == 1.0:
        return input * 0.0
    return _dropout(input, keep=1.0 - p)
