"""Functions of few lines on other operations: sums that skip NaN, logaddexp, distances of all pairs, padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._launch import arrays
from .._tensor import Tensor
from .choose import maximum, where
from .create import full
from .functions import expm1, log1p
from .gather import index_select, narrow
from .join import cat
from .logic import isinf, isnan, logical_not
from .out import numpy_names, with_out
from .pointwise import as_tensor, exp
from .reduce import sum as total
from .shape import unsqueeze
from .spread import norm


@with_out
@numpy_names
def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum, NaN counting as 0.

    >>> import fastgrad as torch
    >>> torch.nansum(torch.tensor([1.0, torch.nan, 2.0]))
    tensor(3.)
    """
    x = as_tensor(input, "nansum")
    if x.dtype.category == 2:
        x = where(isnan(x), 0.0, x)
    made: Tensor = total(x, dim, keepdim, dtype=dtype)
    return made


@with_out
@numpy_names
def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of all that is not NaN. RuntimeError for integers.

    >>> import fastgrad as torch
    >>> torch.nanmean(torch.tensor([1.0, torch.nan, 2.0]))
    tensor(1.5000)
    """
    x = as_tensor(input, "nanmean")
    if x.dtype.category != 2:
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {x.dtype.scalar_name}"
        )
    made: Tensor = nansum(x, dim, keepdim, dtype=dtype) / total(logical_not(isnan(x)), dim, keepdim)
    return made


@with_out
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """log(e**input + e**other), without overflow. NotImplementedError for integers.

    >>> import fastgrad as torch
    >>> torch.logaddexp(torch.tensor([-1.0]), torch.tensor([-2.0]))
    tensor([-0.6867])
    """
    kind = _dtype.promote_types(as_tensor(input, "logaddexp").dtype, as_tensor(other, "logaddexp").dtype)
    if kind.category != 2:
        raise NotImplementedError(f"\"logaddexp_cpu\" not implemented for '{kind.scalar_name}'")
    largest = maximum(input, other).detach()
    largest = where(isinf(largest), full((), 0.0, dtype=kind), largest)
    a, b = input - largest, other - largest  # one of them is 0, or both numbers are infinite
    made: Tensor = largest + where(a >= b, log1p(expm1(a) + exp(b)), log1p(expm1(b) + exp(a)))
    return made


def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor:  # fmt: skip
    """The p-norms of the differences of all pairs of rows: (*, n, k) and (*, m, k) give (*, n, m).

    RuntimeError for fewer than two dimensions and for rows of different length.

    >>> import fastgrad as torch
    >>> torch.cdist(torch.zeros(1, 2), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    for name, x in (("X1", x1), ("X2", x2)):
        if as_tensor(x, "cdist").ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    return norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)


# --- padding ------------------------------------------------------------------------------------------------------------


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """`input` with `pad` = (before, after) more places along the last dimension, the next two numbers for the one before it,
    and so on; negative numbers cut off. `mode` says what stands there: `value` ("constant"), or of the input's places those
    from the edge inwards ("reflect"), the one at the edge ("replicate"), or those from the other end on ("circular").

    >>> import fastgrad as torch
    >>> torch.nn.functional.pad(torch.tensor([[1, 2]]), (1, 2), value=7)
    tensor([[7, 1, 2, 7, 7]])
    >>> torch.nn.functional.pad(torch.tensor([[1, 2, 3]]), (2, 1), mode="reflect")
    tensor([[3, 2, 1, 2, 3, 2]])
    """
    x, sizes = as_tensor(input, "pad"), [int(size) for size in pad]
    if len(sizes) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if mode == "constant":
        if len(sizes) > 2 * x.ndim:
            raise RuntimeError(
                "Padding length should be less than or equal to two times the input dimension but got padding length "
                f"{len(sizes)} and input of dimension {x.ndim}"
            )
    elif mode not in _PLACES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    elif value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    elif x.ndim not in (len(sizes) // 2 + 1, len(sizes) // 2 + 2) or len(sizes) > 6:
        raise NotImplementedError("Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now")
    for k in range(len(sizes) // 2):
        before, after, dim = sizes[2 * k], sizes[2 * k + 1], x.ndim - 1 - k
        n = x.shape[dim]
        if n + before + after < 0:
            raise RuntimeError(
                f"The input size {n}, plus negative padding {before} and {after} resulted in a negative output size, which "
                f"is invalid. Check dimension {dim} of your input."
            )
        if mode in ("constant", "circular") and min(before, after) < 0:
            start = max(-before, 0)
            x = narrow(x, dim, start, n - start - max(-after, 0)).clone()
            n, before, after = x.shape[dim], max(before, 0), max(after, 0)
        if mode == "constant":
            x = _with_constant(x, dim, before, after, 0.0 if value is None else value)
        elif before or after:
            x = index_select(x, dim, arrays.new(_PLACES[mode](np.arange(-before, n + after), n, dim, (before, after))))
    return x.clone() if x is input else x


def _with_constant(x: Tensor, dim: int, before: int, after: int, value: float) -> Tensor:
    parts = [x]
    for size, at in ((before, 0), (after, 2)):
        if size > 0:
            ends = full((*x.shape[:dim], size, *x.shape[dim + 1 :]), value, dtype=x.dtype)
            parts.insert(at, ends)
    return cat(parts, dim) if len(parts) > 1 else x


def _reflected(places: Any, n: int, dim: int, sizes: tuple[int, int]) -> Any:
    if max(sizes) >= n:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({sizes[0]}, {sizes[1]}) at dimension {dim} of input of size {n}"
        )
    return n - 1 - abs(n - 1 - abs(places))


def _circular(places: Any, n: int, dim: int, sizes: tuple[int, int]) -> Any:
    if max(sizes) > n:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    return places % n


_PLACES = {
    "reflect": _reflected, "replicate": lambda places, n, dim, sizes: np.clip(places, 0, n - 1), "circular": _circular,
}  # fmt: skip

__all__ = ["cdist", "logaddexp", "nanmean", "nansum"]
