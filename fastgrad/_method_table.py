"""More methods of Tensor, family by family: the names of operations, and which of them have an in-place form."""

from __future__ import annotations

from typing import Any

from .ops import activation, arithmetic, compare, functions, mixing, quotient, rounding
from .ops import logic as questions

FUNCTIONS: dict[str, Any] = {name: getattr(functions, name) for name in functions.__all__}
FUNCTIONS |= {name: getattr(rounding, name) for name in rounding.__all__}
FUNCTIONS |= {name: getattr(mixing, name) for name in mixing.__all__}
FUNCTIONS |= {"fmod": quotient.fmod, "floor_divide": quotient.floor_divide, "remainder": quotient.remainder}
COMPARISONS = {
    "eq": compare.eq, "ne": compare.ne, "lt": compare.lt, "le": compare.le, "gt": compare.gt, "ge": compare.ge,
    "less": compare.lt, "less_equal": compare.le, "greater": compare.gt, "greater_equal": compare.ge,
    "not_equal": compare.ne,
}  # fmt: skip
BITS = {
    name: getattr(questions, name)
    for name in (
        "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "bitwise_left_shift", "bitwise_right_shift",
        "logical_and", "logical_or", "logical_xor", "logical_not",
    )
}  # fmt: skip
MORE: dict[str, Any] = {
    **FUNCTIONS, **COMPARISONS, **BITS, "positive": arithmetic.positive,
    "isposinf": questions.isposinf, "isneginf": questions.isneginf,
}  # fmt: skip
# Methods with an in-place form, `name_`.
IN_PLACE: dict[str, Any] = {
    **FUNCTIONS, **COMPARISONS, **BITS, "relu": activation.relu, "sigmoid": activation.sigmoid, "tanh": activation.tanh,
}  # fmt: skip
