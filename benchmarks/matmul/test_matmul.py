"""Every product of `shapes.py` as a benchmark of its own, fastgrad's engine and its peers in one group a product."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from . import report, shapes


@pytest.mark.parametrize("library", ["fastgrad", "numpy", "torch"])
@pytest.mark.parametrize("product", shapes.products(), ids=lambda product: product.name)
def test_product(benchmark: Any, measure: Any, threads: int, product: shapes.Product, library: str) -> None:
    if library == "torch":
        pytest.importorskip("torch", reason="compares with PyTorch")
    benchmark.group = f"{product.name}, {threads} threads"
    options = argparse.Namespace(threads=[threads], dtype="float32", form="product", precision="highest")
    flops = 2.0 * product.m * product.n * product.k
    measure(report.ENGINES[library](product, options), library, threads=threads, flops=flops)
