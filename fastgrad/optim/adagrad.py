"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastgrad import _dtype
from fastgrad._launch.core import Rows
from fastgrad._tensor import Tensor
from fastgrad.ops.create import full, full_like
from fastgrad.optim import _tape
from fastgrad.optim._checks import at_least_zero, learning_rate, one_implementation
from fastgrad.optim._table import TableOptimizer

__all__ = ["Adagrad"]


class Adagrad(TableOptimizer):
    """Steps divided by the root of the sum of all squared gradients (Duchi, Hazan and Singer, 2011).

    The learning rate is lr / (1 + (step - 1) * lr_decay). The sums start as `initial_accumulator_value`, when the
    optimizer is made. `foreach` and `fused` choose among implementations in PyTorch; here there is one, and they
    change nothing.

    >>> import fastgrad as torch
    >>> w = torch.ones(1, requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([w], lr=0.5)
    >>> (3 * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.5000])
    """

    _rows = Rows("update.adagrad")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        learning_rate(lr)
        at_least_zero("lr_decay value", lr_decay)
        at_least_zero("weight_decay value", weight_decay)
        at_least_zero("initial_accumulator_value value", initial_accumulator_value)
        at_least_zero("epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        one_implementation(fused, foreach, differentiable)
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                state["step"] = full((), 0.0, dtype=_dtype.get_default_dtype())
                state["sum"] = full_like(parameter, initial_accumulator_value, requires_grad=False)

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        g = group
        return g["lr"], g["lr_decay"], g["eps"], g["weight_decay"], g["maximize"]

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("sum",)

    def _start(self, group: dict[str, Any]) -> float | None:
        start: float = group["initial_accumulator_value"]
        return start

    def _on_tape(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: Any) -> Tensor:
        rate = group["lr"] / (1 + (state["step"].item() - 1) * group["lr_decay"])
        total = _tape.renew(state, "sum", state["sum"].clone() + gradient * gradient)
        return -(gradient / (total.sqrt() + group["eps"]) * rate)
