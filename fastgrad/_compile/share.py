"""Small products are shared between threads several at a time, with one barrier for all of them.

A product of a few microseconds gains little from a second thread when each ends at a barrier. But the products of
neighbouring layers, forward or backward, make row i of their result from row i of the one before: a thread can take some
rows of the batch through all of them. And weight gradients do not depend on each other, so each can be a thread's own.
Products are cut by rows of their result, and set apart from those that they do not depend on; no bit changes.
"""

from __future__ import annotations

from typing import Any

from ..kernels.cpu.matmul import plan as engine
from .events import Row, Together
from .memory import TEMPORARY, Pointer

# Multiply-adds above which a product is shared well enough by itself.
MOST = 1 << 23
# Multiply-adds below which it is not worth while to wake anybody.
LEAST = 1 << 17
# Bytes of what a group's products read and write: more would be out of the caches before it is used again.
WINDOW = 1 << 20
# Rows of a block, at least: a register tile or two.
HEIGHT = 16

_OUT, _A, _B, _BIAS, _AUX = (engine.PLACE[name] for name in ("out", "a", "b", "bias", "aux"))


class Shared(Together):
    """Products that threads share: each task is a list of (product, first task of it, behind its last)."""

    __slots__ = ("tasks",)
    joint = " | "

    def __init__(self, rows: list[Row], tasks: list[list[tuple[int, int, int]]]) -> None:
        super().__init__(rows)
        self.tasks = tasks


class _Product:
    """What has to be known of a step to move or to cut it."""

    def __init__(self, row: Row) -> None:
        self.row = row
        words = {name: row.args[place] for name, place in engine.PLACE.items()}
        self.m, self.n, self.k, self.words = words["m"], words["n"], words["k"], words
        self.work = self.m * self.n * max(1, self.k)
        result = [words["aux"]] if words["aux"] and words["aux_is"] == engine.RESULT else []
        self.written = [words["out"], *result]
        self.touched = {pointer.buffer for pointer in row.pointers()}
        self.writes = {pointer.buffer for pointer in self.written}
        self.bytes = sum(buffer.nbytes for buffer in self.touched)
        # Blocks of rows of `out` are apart in memory, and need nothing of each other.
        self.by_rows = words["out_col"] == 1 and words["out_row"] >= self.n and words["bias_rows"] == 0

    def clashes(self, other: _Product) -> bool:
        """Whether their order matters."""
        return not (self.writes.isdisjoint(other.touched) and other.writes.isdisjoint(self.touched))

    def follows_by_rows(self, earlier: _Product) -> bool:
        """Whether each row of this one needs of an earlier one's results that row alone, and spoils nothing it reads."""
        if not self.writes.isdisjoint(earlier.touched):
            return False
        words, step = self.words, earlier.words["out_row"]
        own_rows = words["a_row"] == step and words["a_col"] >= 1 and (self.k - 1) * words["a_col"] < step
        harmless = {_A: own_rows, _AUX: words["out_row"] == step}
        used = [(k, p) for k, p in enumerate(self.row.args) if p.__class__ is Pointer and p.buffer in earlier.writes]
        return all(harmless.get(place, False) and pointer in earlier.written for place, pointer in used)


def shared(steps: list[Any], threads: int) -> list[Any]:
    """The steps with groups of small products in place of them, where there are threads to share them."""
    if threads == 1:
        return steps
    made: list[Any] = []
    run: list[_Product] = []
    for step in steps:
        product = _product(step)
        if product is not None:
            run.append(product)
            continue
        made += _grouped(run, threads)
        made.append(step)
        run = []
    return made + _grouped(run, threads)


def _product(step: Any) -> _Product | None:
    """The step as a product that may be moved and shared, if it is one."""
    if not isinstance(step, Row) or not step.name.startswith("matmul.product") or len(step.args) != len(engine.PLACE):
        return None
    if step.args[_OUT].__class__ is not Pointer or step.total < 1:
        return None
    words = engine.PLACE
    if any(step.args[words[name]] for name in ("out_batch", "a_batch", "b_batch", "accumulate", "out_sums")):
        return None
    product = _Product(step)
    temporary = all(buffer.kind == TEMPORARY for buffer in product.writes)
    tasks = -(-product.m // step.args[words["block_m"]]) * -(-product.n // step.args[words["block_n"]])
    return product if temporary and product.work <= MOST and tasks == step.total else None


def _grouped(run: list[_Product], threads: int) -> list[Any]:
    """Neighbouring products in groups, the rest as they are."""
    made: list[Any] = []
    while run:
        chosen, left = _by_rows(run)
        if len(chosen) > 1:
            made.append(_share_rows(chosen, threads))
        else:
            chosen, left = _apart(run)
            small = len(chosen) == 1 or sum(product.work for product in chosen) < LEAST
            made += [product.row for product in chosen] if small else [_share_products(chosen, threads)]
        run = left
    return made


def _by_rows(run: list[_Product]) -> tuple[list[_Product], list[_Product]]:
    """The products of a run that go on row by row from the first, and the others."""
    chosen, size = [run[0]], run[0].bytes
    left: list[_Product] = []
    for product in run[1:]:
        fits = product.by_rows and product.m == run[0].m and run[0].by_rows and size + product.bytes <= WINDOW
        if fits and all(product.follows_by_rows(p) for p in chosen) and not any(product.clashes(p) for p in left):
            chosen.append(product)
            size += product.bytes
        else:
            left.append(product)
    enough = run[0].m >= 2 * HEIGHT and sum(product.work for product in chosen) >= LEAST
    return (chosen, left) if enough else ([run[0]], run[1:])


def _share_rows(chosen: list[_Product], threads: int) -> Shared:
    m = chosen[0].m
    height = max(HEIGHT, -(-m // threads))
    rows, tasks = [], [[] for _ in range(-(-m // height))]  # type: list[Row], list[list[tuple[int, int, int]]]
    for number, product in enumerate(chosen):
        row, parts = _cut(product, height)
        rows.append(row)
        for task, part in zip(tasks, parts, strict=True):
            task += [(number, lo, hi) for lo, hi in part]
    return Shared(rows, tasks)


def _apart(run: list[_Product]) -> tuple[list[_Product], list[_Product]]:
    """The products of a run that depend on none before them, and the others."""
    chosen: list[_Product] = []
    left: list[_Product] = []
    for product in run:
        (left if any(product.clashes(p) for p in [*chosen, *left]) else chosen).append(product)
    return chosen, left


def _share_products(chosen: list[_Product], threads: int) -> Shared:
    """The longest first, each to the thread that has least; those that are much of the whole are cut."""
    share = sum(product.work for product in chosen) / threads
    rows: list[Row] = []
    jobs: list[tuple[float, int, int, int]] = []
    for number, product in enumerate(chosen):
        pieces = min(-(-2 * product.work // max(1, int(share))), product.m // HEIGHT) if product.by_rows else 1
        row, parts = _cut(product, -(-product.m // pieces)) if pieces > 1 else (product.row, [[(0, product.row.total)]])
        rows.append(row)
        jobs += [(product.work / len(parts), number, lo, hi) for part in parts for lo, hi in part]
    tasks: list[list[tuple[int, int, int]]] = [[] for _ in range(threads)]
    loads = [0.0] * threads
    for work, number, lo, hi in sorted(jobs, key=lambda job: -job[0]):
        least = loads.index(min(loads))
        loads[least] += work
        tasks[least].append((number, lo, hi))
    return Shared(rows, [task for task in tasks if task])


def _cut(product: _Product, height: int) -> tuple[Row, list[list[tuple[int, int]]]]:
    row = product.row
    words, parts = engine.cut_rows(row.args, height)
    return Row(row.name, row.address, sum(map(len, parts)), 1, words, row.line), parts


__all__ = ["Shared", "shared"]
