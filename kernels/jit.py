"""The decorators that make a kernel, and the policy of compiling: flags, signatures, names, cache.

A kernel is a readable loop over a half-open range of tasks [lo, hi). Declared as

    @kernel("F* out, F* x, int cols, float eps")
    def rms_norm(out, x, cols, eps, lo, hi): ...

it is compiled, once for float32 and once for float64, to the one form that everything else calls:

    row(int64* args, int64 lo, int64 hi)

where `args` holds addresses, sizes, and addresses of scalars ("slots"), in the order of the declaration. What may stand in a
declaration is a closed list, so ndim, layout and flags of arrays never reach the compiler:

    F*  f32* f64* i64* i32* i16* i8* u64* u32* u8*    a pointer; F is the kernel's own type
    int                                      an int64, passed by value
    float  F                                 a float64 slot, read when the row runs; F rounds it to the kernel's type
    type                                     no argument: the kernel's type itself, to make literals and pointers with

A kernel's type is float32 or float64; where the launch functions say so, an integer type instead (uint8 for bools, too).

Kernels are known by name, "family.kernel" (the module below `cpu/` and the function):
`address("activation.relu", "float32")`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

from . import store

# The compile flags, each with its reason. Everything else stays at numba's default.
#   error_model="numpy"   division by zero gives inf and nan, and no branch that would stop a loop from vectorising
#   nogil                 the pool's threads run rows side by side
#   no fastmath           `nnan` deletes NaN checks; `contract` and `reassoc` give other bits in a vector's tail than in its
#                         body, so results would depend on where a range was cut. Fused multiply-adds are written out.
#   _nrt off              no reference counting: a row allocates nothing, and its object code stands alone on disk
FLAGS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "_nrt": False}
# Symbols of numba's and Python's runtime. Code that names one is used in this process but not kept: a warm process loads
# object code without numba, and LLVM ends the process on a symbol it cannot find.
_FOREIGN = (b"NRT_", b"numba_", b"PyErr_", b"PyObject_", b"PyGILState_")

FLOATS = ("float32", "float64")
POINTERS = {
    "F*": "", "f32*": "float32", "f64*": "float64", "i64*": "int64", "i32*": "int32",
    "i16*": "int16", "i8*": "int8", "u64*": "uint64", "u32*": "uint32", "u8*": "uint8",
}  # fmt: skip
_lock = store.lock
_declared: dict[str, Kernel] = {}
_addresses: dict[tuple[str, str], int] = {}
compiled: list[str] = []  # names of what this process had to compile, in order
_alive: list[Any] = []  # machine code lives as long as the object that numba made it for


def interpreted() -> bool:
    """Whether kernels run in the interpreter (`NUMBA_DISABLE_JIT=1`)."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


class Kernel:
    """A declared kernel: its source function, its argument types, and the rows made of it."""

    def __init__(self, function: Callable[..., None], types: list[str], name: str, generic: bool) -> None:
        self.function, self.types, self.name, self.generic = function, types, name, generic
        self.__name__, self.__doc__ = function.__name__, function.__doc__

    def row(self, dtype: Any) -> Row:
        """This kernel for one float type; compiled when its `.address` is first read."""
        return Row(self, getattr(dtype, "__name__", str(dtype)))

    def source(self, dtype: str) -> Callable[[Any, int, int], None]:
        """The function `row(args, lo, hi)`: unpacks `args` by the declared types and calls the loop."""
        scalar, pointer = _scalar_types(), _pointer_maker()
        given: dict[str, Any] = {"body": helper(self.function), "pointer": pointer, "i64": scalar["int64"]}
        given |= {"f64": scalar["float64"], "F": scalar[dtype], "out": None}
        unpacked, position = [], 0
        for kind in self.types:
            word = f"words[{position}]"
            if kind == "type":
                unpacked.append("F")
                continue
            if kind in POINTERS:
                name = POINTERS[kind] or dtype
                given[f"{name}_"] = scalar[name]
                unpacked.append(f"pointer({word}, {name}_)")
            elif kind == "int":
                unpacked.append(word)
            else:
                slot = f"pointer({word}, f64)[0]"
                unpacked.append(f"F({slot})" if kind == "F" else slot)
            position += 1
        text = f"def row(args, lo, hi):\n    words = pointer(args, i64)\n    body({', '.join(unpacked)}, lo, hi)\n"
        exec(compile(text, f"<row of {self.name}>", "exec"), given)
        made: Callable[[Any, int, int], None] = given["row"]
        return made


class Row:
    """One kernel for one float type, in its callable form."""

    __slots__ = ("kernel", "dtype")

    def __init__(self, kernel: Kernel, dtype: str) -> None:
        self.kernel, self.dtype = kernel, dtype

    @property
    def address(self) -> int:
        """The machine address of `row(int64*, lo, hi)`."""
        return address(self.kernel.name, self.dtype)


def declared(name: str) -> Kernel:
    """The kernel of this name; imports the module that declares it."""
    if name not in _declared:
        importlib.import_module(f"fastgrad.kernels.cpu.{name.rpartition('.')[0]}")
    try:
        return _declared[name]
    except KeyError:
        raise LookupError(f"no CPU kernel is called {name!r}") from None


def address(name: str, dtype: str) -> int:
    """Machine address of a kernel's row: from memory, from disk, or compiled now (in this order)."""
    found = _addresses.get((name, dtype))
    if found is not None:
        return found
    with _lock:
        found = _addresses.get((name, dtype))
        if found is None:
            found = _make(name, dtype)
            _addresses[name, dtype] = found
    return found


@store.undisturbed()
def _make(name: str, dtype: str) -> int:
    if interpreted():
        from . import launcher

        return launcher.register_interpreted(declared(name).source(dtype))
    kept = store.read(f"{name}.{dtype}")
    if kept is not None:
        return store.load(*kept)
    return compile_function(declared(name).source(dtype), "void(int64, int64, int64)", f"{name}.{dtype}")


def compile_function(function: Callable[..., Any], signature: str, name: str) -> int:
    """Compile a function of scalars under the policy above, keep it on disk under `name`, and give its address."""
    store.say_compiling()
    from numba.core import compiler, sigutils
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.registry import cpu_target

    from .whole import parts

    arguments, result = sigutils.normalize_signature(signature)
    flags = compiler.Flags()
    cpu_target.options.parse_as_flags(flags, FLAGS)
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True  # the entry made below is all that is wanted
    context = cpu_target.target_context
    with global_compiler_lock:
        with parts(context.codegen()):
            done = compiler.compile_extra(
                cpu_target.typing_context, context, function, arguments, result, flags, locals={}
            )
        symbol, library = _add_entry(done, name)
        machine_address: int = library.get_pointer_to_function(symbol)
    compiled.append(name)
    _alive.append(library)
    code = bytes(library._get_compiled_object())
    if not any(foreign in code for foreign in _FOREIGN):
        store.write(name, symbol, code)
    return machine_address


def _add_entry(done: Any, name: str) -> tuple[str, Any]:
    """A plain C function around numba's native one, in a library of its own.

    numba's own wrapper would report exceptions to Python, which ties the object code to a running numba. A kernel raises
    nothing: what it finds wrong, it writes into a status word.
    """
    from llvmlite import ir

    from .whole import Whole

    context, symbol = done.target_context, f"fastgrad.{name}"
    library = Whole(context.codegen(), name)
    library.symbol = symbol
    library.enable_object_caching()
    module = library.create_ir_module(name)
    types = [context.get_value_type(kind) for kind in done.signature.args]
    entry = ir.Function(module, ir.FunctionType(ir.VoidType(), types), symbol)
    builder = ir.IRBuilder(entry.append_basic_block())
    native_function = context.declare_function(module, done.fndesc)
    context.call_conv.call_function(
        builder, native_function, done.signature.return_type, done.signature.args, list(entry.args)
    )
    builder.ret_void()
    library.add_ir_module(module)
    library.add_linking_library(done.library)
    library.finalize()
    return symbol, library


class Native:
    """A compiled function that is no row (the pool's loops, a product's driver): known by its C address."""

    def __init__(self, function: Callable[..., Any], signature: str, name: str) -> None:
        self.function, self.signature, self.name = function, signature, name
        self._address = 0

    @property
    def address(self) -> int:
        if not self._address:
            with _lock:
                self._make()
        return self._address

    @store.undisturbed()
    def _make(self) -> None:
        kept = store.read(self.name)
        made = store.load(*kept) if kept else compile_function(self.function, self.signature, self.name)
        self._address = made


def native(signature: str) -> Callable[[Callable[..., Any]], Native]:
    """Declare a function of scalars, compiled at the first use of `.address` and kept on disk like a kernel."""

    def declare(function: Callable[..., Any]) -> Native:
        return Native(function, signature, f"native.{_family(function)}.{function.__name__}")

    return declare


def kernel(declaration: str) -> Callable[[Callable[..., None]], Kernel]:
    """Declare a kernel; see the top of this file."""

    def declare(function: Callable[..., None]) -> Kernel:
        pairs = [part.split() for part in declaration.split(",")]
        names = [name for _, name in pairs] + ["lo", "hi"]
        actual = list(function.__code__.co_varnames[: function.__code__.co_argcount])
        if names != actual:
            raise TypeError(f"kernel {function.__name__} declares {names} but takes {actual}")
        types = [kind for kind, _ in pairs]
        for kind in types:
            if kind not in POINTERS and kind not in ("int", "float", "F", "type"):
                raise TypeError(f"kernel {function.__name__}: {kind!r} is not on the closed list of argument types")
        return _declare(function, types, generic=any(kind in ("F*", "F", "type") for kind in types))

    return declare


def elementwise(
    function: Callable[..., Any] | None = None, *, out: str = "F", masks: int = 0, far: tuple[Any, Any] | None = None
) -> Any:
    """Declare a kernel by its scalar function; the loops (contiguous, broadcast, strided) are made in `loops.py`.

    Tensor inputs are the positional parameters, scalars the keyword-only ones; the first `masks` inputs are bools. The row's
    arguments are `(n, layout, out, *inputs, *scalars)`; `layout` 0 means that everything is contiguous. `out` is the type of
    the result, where that is not the kernel's: "bool", "int32". `far` is
    `(beyond, other)`: two formulas of the inputs; where `beyond` is true the value is that of `other`, one number at a time.
    """
    if function is None:
        return lambda f: elementwise(f, out=out, masks=masks, far=far)
    code = function.__code__
    inputs, scalars = code.co_argcount, code.co_kwonlyargcount
    types = ["int", "i64*", _POINTER_TO["uint8" if out == "bool" else out]]
    kernel = _declare(function, types + ["u8*"] * masks + ["F*"] * (inputs - masks) + ["F"] * scalars, generic=True)
    kernel.source = lambda dtype: _loops().row(function, inputs, scalars, dtype, out, masks, far)  # type: ignore[method-assign]
    return kernel


_POINTER_TO = {name or "F": kind for kind, name in POINTERS.items()}


def _loops() -> Any:
    return importlib.import_module("fastgrad.kernels.loops")


def _family(function: Callable[..., Any]) -> str:
    return function.__module__.partition("kernels.")[2].removeprefix("cpu.")


def _declare(function: Callable[..., None], types: list[str], generic: bool) -> Kernel:
    name = f"{_family(function)}.{function.__name__}"
    if name in _declared and _declared[name].function.__code__ is not function.__code__:
        raise TypeError(f"two kernels are called {name}")
    _declared[name] = Kernel(function, types, name, generic)
    return _declared[name]


def helper(function: Callable[..., Any]) -> Any:
    """A function that kernels call; itself under NUMBA_DISABLE_JIT=1. Compiled, it cannot be called from Python."""
    import numba

    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **FLAGS)(function)


def _scalar_types() -> dict[str, Any]:
    names = ("float32", "float64", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint8")
    if interpreted():
        import numpy

        return {name: getattr(numpy, name) for name in names}
    from numba import types

    return {name: getattr(types, name) for name in names}


def _pointer_maker() -> Any:
    from .pointers import pointer

    return pointer


def __getattr__(name: str) -> Any:
    # Kernel files take these from here, so that declaring a kernel is one import; numba comes with them.
    if name in ("at", "pointer", "address_of"):
        return getattr(importlib.import_module("fastgrad.kernels.pointers"), name)
    if name == "formula":
        return importlib.import_module("fastgrad.kernels.formula").formula
    if name == "launch":
        return importlib.import_module("fastgrad.kernels.launcher").launch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
