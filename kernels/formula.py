"""Formulas: scalar functions that kernels of every device share, each written once in plain Python.

    @formula
    def silu(x):
        return x * sigmoid(x)

A formula takes and gives numbers (float32, float64, int32, int64, bool) and has no branches: choices are `select`. So numba
need not compile it. Where a kernel calls a formula, the formula is *run*, on `Value`s that write LLVM instructions into
the kernel instead of computing: it costs under a millisecond, is always inlined, and its loop vectorises. In the interpreter
the same source computes with NumPy scalars, and gives the same bits.

Literals: inside a formula just write them, `0.5 * x` has the type of x. In a kernel numba takes `0.5` for a float64: write
`lit(0.5, x)`, with x a number of the wanted type or a pointer to such. A formula refuses to mix float32 and float64.
Kernels pass a formula's arguments by position, all of them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import lower_builtin, type_callable

_IR = {
    np.float32: ir.FloatType(),
    np.float64: ir.DoubleType(),
    np.int32: ir.IntType(32),
    np.int64: ir.IntType(64),
    np.bool_: ir.IntType(1),
}
_FLOATS = (np.float32, np.float64)
_BITS = {np.float32: np.int32, np.float64: np.int64, np.int32: np.float32, np.int64: np.float64}


class Value:
    """A number that is known only when the kernel runs: an LLVM value, its NumPy type, and where to write instructions."""

    __slots__ = ("builder", "device", "ir", "type")

    def __init__(self, builder: Any, value: Any, dtype: Any, device: str = "cpu") -> None:
        self.builder, self.ir, self.type, self.device = builder, value, dtype, device

    def like(self, value: Any, dtype: Any = None) -> Value:
        """An LLVM value, or a Python number, of this value's type."""
        dtype = dtype or self.type
        if not isinstance(value, ir.Value):
            value = ir.Constant(_IR[dtype], float(dtype(value)) if dtype in _FLOATS else int(value))
        return Value(self.builder, value, dtype, self.device)

    def match(self, other: Any) -> Value:
        """The other operand of an instruction: a Python number takes this value's type."""
        if not isinstance(other, Value):
            return self.like(other)
        if other.type is not self.type:
            raise TypingError(
                f"a formula cannot mix {self.type.__name__} and {other.type.__name__}: "
                "write a kernel's literals as lit(0.5, x)"
            )
        return other

    def emit(self, instruction: str, *operands: Any, dtype: Any = None) -> Value:
        """The result of a builder's method on this value and the operands."""
        values = [self.ir] + [self.match(operand).ir for operand in operands]
        return self.like(getattr(self.builder, instruction)(*values), dtype)

    def intrinsic(self, name: str, *operands: Any) -> Value:
        """The result of LLVM's intrinsic function of this name, for this value's type."""
        values = [self.ir] + [self.match(x).ir for x in operands]
        kind = ir.FunctionType(_IR[self.type], [_IR[self.type]] * len(values))
        function = self.builder.module.declare_intrinsic(name, [_IR[self.type]], kind)
        return self.like(self.builder.call(function, values))

    def library(self, name: str, *operands: Any) -> Value:
        """The result of a function of CUDA's device library."""
        values = [self.ir] + [self.match(x).ir for x in operands]
        kind = ir.FunctionType(_IR[self.type], [_IR[self.type]] * len(values))
        symbol = f"__nv_{name}f" if self.type is np.float32 else f"__nv_{name}"
        module = self.builder.module
        function = module.globals.get(symbol) or ir.Function(module, kind, symbol)
        return self.like(self.builder.call(function, values))

    def compare(self, operator: str, other: Any) -> Value:
        other = self.match(other)
        if self.type in _FLOATS:  # a comparison with NaN is false, except !=
            compare = self.builder.fcmp_unordered if operator == "!=" else self.builder.fcmp_ordered
        else:
            compare = self.builder.icmp_signed
        return self.like(compare(operator, self.ir, other.ir), np.bool_)

    def __add__(self, y): return self.emit(self._pick("fadd", "add"), y)
    def __sub__(self, y): return self.emit(self._pick("fsub", "sub"), y)
    def __mul__(self, y): return self.emit(self._pick("fmul", "mul"), y)
    def __truediv__(self, y): return self.emit(self._pick("fdiv", None), y)
    def __radd__(self, y): return self.like(y) + self
    def __rsub__(self, y): return self.like(y) - self
    def __rmul__(self, y): return self.like(y) * self
    def __rtruediv__(self, y): return self.like(y) / self
    def __neg__(self): return self.emit(self._pick("fneg", "neg"))
    def __abs__(self): return self.intrinsic("llvm.fabs")
    def __and__(self, y): return self.emit(self._pick(None, "and_"), y)
    def __or__(self, y): return self.emit(self._pick(None, "or_"), y)
    def __xor__(self, y): return self.emit(self._pick(None, "xor"), y)
    def __invert__(self): return self.emit(self._pick(None, "not_"))
    def __lshift__(self, y): return self.emit(self._pick(None, "shl"), y)
    def __rshift__(self, y): return self.emit(self._pick(None, "ashr"), y)
    def __lt__(self, y): return self.compare("<", y)
    def __le__(self, y): return self.compare("<=", y)
    def __gt__(self, y): return self.compare(">", y)
    def __ge__(self, y): return self.compare(">=", y)
    def __eq__(self, y): return self.compare("==", y)
    def __ne__(self, y): return self.compare("!=", y)

    __hash__ = None  # type: ignore[assignment]

    def _pick(self, for_floats: str | None, for_integers: str | None) -> str:
        instruction = for_floats if self.type in _FLOATS else for_integers
        if instruction is None:
            raise TypingError(f"a formula used an operator that {self.type.__name__} does not have")
        return instruction

    def __bool__(self) -> bool:
        raise TypingError("a formula has no branches: choose with select(condition, a, b)")


def formula(function: Callable[..., Any] | None = None, *, device: str | None = None) -> Any:
    """Make a scalar function callable from kernels of every device, and from plain Python with NumPy scalars.

    `device` names the function of CUDA's device library that takes its place there.
    """
    if function is None:
        return functools.partial(formula, device=device)
    made = function
    if device is not None:

        @functools.wraps(function)
        def made(x, *others):
            if isinstance(x, Value) and x.device == "cuda":
                return x.library(device, *others)
            return function(x, *others)

    _teach_numba(made)
    return made


def _teach_numba(function: Callable[..., Any]) -> None:
    @functools.cache
    def result(arguments: tuple[Any, ...]) -> Any:
        """The numba type of the result, seen by running the formula into a module that is thrown away."""
        kinds = [_IR[_numpy_type(t)] if not isinstance(t, types.CPointer) else _IR[np.int64] for t in arguments]
        body = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), kinds), "formula")
        builder = ir.IRBuilder(body.append_basic_block())
        made = run(builder, arguments, body.args, "cpu").type
        return types.boolean if made is np.bool_ else getattr(types, made.__name__)

    def run(builder: Any, arguments: Any, values: Any, device: str) -> Any:
        return function(*(Value(builder, v, _numpy_type(t), device) for t, v in zip(arguments, values, strict=True)))

    @type_callable(function)
    def typing(context):
        def typer(*arguments):
            return result(tuple(types.unliteral(t) for t in arguments))

        typer.__signature__ = inspect.signature(function)
        return typer

    @lower_builtin(function, types.VarArg(types.Any))
    def lower(context, builder, signature, values):
        device = "cuda" if type(context).__module__.startswith("numba.cuda") else "cpu"
        return run(builder, signature.args, values, device).ir


def _numpy_type(kind: Any) -> Any:
    if isinstance(kind, types.CPointer):
        kind = kind.dtype
    name = "bool_" if isinstance(kind, types.Boolean) else str(types.unliteral(kind))
    found = getattr(np, name, None)
    if found not in _IR:
        raise TypingError(f"a formula takes float32, float64, int32, int64 and bool, not {kind}")
    return found


def dtype(x: Any) -> Any:
    """The NumPy type of a formula's argument: picks a table of constants, at no cost when the kernel runs."""
    if isinstance(x, Value):
        return x.type
    return x.dtype.type if hasattr(x, "dtype") else np.float64


def _numbers(*arguments: Any) -> tuple[Any, ...]:
    """The arguments with Python numbers given the type of the others: `Value`s, or NumPy scalars in the interpreter."""
    for x in arguments:
        if isinstance(x, Value):
            return tuple(x.match(y) for y in arguments)
    kind = next((dtype(x) for x in arguments if isinstance(x, np.generic)), np.float64)
    return tuple(x if isinstance(x, np.generic) else kind(x) for x in arguments)


@formula
def lit(number, like):
    """The number in the type of `like`, which is a number or a pointer: `lit(0.5, x)` in a kernel."""
    if not isinstance(like, Value):
        return dtype(like)(number)
    if not isinstance(number, Value):
        return like.like(number)
    if number.type is like.type:
        return number
    instruction = {
        (True, True): "fptrunc" if like.type is np.float32 else "fpext",
        (False, True): "sitofp",
        (True, False): "fptosi",
        (False, False): "trunc" if like.type is np.int32 else "sext",
    }[number.type in _FLOATS, like.type in _FLOATS]
    return like.like(getattr(like.builder, instruction)(number.ir, _IR[like.type]))


@formula
def select(condition, a, b):
    """a where the condition holds, else b; both are computed."""
    a, b = _numbers(a, b)
    if isinstance(a, Value):
        condition = condition.ir if isinstance(condition, Value) else ir.Constant(_IR[np.bool_], int(condition))
        return a.like(a.builder.select(condition, a.ir, b.ir))
    return a if condition else b


@formula
def fma(a, b, c):
    """a * b + c with one rounding."""
    a, b, c = _numbers(a, b, c)
    if isinstance(a, Value):
        return a.intrinsic("llvm.fma", b, c)
    if not (np.isfinite(a) and np.isfinite(b) and np.isfinite(c)) or a == 0 or b == 0:
        return a * b + c
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    return type(a)(_rounded(exact, type(a))) if exact else a * b + c


def _rounded(exact: Fraction, kind: Any) -> float:
    """The float nearest to a fraction, ties to even; as float32, rounded once and not by way of float64."""
    try:
        near = float(exact)
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")
    if kind is np.float64 or Fraction(near) == exact:
        return near
    # round to odd: the last bit remembers that something was cut, so that the second rounding cannot see a false tie
    word = np.float64(near).view(np.int64)
    if not word & 1:
        word += 1 if (abs(exact) > abs(Fraction(near))) else -1
    return float(np.int64(word).view(np.float64))


@formula
def sqrt(x):
    """Square root, correctly rounded."""
    if isinstance(x, Value):
        return x.library("sqrt") if x.device == "cuda" else x.intrinsic("llvm.sqrt")
    return np.sqrt(x)


@formula
def floor(x):
    """The largest integer that is not above x, as a float."""
    if isinstance(x, Value):
        return x.library("floor") if x.device == "cuda" else x.intrinsic("llvm.floor")
    return np.floor(x)


@formula
def bits(x):
    """The bits of a float as an integer of the same size, and the other way round."""
    if isinstance(x, Value):
        kind = _BITS[x.type]
        return x.like(x.builder.bitcast(x.ir, _IR[kind]), kind)
    (x,) = _numbers(x)
    return x.view(_BITS[type(x)])


@formula
def copysign(x, sign):
    """The size of x with the sign of `sign`."""
    x, sign = _numbers(x, sign)
    if isinstance(x, Value):
        return x.intrinsic("llvm.copysign", sign)
    return np.copysign(x, sign)
