"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastgrad._launch.core import Rows
from fastgrad._tensor import Tensor
from fastgrad.optim import _tape
from fastgrad.optim._checks import at_least_zero, betas_below_one, learning_rate, one_implementation
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
        lr: float | Tensor = 1e-3,
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
        if isinstance(lr, Tensor):
            _no_tensor_with_foreach("lr", foreach, capturable)
        learning_rate(lr)
        at_least_zero("epsilon value", eps)
        betas_below_one(betas)
        at_least_zero("weight_decay value", weight_decay)
        _one_kind_of_betas(betas, foreach, capturable)
        defaults = {
            "lr": lr,
            "betas": tuple([beta.squeeze() if isinstance(beta, Tensor) else beta for beta in betas]),
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
        one_implementation(fused, foreach, differentiable)

    def _slots(self, group: dict[str, Any]) -> tuple[float, ...]:
        g = group
        decoupled = g["decoupled_weight_decay"]
        return g["lr"], *g["betas"], g["eps"], g["weight_decay"], decoupled, g["amsgrad"], g["maximize"]

    def _state_names(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def _on_tape(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: Any) -> Tensor:
        (beta1, beta2), step = group["betas"], state["step"].item()
        average = _tape.blended(state, "exp_avg", gradient, beta1)
        square = _tape.decayed_squares(state, "exp_avg_sq", gradient, beta2)
        if group["amsgrad"]:
            square = _tape.renew(state, "max_exp_avg_sq", state["max_exp_avg_sq"].clone().maximum(square))
        scale = square.sqrt() / (1 - beta2**step) ** 0.5 + group["eps"]
        return -(average / scale * (group["lr"] / (1 - beta1**step)))


def _one_kind_of_betas(betas: Any, foreach: bool | None, capturable: bool) -> None:
    """ValueError, as PyTorch's, for betas of two kinds and for what its `foreach` cannot do."""
    if not all(isinstance(beta, float) for beta in betas) and not all(isinstance(beta, Tensor) for beta in betas):
        raise ValueError("betas must be either both floats or both Tensors")
    for index, beta in enumerate(betas):
        if isinstance(beta, Tensor):
            _no_tensor_with_foreach(f"betas[{index}]", foreach, capturable)
            if beta.numel() != 1:
                raise ValueError(f"Tensor betas[{index}] must be 1-element")


def _no_tensor_with_foreach(name: str, foreach: bool | None, capturable: bool) -> None:
    if foreach and not capturable:
        raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")


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
        lr: float | Tensor = 1e-3,
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
