"""The `reduction` argument of losses, and the two arguments that it replaced."""

from __future__ import annotations

import warnings

__all__ = ["reduction_name"]


def reduction_name(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """`reduction`, or what the deprecated `size_average` and `reduce` mean; ValueError for another word.

    >>> reduction_name("sum")
    'sum'
    """
    if size_average is not None or reduce is not None:
        if reduce is False:
            reduction = "none"
        else:
            reduction = "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    elif reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction
