"""The maker of activation functions: an operation, its derivative as an operation, and what comes after that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from ..autograd.modes import state
from . import inplace
from .op import op
from .pointwise import zeros

Launch = Callable[..., Tensor]


def activation(
    name: str, label: str, forward: Launch, backward: Launch, curvature: Callable[..., Tensor] | None = None
) -> Callable[[Tensor, tuple[float, ...]], Tensor]:
    """The operation `f(x, parameters)`, elementwise.

    `forward(x, *parameters)` and `backward(x, gy, *parameters)` are launches; `curvature(x, *parameters)` is the second
    derivative, written in operations, and None where that is 0. `label` is PyTorch's name of the node.
    """

    def apply(ctx: Any, x: Tensor, parameters: tuple[float, ...]) -> Tensor:
        ctx.save(x)
        ctx.extra = parameters
        return forward(x, *parameters)

    def apply_backward(ctx: Any, x: Tensor, gy: Tensor, *, parameters: tuple[float, ...]) -> Tensor:
        ctx.save(x, gy)
        ctx.extra = parameters
        return backward(x, gy, *parameters)

    apply.__name__, apply_backward.__name__ = name, f"{name}_backward"
    made = op(apply, name=label, scalar=True)
    slope = op(apply_backward, name=f"{label}Backward")

    @made.derivative
    def derivative(ctx: Any, gy: Tensor) -> Tensor:
        x: Tensor = ctx.saved[0]
        return slope(x, gy, parameters=ctx.extra) if state.enabled else backward(x, gy, *ctx.extra)

    @slope.derivative
    def second_derivative(ctx: Any, ggx: Tensor) -> Any:
        x, gy = ctx.saved
        need_x, need_gy = ctx.needs
        along_x = None
        if need_x:
            along_x = ggx * gy * curvature(x, *ctx.extra) if curvature is not None else zeros(x)
        return along_x, slope(x, ggx, parameters=ctx.extra) if need_gy else None

    derivative.__name__, second_derivative.__name__ = f"{name}_derivative", f"{name}_backward_derivative"
    operation: Callable[[Tensor, tuple[float, ...]], Tensor] = made
    return operation


def refuse_all_but_floats(kernel: str, x: Tensor) -> None:
    """NotImplementedError, with PyTorch's text, for integers and booleans."""
    kind = x._meta.dtype
    if kind.category != 2:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.scalar_name}'")


def write_over(x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """`x`, holding `function(x)` from now on, with PyTorch's checks of in-place changes."""
    inplace.check(x)
    if inplace.recorded(x):
        return inplace.replace(x, function)
    inplace.launch.copy_into(x, function(x))
    x._bump()
    return x
