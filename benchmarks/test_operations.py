"""One operation, forward and backward, against PyTorch at three sizes: `pytest benchmarks/test_operations.py`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from . import programs

OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda torch, F, x, y: x + y,
    "mul": lambda torch, F, x, y: x * y,
    "div": lambda torch, F, x, y: x / y,
    "exp": lambda torch, F, x, y: torch.exp(x),
    "log": lambda torch, F, x, y: torch.log(x),
    "sqrt": lambda torch, F, x, y: torch.sqrt(x),
    "relu": lambda torch, F, x, y: torch.relu(x),
    "sigmoid": lambda torch, F, x, y: torch.sigmoid(x),
    "tanh": lambda torch, F, x, y: torch.tanh(x),
    "gelu": lambda torch, F, x, y: F.gelu(x),
    "softmax": lambda torch, F, x, y: F.softmax(x.view(-1, 8), dim=1),
    "mse_loss": lambda torch, F, x, y: F.mse_loss(x, y),
    "sum": lambda torch, F, x, y: x.sum(),
    "mean over rows": lambda torch, F, x, y: x.view(-1, 8).mean(dim=0),
}
LIBRARIES = [name for name in programs.installed() if name in ("fastgrad", "torch")]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("size", [64, 10_000, 4_000_000])
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("direction", ["forward", "forward and backward"])
def test_operation(benchmark: Any, measure: Any, direction: str, name: str, size: int, library: str) -> None:
    benchmark.group = f"{name}, {size} elements, {direction}"
    programs.set_threads(1)
    torch, functional = importlib.import_module(library), importlib.import_module(f"{library}.nn.functional")
    torch.manual_seed(0)
    x, y = torch.rand(size) + 0.1, torch.rand(size) + 0.1
    operation = OPERATIONS[name]
    if direction == "forward":
        measure(lambda: operation(torch, functional, x, y), library)
        return
    x.requires_grad_()
    seed = torch.ones_like(operation(torch, functional, x, y).detach())
    measure(lambda: torch.autograd.grad(operation(torch, functional, x, y), x, seed), library)
