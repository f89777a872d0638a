"""Functions of one number: angles, hyperbolic functions, exponentials, logarithms, erf.

Each is a row of `_function`: the launch, and the derivative from the incoming gradient and the saved input or output. The
derivatives' formulas are PyTorch's, so that infinities and NaN come out alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .._launch import mathematics as launch
from .._tensor import Tensor
from .elementwise import _add_scalar, _div, _mul, _mul_scalar, _neg, _rsub_scalar
from .op import op
from .out import with_out
from .pointwise import _exp, _reciprocal, as_float
from .power import _pow_scalar


def _operation(node: str, launched: Any, slope: Callable[[Tensor, Tensor], Tensor], output: bool = False) -> Any:
    """The operation: `slope(gy, x)` is its derivative, or `slope(gy, y)` where the output is saved."""
    if output:

        @op(name=node)
        def function(ctx: Any, x: Tensor) -> Tensor:
            y: Tensor = launched(x)
            ctx.save_output(y)
            return y
    else:

        @op(name=node)
        def function(ctx: Any, x: Tensor) -> Tensor:
            ctx.save(x)
            made: Tensor = launched(x)
            return made

    def derivative(ctx: Any, gy: Tensor) -> Tensor:
        return slope(gy, ctx.saved[0])

    derivative.__name__ = derivative.__qualname__ = f"{node.rstrip('0').lower()}_derivative"
    function.derivative(derivative)
    return function


def _public(name: str, operation: Any, doc: str, shown: str, result: str) -> Any:
    def function(input: Tensor) -> Tensor:
        made: Tensor = operation(as_float(input, name))
        return made

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{doc}

    >>> import fastgrad as torch
    >>> torch.{name}(torch.tensor({shown}))
    {result}
    """
    return with_out(function)


def _square_plus(x: Tensor, number: float) -> Tensor:
    return _add_scalar(_pow_scalar(x, 2), number)


def _one_less_square(x: Tensor) -> Tensor:
    return _rsub_scalar(_pow_scalar(x, 2), 1)


_rsqrt = _operation("Rsqrt", launch.rsqrt, lambda gy, y: _mul(_mul_scalar(gy, -0.5), _pow_scalar(y, 3)), output=True)
_sin: Any = _operation("Sin", launch.sin, lambda gy, x: _mul(gy, _cos(x)))
_cos: Any = _operation("Cos", launch.cos, lambda gy, x: _mul(gy, _neg(_sin(x))))
_tan = _operation("Tan", launch.tan, lambda gy, y: _mul(gy, _square_plus(y, 1)), output=True)
_asin = _operation("Asin", launch.asin, lambda gy, x: _mul(gy, _rsqrt(_one_less_square(x))))
_acos = _operation("Acos", launch.acos, lambda gy, x: _mul(gy, _neg(_rsqrt(_one_less_square(x)))))
_atan = _operation("Atan", launch.atan, lambda gy, x: _div(gy, _square_plus(x, 1)))
_sinh: Any = _operation("Sinh", launch.sinh, lambda gy, x: _mul(gy, _cosh(x)))
_cosh: Any = _operation("Cosh", launch.cosh, lambda gy, x: _mul(gy, _sinh(x)))
_asinh = _operation("Asinh", launch.asinh, lambda gy, x: _mul(gy, _rsqrt(_square_plus(x, 1))))
_acosh = _operation("Acosh", launch.acosh, lambda gy, x: _mul(gy, _rsqrt(_square_plus(x, -1))))
_atanh = _operation("Atanh", launch.atanh, lambda gy, x: _mul(gy, _reciprocal(_one_less_square(x))))
_exp2 = _operation("Exp20", launch.exp2, lambda gy, y: _mul_scalar(_mul(gy, y), math.log(2)), output=True)
_expm1 = _operation("Expm10", launch.expm1, lambda gy, y: _mul(gy, _add_scalar(y, 1)), output=True)
_log2 = _operation("Log20", launch.log2, lambda gy, x: _div(gy, _mul_scalar(x, math.log(2))))
_log10 = _operation("Log100", launch.log10, lambda gy, x: _div(gy, _mul_scalar(x, math.log(10))))
_log1p = _operation("Log1P", launch.log1p, lambda gy, x: _div(gy, _add_scalar(x, 1)))
_erf = _operation(
    "Erf", launch.erf, lambda gy, x: _mul(_mul_scalar(_exp(_neg(_pow_scalar(x, 2))), 2 / math.sqrt(math.pi)), gy)
)

sin = _public("sin", _sin, "The sine of an angle in radians.", "[0.0, 1.0]", "tensor([0.0000, 0.8415])")
cos = _public("cos", _cos, "The cosine of an angle in radians.", "[0.0, 1.0]", "tensor([1.0000, 0.5403])")
tan = _public("tan", _tan, "The tangent of an angle in radians.", "[0.0, 1.0]", "tensor([0.0000, 1.5574])")
asin = _public("asin", _asin, "The arc of this sine; NaN outside [-1, 1].", "[0.0, 1.0]", "tensor([0.0000, 1.5708])")
acos = _public("acos", _acos, "The arc of this cosine; NaN outside [-1, 1].", "[0.0, 1.0]", "tensor([1.5708, 0.0000])")
atan = _public("atan", _atan, "The arc whose tangent is `input`.", "[0.0, 1.0]", "tensor([0.0000, 0.7854])")
sinh = _public("sinh", _sinh, "The hyperbolic sine.", "[0.0, 1.0]", "tensor([0.0000, 1.1752])")
cosh = _public("cosh", _cosh, "The hyperbolic cosine.", "[0.0, 1.0]", "tensor([1.0000, 1.5431])")
asinh = _public("asinh", _asinh, "The inverse of the hyperbolic sine.", "[0.0, 1.0]", "tensor([0.0000, 0.8814])")
acosh = _public("acosh", _acosh, "The inverse of cosh; NaN below 1.", "[1.0, 2.0]", "tensor([0.0000, 1.3170])")
atanh = _public("atanh", _atanh, "The inverse of tanh; NaN outside [-1, 1].", "[0.0, 0.5]", "tensor([0.0000, 0.5493])")
exp2 = _public("exp2", _exp2, "2 ** input.", "[0.0, 3.0]", "tensor([1., 8.])")
expm1 = _public("expm1", _expm1, "e ** input - 1, exact near 0.", "[0.0, 1.0]", "tensor([0.0000, 1.7183])")
log2 = _public("log2", _log2, "The logarithm to base 2.", "[1.0, 8.0]", "tensor([0., 3.])")
log10 = _public("log10", _log10, "The logarithm to base 10.", "[1.0, 100.0]", "tensor([0., 2.])")
log1p = _public("log1p", _log1p, "log(1 + input), exact near 0.", "[0.0, 1.0]", "tensor([0.0000, 0.6931])")
erf = _public("erf", _erf, "The error function.", "[0.0, 1.0]", "tensor([0.0000, 0.8427])")
rsqrt = _public("rsqrt", _rsqrt, "1 / sqrt(input); infinity at 0, NaN below it.", "[1.0, 4.0]", "tensor([1.0000, 0.5000])")
arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cos",
    "cosh",
    "erf",
    "exp2",
    "expm1",
    "log1p",
    "log2",
    "log10",
    "rsqrt",
    "sin",
    "sinh",
    "tan",
]  # fmt: skip
