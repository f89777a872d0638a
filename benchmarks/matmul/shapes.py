"""The products that the matrix engine is judged by: forward, dX and dW of layers, and cubes."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

# widths of a network, and batch sizes
NETWORKS = [
    ((20, 13, 8, 3), (500,)),
    ((784, 256, 128, 10), (32, 128, 1024)),
    ((784, 1024, 1024, 10), (512,)),
    ((1024, 4096, 4096, 1000), (512,)),
    ((28, 300, 300, 2), (1000,)),
    ((64, 64), (256,)),
]
CUBES = (32, 64, 128, 256, 512, 1024, 2048)


class Product(NamedTuple):
    """out (m, n) = A (m, k) @ B (k, n); `kind`: which are stored transposed (nt forward, nn dX, tn dW)."""

    kind: str
    m: int
    n: int
    k: int

    @property
    def name(self) -> str:
        return f"{self.kind} {self.m}x{self.n}x{self.k}"

    def operands(self, dtype: str = "float32") -> tuple[Any, Any]:
        """A and B as views of contiguous arrays, as a layer has them."""
        generator = np.random.default_rng(0)
        shape_a = (self.k, self.m) if self.kind == "tn" else (self.m, self.k)
        shape_b = (self.n, self.k) if self.kind == "nt" else (self.k, self.n)
        a = generator.standard_normal(shape_a).astype(dtype)
        b = generator.standard_normal(shape_b).astype(dtype)
        return a.T if self.kind == "tn" else a, b.T if self.kind == "nt" else b


def products() -> list[Product]:
    """All of them, each once, in a fixed order."""
    found: dict[Product, None] = {}
    for widths, batches in NETWORKS:
        for batch in batches:
            for inputs, outputs in itertools.pairwise(widths):
                found[Product("nt", batch, outputs, inputs)] = None
                found[Product("nn", batch, inputs, outputs)] = None
                found[Product("tn", outputs, inputs, batch)] = None
    for side in CUBES:
        for kind in ("nn", "nt", "tn"):
            found[Product(kind, side, side, side)] = None
    return list(found)
