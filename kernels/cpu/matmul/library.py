"""The engine's compiled parts for one kind of arithmetic, as one object file: tiles, packing, and their table.

A kind is a float type, or "bfloat16" for float32 operands that packing rounds to pairs, in float32's lanes.

They are written in LLVM instructions already: numba's optimiser would take seconds, and has nothing to add.

The table is what the driver (`product.py`, `bfloat_product.py`) is given. Its words: bytes of an element, elements in a
vector, steps in a panel, rows and vectors of the largest tile, whether it loads parts of vectors, the addresses of NAMES of
`pack.py` (`bfloat_pack.py`) in order, and then of the tiles: those one vector wide with 1, 2, ... rows, those two wide, and
so on.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

from ... import jit, store
from . import bfloat, bfloat_pack, micro, pack, turn
from .blocks import PANEL, blocks, processor
from .vector import POINTER, item

_lock = store.lock
SIZE, LANES, STEPS, ROWS, VECTORS, MASKS, WIDEST, PACK = range(8)
TILES = PACK + len(pack.NAMES)


def _machine() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = processor()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=name, features=features, opt=3, jit=True)


def wide(dtype: str) -> list[int]:
    """How wide, in vectors, tiles of one row are beside those of the table's columns."""
    return [vectors for vectors in (4, 8, 16) if vectors <= blocks().widest and dtype != "bfloat16"]


def module_text(dtype: str) -> str:
    """The LLVM module: all parts, and a function that fills in the table of their addresses."""
    from llvmlite import ir

    kind, module = item(dtype), ir.Module(name=f"matmul.{dtype}")
    packing, step = (bfloat_pack, bfloat.dot) if dtype == "bfloat16" else (pack, micro.multiply_add)
    prefix = f"fastgrad_{dtype}_"
    names = [prefix + name for name in packing.NAMES]
    for name, full in zip(packing.NAMES, names, strict=True):
        getattr(packing, name)(module, kind, full)
    for vectors in range(1, blocks().vectors + 1):
        for rows in range(1, blocks().rows + 1):
            names.append(f"{prefix}tile_{rows}x{vectors}")
            micro.build(module, kind, rows, vectors, names[-1], step)
    for vectors in wide(dtype):
        names.append(f"{prefix}tile_1x{vectors}")
        micro.build(module, kind, 1, vectors, names[-1], step)
    if dtype != "bfloat16":
        names.append(f"{prefix}vector_times_lines")
        turn.vector_times_lines(module, kind, names[-1])
    fill = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), prefix + "fill")
    builder = ir.IRBuilder(fill.append_basic_block())
    for k, name in enumerate(names):
        builder.store(
            module.globals[name],
            builder.gep(fill.args[0], [ir.Constant(ir.IntType(64), k)], source_etype=POINTER),
        )
    builder.ret_void()
    return str(module)


@functools.cache
def assembly(dtype: str) -> str:
    """What the parts were compiled to, for tests."""
    import llvmlite.binding as llvm

    return str(_machine().emit_assembly(llvm.parse_assembly(module_text(dtype))))


@store.undisturbed()
def _compile(dtype: str) -> tuple[str, bytes]:
    import llvmlite.binding as llvm

    store.say_compiling()
    machine = _machine()
    module = llvm.parse_assembly(module_text(dtype))
    module.verify()
    code = bytes(machine.emit_object(module))
    store.write(f"matmul.library.{dtype}", f"fastgrad_{dtype}_fill", code)
    return f"fastgrad_{dtype}_fill", code


@functools.cache
def _table(dtype: str) -> Any:
    sizes = blocks()
    packing = bfloat_pack if dtype == "bfloat16" else pack
    table = (ctypes.c_int64 * (PACK + len(packing.NAMES) + sizes.rows * sizes.vectors + len(wide(dtype)) + 1))()
    bytes_ = 8 if dtype == "float64" else 4
    table[:PACK] = [bytes_, sizes.bytes // bytes_, PANEL[dtype], sizes.rows, sizes.vectors, sizes.masks, sizes.widest]
    if jit.interpreted():
        return table
    fill = store.load(*(store.read(f"matmul.library.{dtype}") or _compile(dtype)))
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(fill)(ctypes.addressof(table) + 8 * PACK)
    return table


def table_address(dtype: str) -> int:
    """The address of the table of one kind; compiled at first use, kept on disk like a kernel."""
    with _lock:  # the table must be made once: its address is what is kept
        address = ctypes.addressof(_table(dtype))
        _kinds[address] = dtype
        return address


_kinds: dict[int, str] = {}


def kind(address: int) -> str:
    """Whose table it is."""
    return _kinds[address]
