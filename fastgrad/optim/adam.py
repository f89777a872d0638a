"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastgrad._launch.core import Rows
from fastgrad.optim._checks import at_least_zero, below_one, not_differentiable
from fastgrad.optim._table import TableOptimizer

__all__ = ["Adam", "AdamW"]


class Adam(TableOptimizer):
    """Steps scaled by running averages of the gradient and of its square (Kingma and Ba, 2015).

    `amsgrad` divides by the largest average so far (Reddi et al., 2018); `decoupled_weight_decay` shrinks
    weights instead of changing gradients, as AdamW does. `foreach`, `fused` and `capturable` choose among
    implementations in PyTorch; here there is one, and they change nothing.

    >>> import fastgrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([w], lr=0.5)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.5000, 1.5000])
    """

    _rows = Rows("update.adam")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        at_least_zero("learning rate", lr)
        at_least_zero("epsilon value", eps)
        below_one("beta parameter at index 0", betas[0])
        below_one("beta parameter at index 1", betas[1])
        at_least_zero("weight_decay value", weight_decay)
        not_differentiable(differentiable)
        defaults = {
            "lr": lr,
            "betas": (float(betas[0]), float(betas[1])),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        g = group
        decoupled = g["decoupled_weight_decay"]
        return g["lr"], *g["betas"], g["eps"], g["weight_decay"], decoupled, g["amsgrad"], g["maximize"]

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")


class AdamW(Adam):
    """Adam with decoupled weight decay: w shrinks by lr * weight_decay (Loshchilov and Hutter, 2019).

    >>> import fastgrad as torch
    >>> w = torch.ones(1, requires_grad=True)
    >>> optimizer = torch.optim.AdamW([w], lr=0.5, weight_decay=0.1)
    >>> w.grad = torch.zeros(1)
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.9500])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # also when the state was saved by an Adam
