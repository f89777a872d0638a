"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastgrad._launch.core import Rows
from fastgrad._tensor import Tensor
from fastgrad.optim import _tape
from fastgrad.optim._checks import at_least_zero, learning_rate
from fastgrad.optim._table import TableOptimizer

__all__ = ["RMSprop"]


class RMSprop(TableOptimizer):
    """Steps divided by a running root mean square of the gradient (Tieleman and Hinton, 2012).

    `centered` divides by its standard deviation instead (Graves, 2013). `foreach` and `capturable` choose
    among implementations in PyTorch; here there is one, and they change nothing.

    >>> import fastgrad as torch
    >>> w = torch.ones(1, requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([w], lr=0.1, alpha=0.75)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.8000])
    """

    _rows = Rows("update.rmsprop")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        learning_rate(lr)
        at_least_zero("epsilon value", eps)
        at_least_zero("momentum value", momentum)
        at_least_zero("weight_decay value", weight_decay)
        at_least_zero("alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        g = group
        return g["lr"], g["alpha"], g["eps"], g["weight_decay"], g["momentum"], g["centered"], g["maximize"]

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return (
            "square_avg",
            "momentum_buffer" if group["momentum"] > 0 else None,
            "grad_avg" if group["centered"] else None,
        )

    def _on_tape(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: Any) -> Tensor:
        variance = _tape.decayed_squares(state, "square_avg", gradient, group["alpha"])
        if group["centered"]:
            variance = variance - _tape.blended(state, "grad_avg", gradient, group["alpha"]).square()
        move = gradient / (variance.sqrt() + group["eps"])
        if group["momentum"] > 0:
            velocity = state["momentum_buffer"].clone() * group["momentum"] + move
            move = _tape.renew(state, "momentum_buffer", velocity)
        return -(move * group["lr"])
