"""RAdam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastgrad._launch.core import Rows
from fastgrad._tensor import Tensor
from fastgrad.optim import _tape
from fastgrad.optim._checks import at_least_zero, betas_below_one, learning_rate
from fastgrad.optim._table import TableOptimizer

__all__ = ["RAdam"]


class RAdam(TableOptimizer):
    """Adam that follows its plain running average while it has seen too few squares to scale by, and then with a
    rectified scale (Liu et al., 2020).

    `decoupled_weight_decay` shrinks weights instead of changing gradients. `foreach` and `capturable` choose among
    implementations in PyTorch; here there is one, and they change nothing.

    >>> import fastgrad as torch
    >>> w = torch.ones(1, requires_grad=True)
    >>> optimizer = torch.optim.RAdam([w], lr=0.25)
    >>> (3 * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.2500])
    """

    _rows = Rows("update.radam")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        g = group
        return g["lr"], *g["betas"], g["eps"], g["weight_decay"], g["decoupled_weight_decay"], g["maximize"]

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return "exp_avg", "exp_avg_sq"

    def _on_tape(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: Any) -> Tensor:
        (beta1, beta2), step = group["betas"], state["step"].item()
        average = _tape.blended(state, "exp_avg", gradient, beta1)
        square = _tape.decayed_squares(state, "exp_avg_sq", gradient, beta2)
        move = average / (1 - beta1**step) * group["lr"]
        # How many squares the average is worth: at most `longest`, now `length`; with few its variance has no bound.
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / (1 - beta2**step)
        if length > 5.0:
            ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            move = move / (square.sqrt() + group["eps"]) * (ratio * (1 - beta2**step)) ** 0.5
        return -move
