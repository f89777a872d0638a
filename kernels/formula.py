"""Formulas: scalar functions that the kernels of every device share, each written once in plain Python.

    @formula
    def silu(x):
        return x * sigmoid(x)

A formula takes and gives numbers (floats, integers, bools) and has no branches: a choice is a
`select`. So numba need not compile it. Where a kernel calls a formula, the formula is *run*, on `Value`s
that write LLVM instructions into the kernel instead of computing: that costs about a millisecond, leaves no
call behind, and the loop around it vectorises. In the interpreter the same source computes with NumPy
scalars, to the same bits.

Literals: inside a formula just write them, `0.5 * x` has the type of x. In a kernel numba takes `0.5` for a
float64, so write `lit(0.5, x)`, with x a number of the wanted type or a pointer to such. A formula refuses
to mix float types. Kernels pass a formula's arguments by position, all of them.
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
    np.uint8: ir.IntType(8),
    np.int8: ir.IntType(8),
    np.int16: ir.IntType(16),
    np.int32: ir.IntType(32),
    np.int64: ir.IntType(64),
    np.bool_: ir.IntType(1),
}
_FLOATS = (np.float32, np.float64)
_UNSIGNED = (np.uint8, np.bool_)
_SAME_SIZE = {np.float32: np.int32, np.float64: np.int64, np.int32: np.float32, np.int64: np.float64}


def _operator(for_floats: str | None, for_integers: str | None) -> tuple[Any, Any]:
    """The methods x @ y and y @ x that write one of two LLVM instructions."""

    def method(x, y):
        instruction = for_floats if x.type in _FLOATS else for_integers
        if instruction is None:
            raise TypingError(f"a formula used an operator that {x.type.__name__} does not have")
        return x.like(getattr(x.builder, instruction)(x.ir, x.match(y).ir))

    return method, lambda x, y: method(x.like(y), x)


def _comparison(operator: str) -> Any:
    def method(x, y):
        if x.type in _FLOATS:  # false where one side is NaN, except !=
            compare = x.builder.fcmp_unordered if operator == "!=" else x.builder.fcmp_ordered
        else:
            compare = x.builder.icmp_unsigned if x.type in _UNSIGNED else x.builder.icmp_signed
        return x.like(compare(operator, x.ir, x.match(y).ir), np.bool_)

    return method


class Value:
    """A number known only when the kernel runs: an LLVM value, its NumPy type, where it is written."""

    __slots__ = ("builder", "device", "ir", "type")

    def __init__(self, builder: Any, value: Any, dtype: Any, device: str) -> None:
        self.builder, self.ir, self.type, self.device = builder, value, dtype, device

    def like(self, value: Any, dtype: Any = None) -> Value:
        """An LLVM value, or a Python number, as a `Value` of this type or the given one."""
        dtype = dtype or self.type
        if not isinstance(value, ir.Value):
            value = ir.Constant(_IR[dtype], float(dtype(value)) if dtype in _FLOATS else int(value))
        return Value(self.builder, value, dtype, self.device)

    def match(self, other: Any) -> Value:
        """The other operand of an instruction: a Python number takes this value's type."""
        if not isinstance(other, Value):
            return self.like(other)
        if other.type is not self.type:
            mixed = f"{self.type.__name__} and {other.type.__name__}"
            raise TypingError(f"a formula cannot mix {mixed}: write a kernel's literals as lit(0.5, x)")
        return other

    def call(self, declare: Callable[[Any, Any], Any], *others: Any) -> Value:
        """The result of a function of numbers of this type; `declare(module, function type)` finds it."""
        values = [self.ir] + [self.match(x).ir for x in others]
        kind = ir.FunctionType(_IR[self.type], [_IR[self.type]] * len(values))
        return self.like(self.builder.call(declare(self.builder.module, kind), values))

    def intrinsic(self, name: str, *others: Any) -> Value:
        """The result of LLVM's intrinsic function `name`."""
        return self.call(lambda module, kind: module.declare_intrinsic(name, [_IR[self.type]], kind), *others)

    def library(self, name: str, *others: Any) -> Value:
        """The result of the function `name` of CUDA's device library."""
        symbol = f"__nv_{name}f" if self.type is np.float32 else f"__nv_{name}"
        return self.call(lambda m, kind: m.globals.get(symbol) or ir.Function(m, kind, symbol), *others)

    __add__, __radd__ = _operator("fadd", "add")
    __sub__, __rsub__ = _operator("fsub", "sub")
    __mul__, __rmul__ = _operator("fmul", "mul")
    __truediv__, __rtruediv__ = _operator("fdiv", None)
    __and__, __rand__ = _operator(None, "and_")
    __or__, __ror__ = _operator(None, "or_")
    __xor__, __rxor__ = _operator(None, "xor")
    __lshift__, __rlshift__ = _operator(None, "shl")
    __lt__, __le__, __gt__, __ge__, __eq__, __ne__ = map(_comparison, ("<", "<=", ">", ">=", "==", "!="))
    __hash__ = None  # type: ignore[assignment]

    def __rshift__(self, places: Any) -> Value:
        shift = self.builder.lshr if self.type in _UNSIGNED else self.builder.ashr
        return self.like(shift(self.ir, self.match(places).ir))

    def __rrshift__(self, number: Any) -> Value:
        return self.like(number) >> self

    def __neg__(self) -> Value:
        return (
            -0.0 if self.type in _FLOATS else 0
        ) - self  # CUDA's compiler does not know the instruction fneg

    def __invert__(self) -> Value:
        return self ^ (1 if self.type is np.bool_ else -1)

    def __abs__(self) -> Value:
        return self.library("fabs") if self.device == "cuda" else self.intrinsic("llvm.fabs")

    def __bool__(self) -> bool:
        raise TypingError("a formula has no branches: choose with select(condition, a, b)")


def formula(function: Callable[..., Any] | None = None, *, device: str | None = None) -> Any:
    """Make a scalar function callable from the kernels of every device, and from Python with NumPy scalars.

    `device` names the function of CUDA's device library that takes its place there.
    """
    if function is None:
        return functools.partial(formula, device=device)
    made = function
    if device is not None:

        @functools.wraps(function)
        def made(*arguments):
            x, *others = _numbers(*arguments)
            if isinstance(x, Value) and x.device == "cuda":
                return x.library(device, *others)
            return function(x, *others)

    _teach_numba(made)
    return made


def _teach_numba(function: Callable[..., Any]) -> None:
    """Give numba the type of the function's result, and what to write where a kernel calls it."""

    def run(builder: Any, arguments: Any, values: Any, device: str) -> Value:
        given = [Value(builder, v, _numpy_type(t), device) for t, v in zip(arguments, values, strict=True)]
        result = function(*given)
        return result if isinstance(result, Value) else given[0].like(result)

    @functools.cache
    def result_type(arguments: tuple[Any, ...]) -> Any:
        """Seen by running the formula into a module that is thrown away."""
        kinds = [_IR[_numpy_type(t)] for t in arguments]
        scratch = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), kinds), "formula")
        result = run(ir.IRBuilder(scratch.append_basic_block()), arguments, scratch.args, "cpu")
        return types.boolean if result.type is np.bool_ else getattr(types, result.type.__name__)

    @type_callable(function)
    def typing(context):
        def typer(*arguments):
            return result_type(tuple(types.unliteral(t) for t in arguments))

        typer.__signature__ = inspect.signature(function)
        return typer

    @lower_builtin(function, types.VarArg(types.Any))
    def lower(context, builder, signature, values):
        device = "cuda" if type(context).__module__.startswith("numba.cuda") else "cpu"
        return run(builder, signature.args, values, device).ir


def _numpy_type(kind: Any) -> Any:
    """The NumPy type of a numba type; of a pointer, that of what it points to."""
    if isinstance(kind, types.CPointer | types.Array):
        kind = kind.dtype
    found = np.bool_ if isinstance(kind, types.Boolean) else getattr(np, str(kind), None)
    if found not in _IR:
        raise TypingError(f"a formula takes floats, integers and bools, not {kind}")
    return found


def dtype(x: Any) -> Any:
    """The NumPy type of a formula's argument: picks constants, at no cost when the kernel runs."""
    if isinstance(x, Value):
        return x.type
    return np.dtype(x.dtype).type if hasattr(x, "dtype") else np.float64


def _numbers(*arguments: Any) -> tuple[Any, ...]:
    """The arguments, all as `Value`s or all as NumPy scalars: Python numbers take the type of the others."""
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
    signed = number.type not in _UNSIGNED
    if number.type in _FLOATS and like.type in _FLOATS:
        instruction = "fpext" if like.type is np.float64 else "fptrunc"
    elif number.type in _FLOATS:
        instruction = "fptosi"
    elif like.type in _FLOATS:
        instruction = "sitofp" if signed else "uitofp"
    elif _IR[like.type].width == _IR[number.type].width:
        return like.like(number.ir)
    elif _IR[like.type].width < _IR[number.type].width:
        instruction = "trunc"
    else:
        instruction = "sext" if signed else "zext"
    return like.like(getattr(like.builder, instruction)(number.ir, _IR[like.type]))


def converted(x, kind):
    """A number as NumPy type `kind`, rounded as C does: a float is cut towards zero, and to the lowest bits where an integer
    of 32 (or, for int64, 64) bits is too long; what has no such integer gives any. For bool: whether it is not zero."""
    if kind is np.bool_:
        return x != 0
    if not isinstance(x, Value):
        first = np.int32 if dtype(x) in _FLOATS and np.dtype(kind).itemsize < 4 else kind
        return np.asarray(x).astype(first).astype(kind)[()]
    if x.type in _FLOATS and kind not in _FLOATS and _IR[kind].width < 32:
        x = lit(x, x.like(0, np.int32))
    return lit(x, x.like(0, kind))


@formula
def select(condition, a, b):
    """a where the condition holds, else b; both are computed."""
    a, b = _numbers(a, b)
    if isinstance(condition, Value) and not isinstance(a, Value):
        raise TypingError("select cannot know the type of two literals: write one as lit(0.5, x)")
    if isinstance(a, Value):
        chosen = condition if isinstance(condition, Value) else a.like(condition, np.bool_)
        return a.like(a.builder.select(chosen.ir, a.ir, b.ir))
    return a if condition else b


@formula
def fma(a, b, c):
    """a * b + c, rounded once."""
    a, b, c = _numbers(a, b, c)
    if isinstance(a, Value):
        return a.intrinsic("llvm.fma", b, c)
    if not (np.isfinite(a) and np.isfinite(b) and np.isfinite(c)) or a == 0 or b == 0:
        return a * b + c
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    return type(a)(_rounded(exact, type(a))) if exact else a * b + c


def _rounded(exact: Fraction, kind: Any) -> float:
    """A float64 that becomes, converted to `kind`, the number nearest to a fraction (ties to even)."""
    try:
        near = float(exact)
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")
    if kind is np.float64 or Fraction(near) == exact:
        return near
    # Round to odd: the last bit remembers that something was cut, so the next rounding sees no false tie.
    word = np.float64(near).view(np.int64)
    if not word & 1:
        word += 1 if abs(exact) > abs(Fraction(near)) else -1
    return float(np.int64(word).view(np.float64))


@formula(device="sqrt")
def sqrt(x):
    """The square root, correctly rounded."""
    return x.intrinsic("llvm.sqrt") if isinstance(x, Value) else np.sqrt(x)


@formula(device="floor")
def floor(x):
    """The largest integer not above x, as a float."""
    return x.intrinsic("llvm.floor") if isinstance(x, Value) else np.floor(x)


@formula(device="ceil")
def ceil(x):
    """The smallest integer not below x, as a float."""
    return x.intrinsic("llvm.ceil") if isinstance(x, Value) else np.ceil(x)


@formula(device="trunc")
def trunc(x):
    """x cut towards zero."""
    return x.intrinsic("llvm.trunc") if isinstance(x, Value) else np.trunc(x)


@formula(device="rint")
def rint(x):
    """The nearest integer, as a float; of two the even one."""
    return x.intrinsic("llvm.rint") if isinstance(x, Value) else np.rint(x)


@formula(device="copysign")
def copysign(x, sign):
    """The size of x with the sign of `sign`."""
    return x.intrinsic("llvm.copysign", sign) if isinstance(x, Value) else np.copysign(x, sign)


@formula
def bits(x):
    """The bits of a float as an integer of the same size, or those of an integer as a float."""
    (x,) = _numbers(x)
    kind = _SAME_SIZE[dtype(x)]
    return x.like(x.builder.bitcast(x.ir, _IR[kind]), kind) if isinstance(x, Value) else x.view(kind)
