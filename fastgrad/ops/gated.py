"""Activation functions with an exponential, a sigmoid or a tangent inside: elu and its kin, mish, softsign, glu."""

from __future__ import annotations

from typing import Any

from .. import _dtype
from .._geometry import wrap_dim
from .._launch import activation as launch
from .._launch import gate
from .._tensor import Tensor
from ..autograd.modes import state
from .activation import relu, sigmoid, tanh
from .bend import activation, refuse_all_but_floats
from .convert import to_dtype
from .join import cat
from .op import op
from .pointwise import abs as absolute
from .pointwise import exp, sign
from .smooth import softplus


def _elu_curvature(x: Tensor, slope: float, alpha: float, rate: float) -> Tensor:
    """alpha rate**2 e**(rate x) below 0, and 0 above, where e**x may be infinite."""
    return exp(-relu(-x) * rate) * (x < 0).to(x.dtype) * (alpha * rate * rate)


def _mish_curvature(x: Tensor) -> Tensor:
    s, t = sigmoid(x), tanh(softplus(x))
    return s * (1 - t * t) * (2 + x * (1 - s - 2 * s * t))


def _softsign_curvature(x: Tensor) -> Tensor:
    return sign(x) * (1 + absolute(x)) ** -3 * -2


def _tanhshrink_curvature(x: Tensor) -> Tensor:
    t = tanh(x)
    return t * (1 - t * t) * 2


_elu = activation("elu", "Elu", launch.elu, launch.elu_backward, _elu_curvature)
_celu = activation("celu", "Celu", launch.elu, launch.elu_backward, _elu_curvature)
_mish = activation("mish", "Mish", launch.mish, launch.mish_backward, _mish_curvature)
_softsign = activation("softsign", "Div", launch.softsign, launch.softsign_backward, _softsign_curvature)
_tanhshrink = activation("tanhshrink", "Sub", launch.tanhshrink, launch.tanhshrink_backward, _tanhshrink_curvature)
_SELU = 1.0507009873554804934193349852946, 1.0507009873554804934193349852946 * 1.6732632423543772848170429916717, 1.0


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (e**x - 1). Clevert et al. (2015)."""
    refuse_all_but_floats("elu_cpu", input)
    return _elu(input, (1.0, float(alpha), 1.0))


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (e**(x / alpha) - 1): its slope is continuous. Barron (2017). RuntimeError for 0.

    >>> import fastgrad as torch
    >>> torch.celu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    refuse_all_but_floats("elu_cpu", input)
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _celu(input, (1.0, float(alpha), 1.0 / alpha))


def selu(input: Tensor) -> Tensor:
    """scale elu(x), with the constants that keep mean 0 and variance 1 from layer to layer. Klambauer et al. (2017).

    >>> import fastgrad as torch
    >>> torch.selu(torch.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    refuse_all_but_floats("elu_cpu", input)
    return _elu(input, _SELU)


def mish(input: Tensor) -> Tensor:
    """x tanh(softplus(x)). Misra (2019)."""
    refuse_all_but_floats("mish_cpu", input)
    return _mish(input, ())


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    if input.dtype.category != 2:
        if input.dtype is _dtype.bool_:
            refuse_all_but_floats("abs_cpu", input)
        input = to_dtype(input, _dtype.get_default_dtype())
    return _softsign(input, ())


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    if input.dtype.category != 2:
        return input - tanh(input)
    return _tanhshrink(input, ())


# --- halves -------------------------------------------------------------------------------------------------------------


@op(name="Glu", scalar=True)
def _glu(ctx: Any, x: Tensor, dim: int) -> Tensor:
    ctx.save(x)
    ctx.extra = dim
    return gate.glu(x, dim)


@_glu.derivative
def glu_derivative(ctx: Any, gy: Tensor) -> Tensor:
    x, dim = ctx.saved[0], ctx.extra
    return glu_backward(x, gy, dim=dim) if state.enabled else gate.glu_backward(x, gy, dim)


@op
def glu_backward(ctx: Any, x: Tensor, gy: Tensor, *, dim: int) -> Tensor:
    ctx.save(x, gy)
    ctx.extra = dim
    return gate.glu_backward(x, gy, dim)


@glu_backward.derivative
def glu_backward_derivative(ctx: Any, ggx: Tensor) -> Any:
    """With s = sigmoid(b), the gradient is (gy s, gy a s (1 - s))."""
    (x, gy), dim = ctx.saved, ctx.extra
    need_x, need_gy = ctx.needs
    half = x.shape[dim] // 2
    a, b = x.narrow(dim, 0, half), x.narrow(dim, half, half)
    along_a, along_b = ggx.narrow(dim, 0, half), ggx.narrow(dim, half, half)
    s = sigmoid(b)
    bent = s * (1 - s)
    along_x = None
    if need_x:
        curved = bent * (1 - 2 * s)
        along_x = cat([gy * bent * along_b, gy * (bent * along_a + a * curved * along_b)], dim)
    return along_x, s * along_a + a * bent * along_b if need_gy else None


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b), with a and b the halves of the input along `dim`. Dauphin et al. (2016).

    RuntimeError for a dimension of odd size.
    """
    refuse_all_but_floats("glu_cpu", input)
    ndim = len(input.shape)
    if not ndim:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = wrap_dim(dim, ndim)
    if input.shape[dim] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {input.shape[dim]}")
    return _glu(input, dim)
