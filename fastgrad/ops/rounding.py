"""Rounding to whole numbers. A step has the slope 0 wherever it has one."""

from __future__ import annotations

from typing import Any

from .._launch import mathematics as launch
from .._tensor import Tensor
from .op import op
from .out import with_out
from .pointwise import as_tensor, zeros


def _step(name: str, launched: Any, doc: str, shown: str, result: str) -> Any:
    @op(name=name.capitalize())
    def step(ctx: Any, x: Tensor) -> Tensor:
        made: Tensor = launched(x)
        return made

    @step.derivative
    def step_derivative(ctx: Any, gy: Tensor) -> Tensor:
        return zeros(gy)

    def function(input: Tensor) -> Tensor:
        whole = _whole(input, name)
        return step(input) if whole is None else whole

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{doc} Integers stay as they are.

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor({shown}))
    {result}
    """
    return with_out(function)


def _whole(x: Tensor, name: str) -> Tensor | None:
    """A copy of a tensor that has only whole numbers; NotImplementedError for booleans."""
    if as_tensor(x, name).dtype.category == 2:
        return None
    if x.dtype.category == 0:
        raise NotImplementedError(f"\"{name}_vml_cpu\" not implemented for 'Bool'")
    return x.clone()


floor = _step("floor", launch.floor, "The largest whole number not above.", "[1.5, -1.5]", "tensor([ 1., -2.])")
ceil = _step("ceil", launch.ceil, "The smallest whole number not below.", "[1.5, -1.5]", "tensor([ 2., -1.])")
trunc = fix = _step("trunc", launch.trunc, "Cut towards zero.", "[1.5, -1.5]", "tensor([ 1., -1.])")


@op(name="Round0")
def _round(ctx: Any, x: Tensor) -> Tensor:
    return launch.round(x)


@op(name="Round1")
def _round_to(ctx: Any, x: Tensor, *, decimals: int) -> Tensor:
    if decimals < 0:
        return launch.round_coarse(x, 10.0**-decimals)
    return launch.round_scaled(x, 10.0**decimals)


@_round.derivative
@_round_to.derivative
def round_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return zeros(gy)


@with_out
def round(input: Tensor, *, decimals: int | None = None) -> Tensor:
    """The nearest whole number, of two the even one; or the nearest multiple of 10**-decimals.

    >>> import fastgrad as torch
    >>> torch.round(torch.tensor([0.5, 1.5, -1.2]))
    tensor([ 0.,  2., -1.])
    """
    if decimals is not None and as_tensor(input, "round").dtype.category != 2:
        which = "round_vml_cpu" if decimals == 0 else "round_cpu"
        raise NotImplementedError(f"\"{which}\" not implemented for '{input.dtype.scalar_name}'")
    whole = _whole(input, "round")
    if whole is not None:
        return whole
    made: Tensor = _round_to(input, decimals=decimals) if decimals is not None else _round(input)
    return made


@op(name="Frac")
def _frac(ctx: Any, x: Tensor) -> Tensor:
    return launch.frac(x)


@_frac.derivative
def frac_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return gy


@with_out
def frac(input: Tensor) -> Tensor:
    """What stands behind the point, with the sign of `input`.

    >>> import fastgrad as torch
    >>> torch.frac(torch.tensor([1.5, -2.25]))
    tensor([ 0.5000, -0.2500])
    """
    if as_tensor(input, "frac").dtype.category != 2:
        raise NotImplementedError(f"\"frac_cpu\" not implemented for '{input.dtype.scalar_name}'")
    made: Tensor = _frac(input)
    return made


__all__ = ["ceil", "fix", "floor", "frac", "round", "trunc"]
