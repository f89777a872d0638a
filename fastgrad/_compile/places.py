"""Which arguments of a row are addresses."""

from __future__ import annotations

from typing import Any

from ..kernels.cpu.matmul.plan import PLACE

_LEAST = 1 << 16  # the first pages of a process hold nothing
HIGH = 1 << 32  # no size is as large; but where Python is loaded low, addresses may be smaller
_OF_PRODUCT = tuple([place for name, place in PLACE.items() if name in ("out", "a", "b", "bias", "aux", "out_sums")])


def places(name: str, total: int, args: tuple[Any, ...]) -> list[int]:
    """Which arguments of a row may be addresses.

    Of a product and of an elementwise row (n, layout, out, ...) it is known. Elsewhere pointers come first, and what is
    large enough is one wherever it stands.
    """
    if name.startswith("matmul.") and len(args) == len(PLACE):
        return [k for k in _OF_PRODUCT if args[k] >= _LEAST]
    first, leading, found = 0, True, []
    if args and args[0].__class__ is int and args[0] == total and len(args) > 2:
        first = 1
    for k in range(first, len(args)):
        arg = args[k]
        if arg.__class__ is int:
            if arg >= (_LEAST if leading or first else HIGH):
                found.append(k)
            elif arg != 0:
                leading = False
    return found


__all__ = ["HIGH", "places"]
