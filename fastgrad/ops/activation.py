"""Activation functions. Each `f_backward` is an operation too, so that gradients can be differentiated again."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _dtype
from .._launch import activation as launch
from .._launch import arrays
from .._tensor import Tensor
from . import inplace
from .convert import to_dtype
from .op import op
from .pointwise import zeros


@op
def relu(ctx: Any, x: Tensor) -> Tensor:
    """max(x, 0), elementwise; the gradient at 0 is 0, NaN stays NaN."""
    if x.dtype.category != 2:
        return _relu_of_integers(x)
    y = launch.relu(x)
    ctx.save_output(y)
    return y


@relu.derivative
def relu_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return relu_backward(ctx.saved[0], gy)


@op
def relu_backward(ctx: Any, y: Tensor, gy: Tensor) -> Tensor:
    ctx.save(y)
    return launch.relu_backward(y, gy)


@relu_backward.derivative
def relu_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    return zeros(ggx) if ctx.needs[0] else None, relu_backward(ctx.saved[0], ggx)


def _relu_of_integers(x: Tensor) -> Tensor:
    if x.dtype is _dtype.bool_:
        raise RuntimeError("Boolean inputs not supported for relu")
    return arrays.apply(lambda a: np.maximum(a, 0), x, dtype=x.dtype)


@op
def sigmoid(ctx: Any, x: Tensor) -> Tensor:
    """1 / (1 + e**-x), elementwise."""
    if x.dtype.category != 2:
        x = to_dtype(x, _dtype.get_default_dtype())
    y = launch.sigmoid(x)
    ctx.save_output(y)
    return y


@sigmoid.derivative
def sigmoid_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return sigmoid_backward(ctx.saved[0], gy)


@op
def sigmoid_backward(ctx: Any, y: Tensor, gy: Tensor) -> Tensor:
    ctx.save(y, gy)
    return launch.sigmoid_backward(y, gy)


@sigmoid_backward.derivative
def sigmoid_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    y, gy = ctx.saved
    need_y, need_gy = ctx.needs
    return ggx * gy * (1 - 2 * y) if need_y else None, sigmoid_backward(y, ggx) if need_gy else None


@op
def tanh(ctx: Any, x: Tensor) -> Tensor:
    """The hyperbolic tangent, elementwise."""
    if x.dtype.category != 2:
        x = to_dtype(x, _dtype.get_default_dtype())
    y = launch.tanh(x)
    ctx.save_output(y)
    return y


@tanh.derivative
def tanh_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return tanh_backward(ctx.saved[0], gy)


@op
def tanh_backward(ctx: Any, y: Tensor, gy: Tensor) -> Tensor:
    ctx.save(y, gy)
    return launch.tanh_backward(y, gy)


@tanh_backward.derivative
def tanh_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    y, gy = ctx.saved
    need_y, need_gy = ctx.needs
    return ggx * gy * y * -2 if need_y else None, tanh_backward(y, ggx) if need_gy else None


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, else negative_slope x; the gradient at 0 is negative_slope."""
    return _leaky_relu(input, float(negative_slope))


@op(name="LeakyRelu", scalar=True)
def _leaky_relu(ctx: Any, x: Tensor, slope: float) -> Tensor:
    ctx.save(x)
    ctx.extra = slope
    return launch.leaky_relu(x, slope)


@_leaky_relu.derivative
def leaky_relu_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return leaky_relu_backward(ctx.saved[0], gy, slope=ctx.extra)


@op
def leaky_relu_backward(ctx: Any, x: Tensor, gy: Tensor, *, slope: float) -> Tensor:
    ctx.save(x)
    ctx.extra = slope
    return launch.leaky_relu_backward(x, gy, slope)


@leaky_relu_backward.derivative
def leaky_relu_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    return zeros(ggx) if ctx.needs[0] else None, leaky_relu_backward(ctx.saved[0], ggx, slope=ctx.extra)


# --- in place -----------------------------------------------------------------------------------------------------------


def _in_place(function: Any, launched: Any) -> Any:
    """`f_(x)`: what `function` computes, written over x."""

    def apply(x: Tensor) -> Tensor:
        inplace.check(x)
        if inplace.recorded(x):
            return inplace.replace(x, function)
        if x.dtype.category == 2:
            launched(x, out=x)
        else:
            made = function(x)
            if made.dtype is not x.dtype:
                raise RuntimeError(
                    f"result type {made.dtype.scalar_name} can't be cast to the desired output type {x.dtype.scalar_name}"
                )
            inplace.launch.copy_into(x, made)
        x._bump()
        return x

    apply.__name__ = apply.__qualname__ = f"{function.__name__}_"
    apply.__doc__ = f"`{function.__name__}`, written over `x`."
    return apply


relu_ = _in_place(relu, launch.relu)
sigmoid_ = _in_place(sigmoid, launch.sigmoid)
tanh_ = _in_place(tanh, launch.tanh)
