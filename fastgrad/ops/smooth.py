"""Activation functions with a bend instead of a corner: gelu, silu, softplus, log_sigmoid."""

from __future__ import annotations

import math
from typing import Any

from .._launch import activation as launch
from .._tensor import Tensor
from .activation import sigmoid, sigmoid_backward, tanh, tanh_backward
from .op import op
from .pointwise import exp


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution function of x, exactly or (approximate="tanh") by the tanh formula."""
    kind = input._meta.dtype
    if kind.category != 2:
        raise NotImplementedError(f"\"GeluKernelImpl\" not implemented for '{kind.scalar_name}'")
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
    return tanh_backward(t, first + x * 0.5 * second - x * t * first * first)  # 1 - t**2 in one rounding


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
        bent = (x * beta < threshold).to(x.dtype)
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
