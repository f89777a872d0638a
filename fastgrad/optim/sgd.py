"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from fastgrad._launch.core import Rows
from fastgrad._tensor import Tensor
from fastgrad.optim import _tape
from fastgrad.optim._checks import at_least_zero, learning_rate, one_implementation
from fastgrad.optim._table import TableOptimizer

__all__ = ["SGD"]


class SGD(TableOptimizer):
    """Gradient descent, with momentum (v = momentum * v + (1 - dampening) * g) and L2 decay (g + weight_decay
    * w).

    `nesterov` looks ahead along the momentum (Sutskever et al., 2013); `maximize` climbs instead. `foreach`
    and `fused` choose among implementations in PyTorch; here there is one, and they change nothing.

    >>> import fastgrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.5)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.5000, 1.5000])
    """

    _rows = Rows("update.sgd")
    _counts: ClassVar[dict[str, float]] = {}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        learning_rate(lr)
        at_least_zero("momentum value", momentum)
        at_least_zero("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        one_implementation(fused, foreach, differentiable)

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        g = group
        return g["lr"], g["momentum"], g["dampening"], g["weight_decay"], g["nesterov"], g["maximize"]

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("momentum_buffer",) if group["momentum"] != 0 else ()

    def _start(self, group: dict[str, Any]) -> float | None:
        return None

    def _on_tape(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: Any) -> Tensor:
        momentum = group["momentum"]
        if momentum != 0:
            if state.get("momentum_buffer") is None:  # a constant to the tape, as in PyTorch
                state["momentum_buffer"] = gradient.detach().clone()
                velocity = state["momentum_buffer"].clone()
            else:
                pushed = state["momentum_buffer"].clone() * momentum + gradient * (1 - group["dampening"])
                velocity = _tape.renew(state, "momentum_buffer", pushed)
            gradient = gradient + velocity * momentum if group["nesterov"] else velocity
        return -(gradient * group["lr"])
