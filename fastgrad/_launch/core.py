"""The call into kernels: rows by name, elementwise launches, and the one place a recorder or profiler hooks into.

Every launch function takes and returns tensors and records nothing. It allocates the result, turns shapes into a layout,
and calls `run(row, total, grain, *args)`; see `kernels/jit.py` for what a row is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from .. import _dtype, _meta
from .._geometry import Layout, layout, overlaps_itself
from .._meta import _KINDS, Meta
from .._recording import host
from .._tensor import Tensor, new
from ..autograd import modes
from ..kernels import jit
from . import native
from .native import has_native

# Elements of elementwise work handed to a thread at a time. Below it a call stays on the caller: 32,768 additions take
# about 5 microseconds, waking a parked thread as long.
GRAIN = 32768


def _first_run(*args: Any) -> None:
    """The first call loads the launcher (and with it LLVM), so that importing fastgrad need not."""
    from ..kernels import launcher

    global run, _entry
    _entry = launcher.entry()
    native.install(_pairs, GRAIN)
    if run is _first_run:
        run = _entry
    _entry(*args)


_entry: Callable[..., None] = _first_run
run: Callable[..., None] = _first_run


def set_hook(hook: Callable[..., None] | None) -> None:
    """Let `hook(row, total, grain, *args)` take every launch (it calls `launch_entry()` to go on); None takes it away."""
    global run
    run = _entry if hook is None else hook
    modes.unusual[modes.HOOK] = hook is not None


def launch_entry() -> Callable[..., None]:
    """The function that really launches, whatever hook is set."""
    return _entry


class Rows(dict[_dtype.dtype, int]):
    """Machine addresses of one kernel's rows, by dtype; a missing one is compiled or loaded at its first use.

    `integers` names the kernel for integers, `bools` that for bools, where there are such; an empty name stands for the
    kernel before. `mixed` says that not all tensors of a row are of its dtype.
    """

    names: ClassVar[dict[int, str]] = {}  # address -> kernel name, for profiles
    mixed: ClassVar[set[int]] = set()  # addresses of rows with tensors of several dtypes

    def __init__(self, name: str, integers: str | None = None, bools: str = "", mixed: bool = False) -> None:
        super().__init__()
        self.name, self._mixed = name, mixed
        self.by_category = (bools or integers or name, integers or name, name)[0 if integers is not None else 2 :]
        self.told: list[Any] = []  # where compiled code looks for the rows
        KERNELS.extend(sorted(set(self.by_category)))

    def __missing__(self, dtype: _dtype.dtype) -> int:
        if dtype.category + len(self.by_category) < 3:
            kernel = self.name.rpartition(".")[2]
            raise NotImplementedError(f"\"{kernel}_cpu\" not implemented for '{dtype.scalar_name}'")
        name = self.by_category[dtype.category - 3]
        address = self[dtype] = jit.address(name, "uint8" if dtype.category == 0 else dtype.name)
        for place in self.told:
            self._write(place, dtype)
        Rows.names[address] = f"{name}.{dtype.name}"
        if self._mixed:
            Rows.mixed.add(address)
        return address

    def tell(self, place: Any) -> None:
        """Keep the addresses of the rows in words at a place, too, one for each dtype."""
        self.told.append(place)
        for dtype in self:
            self._write(place, dtype)

    def _write(self, place: Any, dtype: _dtype.dtype) -> None:
        place[_KINDS[dtype]] = self[dtype]


KERNELS: list[str] = []  # every kernel that some launch function names


def unary(name: str, integers: str | None = None, bools: str = "") -> Callable[..., Tensor]:
    """A launch function `f(x, out=None)` of an elementwise kernel with one input; `integers` and `bools` are as
    for `Rows`."""
    rows = Rows(name, integers, bools)

    @has_native("LAUNCH", 1, rows)
    def call(x: Tensor, out: Tensor | None = None) -> Tensor:
        meta = x._meta
        if meta.contiguous and out is None:
            out, n = new(meta), meta.numel
            run(rows[meta.dtype], n, GRAIN, n, 0, out._address, x._address)
            return out
        out, n, address, _plan = _planned(out, None, meta)
        run(rows[meta.dtype], n, GRAIN, n, address, out._address, x._address)
        return out

    return call


def unary_scalars(name: str) -> Callable[..., Tensor]:
    """A launch function `f(x, *scalars, out=None)` of an elementwise kernel with one input and numbers (floats)."""
    rows = Rows(name)

    @has_native("LAUNCH", 1, rows)
    def call(x: Tensor, *scalars: float, out: Tensor | None = None) -> Tensor:
        meta = x._meta
        if meta.contiguous and out is None:
            out, n = new(meta), meta.numel
            run(rows[meta.dtype], n, GRAIN, n, 0, out._address, x._address, *scalars)
            return out
        out, n, address, _plan = _planned(out, None, meta)
        run(rows[meta.dtype], n, GRAIN, n, address, out._address, x._address, *scalars)
        return out

    return call


def binary(name: str, integers: str | None = None, bools: str = "") -> Callable[..., Tensor]:
    """A launch function `f(a, b, out=None)` of an elementwise kernel with two inputs of one dtype; `integers` and `bools`
    are as for `Rows`."""
    rows = Rows(name, integers, bools)

    @has_native("LAUNCH", 2, rows)
    def call(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        meta = a._meta
        if meta is b._meta and meta.contiguous and (out is None or out._meta is meta):
            if out is None:
                out = new(meta)
            n = meta.numel
            run(rows[meta.dtype], n, GRAIN, n, 0, out._address, a._address, b._address)
            return out
        if out is None:
            plan = _pairs.get((meta, b._meta))
            if plan is not None:  # broadcast or strided, and seen before
                out_meta, n, address, _plan = plan
                out = new(out_meta)
                run(rows[meta.dtype], n, GRAIN, n, address, out._address, a._address, b._address)
                return out
        out, n, address, _plan = _planned(out, None, meta, b._meta)
        run(rows[meta.dtype], n, GRAIN, n, address, out._address, a._address, b._address)
        return out

    return call


def binary_scalars(
    name: str, out_dtype: _dtype.dtype | None = None, integers: str | None = None
) -> Callable[..., Tensor]:
    """A launch function `f(a, b, *scalars, out=None)`; the result has `out_dtype` where one is given (comparisons)."""
    rows, known = Rows(name, integers, mixed=out_dtype is not None), native.Planned(2)

    def call(a: Tensor, b: Tensor, *scalars: float, out: Tensor | None = None) -> Tensor:
        made, n, address, plan = _planned(out, out_dtype, a._meta, b._meta)
        if out is None and out_dtype is not None:
            known.keep((a._meta, b._meta), made, n, address, plan)
        run(rows[a._meta.dtype], n, GRAIN, n, address, made._address, a._address, b._address, *scalars)
        return made

    return has_native("LAUNCH", 2, rows)(call) if out_dtype is None else has_native("PLANNED", known, rows)(call)


def ternary(name: str, out_dtype: _dtype.dtype | None = None) -> Callable[..., Tensor]:
    """A launch function `f(a, b, c, *scalars, out=None)` of an elementwise kernel with three inputs of one dtype."""
    rows, known = Rows(name, mixed=out_dtype is not None), native.Planned(3)

    @has_native("PLANNED", known, rows)
    def call(a: Tensor, b: Tensor, c: Tensor, *scalars: float, out: Tensor | None = None) -> Tensor:
        meta = a._meta
        made, n, address, plan = _planned(out, out_dtype, meta, b._meta, c._meta)
        if out is None:
            known.keep((meta, b._meta, c._meta), made, n, address, plan)
        run(rows[meta.dtype], n, GRAIN, n, address, made._address, a._address, b._address, c._address, *scalars)
        return made

    return call


# By the metas of the operands: the result's meta, its number of elements, the address of the layout, the layout itself.
_plans: dict[Any, tuple[Meta, int, int, Layout]] = {}
_pairs: dict[tuple[Meta, Meta], tuple[Meta, int, int, Layout]] = {}  # those of two inputs and a new output


def _planned(out: Tensor | None, out_dtype: _dtype.dtype | None, *metas: Meta) -> tuple[Tensor, int, int, Layout]:
    """The output of an elementwise launch (made now unless given), the number of elements, the layout's address, and the
    layout, which the caller holds until the kernel is done: another thread may empty the tables meanwhile."""
    key = (out_dtype, metas, None if out is None else out._meta)
    found = _plans.get(key)
    if found is None:
        if len(_plans) > 10_000:
            _plans.clear()
            _pairs.clear()
        plan = layout(None if out is None else out._meta.strides, *[(m.shape, m.strides) for m in metas])
        made = out._meta if out is not None else _meta.contiguous(plan.shape, out_dtype or metas[0].dtype)
        found = _plans[key] = (made, plan.numel, plan.address, plan)
        if out is None and out_dtype is None and len(metas) == 2:
            _pairs[metas] = found
    return (new(found[0]) if out is None else out), *found[1:]


def contiguous(x: Tensor) -> Tensor:
    """`x` itself when it is contiguous, else a contiguous copy."""
    return x if x._contiguous else copy(x)


copy = unary("elementwise.copy", "")  # a contiguous copy in new memory


def copy_into(out: Tensor, x: Tensor) -> None:
    """Write `x`, broadcast and converted, over `out`. Memory that both share is read before it is written."""
    if out._storage is not x._storage:
        if out.shape != x.shape:
            from .shape import expand

            x = expand(x, out.shape)
        if out.dtype is x.dtype:
            copy(x, out=out)
        else:
            _convert(x, out.dtype, out)
    else:
        _assign(out, x)


@host
def _assign(out: Tensor, x: Tensor) -> None:
    """Write `x`, broadcast and converted, over `out`, by NumPy."""
    out._array()[...] = x._array()


_fill = Rows("elementwise.fill", "integers.fill")
_WORD = range(-(2**31), 2**31)  # integers that a recorder does not take for addresses


@has_native("FILL", rows=_fill)
def fill(out: Tensor, value: Any) -> Tensor:
    """Write one number over all of `out`."""
    meta = out._meta
    if meta.contiguous and meta.dtype.category == 2:
        run(_fill[meta.dtype], meta.numel, GRAIN, out._address, float(value))
    elif meta.contiguous and int(value) in _WORD:
        number = int(value) if meta.dtype.category else int(value != 0)
        run(_fill[meta.dtype], meta.numel, GRAIN, out._address, number)
    else:
        _fill_by_numpy(out, value)
    return out


@host
def _fill_by_numpy(out: Tensor, value: Any) -> None:
    """`fill` for what is not contiguous, and for long integers."""
    out._array().fill(value)


def cast(x: Tensor, dtype: _dtype.dtype) -> Tensor:
    """A contiguous copy in another dtype, rounded as C does."""
    return copy(x) if x._meta.dtype is dtype else _convert(x, dtype)


_converting = {kind: Rows(f"convert.to_{kind.name}", "", mixed=True) for kind in _dtype.ALL}


def _convert(x: Tensor, dtype: _dtype.dtype, out: Tensor | None = None) -> Tensor:
    made, n, address, _plan = _planned(out, dtype, x._meta)
    run(_converting[dtype][x._meta.dtype], n, GRAIN, n, address, made._address, x._address)
    return made


def check_writable(out: Tensor) -> None:
    """In-place operations need memory where no two elements are one."""
    if not out._contiguous and overlaps_itself(out.shape, out._strides):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def check_overlap(x: Tensor, other: Tensor) -> None:
    """RuntimeError where an operation would read memory that it writes at another place: of two dense windows on one
    storage, those that overlap without being the same."""
    if x._storage is not other._storage or (x._address == other._address and x._meta is other._meta):
        return
    size, ends = x._meta.dtype.itemsize, []
    for t in (x, other):
        pairs = sorted([(s, n) for s, n in zip(t._strides, t.shape) if n != 1])
        step = 1
        for stride, n in pairs:
            if stride != step:
                return  # not dense: too hard to tell
            step *= n
        ends.append(t._address + step * size)
    if x._address < ends[1] and other._address < ends[0] and x._numel and other._numel:
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )


def fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts into another without changing it."""
    return len(shape) <= len(into) and all(
        size in (1, wanted) for size, wanted in zip(reversed(shape), reversed(into), strict=False)
    )


def distinct(x: Tensor, out: Tensor) -> Tensor:
    """`x`, or a copy of it where it shares memory with `out` at other places than element for element: an elementwise
    kernel may write over its input only exactly."""
    if x._storage is not out._storage or (x._address == out._address and x._strides == out._strides):
        return x
    return copy(x)
