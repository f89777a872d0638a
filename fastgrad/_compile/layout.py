"""Where temporaries lie: one arena, in which buffers share memory unless they are needed at the same time."""

from __future__ import annotations

from typing import Any

from .memory import TEMPORARY, Buffer

ALIGNMENT = 64


def lifetimes(steps: list[Any]) -> dict[Buffer, tuple[int, int]]:
    """For each temporary, the first and the last step that touches it."""
    lives: dict[Buffer, tuple[int, int]] = {}
    for k, step in enumerate(steps):
        for pointer in step.pointers():
            if pointer.buffer.kind == TEMPORARY:
                first = lives.get(pointer.buffer, (k, k))[0]
                lives[pointer.buffer] = (first, k)
    return lives


def arena(lives: dict[Buffer, tuple[int, int]]) -> tuple[dict[Buffer, int], int]:
    """(offset of each buffer, size of the arena): largest first, each at the lowest place that is free while it lives."""
    placed: list[tuple[int, int, int, int]] = []  # offset, end, first, last
    offsets: dict[Buffer, int] = {}
    size = 0
    for buffer, (first, last) in sorted(lives.items(), key=lambda item: (-item[0].nbytes, item[1], item[0].number)):
        wanted = -(-buffer.nbytes // ALIGNMENT) * ALIGNMENT
        offset = 0
        for start, end, begins, ends in sorted(placed):
            if begins <= last and first <= ends:
                if start - offset >= wanted:
                    break
                offset = max(offset, end)
        placed.append((offset, offset + wanted, first, last))
        offsets[buffer] = offset
        size = max(size, offset + wanted)
    return offsets, size
