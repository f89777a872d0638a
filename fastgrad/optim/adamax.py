"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastgrad._launch.core import Rows
from fastgrad._tensor import Tensor
from fastgrad.optim import _tape
from fastgrad.optim._checks import at_least_zero, betas_below_one, learning_rate
from fastgrad.optim._table import TableOptimizer

__all__ = ["Adamax"]


class Adamax(TableOptimizer):
    """Adam with the largest recent size of the gradient in place of its root mean square (Kingma and Ba, 2015,
    section 7.1).

    `foreach` and `capturable` choose among implementations in PyTorch; here there is one, and they change nothing.

    >>> import fastgrad as torch
    >>> w = torch.ones(1, requires_grad=True)
    >>> optimizer = torch.optim.Adamax([w], lr=0.5)
    >>> (3 * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.5000])
    """

    _rows = Rows("update.adamax")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        learning_rate(lr)
        at_least_zero("epsilon value", eps)
        betas_below_one(betas)
        at_least_zero("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        return group["lr"], *group["betas"], group["eps"], group["weight_decay"], group["maximize"]

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return "exp_avg", "exp_inf"

    def _on_tape(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: Any) -> Tensor:
        beta1, beta2 = group["betas"]
        average = _tape.blended(state, "exp_avg", gradient, beta1)
        largest = (state["exp_inf"].clone() * beta2).maximum(gradient.abs() + group["eps"])
        _tape.renew(state, "exp_inf", largest)
        return -(average / largest * (group["lr"] / (1 - beta1 ** state["step"].item())))
