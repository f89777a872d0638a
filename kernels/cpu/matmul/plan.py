"""From a product's shape to its tasks: `gemm`, which `_launch` calls, and rows for the compiled step. Imports no compiler.

A product is a row like any other (`kernels/jit.py`), with the words of `plain.ARGUMENTS`; PLACE has their positions. What
follows a product element by element can be made part of it: `fused` takes the words of a recorded product and gives
those of the product with what follows. It runs on each strip of the output while that is in the first-level cache, by
the very row that the operation alone runs, so the bits are those of the separate rows.

    rows that follow z = A @ B (+ bias)                 fused(row, total, grain, words, ...)
    add a row vector                                    bias=its address (in a product that has none)
    y = relu(z), and z is not needed                    epilogue=address of activation.relu, aux_is=RELU
    y = leaky_relu | elu | softplus(z, numbers)         epilogue=..., slots=the addresses of the numbers (float64)
    y = gelu(z), and z is saved for the derivative      epilogue=..., aux=address of y, aux_is=RESULT
    z *= number                                         epilogue=elementwise.mul_scalar, slots=(its address,)
    z + x | z * x | x - z | ...                         epilogue=elementwise.add, aux=address of x, aux_is=SECOND or FIRST
    gx = relu_backward(y, z)                            epilogue=activation.relu_backward, aux=address of y,
                                                        aux_is=RELU_BACKWARD
      and the bias gradient, gx.sum(0)                  out_sums=its address (the order is that of `column_sums`)
    total += z, in an `out` that holds the total        accumulate=1, out=the total's address

Any elementwise kernel of one or two inputs and up to three numbers will do; RELU and RELU_BACKWARD say that a tile may do
the same in registers. The order is always: bias, accumulation,
epilogue, column sums. `aux` has the shape and the strides of `out`. The column sums need all rows of a column in one
task, so the product is then cut across only: with less than 64 columns a thread, a row of their own is faster.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any, NamedTuple

from ... import jit, launcher, pool
from . import library, plain, precision, scratch
from .blocks import PANEL, blocks, columns
from .plain import FIRST as FIRST
from .plain import RELU as RELU
from .plain import RELU_BACKWARD as RELU_BACKWARD
from .plain import RESULT as RESULT
from .plain import SECOND

SIZE = {"float32": 4, "float64": 8, "bfloat16": 4}
_ONE = {"float32": ctypes.c_float(1.0), "float64": ctypes.c_double(1.0)}
# A product of fewer multiply-adds is one task, as is a chunk of small ones: waking a thread costs more.
SERIAL = 1 << 19
# What it costs to cut `out`, in units of a row's or a column's multiply-adds: every block packs its columns
# of B again, and reads its rows of A again.
PACK_COST, READ_COST = 4.4, 6.0
PAIR_PACK_COST, PAIR_READ_COST = 22.0, 16.0  # of bfloat16 pairs: A is packed too, and the multiply-adds take half the time
# Up to so many columns, vectors lie down the rows of `out` instead: the product is taken as its transpose, if it is long
# enough in k to pay for turning the operands.
NARROW, LONG = 4, 64
# Elements of `out` from which on its product is not cut along k: the sums of every panel go through memory.
SPLIT_MOST = 4096

# Where the words of a product's row stand, by their names in `plain.ARGUMENTS`.
PLACE = {part.split()[-1]: k for k, part in enumerate(plain.ARGUMENTS.split(","))}


def plan(
    m: int, n: int, k: int, batch: int, dtype: str, threads: int, columns_whole: bool = False
) -> tuple[int, int, int, int]:
    """(total, grain, block_m, block_n): a product's tasks, how many make a chunk, and the blocks they are.

    The number of threads may decide it, because the cut changes no bit (see `product.py`). With `columns_whole`, no column
    of `out` is cut.
    """
    if m == 0 or n == 0 or batch == 0:
        return 0, 1, 1, 1
    sizes = blocks()
    pack_cost, read_cost = (PAIR_PACK_COST, PAIR_READ_COST) if dtype == "bfloat16" else (PACK_COST, READ_COST)
    tile = sizes.vectors * sizes.bytes // SIZE[dtype]
    work = m * n * max(1, k)
    # blocks across that caches and scratch ask for; of pairs it takes twice as many columns
    least = -(-n * SIZE[dtype] // (columns() * (2 if dtype == "bfloat16" else 1)))
    best = (float("inf"), 1, least)
    parts = 1 if threads == 1 or batch >= 4 * threads else min(4 * threads, 2 * work // SERIAL)
    for across in range(least, max(least, min(parts, n // tile)) + 1):
        for wanted in {1} if columns_whole else {1, parts // 4, parts // 2, parts}:
            down = max(1, min(-(-wanted // across), m // sizes.rows))
            share = batch * across * down / threads
            cost = (-(-share // 1) / share) * (1 + pack_cost * down / m + read_cost * across / n) + 0.05 / share
            best = min(best, (cost, down, across))
    _, down, across = best
    block_m, block_n = -(-m // down), min(n, -(-n // (across * tile)) * tile)
    total = batch * -(-m // block_m) * -(-n // block_n)
    grain = total if threads == 1 or work * batch < SERIAL else max(1, SERIAL // 2 * total // (work * batch))
    return total, grain, block_m, block_n


def gemm(
    dtype: str, m: int, n: int, k: int,
    out: int, out_row: int, out_col: int,
    a: int, a_row: int, a_col: int,
    b: int, b_row: int, b_col: int,
    *, accumulate: int = 0, bias: int = 0, sums: int = 0, epilogue: int = 0, aux: int = 0,
    aux_is: int = SECOND, slot0: int = 0, slot1: int = 0, slot2: int = 0,
    batch: int = 1, out_batch: int = 0, a_batch: int = 0, b_batch: int = 0, exact: int = 0,
    launch: Any = None,
) -> None:  # fmt: skip
    """out (m, n) = A (m, k) @ B (k, n) + bias, on raw memory.

    `out`, `a`, `b` are addresses, with strides in elements of any sign; `out` overlaps no other operand.

    accumulate  1: out += the finished product (and sums += the row sums); 0: what `out` holds is never read
    bias        address of n contiguous elements, added after the product
    sums        address of m contiguous elements: the row sums of A (the bias gradient with A = dY.T)
    epilogue    address of an elementwise kernel's row, run over the finished result; `aux`, `aux_is`, and `slot0` to
                `slot2` (addresses of its numbers) as the table above has them
    batch       that many products, `*_batch` elements apart (0: the same matrix in each); not with `sums`
    launch      what to call in the launcher's place, with (row, total, grain, words)
    exact       1: whatever `precision.current` says, operands are not rounded; `sums` never rounds them
    """
    if sums:  # a product with ones, whose rows of A are B's columns here
        gemm(dtype, 1, m, k, sums, m, 1, one(dtype), 0, 0, a, a_col, a_row, accumulate=accumulate, exact=1)
    kind, bias_rows = dtype if exact else precision.kind(dtype, n, k), 0
    # The transposed product has the same bits: taken where it makes columns contiguous, or many.
    if _is_better_transposed(m, n, k, out_row, out_col):
        m, n, out_row, out_col, bias_rows = n, m, out_col, out_row, 1
        a, a_row, a_col, a_batch, b, b_row, b_col, b_batch = b, b_col, b_row, b_batch, a, a_col, a_row, a_batch
    entry, row, total, grain, table, room, block_m, block_n = _ready(m, n, k, batch, kind, pool.get_num_threads())
    if launch is not None and entry is launcher.entry():
        entry = launch
    entry(
        row, total, grain, table, m, n, k, out, out_row, out_col, out_batch, a, a_row, a_col, a_batch,
        b, b_row, b_col, b_batch, accumulate, bias, bias_rows, epilogue, aux, aux_is, slot0, slot1, slot2, 0,
        room, block_m, block_n,
    )  # fmt: skip


def _is_better_transposed(m: int, n: int, k: int, out_row: int, out_col: int) -> bool:
    return out_row == 1 != out_col or (n <= NARROW < m and k >= LONG)


Prepared = tuple[Any, int, tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def prepare(
    dtype: str, m: int, n: int, k: int, out: tuple[int, int], a: tuple[int, int], b: tuple[int, int], exact: bool = False,
    batch: int = 1, apart: tuple[int, int, int] = (0, 0, 0),
) -> Prepared:  # fmt: skip
    """All of a plain product but its addresses, from sizes and (row, column) strides, for as long as the number of
    threads and `precision.current` stay the same; a caller that keeps it pays half of what `gemm` costs.

    Gives (entry, transposed, head, out, a, b, tail) for `entry(*head, OUT, *out, A, *a, B, *b, accumulate, bias,
    transposed, *tail)` with the operands' addresses in capitals, A and B exchanged if `transposed`; entry is None for
    the ordinary launch. `batch` products have their matrices of out, a and b so many elements `apart`.
    """
    kind, transposed = dtype if exact else precision.kind(dtype, n, k), _is_better_transposed(m, n, k, *out)
    if transposed:
        m, n, out, a, b, apart = n, m, out[::-1], b[::-1], a[::-1], (apart[0], apart[2], apart[1])
    entry, row, total, grain, table, room, block_m, block_n = _ready(m, n, k, batch, kind, pool.get_num_threads())
    head, tail = (row, total, grain, table, m, n, k), (0, 0, 0, 0, 0, 0, 0, room, block_m, block_n)
    entry = None if entry is launcher.entry() else entry
    return entry, int(transposed), head, (*out, apart[0]), (*a, apart[1]), (*b, apart[2]), tail


class Split(NamedTuple):
    """A product as the products of its panels of k, whose sum in order it is anyway, so that threads can share it.

    `first` prepares all panels but the last, m n elements of scratch apart; `last`, of the panel that is left, starts so
    many bytes further on in scratch, A and B. The `parts` matrices are then added from first to last.
    """

    parts: int
    first: Prepared
    last: Prepared
    moves: tuple[int, int, int]


def prepare_split(
    dtype: str, m: int, n: int, k: int, a: tuple[int, int], b: tuple[int, int], exact: bool = False
) -> Split | None:
    """The split of a product with a contiguous result; None where cutting `out` gives every thread its share, or where
    there is too little to share."""
    threads, kind = pool.get_num_threads(), dtype if exact else precision.kind(dtype, n, k)
    count = -(-k // PANEL[kind])
    if threads == 1 or count < 2 * threads or m * n * k < 4 * SERIAL or m * n > SPLIT_MOST:
        return None
    entry, _, total, *_ = _ready(m, n, k, 1, kind, threads)
    panel = (-(-k // count) + 7) // 8 * 8
    rest = k - (count - 1) * panel
    if entry is not launcher.entry() or total >= threads or (kind == "bfloat16" != precision.kind(dtype, n, rest)):
        return None
    a_move, b_move, size = panel * a[1], panel * b[0], SIZE[dtype]
    first = prepare(dtype, m, n, panel, (n, 1), a, b, exact, count - 1, (m * n, a_move, b_move))
    last = prepare(dtype, m, n, rest, (n, 1), a, b, exact)
    scratch_move, done = (count - 1) * m * n * size, (count - 1) * size
    return Split(count, first, last, (scratch_move, done * a_move, done * b_move))


def fused(
    row: int, total: int, grain: int, words: tuple[int, ...], *, bias: int = 0, accumulate: int = 0, out: int = 0,
    epilogue: int = 0, aux: int = 0, aux_is: int = SECOND, slots: tuple[int, ...] = (), out_sums: int = 0,
) -> tuple[int, int, int, tuple[int, ...]]:  # fmt: skip
    """A recorded product, (row, total, grain, words), with what follows it made part of it: the table above."""
    changed = dict(zip(PLACE, words, strict=True))
    if changed["epilogue"] or changed["out_sums"] or (bias and (changed["bias"] or changed["accumulate"])):
        raise ValueError("the product ends in an epilogue, or in a bias or an accumulation that comes before another bias")
    if out_sums:
        if changed["bias_rows"]:  # it was taken as its transpose, whose rows they would be sums of
            for one, other in (("m", "n"), ("out_row", "out_col"), ("a", "b"), ("a_row", "b_col"), ("a_col", "b_row")):
                changed[one], changed[other] = changed[other], changed[one]
            changed["bias_rows"] = 0
        if changed["out_col"] != 1 or not changed["m"] or any(changed[name] for name in ("out_batch", "a_batch", "b_batch")):
            raise ValueError("column sums are made of one product's rows, at least one and contiguous")
        kind = library.kind(changed["table"])
        m, n, k = changed["m"], changed["n"], changed["k"]
        total, grain, changed["block_m"], changed["block_n"] = plan(m, n, k, 1, kind, pool.get_num_threads(), True)
        changed["out_sums"] = out_sums
    given = {"bias": bias, "accumulate": accumulate, "out": out, "epilogue": epilogue, "aux": aux, "aux_is": aux_is}
    changed |= {name: value for name, value in given.items() if value}
    changed |= {f"slot{k}": slot for k, slot in enumerate(slots)}
    if len(changed) > len(words):
        raise ValueError("an epilogue has up to three numbers")
    return row, total, grain, tuple(changed.values())


def cut_rows(words: list[Any], height: int) -> tuple[list[Any], list[list[tuple[int, int]]]]:
    """A product's words with `out` cut into blocks of `height` rows; and the tasks [lo, hi) that make each block of rows."""
    changed = list(words)
    m, n, dtype = words[PLACE["m"]], words[PLACE["n"]], library.kind(words[PLACE["table"]])
    down, across = -(-m // height), -(-n * SIZE[dtype] // blocks().columns)
    tile = blocks().vectors * blocks().bytes // SIZE[dtype]
    changed[PLACE["block_m"]], changed[PLACE["block_n"]] = height, min(n, -(-n // (across * tile)) * tile)
    across = -(-n // changed[PLACE["block_n"]])
    return changed, [[(j * down + i, j * down + i + 1) for j in range(across)] for i in range(down)]


def column_sums(dtype: str, n: int, m: int, row: int, column: int) -> Prepared:
    """The prepared product that adds up the rows of an (n, m) matrix: its A is `one(dtype)`."""
    return prepare(dtype, 1, m, n, (m, 1), (0, 0), (row, column), exact=True)


def one(dtype: str) -> int:
    """The address of a 1, which with strides of 0 is a matrix of ones."""
    return ctypes.addressof(_ONE[dtype])


@functools.lru_cache(maxsize=4096)
def _ready(m: int, n: int, k: int, batch: int, kind: str, threads: int) -> tuple[Any, int, int, int, int, int, int, int]:
    """All that a call needs beside its operands, in one look-up; `kind` is that of `precision.py`."""
    total, grain, block_m, block_n = plan(m, n, k, batch, kind, threads)
    # One driver serves both float types: what differs is in the table.
    driver = "matmul.bfloat_product.gemm" if kind == "bfloat16" else "matmul.product.gemm"
    row = jit.address("matmul.plain.multiply" if jit.interpreted() else driver, "float32")
    entry = plain.whole if plain.WANTED else launcher.entry()
    return entry, row, total, grain, library.table_address(kind), scratch.address(), block_m, block_n
