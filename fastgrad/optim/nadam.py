"""NAdam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from fastgrad._launch.core import Rows
from fastgrad._tensor import Tensor
from fastgrad.autograd.modes import no_grad
from fastgrad.optim import _tape
from fastgrad.optim._checks import at_least_zero, betas_below_one, learning_rate
from fastgrad.optim._table import TableOptimizer

__all__ = ["NAdam"]


class NAdam(TableOptimizer):
    """Adam that looks ahead along its momentum, which grows with the steps (Dozat, 2016).

    Step t has momentum beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay)). `decoupled_weight_decay` shrinks weights
    instead of changing gradients. `foreach` and `capturable` choose among implementations in PyTorch; here there is
    one, and they change nothing.

    >>> import fastgrad as torch
    >>> w = torch.ones(1, requires_grad=True)
    >>> optimizer = torch.optim.NAdam([w], lr=0.5)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.4718])
    """

    _rows = Rows("update.nadam")
    _counts: ClassVar[dict[str, float]] = {"step": 0.0, "mu_product": 1.0}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        at_least_zero("momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        g = group
        decay = g["weight_decay"], g["momentum_decay"], g["decoupled_weight_decay"]
        return g["lr"], *g["betas"], g["eps"], *decay, g["maximize"]

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return "exp_avg", "exp_avg_sq"

    def _advance(self, group: dict[str, Any], counts: Any, present: Any) -> None:
        steps, products = counts
        for step in np.unique(steps[present]).tolist():  # nearly always one
            products[present & (steps == step)] *= _momentum(group, step)

    def _on_tape(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: Any) -> Tensor:
        (beta1, beta2), step = group["betas"], state["step"].item()
        momentum, following = _momentum(group, step), _momentum(group, step + 1)
        with no_grad():
            state["mu_product"] = state["mu_product"] * momentum
        product = state["mu_product"].item()
        average = _tape.blended(state, "exp_avg", gradient, beta1)
        square = _tape.decayed_squares(state, "exp_avg_sq", gradient, beta2)
        scale = (square / (1 - beta2**step)).sqrt() + group["eps"]
        now, ahead = (1 - momentum) / (1 - product), following / (1 - product * following)
        return -((gradient * now + average * ahead) / scale * group["lr"])


def _momentum(group: dict[str, Any], step: float) -> Any:
    return group["betas"][0] * (1.0 - 0.5 * 0.96 ** (step * group["momentum_decay"]))
