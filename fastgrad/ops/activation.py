"""Activation functions. Each `f_backward` is an operation too, so that gradients can be differentiated again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _dtype
from .._launch import activation as launch
from .._launch import arrays
from .._tensor import Tensor
from . import inplace
from .convert import to_dtype
from .op import op
from .pointwise import exp

# --- functions of which the output is enough for the derivative --------------------------------------------------------


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
    return None, relu_backward(ctx.saved[0], ggx)


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


# --- functions of which the input is kept -------------------------------------------------------------------------------


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution function of x, exactly or (approximate="tanh") by the tanh formula."""
    if approximate == "none":
        return _gelu(input)
    if approximate != "tanh":
        raise RuntimeError("approximate argument must be either none or tanh.")
    return _gelu_tanh(input)


@op(name="Gelu")
def _gelu(ctx: Any, x: Tensor) -> Tensor:
    ctx.save(x)
    return launch.gelu(x)


@_gelu.derivative
def gelu_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return gelu_backward(ctx.saved[0], gy)


@op
def gelu_backward(ctx: Any, x: Tensor, gy: Tensor) -> Tensor:
    ctx.save(x, gy)
    return launch.gelu_backward(x, gy)


@gelu_backward.derivative
def gelu_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    x, gy = ctx.saved
    need_x, need_gy = ctx.needs
    return ggx * gy * _gelu_curvature(x) if need_x else None, gelu_backward(x, ggx) if need_gy else None


@op(name="Gelu")
def _gelu_tanh(ctx: Any, x: Tensor) -> Tensor:
    ctx.save(x)
    return launch.gelu_tanh(x)


@_gelu_tanh.derivative
def gelu_tanh_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return gelu_tanh_backward(ctx.saved[0], gy)


@op(name="GeluBackward")
def gelu_tanh_backward(ctx: Any, x: Tensor, gy: Tensor) -> Tensor:
    ctx.save(x, gy)
    return launch.gelu_tanh_backward(x, gy)


@gelu_tanh_backward.derivative
def gelu_tanh_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    x, gy = ctx.saved
    need_x, need_gy = ctx.needs
    return ggx * gy * _gelu_tanh_curvature(x) if need_x else None, gelu_tanh_backward(x, ggx) if need_gy else None


def _gelu_curvature(x: Tensor) -> Tensor:
    """The second derivative of gelu."""
    return exp(x * x * -0.5) * (2 - x * x) * (1 / math.sqrt(2 * math.pi))


def _gelu_tanh_curvature(x: Tensor) -> Tensor:
    """The second derivative of x (1 + tanh u) / 2, where u = scale (x + cubic x**3)."""
    scale, cubic = math.sqrt(2 / math.pi), 0.044715
    square = x * x
    t = tanh(x * scale * (1 + square * cubic))
    first, second = scale * (1 + square * (3 * cubic)), x * (6 * cubic * scale)  # derivatives of u
    return (1 - t * t) * (first + x * 0.5 * second - x * t * first * first)


@op
def silu(ctx: Any, x: Tensor) -> Tensor:
    """x sigmoid(x), elementwise."""
    ctx.save(x)
    return launch.silu(x)


@silu.derivative
def silu_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return silu_backward(ctx.saved[0], gy)


@op
def silu_backward(ctx: Any, x: Tensor, gy: Tensor) -> Tensor:
    ctx.save(x, gy)
    return launch.silu_backward(x, gy)


@silu_backward.derivative
def silu_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    x, gy = ctx.saved
    gx = None
    if ctx.needs[0]:
        s = sigmoid(x)
        gx = ggx * gy * s * (1 - s) * (2 + x * (1 - 2 * s))
    return gx, silu_backward(x, ggx) if ctx.needs[1] else None


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
    return None, leaky_relu_backward(ctx.saved[0], ggx, slope=ctx.extra)


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (e**x - 1)."""
    return _elu(input, float(alpha))


@op(name="Elu", scalar=True)
def _elu(ctx: Any, x: Tensor, alpha: float) -> Tensor:
    ctx.save(x)
    ctx.extra = alpha
    return launch.elu(x, alpha)


@_elu.derivative
def elu_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return elu_backward(ctx.saved[0], gy, alpha=ctx.extra)


@op
def elu_backward(ctx: Any, x: Tensor, gy: Tensor, *, alpha: float) -> Tensor:
    ctx.save(x, gy)
    ctx.extra = alpha
    return launch.elu_backward(x, gy, alpha)


@elu_backward.derivative
def elu_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    x, gy = ctx.saved
    gx = None
    if ctx.needs[0]:  # alpha e**x below 0, and 0 above, where e**x may be infinite
        gx = ggx * gy * exp(-relu(-x)) * (x < 0).to(x.dtype) * ctx.extra
    return gx, elu_backward(x, ggx, alpha=ctx.extra) if ctx.needs[1] else None


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e**(beta x)) / beta; x itself where beta x is above the threshold."""
    return _softplus(input, (float(beta), float(threshold)))


@op(name="Softplus", scalar=True)
def _softplus(ctx: Any, x: Tensor, parameters: tuple[float, float]) -> Tensor:
    ctx.save(x)
    ctx.extra = parameters
    return launch.softplus(x, *parameters)


@_softplus.derivative
def softplus_derivative(ctx: Any, gy: Tensor) -> Tensor:
    beta, threshold = ctx.extra
    return softplus_backward(ctx.saved[0], gy, beta=beta, threshold=threshold)


@op
def softplus_backward(ctx: Any, x: Tensor, gy: Tensor, *, beta: float, threshold: float) -> Tensor:
    ctx.save(x, gy)
    ctx.extra = beta, threshold
    return launch.softplus_backward(x, gy, beta, threshold)


@softplus_backward.derivative
def softplus_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    x, gy = ctx.saved
    beta, threshold = ctx.extra
    gx = None
    if ctx.needs[0]:
        bent = (x * beta <= threshold).to(x.dtype)
        gx = sigmoid_backward(sigmoid(x * beta), ggx * gy) * bent * beta
    return gx, softplus_backward(x, ggx, beta=beta, threshold=threshold) if ctx.needs[1] else None


@op
def log_sigmoid(ctx: Any, x: Tensor) -> Tensor:
    """log(sigmoid(x)), finite for every finite x."""
    ctx.save(x)
    return launch.log_sigmoid(x)


@log_sigmoid.derivative
def log_sigmoid_derivative(ctx: Any, gy: Tensor) -> Tensor:
    return log_sigmoid_backward(ctx.saved[0], gy)


@op
def log_sigmoid_backward(ctx: Any, x: Tensor, gy: Tensor) -> Tensor:
    ctx.save(x, gy)
    return launch.log_sigmoid_backward(x, gy)


@log_sigmoid_backward.derivative
def log_sigmoid_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    x, gy = ctx.saved
    gx = -sigmoid_backward(sigmoid(x), ggx * gy) if ctx.needs[0] else None
    return gx, log_sigmoid_backward(x, ggx) if ctx.needs[1] else None


logsigmoid = log_sigmoid

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
