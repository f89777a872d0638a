"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastgrad._launch.core import Rows
from fastgrad._tensor import Tensor
from fastgrad.optim import _tape
from fastgrad.optim._checks import at_least_zero, learning_rate
from fastgrad.optim._table import TableOptimizer

__all__ = ["Adadelta"]


class Adadelta(TableOptimizer):
    """Steps in the unit of the steps before: gradients scaled by the ratio of running root mean squares, of steps and
    of gradients (Zeiler, 2012).

    `foreach` and `capturable` choose among implementations in PyTorch; here there is one, and they change nothing.

    >>> import fastgrad as torch
    >>> w = torch.ones(1, requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([w], rho=0.5, eps=0.5)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.2929])
    """

    _rows = Rows("update.adadelta")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        learning_rate(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        at_least_zero("epsilon value", eps)
        at_least_zero("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        g = group
        return g["lr"], g["rho"], g["eps"], g["weight_decay"], g["maximize"]

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return "square_avg", "acc_delta"

    def _on_tape(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: Any) -> Tensor:
        rho, eps = group["rho"], group["eps"]
        scale = (_tape.decayed_squares(state, "square_avg", gradient, rho) + eps).sqrt()
        move = (state["acc_delta"].clone() + eps).sqrt() / scale * gradient
        _tape.decayed_squares(state, "acc_delta", move, rho)
        return -(move * group["lr"])
